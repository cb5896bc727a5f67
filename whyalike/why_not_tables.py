"""Why an image was not returned, as people read it."""

from pathlib import Path

from rich.text import Text

from gallery.sources.roots import root_uri
from search_api.schemas.why_not import IndexStageSchema, RescoringStageSchema, WhyNotResponse
from whyalike.console import out, printable
from whyalike.tables import UNKNOWN, print_facts, share


def expected(wanted: str) -> int | str:
    """The image_id, or the uri of the file: what is a number and no file here is an id."""
    if wanted.isdecimal() and not Path(wanted).exists():
        return int(wanted)
    return wanted if "://" in wanted else root_uri(Path(wanted))


def print_why_not(answer: WhyNotResponse) -> None:
    """The reason, then the numbers of each stage that the image came to."""
    out().print(Text(printable(answer.reason)))
    facts = [("image", answer.wanted.uri or str(answer.wanted.image_id))]
    if answer.filters is not None:
        facts.append(("filters", "passed" if answer.filters.passed else "; ".join(answer.filters.failed)))
    if answer.index is not None:
        facts.append(("index", _index_words(answer.index)))
    if answer.rescoring is not None:
        facts.append(("re-scoring", _rescoring_words(answer.rescoring)))
    facts.append(("searched", f"gallery {answer.gallery}, build {answer.build}, {answer.encoder.name}"))
    print_facts(facts)


def _index_words(stage: IndexStageSchema) -> str:
    place = f"{stage.exact_rank}" if stage.exact_rank else f"beyond {stage.counted:,}"
    proposed = "proposed" if stage.proposed else "not proposed"
    farthest = UNKNOWN if stage.farthest_proposed is None else f"{stage.farthest_proposed:.3f}"
    return (
        f"{proposed} among {stage.candidates} candidates, the farthest at {farthest}; by exact distance "
        f"it is number {place}"
    )


def _rescoring_words(stage: RescoringStageSchema) -> str:
    last = UNKNOWN if stage.last_score is None else f"{stage.last_score:.3f}"
    rank = UNKNOWN if stage.rank is None else str(stage.rank)
    return (
        f"distance {stage.distance:.3f}, similarity {stage.similarity:.3f}, probability "
        f"{share(stage.probability)}, verdict {stage.verdict or UNKNOWN}; score {stage.score:.3f}, "
        f"rank {rank}, {stage.k} asked for, the last at {last}"
    )
