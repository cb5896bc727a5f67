"""Searches compared with exact search: what is lost is counted, and a drift is told only where it is one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.builds.build import Build
from gallery.builds.probing import LEAST_PROBES, Probe, drift, probe
from gallery.index.recall import NEIGHBOURS, quantiles
from gallery.manifest import CoveredSegment, MainIndexClaims, RecallClaims
from gallery.vector_index import Nearest, VectorIndex
from tests.gallery.support import Trial

NEAR = np.random.default_rng(0).normal(0.5, 0.05, 400)


class Halved:
    """An index that finds only contents with even ids."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        found = self._index.search(embedding, count=len(self._index), allowed=allowed)
        kept = found.content_ids % 2 == 0
        return Nearest(found.content_ids[kept][:count], found.distances[kept][:count])


@pytest.fixture
def build(trial: Trial) -> Build:
    trial.run({f"/r/a/{number}": b"%d" % number for number in range(40)}, batch=20)
    return trial.open()


def measured(build: Build, *, recall: float = 0.99, reach: Sequence[float] = ()) -> Build:
    """The build as if it had a main index of this recall."""
    claims = MainIndexClaims(
        id=1,
        name="index",
        kind="ivf-pq",
        factory="IVF1,PQ1x4fs",
        entries=40,
        wanted=0.99,
        probes=1,
        candidates=20,
        recall=RecallClaims(
            value=recall, low=recall - 0.01, high=recall + 0.01, queries=1000, neighbours=10, reach=reach
        ),
        segments=(CoveredSegment(id=1, rows=40),),
        files={},
    )
    index = build.manifest.index.model_copy(update={"main": claims})
    build.manifest = build.manifest.model_copy(update={"index": index})
    return build


def probes(hits: int, reach: Sequence[float]) -> list[Probe]:
    return [Probe(hits, NEIGHBOURS, each) for each in reach]


def test_an_exact_index_finds_all_of_the_nearest(build: Build) -> None:
    for image in list(build)[:5]:
        found = probe(build, build.embeddings([image.image_id])[0])
        assert found is not None
        assert (found.hits, found.neighbours) == (NEIGHBOURS, NEIGHBOURS)


def test_what_an_index_loses_is_counted(build: Build) -> None:
    build._index = Halved(build._index)
    found = [probe(build, row) for row in build.embeddings([each.image_id for each in build])]
    assert 2 < np.mean([each.hits for each in found if each]) < 8


def test_a_gallery_with_fewer_than_the_neighbours_cannot_be_probed(trial: Trial) -> None:
    trial.run({f"/r/a/{number}": b"%d" % number for number in range(NEIGHBOURS)})
    build = trial.open()
    assert probe(build, build.embeddings([next(iter(build)).image_id])[0]) is None


def test_searches_that_find_as_much_as_when_the_index_was_built_are_no_drift(build: Build) -> None:
    found = drift(measured(build, reach=quantiles(NEAR)), probes(10, NEAR))
    assert found is not None and found.expected is not None
    assert found.warnings == ()
    assert found.shift is not None and found.shift < 0.1
    assert (found.recall.value, found.expected.value) == (1.0, 0.99)


def test_a_recall_below_that_of_the_manifest_is_told_with_what_to_do(build: Build) -> None:
    found = drift(measured(build, reach=quantiles(NEAR)), probes(9, NEAR))
    assert found is not None
    (warning,) = found.warnings
    assert "90.0%" in warning and "99.0%" in warning and "gallery compact pictures" in warning


def test_other_distances_than_when_the_index_was_built_are_told(build: Build) -> None:
    found = drift(measured(build, reach=quantiles(NEAR)), probes(10, NEAR + 0.2))
    assert found is not None
    (warning,) = found.warnings
    assert "farther off" in warning and "calibrate" in warning
    assert found.shift is not None and found.shift > 0.9


def test_a_few_searches_are_no_drift(build: Build) -> None:
    found = drift(measured(build, reach=quantiles(NEAR)), probes(5, NEAR[: LEAST_PROBES - 1] + 1))
    assert found is not None
    assert (found.shift, found.warnings) == (None, ())
    assert drift(build, []) is None
