"""What is answered when neither the original of an image nor its thumbnail can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.search_api.conftest import Workshop
from tests.search_api.test_service import RED, id_of, refused
from tests.toys import fitted_at, plain, png


def delete(path: Path) -> None:
    path.unlink()


def blank(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def shorten(path: Path) -> None:
    path.write_bytes(b"")


@pytest.fixture(params=[delete, blank, shorten], ids=lambda spoil: spoil.__name__)
def spoilt(request: pytest.FixtureRequest, workshop: Workshop) -> TestClient:
    """A service whose gallery has lost an original and every thumbnail, after they were searched."""
    spoil: Callable[[Path], None] = request.param
    workshop.publish(calibration=fitted_at(1.0))
    client = workshop.client()
    assert client.post("/v1/search", files={"image": RED}).status_code == 200
    (workshop.root / "pictures/default/red/half.png").unlink()
    for thumbnails in (workshop.root / "home").rglob("thumbnails.bin"):
        spoil(thumbnails)
    return client


@pytest.mark.parametrize("trial", ["what_if", "faithfulness"])
def test_a_trial_of_a_picture_that_is_gone_is_refused_with_the_way_out(
    spoilt: TestClient, trial: str
) -> None:
    data = {"a_image_id": id_of(spoilt, "half.png"), trial: "true"}
    problem = refused(spoilt.post("/v1/compare", files={"b": RED}, data=data), 404, "picture-unavailable")
    assert "whyalike gallery repair" in problem["detail"]


def test_a_match_whose_picture_is_gone_is_answered_without_its_overlay(spoilt: TestClient) -> None:
    data = {"overlays": "true"}
    matches = spoilt.post("/v1/search", files={"image": RED}, data=data).json()["matches"]
    drawn = {Path(match["uri"]).name: "overlays" in match for match in matches}
    assert not drawn["half.png"] and drawn["red.png"] and drawn["lime.png"]


def test_a_picture_that_is_gone_is_not_found(spoilt: TestClient) -> None:
    half, red = id_of(spoilt, "half.png"), id_of(spoilt, "red.png")
    for path in (f"{half}/picture", f"{half}/overlay?query={red}"):
        refused(spoilt.get(f"/v1/images/{path}"), 404, "picture-unavailable")


def test_a_picture_whose_original_is_there_is_shown_all_the_same(spoilt: TestClient) -> None:
    red = id_of(spoilt, "red.png")
    assert spoilt.get(f"/v1/images/{red}/picture").status_code == 200
    answer = spoilt.post("/v1/compare", files={"b": ("q.png", png(plain("red")))}, data={"a_image_id": red})
    assert answer.json()["distance"] == 0
