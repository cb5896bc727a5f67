"""The map of a gallery: exact, always the same, kept with its build."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.builds.image import GalleryImage
from search_api.maps.gallery_map import GalleryMap, projected
from search_api.schemas.map import GalleryMapSchema
from tests.search_api.conftest import Workshop
from tests.toys import plain


@given(st.integers(3, 30), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_the_axes_are_the_principal_components(count: int, dimension: int, seed: int) -> None:
    embeddings = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    places, explained = projected(embeddings)
    centred = embeddings - embeddings.mean(axis=0)
    variances = np.linalg.svd(centred.astype(np.float64), compute_uv=False) ** 2
    assert explained == pytest.approx((variances / variances.sum())[:2].tolist(), abs=1e-5)
    assert np.abs(places).max() == pytest.approx(1)
    assert places[:, 0] @ places[:, 1] == pytest.approx(0, abs=1e-3)


def test_colours_that_are_alike_lie_in_one_cluster(workshop: Workshop) -> None:
    shades = {f"{colour}/{n}.png": plain(shade) for colour, n, shade in SHADES}
    workshop.publish(pictures=shades)
    answer = workshop.client().get("/v1/galleries/default/map?build=1")
    assert answer.status_code == 200, answer.text
    assert "no-cache" in answer.headers["cache-control"], "an image may be removed from it"
    found = GalleryMapSchema.model_validate(answer.json())
    clusters = [(each.labels, each.images) for each in found.clusters]
    assert sorted(clusters, key=str) == [({"blue": 3}, 3), ({"red": 3}, 3)]
    of = {
        found.labels[label]: cluster
        for label, cluster in zip(found.points.label, found.points.cluster, strict=True)
    }  # type: ignore[index]
    assert len(set(of.values())) == 2
    assert sum(found.explained) == pytest.approx(1, abs=0.01)


def test_the_map_changes_with_the_build_and_with_what_is_removed(workshop: Workshop) -> None:
    workshop.publish(pictures={"a.png": plain("red"), "b.png": plain("blue")})
    client = workshop.managed()
    first = client.get("/v1/galleries/default/map")
    tag = {"If-None-Match": first.headers["etag"]}
    assert client.get("/v1/galleries/default/map", headers=tag).status_code == 304
    workshop.publish(pictures={"a.png": plain("red"), "b.png": plain("blue"), "c.png": plain("lime")})
    second = client.get("/v1/galleries/default/map", headers=tag)
    assert second.status_code == 200 and second.json()["images"] == 3
    removed, *others = second.json()["points"]["image_id"]
    client.delete(f"/v1/galleries/default/images/{removed}")
    third = client.get("/v1/galleries/default/map", headers={"If-None-Match": second.headers["etag"]})
    assert (third.json()["build"], third.json()["images"]) == (second.json()["build"], 2)
    assert third.json()["points"]["image_id"] == others
    assert third.json()["points"]["x"] == second.json()["points"]["x"][1:], "the others stay where they are"


@given(st.sets(st.integers(0, 11)))
def test_a_map_without_some_images_has_the_clusters_of_those_that_are_left(removed: set[int]) -> None:
    generator = np.random.default_rng(0)
    members = np.arange(12) % 3
    images = tuple(GalleryImage(each, f"{each}.png", str(each % 2), "0" * 64, 8, 8) for each in range(12))
    places = generator.normal(size=(12, 2)).astype(np.float32)
    whole = GalleryMap(images, places, members, generator.random(12).astype(np.float32), (0.5, 0.5))
    left = whole.without(removed)
    assert [each.image_id for each in left.images] == sorted(set(range(12)) - removed)
    together = {
        frozenset(left.images[at].image_id for at in np.flatnonzero(left.members == number).tolist())
        for number in range(len(left.clusters()))
    }
    assert together == {frozenset(range(at, 12, 3)) - removed for at in range(3)} - {frozenset()}
    for cluster in left.clusters():
        assert sum(cluster.labels.values()) == cluster.size
        assert cluster.exemplar == cluster.nearest[0]


@pytest.mark.parametrize(
    "pictures", [{"a.png": plain("red")}, {"a.png": plain("red"), "b.png": plain("red", size=(8, 8))}]
)
def test_a_gallery_of_one_look_has_a_map_of_one_cluster(workshop: Workshop, pictures: dict) -> None:  # type: ignore[type-arg]
    workshop.publish(pictures=pictures)
    found = workshop.client().get("/v1/galleries/default/map").json()
    assert [each["images"] for each in found["clusters"]] == [len(pictures)]
    assert set(found["points"]["x"]) == {0}


SHADES = [
    ("red", 1, "#ff0000"),
    ("red", 2, "#ff0800"),
    ("red", 3, "#ff0008"),
    ("blue", 1, "#0000ff"),
    ("blue", 2, "#0800ff"),
    ("blue", 3, "#0008ff"),
]
