"""The folder that `--evidence` asks for: the heatmaps of every match, and one picture of everything."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from explain.cells import Box
from explain.correspondence_figure import Link, correspondence_figure
from explain.errors import NothingToDraw
from explain.evidence import Evidence, Explained, Side
from explain.figure import pair_figure, search_figure
from explain.panels import Shown, ShownMatch
from search_api.evidence.overlays import Part as PartOfEvidence
from search_api.evidence.overlays import Style, WhichSide, paint
from search_api.queries.pictures import Picture, drawable_picture, stored_picture, uploaded_picture
from search_api.queries.subjects import Part, Upload
from search_api.schemas.base import ScorerName
from search_api.schemas.evidence import CellSchema, EvidenceSchema, SideSchema
from search_api.schemas.search import CompareResponse, MatchSchema, SearchResponse
from search_api.scoring import EXPLAINS
from search_api.search import Searcher
from siamese.images import decode
from siamese.preprocessing import Preprocessing
from whyalike.tables import reason_words, standing_of

FIGURE = "figure.png"
MATCHES_IN_FIGURE = 20
"""More rows make a picture that no viewer opens gladly; overlays are written of every match."""
SIDES: tuple[WhichSide, ...] = ("query", "matched")
PARTS: tuple[PartOfEvidence, ...] = ("factual", "counterfactual")
STYLES: dict[Style, str] = {"overlay": "", "heat": "-heat"}
"""What a drawing's name ends with: over the picture, or the heat alone on transparent."""
CORRESPONDENCES = "correspondences.png"


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The pictures of a pair, to be painted, and what figures show of them."""

    asked: Picture
    matched: Picture
    query: Shown
    match: ShownMatch


def write_search_evidence(
    folder: Path,
    searcher: Searcher,
    query: Upload | Part,
    answer: SearchResponse,
    *,
    heading: str | None = None,
) -> Path:
    """Writes the overlays of every match and the figure; returns the figure.

    Raises NothingToDraw where nothing matched.
    """
    _make_room(folder)
    shown: list[ShownMatch] = []
    for match, pair in pairs_of(searcher, query, answer):
        _write_pair(folder, f"{match.rank:02}", pair, match)
        if len(shown) < MATCHES_IN_FIGURE:
            shown.append(pair.match)
    usual = f"The {len(shown)} nearest in the gallery {answer.gallery}, build {answer.build}"
    if not shown:
        raise NothingToDraw(f"Nothing in the gallery {answer.gallery} matched, and so there is no evidence.")
    return _written(folder, search_figure(pair.query, shown, heading=heading or usual))


def pairs_of(
    searcher: Searcher, query: Upload | Part, answer: SearchResponse
) -> Iterator[tuple[MatchSchema, Pair]]:
    """Each match of an answer with the pictures of its pair, one after the other; a part is of an upload."""
    side = searcher.settings.overlay_max_side
    with searcher.builds.lend(answer.gallery) as (build, checkpoint):
        preprocessing = checkpoint.record.preprocessing
        asked = _asked(query, answer, preprocessing, searcher)
        images = build.images([match.image_id for match in answer.matches if match.image_id is not None])
        for match, image in zip(answer.matches, images, strict=True):
            picture = stored_picture(image, build, preprocessing, max_side=side)
            shown = _shown(asked, answer.query.uri, None), _shown_match(match, picture, answer.scorer)
            yield match, Pair(asked, picture, *shown)


def write_pair_evidence(
    folder: Path,
    searcher: Searcher,
    pair: tuple[Upload, Upload],
    answer: CompareResponse,
    preprocessing: Preprocessing,
) -> Path:
    """Writes the overlays of a pair and its figure; returns the figure."""
    asked, matched = (_uploaded(each, preprocessing, searcher) for each in pair)
    _make_room(folder)
    shown = _shown(asked, pair[0].uri, None), _shown_match(answer, matched, answer.scorer)
    _write_pair(folder, "pair", Pair(asked, matched, *shown), answer)
    return _written(folder, pair_figure(*shown, heading=f"Judged by {answer.encoder.name}"))


def write_comparison_evidence(
    folder: Path,
    searcher: Searcher,
    query: Upload,
    images: Sequence[Upload],
    answers: Sequence[CompareResponse],
    preprocessing: Preprocessing,
) -> Path:
    """Writes the overlays of a query with each image, by rank, and one figure of them; returns the figure."""
    _make_room(folder)
    asked = _uploaded(query, preprocessing, searcher)
    shown: list[ShownMatch] = []
    for image, answer in zip(images, answers, strict=True):
        picture = _uploaded(image, preprocessing, searcher)
        pair = Pair(
            asked, picture, _shown(asked, query.uri, None), _shown_match(answer, picture, answer.scorer)
        )
        _write_pair(folder, f"{answer.rank:02}", pair, answer)
        if len(shown) < MATCHES_IN_FIGURE:
            shown.append(pair.match)
    nearest = (
        f"{len(shown)} images" if len(shown) == len(images) else f"The {len(shown)} nearest of {len(images)}"
    )
    heading = f"{nearest}, judged by {answers[0].encoder.name}"
    return _written(folder, search_figure(_shown(asked, query.uri, None), shown, heading=heading))


def _make_room(folder: Path) -> None:
    """The folder, without the evidence of an earlier question, which would pass for this one's."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"*-{side}-{part}{style}.png" for side in SIDES for part in PARTS for style in STYLES.values()]
    for name in [*names, f"*-{CORRESPONDENCES}"]:
        for drawn in folder.glob(name):
            drawn.unlink()


