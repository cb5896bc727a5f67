"""Reasons in words and correspondences, as the service answers them."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from explain.reason_warnings import NEAR_UNIFORM
from siamese.heads import Heads
from tests.search_api.conftest import Workshop
from tests.toys import colour_labels, fitted_at, mosaic, noise, plain, png

GREY = ["gray"] * 4
LEFT_RED = mosaic([GREY, ["red", "gray", "gray", "blue"], GREY, GREY])
RIGHT_RED = mosaic([GREY, ["blue", "gray", "gray", "red"], GREY, GREY])


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    pictures = {
        "a/right.png": RIGHT_RED,
        "a/left.png": LEFT_RED,
        "b/noise.png": noise(1),
        "b/lime.png": plain("lime"),
    }
    workshop.publish(pictures=pictures, calibration=fitted_at(0.3), heads=Heads(classes=colour_labels()))
    return workshop.client()


def searched(client: TestClient, **data: Any) -> dict[str, Any]:
    response = client.post("/v1/search", files={"image": png(LEFT_RED)}, data=data)
    assert response.status_code == 200, response.text
    return response.json()


def compared(client: TestClient, **data: Any) -> dict[str, Any]:
    files = {"a": png(LEFT_RED), "b": png(RIGHT_RED)}
    response = client.post("/v1/compare", files=files, data=data)
    assert response.status_code == 200, response.text
    return response.json()


def test_every_match_comes_with_its_reason_in_words_and_in_numbers(client: TestClient) -> None:
    for match in searched(client)["matches"]:
        reason = match["reason"]
        assert list(reason) == ["text", "short", "warnings", "query", "matched"]
        does = "keeps them apart" if match["verdict"] == "different" else "makes them alike"
        assert does in reason["text"]
        for side in ("query", "matched"):
            focus, grid = reason[side], np.array(match["evidence"][side]["factual"])
            assert list(focus) == ["share", "area", "place", "concentration"]
            if focus["area"] >= NEAR_UNIFORM * focus["share"] > 0:
                assert "spread nearly evenly" in reason["text"]
                assert "near-uniform" in [warning["code"] for warning in reason["warnings"]]
            elif grid.any():
                assert focus["share"] >= 0.7 and f"{focus['area']:.0%}".replace("%", " %") in reason["text"]
                assert focus["place"] in reason["text"]


def test_a_reason_says_what_the_class_head_sees(client: TestClient) -> None:
    assert "shows red" in searched(client, explained="class", k=1)["matches"][0]["reason"]["text"]


def test_an_even_picture_is_doubted_by_its_code(client: TestClient) -> None:
    response = client.post("/v1/compare", files={"a": png(plain("red")), "b": png(plain("red"))})
    codes = [warning["code"] for warning in response.json()["reason"]["warnings"]]
    assert codes == ["near-uniform", "flat"]


def test_correspondences_cross_where_patches_trade_places(
    client: TestClient,
) -> None:
    assert not {"correspondences", "contributions"} & compared(client).keys()
    found = compared(client, correspondences="true")["correspondences"]
    cells = {(each["query"]["row"], each["query"]["column"]): each["matched"]["column"] for each in found}
    assert cells == {(1, 0): 3, (1, 3): 0}
    first = next(each for each in found if each["query"]["column"] == 0)
    assert first["query"]["box"] == [0, 0.25, 0.25, 0.5] and first["matched"]["box"] == [0.75, 0.25, 1, 0.5]
    assert first["cosine"] == pytest.approx(1, abs=1e-3)
    match = next(
        each for each in searched(client, correspondences="true")["matches"] if "right" in each["uri"]
    )
    assert [each["query"] for each in match["correspondences"]] == [each["query"] for each in found]


def test_the_whole_matrix_sums_to_the_cosine_and_to_the_maps(
    client: TestClient,
) -> None:
    answer = compared(client, contributions="true")
    told = answer["contributions"]
    assert told["query"] == {"rows": 4, "columns": 4, "box": [0, 0, 1, 1]}
    matrix = np.frombuffer(b64decode(told["data"]), told["dtype"]).reshape(16, 16)
    assert matrix.sum() == pytest.approx(answer["cosine"], abs=1e-5)
    cosines = np.frombuffer(b64decode(told["cosines"]), told["dtype"]).reshape(16, 16)
    shares = {round(float(each), 3) for each in cosines.ravel()}
    assert shares == {0, 0.577, 1}  # red and blue share nothing, and a third of grey's square each
    baseline = answer["evidence"]["explained"]["baseline"]
    for axis, side in ((1, "query"), (0, "matched")):
        maps = {part: np.array(grid) for part, grid in answer["evidence"][side].items()}
        net = maps["factual"] - maps["counterfactual"] + baseline / 16
        np.testing.assert_allclose(matrix.sum(axis).reshape(4, 4), net, atol=1e-5)


@pytest.mark.parametrize(("masked", "seen"), [((), 16), (("0,0,0.5,1",), 8), (("0,0,0.5,1", "0,0,1,0.5"), 4)])
def test_what_two_spots_add_is_told_beside_how_many_were_looked_at(
    client: TestClient, masked: tuple[str, ...], seen: int
) -> None:
    asked = {"correspondences": "true", "contributions": "true", "masked": masked}
    answer = compared(client, **asked)
    told = answer["contributions"]
    assert told["seen_pairs"] == seen * 16
    cosines = np.frombuffer(b64decode(told["cosines"]), told["dtype"]).reshape(16, 16)
    assert (cosines.any(axis=1)).sum() == seen, "what was ignored is like nothing"
    for each in answer["correspondences"]:
        average = answer["cosine"] / told["seen_pairs"]
        assert each["times_average"] == pytest.approx(each["contribution"] / average)


def test_a_part_is_compared_as_it_is_searched_with(client: TestClient) -> None:
    files = {"image": png(RIGHT_RED), "a": png(RIGHT_RED)}
    part = {"crop": "0.5,0,1,1", "masked": "0.5,0,1,0.5"}
    (found,) = client.post("/v1/search", files={"image": files["image"]}, data={**part, "k": 1}).json()[
        "matches"
    ]
    compared = client.post(
        "/v1/compare", files={"a": files["a"]}, data={**part, "b_image_id": found["image_id"]}
    ).json()
    assert compared["distance"] == pytest.approx(found["distance"], abs=1e-6)
    assert compared["query"]["crop"]["box"] == [0.5, 0, 1, 1]
    assert compared["query"]["masked"] == [[0.5, 0, 1, 0.5]]


def test_boxes_of_a_cropped_picture_lie_where_the_encoder_looked(client: TestClient) -> None:
    wide = plain("gray", size=(128, 64))
    wide.paste("red", (32, 0, 48, 16))  # the first cell of the square in the middle
    found = client.post(
        "/v1/compare", files={"a": png(wide), "b": png(RIGHT_RED)}, data={"correspondences": "true"}
    ).json()["correspondences"]
    assert [each["query"]["box"] for each in found] == [[0.25, 0, 0.375, 0.25]]
