"""Pictures that the person named: read from their files, refused by their names."""

import errno
from pathlib import Path

from gallery.scanning import root_uri
from search_api.subjects import Upload
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, read


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
