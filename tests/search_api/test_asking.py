"""Every way to name what is asked with: parts of pictures, several with weights, pictures of the web."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.errors import FetchRefused
from gallery.settings import FetchingSettings
from search_api.app import create_app
from search_api.errors import InvalidQuestion
from search_api.evidence.accounts import Extras
from search_api.queries.subjects import Linked, Part, Several, Stored, Upload, Weighted
from search_api.regions import Region, in_pixels
from search_api.schemas.evidence import SideSchema
from search_api.schemas.search import MatchSchema, SearchResponse
from search_api.search import Searcher
from siamese.heads import Heads
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import BLUE_PAIRS, fitted_at, mosaic, plain, png

RED, BLUE, LIME = (Upload(png(plain(colour)), f"{colour}.png") for colour in ("red", "blue", "lime"))
NEARLY_RED = Upload(png(plain("#fe0000")), "nearly.png")
HALF = Upload(png(HALF_RED), "half.png")
WIDE = Upload(png(mosaic([["red", "blue", "lime", "lime"]], cell=32)), "wide.png")


@pytest.fixture
def searcher(workshop: Workshop) -> Searcher:
    workshop.publish(calibration=fitted_at(1.0))
    return workshop.searcher()


def signed(side: SideSchema) -> float:
    return float(np.sum(side.factual) - np.sum(side.counterfactual))


def named(answer: SearchResponse, name: str) -> MatchSchema:
    return next(each for each in answer.matches if Path(each.uri or "").name == name)


def together(*queries: tuple[Any, float]) -> Several:
    return Several(tuple(Weighted(asked, weight) for asked, weight in queries))


def test_a_crop_is_asked_with_as_if_it_were_a_picture_of_its_own(searcher: Searcher) -> None:
    answer = searcher.search(Part(HALF, crop=Region.parse("0.5,0,1,1")))
    assert answer.matches[0].label == "blue"
    assert answer.matches[0].distance == pytest.approx(0, abs=1e-6)
    assert answer.query.crop is not None
    assert answer.query.crop.box == (0.5, 0, 1, 1)
    assert answer.query.crop.pixels == (16, 0, 32, 32)
    assert answer.query.checksum == searcher.search(HALF).query.checksum
    in_pixels = searcher.search(Part(HALF, crop=Region.parse("16,0,32,32px")))
    assert in_pixels.matches == answer.matches


def test_a_crop_of_a_stored_image_is_cut_from_its_original(searcher: Searcher) -> None:
    half = named(searcher.search(HALF), "half.png")
    assert half.image_id is not None
    part = Part(Stored(half.image_id), crop=Region.parse("0,0,0.5,1"))
    answer = searcher.search(part, extras=Extras(overlays=True))
    assert answer.matches[0].label == "red" and answer.query.uri == half.uri
    assert answer.matches[0].evidence.query.computed_from == "original"
    overlays = answer.matches[0].overlays
    assert overlays is not None and overlays.query.drawn_on == "original"
    Path(half.uri or "").unlink()
    again = searcher.search(part, extras=Extras(overlays=True)).matches[0]
    assert again.label == "red" and again.evidence.query.computed_from == "thumbnail"


def test_a_masked_region_is_ignored_and_the_maps_still_add_up(searcher: Searcher) -> None:
    whole = searcher.search(HALF).matches[0]
    assert Path(whole.uri or "").name == "half.png"
    answer = searcher.search(Part(HALF, masked=(Region.parse("0.5,0,1,1"),)))
    assert answer.query.masked == [(0.5, 0, 1, 1)] and answer.query.crop is None
    assert [match.label for match in answer.matches[:2]] == ["red", "red"]
    for match in answer.matches:
        explained = match.evidence.explained
        assert explained.value == pytest.approx(match.cosine, abs=1e-9)
        sign = 1 if match.verdict == "same" else -1
        for side in (match.evidence.query, match.evidence.matched):
            assert signed(side) == pytest.approx(sign * (explained.value - explained.baseline), abs=1e-5)
        for grid in (match.evidence.query.factual, match.evidence.query.counterfactual):
            assert not np.array(grid)[:, 2:].any()


def test_masked_regions_are_told_in_the_whole_picture_also_beside_a_crop(searcher: Searcher) -> None:
    """Red, blue, and twice lime: cut away the last lime, mask the other, and mask the blue."""
    masked = (Region.parse("0.5,0,0.75,1"), Region.parse("0.25,0,0.5,1"))
    answer = searcher.search(Part(WIDE, crop=Region.parse("0,0,0.25,1"), masked=masked))
    assert answer.matches[0].label == "red" and answer.matches[0].distance == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("part", "refusal"),
    [
        ("0.5,0,0.5,1", "is empty"),
        ("0.6,0,0.5,1", "is empty"),
        ("0.5,0,1.2,1", "reaches beyond the picture"),
        ("-0.1,0,0.5,1", "reaches beyond the picture"),
        ("0,0,33,10px", "which is 32 × 32 pixels"),
        ("0,0,nan,1", "not made of numbers"),
        ("0,0,1", "is not understood"),
        ("left", "is not understood"),
    ],
)
def test_a_region_that_is_empty_or_outside_is_refused(searcher: Searcher, part: str, refusal: str) -> None:
    with pytest.raises(InvalidQuestion, match=refusal):
        searcher.search(Part(HALF, crop=Region.parse(part)))


def test_a_mask_that_leaves_nothing_is_refused(searcher: Searcher) -> None:
    with pytest.raises(InvalidQuestion, match="leave nothing of the query"):
        searcher.search(Part(HALF, masked=(Region.parse("0,0,1,1"),)))


@given(st.tuples(*[st.floats(0, 1)] * 4), st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_every_region_of_a_picture_covers_a_pixel_of_it(
    edges: tuple[float, float, float, float], size: tuple[int, int]
) -> None:
    left, right = sorted(edges[:2])
    top, bottom = sorted(edges[2:])
    if left < right and top < bottom:
        region = Region((left, top, right, bottom))
        across = in_pixels(region.shares(size), size)
        assert 0 <= across[0] < across[2] <= size[0]
        assert 0 <= across[1] < across[3] <= size[1]


def test_several_pictures_are_asked_with_by_the_sum_of_their_embeddings(searcher: Searcher) -> None:
    """Red and blue alike make (1, 0, 1) / √2, which is the picture of both halves."""
    answer = searcher.search(together((NEARLY_RED, 1), (BLUE, 1)))
    half = named(answer, "half.png")
    assert half.rank == 1 and half.distance == pytest.approx(0, abs=1e-3)
    assert named(answer, "red.png").distance == pytest.approx(math.sqrt(2 - math.sqrt(2)), abs=1e-3)
    assert answer.queries is not None
    assert [(each.uri, each.weight) for each in answer.queries] == [("nearly.png", 1), ("blue.png", 1)]
    assert answer.query.uri == "nearly.png"


def test_only_the_ratio_of_the_weights_counts(searcher: Searcher) -> None:
    once, thrice = (searcher.search(together((RED, n), (BLUE, 2 * n))) for n in (1, 3))
    for first, second in zip(once.matches, thrice.matches, strict=True):
        assert first.image_id == second.image_id
        assert first.distance == pytest.approx(second.distance, abs=1e-6)


def test_a_negative_weight_asks_for_what_is_unlike_a_picture(searcher: Searcher) -> None:
    """Both halves less blue: (1, 0, 1) / √2 − (0, 0, 1) / √2 points along red."""
    answer = searcher.search(together((BLUE, -math.sqrt(0.5)), (HALF, 1)))
    assert [match.label for match in answer.matches[:2]] == ["red", "red"]
    assert answer.matches[0].distance == pytest.approx(0, abs=1e-6)
    assert answer.query.uri == "half.png"  # the first that is positive stands for all


@settings(max_examples=20)
@given(
    weights=st.lists(st.floats(-2, 2).filter(lambda weight: abs(weight) > 0.05), min_size=2, max_size=4),
    fit=st.sampled_from(["crop", "pad"]),
)
def test_the_maps_add_up_over_all_queries_and_each_has_its_share(
    weights: list[float], fit: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    searcher = _shared(tmp_path_factory, fit)
    pictures = [WIDE, NEARLY_RED, HALF, Part(WIDE, masked=(Region.parse("0,0,0.25,1"),))]
    queries = [(picture, weight) for picture, weight in zip(pictures, weights, strict=False)]
    if not any(weight > 0 for weight in weights):
        with pytest.raises(InvalidQuestion, match="positive weight"):
            together(*queries)
        return
    for match in searcher.search(together(*queries)).matches:
        assert match.evidence.queries is not None
        explained = match.evidence.explained
        assert explained.baseline == 0 and match.verdict is None and match.probability is None
        total = sum(signed(each) for each in match.evidence.queries)
        assert total == pytest.approx(match.cosine, abs=2e-5)
        assert signed(match.evidence.matched) == pytest.approx(match.cosine, abs=2e-5)
        assert sum(each.added for each in match.evidence.queries) == pytest.approx(match.cosine, abs=1e-5)
        for each in match.evidence.queries:
            assert signed(each) == pytest.approx(each.added, abs=2e-2)  # int8 is spread over all of them


_SEARCHERS: dict[str, Searcher] = {}


def _shared(tmp_path_factory: pytest.TempPathFactory, fit: str) -> Searcher:
    """One searcher for all examples, which read it alone."""
    if fit not in _SEARCHERS:
        from gallery.database import open_engine
        from gallery.galleries import Galleries
        from migrations import schema

        root = tmp_path_factory.mktemp(fit)
        schema.upgrade(f"sqlite:///{root}/records.db")
        made = Workshop(root, Galleries(root / "home", open_engine(f"sqlite:///{root}/records.db")))
        made.publish(fit=fit)
        _SEARCHERS[fit] = made.searcher()
    return _SEARCHERS[fit]


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    for each in _SEARCHERS.values():
        each.close()
    _SEARCHERS.clear()


def test_what_nobody_calibrated_is_not_judged(workshop: Workshop) -> None:
    workshop.publish(calibration=fitted_at(1.0), heads=Heads(BLUE_PAIRS))
    searcher = workshop.searcher()
    answer = searcher.search(together((RED, 1), (BLUE, 1)))
    assert answer.threshold is None and answer.calibration.reason is not None
    assert "several pictures" in answer.calibration.reason
    with pytest.raises(InvalidQuestion, match="several pictures"):
        searcher.search(together((RED, 1), (BLUE, 1)), same_only=True)
    with pytest.raises(InvalidQuestion, match="judges two pictures"):
        searcher.search(together((RED, 1), (BLUE, 1)), scorer="pair-head")


@pytest.mark.parametrize(
    ("queries", "refusal"),
    [
        (((RED, 1.0), (RED, -1.0)), "cancel each other out"),
        (((RED, 1.0), *((BLUE, 1.0),) * 8), "at most 8 pictures"),
    ],
)
def test_a_sum_that_asks_for_nothing_is_refused(
    searcher: Searcher, queries: tuple[tuple[Upload, float], ...], refusal: str
) -> None:
    with pytest.raises(InvalidQuestion, match=refusal):
        searcher.search(together(*queries))


@pytest.mark.parametrize("weight", [0.0, math.inf, math.nan])
def test_a_weight_is_a_number_that_is_not_zero(weight: float) -> None:
    with pytest.raises(InvalidQuestion, match="weight"):
        Weighted(RED, weight)


def test_each_of_several_pictures_is_painted_on_one_scale(searcher: Searcher) -> None:
    query = together((RED, 1), (BLUE, 1))
    overlays = searcher.search(query, k=1, extras=Extras(overlays=True)).matches[0].overlays
    assert overlays is not None and overlays.queries is not None
    assert len({each.factual for each in overlays.queries}) == 2
    assert overlays.query == overlays.queries[0]


def test_over_http_uploads_and_stored_images_are_asked_with_together(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client()
    files = [("image", ("nearly.png", NEARLY_RED.data)), ("image", ("blue.png", BLUE.data))]
    lime = client.post("/v1/search", files={"image": ("lime.png", LIME.data)}).json()["matches"][0]
    queries = [{"upload": 1}, {"upload": 0, "weight": 1}, {"image_id": lime["image_id"], "weight": -0.1}]
    answer = client.post("/v1/search", files=files, data={"queries": json.dumps(queries)}).json()
    assert [each["weight"] for each in answer["queries"]] == [1, 1, -0.1]
    assert answer["query"]["uri"] == "blue.png" and answer["matches"][0]["uri"].endswith("half.png")
    cropped = client.post(
        "/v1/search",
        files={"image": ("half.png", HALF.data)},
        data={"crop": "0,0,0.5,1", "masked": ["0,0,0.5,0.25"], "k": 1},
    ).json()
    assert cropped["query"]["crop"]["pixels"] == [0, 0, 16, 32] and cropped["matches"][0]["label"] == "red"


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        ({"data": {"queries": "[]"}}, "the list of queries is empty"),
        ({"data": {"queries": "{"}}, "queries"),
        ({"data": {"queries": '[{"upload": 0}]'}}, "0 pictures were sent"),
        ({"data": {"queries": '[{"image_id": 1, "upload": 0}]'}}, "pictures were sent"),
        ({"data": {"queries": '[{"weight": 2}]'}}, "one of"),
        ({"data": {"queries": '[{"image_id": 1, "mood": "sad"}]'}}, "queries.0.mood"),
        ({"data": {"queries": '[{"image_id": 1}]', "crop": "0,0,1,1"}}, "leave out"),
        ({"data": {"queries": '[{"image_id": 1, "weight": 0}]'}}, "weight"),
        ({"data": {"image_id": 1, "crop": "0,0,0,1"}}, "is empty"),
        ({"data": {"image_id": 1, "masked": ["0,0,1,1"] * 51}}, "at most 50"),
        ({"files": [("image", ("a.png", RED.data)), ("image", ("b.png", BLUE.data))]}, "in queries"),
    ],
)
def test_over_http_a_query_that_names_no_picture_is_refused(
    workshop: Workshop, sent: dict[str, Any], refusal: str
) -> None:
    workshop.publish()
    response = workshop.client().post("/v1/search", **sent)
    assert response.status_code == 422
    assert refusal.lower() in response.json()["detail"].lower()


def test_a_query_by_url_is_refused_with_the_name_of_the_setting(workshop: Workshop) -> None:
    workshop.publish()
    response = workshop.client().post("/v1/search", data={"image_url": "http://pictures.example/a.png"})
    assert (response.status_code, response.json()["type"]) == (422, "urn:whyalike:problem:fetch-refused")
    assert "WHYALIKE_SEARCH__URL_QUERIES" in response.json()["detail"]


def test_where_it_is_allowed_no_private_address_is_reached_by_a_query(workshop: Workshop) -> None:
    workshop.publish()
    client = workshop.client(url_queries=True)
    for url in ("http://127.0.0.1:1/a.png", "http://[::1]/a.png", "file:///etc/passwd", "http://10.0.0.1/"):
        response = client.post("/v1/search", data={"image_url": url})
        assert (response.status_code, response.json()["type"]) == (422, "urn:whyalike:problem:fetch-refused")


def test_where_it_is_allowed_a_picture_of_the_web_is_asked_with(workshop: Workshop, tmp_path: Path) -> None:
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    workshop.publish()
    (tmp_path / "web").mkdir()
    (tmp_path / "web/blue.png").write_bytes(BLUE.data)

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(tmp_path / "web"))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    nearby = workshop.searcher(url_queries=True, fetching=FetchingSettings(allowed_networks="127.0.0.0/8"))
    try:
        address = f"http://127.0.0.1:{server.server_port}/blue.png?signature=secret"
        answer = nearby.search(Linked(address), k=1)
        assert answer.matches[0].distance == 0 and answer.matches[0].label == "blue"
        assert answer.query.uri == f"http://127.0.0.1:{server.server_port}/blue.png?…"
        assert answer.timings.fetch is not None and answer.timings.fetch > 0
        cropped = TestClient(create_app(nearby), base_url="http://localhost").post(
            "/v1/search", data={"image_url": address, "crop": "0,0,0.5,1"}
        )
        assert cropped.status_code == 200
        with pytest.raises(FetchRefused, match="404"):
            nearby.search(Linked(address.replace("blue", "nothing")))
    finally:
        server.shutdown()


def test_a_part_is_compared_as_what_it_is_and_several_are_not_compared(searcher: Searcher) -> None:
    left = Part(HALF, crop=Region.parse("0,0,0.5,1"))
    assert searcher.comparer.compare(left, RED).distance == pytest.approx(0, abs=1e-6)
    assert searcher.comparer.compare(left, HALF).distance == pytest.approx(
        math.sqrt(2 - math.sqrt(2)), abs=1e-6
    )
    with pytest.raises(InvalidQuestion, match="one picture on either side"):
        searcher.comparer.compare(together((RED, 1), (BLUE, 1)), RED)


@pytest.mark.parametrize("field", ["crop", "masked", "image_url", "query_id"])
def test_a_text_that_no_database_keeps_is_refused_in_every_field(workshop: Workshop, field: str) -> None:
    workshop.publish()
    picture = {"image": ("a.png", png(plain("red")))}
    answer = workshop.client().post("/v1/search", files=picture, data={field: "a\0b"})
    assert answer.status_code == 422 and "NUL" in answer.json()["detail"], answer.text
