"""Clusters of a gallery: images that look alike to its encoder, for galleries without labels."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.clustering import Clustering, clusters
from whyalike.gallery_groups import GroupedImage, print_groups
from whyalike.tables import UNKNOWN

CHUNK = 2000
"""Embeddings that are read at a time."""

TOLD = (
    "Images of one cluster lie near each other for the gallery's encoder. The first picture is the one "
    "nearest to the cluster's centre, and distances are from it."
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Images that look alike, the exemplar first, then by their distance from it.

    `labels` counts the labels that they have, the most frequent first.
    """

    exemplar: int
    images: tuple[GroupedImage, ...]
    labels: dict[str, int]
    mean_distance: float

    @property
    def heading(self) -> str:
        """What people call it: its most frequent labels."""
        return ", ".join(list(self.labels)[:3]) or UNKNOWN


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """The clusters of a build, the largest first.

    `chosen` says whether their number was chosen by the data. `agreement` is the adjusted mutual information
    with the labels: 1 where clusters are the labels, 0 by chance, null with fewer than two labels.
    """

    gallery: str
    build: int
    images: int
    seed: int
    chosen: bool
    agreement: float | None
    clusters: tuple[Cluster, ...]


def clusters_of(build: Build, *, count: int | None, seed: int) -> ClusterReport:
    """Part the images of a build; those with the same bytes are one to the clustering, and stay together."""
    places: dict[str, list[GalleryImage]] = defaultdict(list)
    for image in build:
        places[image.checksum].append(image)
    images = list(places.values())
    ids = [each[0].image_id for each in images]
    parts = [build.embeddings(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK)]
    embeddings = np.concatenate([np.empty((0, build.dimension), np.float32), *parts])
    found = clusters(embeddings, count=count, seed=seed)
    parted = (_cluster(found, each, images) for each in range(len(found.exemplars)))
    return ClusterReport(
        gallery=build.gallery,
        build=build.number,
        images=len(build),
        seed=seed,
        chosen=found.chosen,
        agreement=_agreement(found, images),
        clusters=tuple(each for each in parted if each.images),
    )


def print_clusters(report: ClusterReport, csv: Path | None, page: Path | None) -> None:
    """The clusters as a table."""
    agreement = "" if report.agreement is None else f"; agreement with the labels {report.agreement:.2f}"
    summary = (
        f"{len(report.clusters)} clusters of {report.images} images of {report.gallery}, build {report.build}"
        + agreement
    )
    clusters = [(each.heading, each.images) for each in report.clusters]
    print_groups(clusters, summary, csv, page, name="cluster")


def _cluster(found: Clustering, number: int, images: list[list[GalleryImage]]) -> Cluster:
    exemplar = int(found.exemplars[number])
    positions = np.flatnonzero(found.members == number).tolist()
    ordered = sorted(positions, key=lambda at: (at != exemplar, float(found.distances[at]), at))
    grouped = tuple(
        GroupedImage.of(image, float(found.distances[at])) for at in ordered for image in images[at]
    )
    counted = Counter(image.label for image in grouped if image.label is not None)
    return Cluster(
        exemplar=images[exemplar][0].image_id,
        images=grouped,
        labels=dict(sorted(counted.items(), key=lambda each: (-each[1], each[0]))),
        mean_distance=round(float(np.mean([each.distance for each in grouped])), 6) if grouped else 0.0,
    )


def _agreement(found: Clustering, images: list[list[GalleryImage]]) -> float | None:
    from sklearn.metrics import adjusted_mutual_info_score

    labelled = [
        (image.label, int(found.members[at]))
        for at, each in enumerate(images)
        for image in each
        if image.label
    ]
    if len({label for label, _ in labelled}) < 2:
        return None
    labels, members = zip(*labelled, strict=True)
    return round(float(adjusted_mutual_info_score(labels, members)), 4)
