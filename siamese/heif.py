"""HEIC and AVIF: pictures in the boxes of ISO media files, which Pillow reads where a plugin is there."""

from PIL import Image

from siamese.errors import UnreadableImage

HEIF = "HEIF"
AVIF = "AVIF"

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_BRANDS_END = 64
"""Bytes of the file-type box that are looked at: its main brand and a dozen compatible ones."""


def require_plugin(data: bytes) -> None:
    """Make Pillow know the format of these bytes, if it is one of the two and that is possible.

    Raises UnreadableImage, naming what would read them, where it is not.
    """
    brands = _brands(data)
    if brands & _AVIF_BRANDS and AVIF not in Image.OPEN:
        raise UnreadableImage(
            "it is an AVIF picture, and this machine's Pillow reads none; install Pillow 11.3"
        )
    if brands & _HEIF_BRANDS and not brands & _AVIF_BRANDS and HEIF not in Image.OPEN:
        _register()


def _register() -> None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise UnreadableImage(
            "it is a HEIC picture; install whyalike with the extra heif to read it"
        ) from None
    register_heif_opener(thumbnails=False, decode_threads=1)


def _brands(data: bytes) -> set[bytes]:
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4], "big"), _BRANDS_END)
    return {data[8:12], *(data[at : at + 4] for at in range(16, end, 4))}