def evidence_of(schema: EvidenceSchema) -> Evidence:
    """The evidence as it was before it became JSON."""
    return Evidence(_side(schema.query), _side(schema.matched), Explained(**schema.explained.model_dump()))


def _side(schema: SideSchema) -> Side:
    return Side(np.array(schema.factual, np.float32), np.array(schema.counterfactual, np.float32))


def _asked(
    query: Upload | Part, answer: SearchResponse, preprocessing: Preprocessing, searcher: Searcher
) -> Picture:
    """The picture that was asked with, or what was cropped of it."""
    if isinstance(query, Upload):
        return _uploaded(query, preprocessing, searcher)
    assert isinstance(query.of, Upload)
    if not answer.query.crop:
        return _uploaded(query.of, preprocessing, searcher)
    image = decode(query.of.data, limits=searcher.settings.upload_limits)
    crop = image.crop(answer.query.crop.pixels)
    return drawable_picture(crop, preprocessing, max_side=searcher.settings.overlay_max_side)


def _uploaded(upload: Upload, preprocessing: Preprocessing, searcher: Searcher) -> Picture:
    limits, side = searcher.settings.upload_limits, searcher.settings.overlay_max_side
    return uploaded_picture(upload.data, preprocessing, limits=limits, max_side=side)


def _write_pair(folder: Path, name: str, pair: Pair, match: MatchSchema) -> None:
    """Both parts over both pictures, the same heat alone, and which spot answers which where it was asked."""
    evidence = pair.match.evidence
    for side, picture in zip(SIDES, (pair.asked, pair.matched), strict=True):
        for part in PARTS:
            for style, end in STYLES.items():
                drawn = paint(picture, evidence, side=side, part=part, style=style)
                drawn.save(folder / f"{name}-{side}-{part}{end}.png")
    if match.correspondences is not None:
        figure = pair_correspondences(pair.query, pair.match, match)
        figure.save(folder / f"{name}-{CORRESPONDENCES}", optimize=True)


def pair_correspondences(query: Shown, match: ShownMatch, answer: MatchSchema) -> Image.Image:
    """Both pictures, and lines between the spots that answer each other."""
    links = [
        Link(_middle(each.query), _middle(each.matched), each.contribution, each.times_average, each.cosine)
        for each in answer.correspondences or ()
    ]
    return correspondence_figure(query, match, links, heading="Which spot answers which")


def _middle(cell: CellSchema) -> tuple[float, float]:
    return Box(*cell.box).centre


def _shown(picture: Picture, uri: str | None, label: str | None) -> Shown:
    return Shown(picture.image, picture.placement, Path(uri or "").name, label)


def _shown_match(match: MatchSchema, picture: Picture, scorer: ScorerName) -> ShownMatch:
    return ShownMatch(
        picture=_shown(picture, match.uri, match.label),
        rank=match.rank,
        distance=match.distance,
        similarity=match.similarity,
        probability=match.probability,
        verdict=match.verdict,
        evidence=evidence_of(match.evidence),
        explains_verdict=match.evidence.explained.of in EXPLAINS[scorer],
        reason=reason_words(match),
        standing=standing_of(match),
    )


def _written(folder: Path, figure: Image.Image) -> Path:
    path = folder / FIGURE
    figure.save(path, optimize=True)
    return path
