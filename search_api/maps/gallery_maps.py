"""Maps of galleries as they are sent: each made once, kept for as long as its build is among the latest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Set as AbstractSet

from gallery.builds.build import Build
from search_api.maps.gallery_map import GalleryMap, map_of
from search_api.schemas.map import GalleryMapSchema, MapClusterSchema, MapPointsSchema

KEPT = 8
"""Maps that stay in memory; one of 5,000 images takes some megabytes."""
DIGITS = 4
"""Decimals of a place: a ten-thousandth of half the map, less than a pixel."""

Of = tuple[str, int, str]
"""A gallery, the number of its build, and the fingerprint of the encoder."""


class GalleryMaps:
    """Makes one map at a time; whoever asks for the same one meanwhile waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: OrderedDict[Of, GalleryMap] = OrderedDict()

    def of(self, build: Build, *, without: AbstractSet[int] = frozenset()) -> bytes:
        """The map of this build, as JSON; `without` are images that people have removed from it."""
        made = self._of(build).without(without)
        return map_schema(build, made, len(build) - len(without)).model_dump_json().encode()

    def _of(self, build: Build) -> GalleryMap:
        key = (build.gallery, build.number, build.fingerprint)
        with self._lock:
            if key not in self._made:
                self._made[key] = map_of(build)
            self._made.move_to_end(key)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
            return self._made[key]


def map_schema(build: Build, made: GalleryMap, images: int) -> GalleryMapSchema:
    """The map in the words of the contract: columns rather than rows, because there are many.

    `images` are all that could be drawn.
    """
    labels = sorted({each.label for each in made.images if each.label is not None})
    number = {label: at for at, label in enumerate(labels)}
    return GalleryMapSchema(
        gallery=build.gallery,
        build=build.number,
        images=images,
        explained=made.explained,
        labels=labels,
        points=MapPointsSchema(
            image_id=[each.image_id for each in made.images],
            x=[round(float(x), DIGITS) for x in made.places[:, 0]],
            y=[round(float(y), DIGITS) for y in made.places[:, 1]],
            cluster=made.members.tolist(),
            label=[None if each.label is None else number[each.label] for each in made.images],
        ),
        clusters=[
            MapClusterSchema(
                images=each.size,
                labels=each.labels,
                exemplar=made.images[each.exemplar].image_id,
                nearest=[made.images[at].image_id for at in each.nearest],
            )
            for each in made.clusters()
        ],
    )
