"""An image of a gallery, as a build shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GalleryImage:
    """Content at a place; `uri` is the absolute path, sizes are those of the upright original in pixels.

    `attributes` are what tables say of it besides; only `Build.images` tells them.
    """

    image_id: int
    uri: str
    label: str | None
    checksum: str
    width: int
    height: int
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
