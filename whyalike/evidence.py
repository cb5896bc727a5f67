"""The folder that `--evidence` asks for: the heatmaps of every match, and one picture of everything."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from explain.evidence import Evidence, Explained, Side
from explain.figure import pair_figure, search_figure
from explain.panels import Shown, ShownMatch
from search_api.overlays import Part, WhichSide, paint
from search_api.pictures import Picture, stored_picture, uploaded_picture
from search_api.schemas import CompareResponse, MatchSchema, SearchResponse
from search_api.schemas_base import ScorerName
from search_api.schemas_evidence import EvidenceSchema, SideSchema
from search_api.scoring import EXPLAINS
from search_api.search import Searcher
from search_api.subjects import Upload
from siamese.images import decode
from siamese.preprocessing import Preprocessing

FIGURE = "figure.png"
MATCHES_IN_FIGURE = 20
"""More rows make a picture that no viewer opens gladly; overlays are written of every match."""
SIDES: tuple[WhichSide, ...] = ("query", "matched")
PARTS: tuple[Part, ...] = ("factual", "counterfactual")


def write_search_evidence(
    folder: Path, searcher: Searcher, query: Upload, answer: SearchResponse, *, heading: str | None = None
) -> Path:
    """Writes the overlays of every match and the figure; returns the figure.

    Raises NothingToDraw where nothing matched.
    """
    _make_room(folder)
    shown: list[ShownMatch] = []
    with searcher.builds.lend(answer.gallery) as (build, checkpoint):
        preprocessing = checkpoint.record.preprocessing
        asked = _uploaded(query, preprocessing, searcher)
        images = build.images([match.image_id for match in answer.matches if match.image_id is not None])
        for match, image in zip(answer.matches, images, strict=True):
            side = searcher.settings.overlay_max_side
            picture = stored_picture(image, build, preprocessing, max_side=side)
            _write_overlays(folder, f"{match.rank:02}", asked, picture, evidence_of(match.evidence))
            if len(shown) < MATCHES_IN_FIGURE:
                shown.append(_shown_match(match, picture, answer.scorer))
    usual = f"The {len(shown)} nearest in the gallery {answer.gallery}, build {answer.build}"
    figure = search_figure(_shown(asked, query.uri, None), shown, heading=heading or usual)
    return _written(folder, figure)


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
    _write_overlays(folder, "pair", asked, matched, evidence_of(answer.evidence))
    shown = _shown(asked, pair[0].uri, None), _shown_match(answer, matched, answer.scorer)
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
        _write_overlays(folder, f"{answer.rank:02}", asked, picture, evidence_of(answer.evidence))
        if len(shown) < MATCHES_IN_FIGURE:
            shown.append(_shown_match(answer, picture, answer.scorer))
    nearest = (
        f"{len(shown)} images" if len(shown) == len(images) else f"The {len(shown)} nearest of {len(images)}"
    )
    heading = f"{nearest}, judged by {answers[0].encoder.name}"
    return _written(folder, search_figure(_shown(asked, query.uri, None), shown, heading=heading))


def _make_room(folder: Path) -> None:
    """The folder, without the evidence of an earlier question, which would pass for this one's."""
    folder.mkdir(parents=True, exist_ok=True)
    for side in SIDES:
        for part in PARTS:
            for overlay in folder.glob(f"*-{side}-{part}.png"):
                overlay.unlink()


def evidence_of(schema: EvidenceSchema) -> Evidence:
    """The evidence as it was before it became JSON."""
    return Evidence(_side(schema.query), _side(schema.matched), Explained(**schema.explained.model_dump()))


def _side(schema: SideSchema) -> Side:
    return Side(np.array(schema.factual, np.float32), np.array(schema.counterfactual, np.float32))


def _uploaded(upload: Upload, preprocessing: Preprocessing, searcher: Searcher) -> Picture:
    image = decode(upload.data, limits=searcher.settings.upload_limits)
    return uploaded_picture(image, preprocessing, max_side=searcher.settings.overlay_max_side)


def _write_overlays(folder: Path, name: str, asked: Picture, matched: Picture, evidence: Evidence) -> None:
    for side, picture in zip(SIDES, (asked, matched), strict=True):
        for part in PARTS:
            paint(picture, evidence, side=side, part=part).save(folder / f"{name}-{side}-{part}.png")


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
    )


def _written(folder: Path, figure: Image.Image) -> Path:
    path = folder / FIGURE
    figure.save(path, optimize=True)
    return path
