"""One query against pictures, by the encoder of a gallery or of a checkpoint, the nearest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from search_api.evidence.accounts import NO_EXTRAS, Extras
from search_api.queries.subjects import Upload
from search_api.schemas.base import ExplainedScore, Schema, ScorerName
from search_api.schemas.encoder import CalibrationSchema, EncoderSchema
from search_api.schemas.query import QuerySchema
from search_api.schemas.search import CompareResponse, CompareTimings, MatchSchema
from search_api.search import Searcher
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from siamese.preprocessing import Preprocessing
from whyalike.evidence import write_comparison_evidence, write_pair_evidence
from whyalike.grids import write_grid
from whyalike.hiding_tables import without_picture


class ComparisonResponse(Schema):
    """A query against several pictures: a match for each, the nearest first, and what judged them."""

    query: QuerySchema
    gallery: str | None = Field(description="The gallery whose encoder judged; null for a checkpoint's.")
    build: int | None
    encoder: EncoderSchema
    scorer: ScorerName
    threshold: float | None
    calibration: CalibrationSchema
    matches: list[MatchSchema]
    unreadable: list[tuple[str, str]] = Field(description="Uri and reason of each picture that was left out.")
    timings: CompareTimings


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A query and the pictures that it was compared with, each with its answer; the nearest first."""

    query: Upload
    images: tuple[Upload, ...]
    answers: tuple[CompareResponse, ...]
    preprocessing: Preprocessing
    unreadable: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.answers or len(self.images) != len(self.answers):
            raise ValueError("a comparison needs at least one picture, and an answer for each")

    @property
    def of_pair(self) -> bool:
        """Whether one picture was asked about, and none beside it was left out."""
        return len(self.images) + len(self.unreadable) == 1

    @property
    def response(self) -> CompareResponse | ComparisonResponse:
        """What `--json` prints: of one picture a pair, of several their matches."""
        first = self.answers[0]
        if self.of_pair:
            return without_picture(first)
        own = {"matches", "unreadable", "timings"}
        shared = {name: getattr(first, name) for name in ComparisonResponse.model_fields.keys() - own}
        times = [answer.timings.model_dump() for answer in self.answers]
        spent = {stage: round(sum(time[stage] for time in times), 3) for stage in times[0]}
        matches = [_match(answer) for answer in self.answers]
        unreadable = list(self.unreadable)
        timings = CompareTimings(**spent)
        return ComparisonResponse(**shared, matches=matches, unreadable=unreadable, timings=timings)

    def write_evidence(self, folder: Path, searcher: Searcher) -> Path:
        """Writes the heatmaps and a figure; returns the figure."""
        if self.of_pair:
            pair = self.query, self.images[0]
            return write_pair_evidence(folder, searcher, pair, self.answers[0], self.preprocessing)
        asked = self.query, self.images, self.answers
        return write_comparison_evidence(folder, searcher, *asked, self.preprocessing)

    def write_grid(self, path: Path, limits: ImageLimits) -> Path:
        """Writes one picture of the query and the pictures; returns its path."""
        asked = self.query, self.images, self.answers
        return write_grid(path, *asked, preprocessing=self.preprocessing, limits=limits)


def compare_pictures(
    searcher: Searcher,
    query: Upload,
    images: Sequence[Upload],
    *,
    encoder: Encoder | None,
    gallery: str | None,
    scorer: ScorerName,
    of: ExplainedScore | None,
    extras: Extras = NO_EXTRAS,
    unreadable: Sequence[tuple[str, str]] = (),
) -> Comparison:
    """Compares by this encoder, or by that of the gallery if None; `unreadable` were left out before.

    Raises UnreadableImage, NoSuchHead, and what choosing a gallery raises.
    """
    if encoder:
        answers = searcher.comparer.compare_each_by(
            encoder, query, images, scorer=scorer, of=of, extras=extras
        )
        preprocessing = encoder.preprocessing
    else:
        answers = searcher.comparer.compare_each(
            query, images, gallery=gallery, scorer=scorer, of=of, extras=extras
        )
        with searcher.builds.lend(gallery) as (_, checkpoint):
            preprocessing = checkpoint.record.preprocessing
    order = sorted(range(len(images)), key=lambda at: _order(answers[at]))
    ranked = [answers[at].model_copy(update={"rank": rank}) for rank, at in enumerate(order, start=1)]
    return Comparison(
        query, tuple(images[at] for at in order), tuple(ranked), preprocessing, tuple(unreadable)
    )


def _order(answer: CompareResponse) -> tuple[float, float]:
    """The nearest first, by the scorer: of a pair head the greatest logit."""
    return (-answer.score if answer.scorer == "pair-head" else answer.score), answer.distance


def _match(answer: CompareResponse) -> MatchSchema:
    return MatchSchema(**{name: getattr(answer, name) for name in MatchSchema.model_fields})
