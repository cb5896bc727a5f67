"""Pictures that the person named: read from their files, refused by their names."""

import errno
from collections.abc import Sequence
from pathlib import Path

from PIL.Image import Image

from gallery.sources.scanning import root_uri
from search_api.subjects import Upload
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, decode, read


def upload(path: Path, *, limits: ImageLimits) -> Upload:
    """The bytes of a picture on this machine, under its absolute path, by which the searcher refuses it.

    Raises FileNotFoundError, and UnreadableImage with the path in its reason.
    """
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "there is no such file", str(path))
    try:
        data = read(path, limits=limits)
    except UnreadableImage as error:
        raise UnreadableImage(f"{path}: {error.reason}") from error
    return Upload(data, root_uri(path))


def readable_uploads(
    paths: Sequence[Path], *, limits: ImageLimits
) -> tuple[list[Upload], list[tuple[str, str]]]:
    """Those of the pictures that can be decoded, and the uri and reason of each other one.

    Raises FileNotFoundError, and UnreadableImage of the first where none can be decoded.
    """
    uploads: list[Upload] = []
    errors: list[UnreadableImage] = []
    unreadable: list[tuple[str, str]] = []
    for path in paths:
        try:
            picture(path, limits=limits)
            uploads.append(upload(path, limits=limits))
        except UnreadableImage as error:
            errors.append(error)
            unreadable.append((root_uri(path), error.reason.removeprefix(f"{path}: ")))
    if not uploads:
        raise errors[0]
    return uploads, unreadable


def picture(path: Path, *, limits: ImageLimits) -> Image:
    """The picture in this file; raises what `upload` raises."""
    data = upload(path, limits=limits).data
    try:
        return decode(data, limits=limits)
    except UnreadableImage as error:
        raise UnreadableImage(f"{path}: {error.reason}") from error
