"""A search answers alike however its gallery keeps local embeddings."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.local_storage import LocalStorage
from search_api.evidence.accounts import Extras
from search_api.queries.subjects import Stored, Upload
from search_api.schemas.evidence import SideSchema
from search_api.schemas.search import MatchSchema, SearchResponse
from search_api.search import Searcher
from siamese.images import decode
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import fitted_at, mosaic, noise, plain, png

STORAGES: tuple[LocalStorage, ...] = ("int8", "float16", "none")
TOLERANCES = {"int8": 2e-3, "float16": 5e-5}
PICTURES = {
    "red/red.png": plain("red"),
    "red/half.png": HALF_RED,
    "red/tall.png": mosaic([["red"], ["red"], ["lime"]], cell=20),
    "noise/1.png": noise(1),
    "noise/2.png": noise(2, size=(90, 40)),
}
REDDISH = Upload(png(mosaic([["red", "red"], ["red", "yellow"]])), "reddish.png")


def numbers(
    answer: SearchResponse, *, but: Iterable[str] = ("uri", "image_id", "evidence", "reason")
) -> list[dict[str, object]]:
    """All that is said of the matches, but for their maps, what is made of these, and where they lie."""
    told = []
    for match in answer.matches:
        told.append({**match.model_dump(exclude=set(but)), "explained": match.evidence.explained})
        told[-1]["name"] = Path(match.uri or "").name
    return told


def maps(side: SideSchema) -> NDArray[np.float64]:
    return np.array(side.factual) - np.array(side.counterfactual)


def by_name(answer: SearchResponse, name: str) -> MatchSchema:
    return next(match for match in answer.matches if Path(match.uri or "").name == name)


@pytest.fixture(params=["crop", "pad"])
def searcher(workshop: Workshop, request: pytest.FixtureRequest) -> Searcher:
    """One gallery of the same pictures for each way to keep local embeddings."""
    for storage in STORAGES:
        workshop.publish(
            storage, PICTURES, calibration=fitted_at(0.5), fit=request.param, local_embeddings=storage
        )
    return workshop.searcher()


def test_matches_and_numbers_are_the_same_and_maps_differ_by_rounding_alone(searcher: Searcher) -> None:
    exact = searcher.search(REDDISH, gallery="none")
    for storage, tolerance in TOLERANCES.items():
        answer = searcher.search(REDDISH, gallery=storage)
        assert numbers(answer) == numbers(exact)
        for kept, computed in zip(answer.matches, exact.matches, strict=True):
            assert maps(kept.evidence.query) == pytest.approx(maps(computed.evidence.query), abs=1e-8)
            assert maps(kept.evidence.matched) == pytest.approx(
                maps(computed.evidence.matched), abs=tolerance
            )
            assert kept.evidence.matched.computed_from == "stored"
            assert computed.evidence.matched.computed_from == "original"
            assert computed.evidence.query.computed_from == "upload"


def test_what_was_not_kept_is_computed_again_to_the_last_bit(searcher: Searcher) -> None:
    with searcher.builds.lend("none") as (build, _):
        ids = [
            each.image_id
            for each in build.search(np.ones(3, np.float32), count=9, fingerprint=build.fingerprint)
        ]
        subjects = searcher.reader.stored(ids, build)
        encoder = searcher._encoders.of(build)
        images = [decode(Path(image.uri).read_bytes()) for image in build.images(ids)]
    expected = encoder.embed([encoder.prepare(image) for image in images])
    assert np.array_equal([each.embedding for each in subjects], expected.embeddings)
    assert np.array_equal([each.local_embeddings for each in subjects], expected.local_embeddings)


def test_a_query_that_the_gallery_holds_is_explained_whichever_way_it_comes(searcher: Searcher) -> None:
    uploaded = searcher.search(Upload(png(HALF_RED)), gallery="none", k=2)
    assert uploaded.matches[0].distance == 0
    assert uploaded.matches[0].evidence.query.computed_from == "upload"
    image_id = uploaded.matches[0].image_id
    assert image_id is not None
    stored = searcher.search(Stored(image_id), gallery="none", k=2)
    assert stored.matches[0].evidence.query.computed_from == "original"
    assert maps(stored.matches[0].evidence.query) == pytest.approx(maps(uploaded.matches[0].evidence.query))
    pair = searcher.comparer.compare(Stored(image_id), Stored(image_id), gallery="none")
    assert pair.distance == 0 and pair.evidence.matched.computed_from == "original"


def test_without_the_originals_the_thumbnails_explain_and_say_so(workshop: Workshop) -> None:
    folder = workshop.publish("default", PICTURES, local_embeddings="none")
    searcher = workshop.searcher()
    before = searcher.search(REDDISH)
    (folder / "red/half.png").unlink()
    (folder / "red/tall.png").write_bytes(png(plain("blue")))
    after = searcher.search(REDDISH)
    assert numbers(after) == numbers(before)
    for name in ("half.png", "tall.png"):
        side = by_name(after, name).evidence.matched
        assert side.computed_from == "thumbnail" and "its thumbnail" in (side.note or "")
        assert maps(side) == pytest.approx(maps(by_name(before, name).evidence.matched), abs=5e-3)
    untouched = by_name(after, "red.png").evidence.matched
    assert (untouched.computed_from, untouched.note) == ("original", None)
    assert "note" not in untouched.model_dump()


def test_a_picture_that_cannot_be_read_any_more_is_a_match_with_a_blank_map(workshop: Workshop) -> None:
    folder = workshop.publish("default", PICTURES, calibration=fitted_at(0.5), local_embeddings="none")
    searcher = workshop.searcher()
    before = searcher.search(REDDISH)
    (folder / "red/half.png").unlink()
    for thumbnails in (workshop.root / "home").rglob("thumbnails.bin"):
        thumbnails.write_bytes(bytes(thumbnails.stat().st_size))
    after = searcher.search(REDDISH)
    assert numbers(after) == numbers(before)
    lost, was = by_name(after, "half.png").evidence, by_name(before, "half.png").evidence
    assert lost.matched.computed_from == "nothing" and "are blank" in (lost.matched.note or "")
    assert not maps(lost.matched).any() and maps(was.matched).any()
    assert lost.query == was.query
    whole = searcher.search(REDDISH, extras=Extras(correspondences=True, contributions=True))
    told = {Path(match.uri or "").name: match.model_dump().keys() for match in whole.matches}
    assert not {"correspondences", "contributions"} & told["half.png"]  # nobody knows its spots
    assert {"correspondences", "contributions"} <= told["red.png"]


def test_an_overlay_is_painted_of_what_is_computed_again_and_no_stale_one_is_shown(
    workshop: Workshop,
) -> None:
    folder = workshop.publish("default", PICTURES, local_embeddings="none")
    client = workshop.client()
    found = client.post("/v1/search", files={"image": ("q.png", REDDISH.data)}).json()["matches"]
    ids = {Path(match["uri"]).name: match["image_id"] for match in found}
    address = f"/v1/images/{ids['half.png']}/overlay?query={ids['red.png']}"
    first = client.get(address)
    assert (first.status_code, first.headers["X-Drawn-On"]) == (200, "original")
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    (folder / "red/red.png").unlink()  # the other picture: its map shares the scale
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
