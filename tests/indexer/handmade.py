"""Files that somebody would make on purpose, or a broken disk by accident."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image


def handmade() -> dict[str, bytes]:
    """Files that somebody would make on purpose, or a broken disk by accident."""
    small = saved(Image.effect_noise((48, 32), 70).convert("RGB"), "PNG")
    jpeg = saved(Image.effect_noise((48, 32), 70).convert("RGB"), "JPEG")
    return {
        "empty.jpg": b"",
        "one-byte.png": b"\x89",
        "zeros.jpg": bytes(100_000),
        "text.jpg": b"this is no picture\n" * 50,
        "page.png": b"<!doctype html><html><body><img src=x></body></html>",
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>",
        "program.exe": b"MZ" + bytes(range(256)) * 8,
        "archive.png": b"PK\x03\x04" + bytes(200),
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n",
        "huge-box.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99999 99999\n%%EndComments\nshowpage\n",
        "bomb.png": png_header(60_000, 60_000)
        + chunk(b"IDAT", zlib.compress(bytes(10_000_000)))
        + chunk(b"IEND"),
        "wide-bomb.png": png_header(2**31 - 1, 1)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND"),
        "no-area.png": png_header(0, 0) + chunk(b"IEND"),
        "text-bomb.png": small[:33]
        + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000)))
        + small[33:],
        "profile-bomb.png": small[:33]
        + chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(200_000_000)))
        + small[33:],
        "many-chunks.png": small[:33] + chunk(b"tEXt", b"a\0b") * 50_000 + small[33:],
        "no-data.png": small[:33] + chunk(b"IEND"),
        "wrong-crc.png": small[:29] + b"\0\0\0\0" + small[33:],
        "screen-bomb.gif": b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
        + b"\x2c"
        + bytes(20)
        + b";",
        "bomb.bmp": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 70_000, 70_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "negative.bmp": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, -5, -5, 1, 24, 0, 0, 0, 0, 0, 0),
        "run-bomb.bmp": b"BM"
        + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 9999, 9999, 1, 8, 1, 0, 0, 0, 0, 0),
        "bomb.jpg": jpeg_resized(jpeg, 65_500, 65_500),
        "no-area.jpg": jpeg_resized(jpeg, 0, 0),
        "many-scans.jpg": progressive_scans(20_000),
        "endless-comment.jpg": jpeg[:2] + b"\xff\xfe\xff\xff" + bytes(65_533) + jpeg[2:],
        "no-end.jpg": jpeg[:-2],
        "half.jpg": jpeg[: len(jpeg) // 2],
        "header-only.jpg": jpeg[:20],
        "orientation-99.jpg": saved(Image.new("RGB", (9, 5)), "JPEG", exif=_orientation(99)),
        "broken-exif.jpg": jpeg[:2] + b"\xff\xe1\x00\x10Exif\0\0II*\0\xff\xff\xff\xff" + jpeg[2:],
        "loop.tif": loopingtiff(),
        "bomb.tif": tiff_of(200_000, 200_000),
        "tag-bomb.tif": b"II*\0\x08\0\0\0\xff\xff" + bytes(range(256)) * 10,
        "bomb.ppm": b"P6 99999 99999 255\n" + bytes(99),
        "endless-number.ppm": b"P6 " + b"9" * 100_000,
        "slow.pgm": b"P2 3000 3000 255\n" + b"1 " * 1000,
        "bomb.tga": struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 65535, 65535, 24, 0)
        + b"\xff\0\0\0" * 50,
        "bomb.pcx": b"\x0a\x05\x01\x08"
        + struct.pack("<HHHH", 0, 0, 65535, 65535)
        + bytes(116)
        + b"\xff\x01" * 50,
        "bomb.webp": b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0\x2f\xff\xff\xff\x0f" + bytes(20),
        "many.ico": struct.pack("<HHH", 0, 1, 65_535) + bytes(16) * 3000,
        "self.ico": struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, 999_999, 0),
        "picture-bomb.ico": icon_of(
            png_header(13_000, 13_000) + chunk(b"IDAT", zlib.compress(bytes(10_000_000))) + chunk(b"IEND")
        ),
        "bomb.xbm": b"#define a_width 99999\n#define a_height 99999\nstatic char a_bits[] = {0};",
        "bomb.sgi": struct.pack(">HBBHHHH", 474, 1, 1, 3, 65535, 65535, 4) + bytes(500),
        "bomb.dds": b"DDS " + struct.pack("<IIII", 124, 0x1007, 65535, 65535) + bytes(108),
        "bomb.qoi": b"qoif" + struct.pack(">IIBB", 65535, 65535, 3, 0) + b"\xfd" * 500,
        "bomb.psd": b"8BPS"
        + struct.pack(">H6xHIIHH", 1, 3, 30_000, 30_000, 8, 3)
        + bytes(12)
        + b"\0\1"
        + bytes(99),
        "frames.gif": endless_gif(20_000),
        "two-in-one.png": small + small,
        "polyglot.jpg": jpeg + b"<script>alert(1)</script>",
    }


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims this size."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def icon_of(picture: bytes) -> bytes:
    """An icon that holds this picture, which Pillow decodes as it opens the icon."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(picture), 22) + picture


def jpeg_resized(jpeg: bytes, width: int, height: int) -> bytes:
    """A JPEG whose frame claims another size than it has."""
    frame = jpeg.index(b"\xff\xc0")
    return jpeg[: frame + 5] + struct.pack(">HH", height, width) + jpeg[frame + 9 :]


def progressive_scans(count: int) -> bytes:
    """A progressive JPEG of 4,000 × 4,000 pixels that repeats a scan without data: slow for its size."""
    jpeg = saved(Image.new("L", (4000, 4000)), "JPEG", progressive=True)
    scan = jpeg.rindex(b"\xff\xda")
    return jpeg[:scan] + jpeg[scan:-2] * count + jpeg[-2:]


def loopingtiff() -> bytes:
    """A TIFF whose first directory names itself as the next one."""
    tags = [
        (256, 4, 1, 8),
        (257, 4, 1, 8),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 64),
    ]
    return tiff(tags, following=8)


def tiff_of(width: int, height: int) -> bytes:
    """A TIFF that claims this size and has next to no data."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    return tiff([*tags, (273, 4, 1, 8), (278, 4, 1, height), (279, 4, 1, 64)], following=0)


def endless_gif(frames: int) -> bytes:
    """A GIF of very many frames of one pixel."""
    gif = saved(Image.new("P", (1, 1)), "GIF")
    start = gif.index(b"\x2c")
    return gif[:start] + gif[start:-1] * frames + b";"


def tiff(tags: list[tuple[int, int, int, int]], *, following: int) -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()
