"""A gallery laid out in the plane: images that look alike to its encoder lie near each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.clustering import clusters, supported

DRAWN = 5000
"""Images that a map shows, at most: more would lie on top of each other."""
CHOSEN_ON = 1000
"""Images that the number of clusters is chosen on, so that the first look at a map takes seconds."""
MAX_CLUSTERS = 40
"""Clusters of one map, at most: as many as a person reads through."""
SHOWN = 24
"""Images of a cluster that are named beside it: those nearest to its exemplar."""
CHUNK = 2000
"""Embeddings that are read at a time."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MapCluster:
    """Images of a map that look alike: positions in `GalleryMap.images`, the nearest to the exemplar first.

    `labels` counts their labels, the most frequent first; `size` is how many of the map's images they are.
    """

    exemplar: int
    nearest: tuple[int, ...]
    size: int
    labels: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class GalleryMap:
    """Where images lie: `places` (n, 2) float32 in [-1, 1], `members` (n,) the cluster of each, from 0.

    `from_exemplar` (n,) is the distance from the exemplar of one's own cluster; `explained`
    are the shares of the embeddings' variance that the two axes keep.
    """

    images: tuple[GalleryImage, ...]
    places: Floats
    members: NDArray[np.int64]
    from_exemplar: Floats
    explained: tuple[float, float]

    def without(self, removed: AbstractSet[int]) -> GalleryMap:
        """The same without the images of these ids: the others stay where they are.

        The image that lay nearest to an exemplar that is gone is one now; a cluster without images goes.
        """
        left = [at for at, each in enumerate(self.images) if each.image_id not in removed]
        images = tuple(self.images[at] for at in left)
        members = np.unique(self.members[left], return_inverse=True)[1].astype(np.int64)
        return GalleryMap(images, self.places[left], members, self.from_exemplar[left], self.explained)

    def clusters(self) -> list[MapCluster]:
        """By their numbers."""
        return [self._cluster(np.flatnonzero(self.members == each)) for each in np.unique(self.members)]

    def _cluster(self, positions: NDArray[np.int64]) -> MapCluster:
        ordered = sorted(positions.tolist(), key=lambda at: (float(self.from_exemplar[at]), at))
        counted = Counter(label for at in ordered if (label := self.images[at].label) is not None)
        labels = dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))
        return MapCluster(ordered[0], tuple(ordered[:SHOWN]), len(ordered), labels)


def map_of(build: Build, *, drawn: int = DRAWN, seed: int = 0) -> GalleryMap:
    """The images of a build by the two principal components of their embeddings, which are exact.

    Of more than `drawn` images, every so many-th by its id. The same build gives the same map. It takes one
    core and leaves the others to searches.
    """
    images = tuple(islice(build, 0, None, max(1, math.ceil(len(build) / drawn))))
    embeddings = _embeddings(build, images)
    places, explained = projected(embeddings)
    with threadpool_limits(1):
        members, from_exemplar = _clustered(embeddings, seed)
    return GalleryMap(images, places, members, from_exemplar, explained)


def projected(embeddings: Floats) -> tuple[Floats, tuple[float, float]]:
    """(n, D) on their first two principal components, both by one scale, and the variance that each keeps.

    The sign of an axis is that of its greatest coefficient, so that it is always the same.
    """
    if len(embeddings) < 2 or embeddings.shape[1] < 2:
        return np.zeros((len(embeddings), 2), np.float32), (0.0, 0.0)
    centred = embeddings.astype(np.float64) - embeddings.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred)  # ascending
    two = axes[:, :-3:-1]
    two = two * np.sign(two[np.abs(two).argmax(axis=0), [0, 1]])
    places = centred @ two
    total = float(variances.clip(0).sum())
    kept = [float(max(0.0, variances[at])) / total if total else 0.0 for at in (-1, -2)]
    reach = float(np.abs(places).max()) or 1.0
    return (places / reach).astype(np.float32), (kept[0], kept[1])


def _embeddings(build: Build, images: tuple[GalleryImage, ...]) -> Floats:
    ids = [each.image_id for each in images]
    parts = [build.embeddings(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]
    return np.concatenate([np.empty((0, build.dimension), np.float32), *parts])


def _clustered(embeddings: Floats, seed: int) -> tuple[NDArray[np.int64], Floats]:
    """The cluster of each, and its distance from the exemplar of that."""
    if not len(embeddings):
        return np.empty(0, np.int64), np.empty(0, np.float32)
    different = len(np.unique(embeddings, axis=0))
    sample = embeddings[:: max(1, math.ceil(len(embeddings) / CHOSEN_ON))]
    wanted = supported(sample, seed=seed) if different > 2 else different
    found = clusters(embeddings, count=min(wanted, different, MAX_CLUSTERS), seed=seed)
    return found.members, found.distances
