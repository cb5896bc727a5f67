"""The images of a build, a page at a time, narrowed as a search is."""

from collections.abc import Sequence
from dataclasses import replace

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.filters.conditions import LABEL, Where, require_known
from gallery.filters.filtering import satisfying
from gallery.index.narrowing import labelled
from gallery.membership import in_build_too, members, not_removed
from gallery.records.images import ImageRecord
from gallery.site import Site


def images_page(
    site: Site,
    build: Build,
    *,
    labels: Sequence[str] | None = None,
    where: Where = (),
    after: int = 0,
    limit: int,
) -> list[GalleryImage]:
    """The images with ids above `after`, by id, that have one of the labels and satisfy the conditions.

    Raises InvalidFilter for an attribute that no image has.
    """
    if any(each.name != LABEL for each in where):
        require_known(where, {each.name for each in build.narrowing.columns}, gallery=build.gallery)
    where = where if labels is None else (*labelled(labels), *where)
    statement = (
        members(in_build_too(site.gallery_id, build.number))
        .where(satisfying(site.gallery_id, where), not_removed(), ImageRecord.id > after)
        .order_by(ImageRecord.id)
        .limit(limit)
    )
    with site.engine.connect() as connection:
        found = [GalleryImage(*row) for row in connection.execute(statement)]
    told = build.narrowing.attributes([each.image_id for each in found])
    return [replace(each, attributes=told.get(each.image_id, {})) for each in found]
