"""Pictures that the person named: read from their files, refused by their names."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gallery.sources.roots import root_uri
from search_api.queries.subjects import Upload
from siamese.decoding import decode_for
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, decode, read
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import ScaledImage


def upload(path: Path, *, limits: ImageLimits) -> Upload:
    """The bytes of a picture on this machine, under its absolute path, by which the searcher refuses it.

    Raises FileNotFoundError, and UnreadableImage with the path in its reason.
    """
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "there is no such file", str(path))
    with _named(path):
        return Upload(read(path, limits=limits), root_uri(path))


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
            sent = upload(path, limits=limits)
            with _named(path):
                decode(sent.data, limits=limits, draft=1)
            uploads.append(sent)
        except UnreadableImage as error:
            errors.append(error)
            unreadable.append((root_uri(path), error.reason.removeprefix(f"{path}: ")))
    if not uploads:
        raise errors[0]
    return uploads, unreadable


def picture(path: Path, preprocessing: Preprocessing, *, limits: ImageLimits) -> ScaledImage:
    """The picture in this file as an encoder is given it; raises what `upload` raises."""
    data = upload(path, limits=limits).data
    with _named(path):
        return decode_for(data, preprocessing, limits=limits)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Puts the path before the reason of an UnreadableImage."""
    try:
        yield
    except UnreadableImage as error:
        raise UnreadableImage(f"{path}: {error.reason}") from error
