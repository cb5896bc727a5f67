"""Files that ask for more than they are: memory, time, or a number that cannot be."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile

from PIL import Image, features

from tests.indexer.handmade import chunk, png_header, saved, tiff

BYTES_OF_METADATA = 40_000_000


def bombs() -> dict[str, bytes]:
    """By their names; each is made in a moment."""
    picture = Image.effect_noise((48, 32), 70).convert("RGB")
    jpeg, png = saved(picture, "JPEG"), saved(picture, "PNG")
    garbage = bytes(range(256)) * 40
    return {
        **_claims_of_tiffs(),
        **_claims_in_boxes(picture),
        **{
            f"profile-of-garbage.{kind.lower()}": saved(picture, kind, icc_profile=garbage)
            for kind in ("JPEG", "PNG", "WEBP", "TIFF")
        },
        "exif-loop.jpg": _with_exif(jpeg, _exif_loop()),
        "exif-far.jpg": _with_exif(jpeg, _exif([(0x8769, 4, 1, 0xFFFFFFF0), (0x0112, 3, 0xFFFFFFFF, 6)])),
        "exif-of-garbage.webp": saved(picture, "WEBP", exif=b"Exif\0\0" + garbage),
        "exif-of-garbage.png": png[:33] + chunk(b"eXIf", garbage) + png[33:],
        "much-metadata.jpg": jpeg[:2] + _segments(BYTES_OF_METADATA) + jpeg[2:],
        "much-metadata.png": png[:33] + chunk(b"tEXt", b"a\0" + bytes(BYTES_OF_METADATA)) + png[33:],
        "length-beyond-the-end.png": png_header(48, 32) + struct.pack(">I", 2**31 - 1) + b"IDAT" + bytes(99),
        "negative-length.png": png_header(48, 32) + struct.pack(">I", 2**31) + b"IDAT" + bytes(99),
        "frames-that-are-not-there.png": png[:33]
        + chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
        + png[33:],
        "no-frames.png": png[:33] + chunk(b"acTL", bytes(8)) + png[33:],
        "screen-0.gif": b"GIF89a" + bytes(7) + b"\x2c" + bytes(9) + b"\2\2\x4c\1\0;",
        "frame-beyond-the-screen.gif": _gif_frame_at(65_000, 65_000),
        "frames.webp": saved(
            picture, "WEBP", save_all=True, append_images=[picture.rotate(n) for n in range(60)]
        ),
        "nothing-but-names.ppm": b"P6 " + b"\0" * 11 + b" 5 255\n" + bytes(75),
        "comment-without-end.ppm": b"P6 #" + b"x" * 1_000_000,
        "no-numbers.pgm": b"P2 64 64 255\n" + b"x " * 4096,
        "negative.pgm": b"P5 -5 -5 255\n" + bytes(25),
        "no-shades.pgm": b"P5 5 5 0\n" + bytes(25),
        "infinite.pfm": b"Pf 8 8 -1.0\n" + struct.pack("<f", float("inf")) * 64,
        "slow.qoi": b"qoif" + struct.pack(">IIBB", 4000, 4000, 3, 0) + b"\xfe\1\2\3" * 16_000_000,
        "odd-shades.ppm": b"P6 4000 4000 77\n" + bytes(48_000_000),
        "nothing.qoi": b"qoif" + struct.pack(">IIBB", 0, 0, 3, 0),
        "negative-top.bmp": _bmp(40, -(2**31), 24),
        "wide.bmp": _bmp(2**31 - 1, 1, 1),
        "no-bits.bmp": _bmp(9, 9, 0),
        "palette-of-4-billion.bmp": _bmp(9, 9, 8, colours=2**32 - 1),
        "archive.zip": _zip(jpeg),
        "squeezed.jpg.gz": gzip.compress(jpeg, mtime=0),
        "archive-named-picture.jpg": _zip(jpeg),
        "entities.svg": b'<!DOCTYPE a [<!ENTITY b "' + b"b" * 999 + b'">]><svg>' + b"&b;" * 999 + b"</svg>",
        "paper.pdf": saved(picture, "PDF"),
        "film.mp4": b"\0\0\0\x20ftypisom" + bytes(20) + b"\xff\xff\xff\xffmdat" + bytes(999),
        "two-marks.txt": b"\xff\xfe" + "no picture".encode("utf-16-le"),
    }


def largest_pictures() -> dict[str, bytes]:
    """Pictures of as many pixels as are allowed, in every way that takes much memory or time to decode."""
    size = (10_000, 10_000)
    deflated = {"compression": "tiff_adobe_deflate"}
    turned = Image.Exif()
    turned[0x0112] = 6
    made = {
        "largest-rgba.png": saved(Image.new("RGBA", size), "PNG", compress_level=1),
        "largest-la.png": saved(Image.new("LA", size), "PNG", compress_level=1),
        "largest-16.png": saved(Image.new("I;16", size), "PNG", compress_level=1),
        "largest-p.png": saved(Image.new("P", size), "PNG", compress_level=1, transparency=0),
        "largest-f.tif": saved(Image.new("F", size), "TIFF", **deflated),
        "largest-i.tif": saved(Image.new("I", size, 70_000), "TIFF", **deflated),
        "largest-cmyk.jpg": saved(Image.new("CMYK", size), "JPEG", progressive=True, exif=turned),
        "largest.gif": saved(Image.new("P", size), "GIF"),
        "largest-rgba.webp": saved(Image.new("RGBA", size), "WEBP", lossless=True, method=0),
        "largest.qoi": b"qoif" + struct.pack(">IIBB", 2000, 1250, 4, 0) + b"\x80\x88" * 2_500_000,
        "largest-odd-shades.ppm": b"P6 2000 1250 777\n" + bytes(15_000_000),
        "largest-text.ppm": b"P3 2000 2000 255\n" + b"1 " * 12_000_000,
    }
    if features.check("jpg_2000"):
        made["largest.jp2"] = saved(Image.new("RGB", size), "JPEG2000")
    if features.check("avif"):
        made["largest.avif"] = saved(Image.new("RGB", size), "AVIF", speed=10, quality=10)
    return made


def _claims_of_tiffs() -> dict[str, bytes]:
    size = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    strip = [(273, 4, 1, 8), (279, 4, 1, 64)]
    return {
        "tile-bomb.tif": tiff(
            [*size, (322, 4, 1, 2**31 - 16), (323, 4, 1, 2**31 - 16), (324, 4, 1, 8), (325, 4, 1, 64)],
            following=0,
        ),
        "samples-bomb.tif": tiff([*size, (277, 3, 1, 65_535), *strip], following=0),
        "strips-bomb.tif": tiff(
            [*size, (273, 4, 2**32 - 1, 8), (278, 4, 1, 1), (279, 4, 2**32 - 1, 8)], following=0
        ),
        "bits-bomb.tif": tiff([size[0], size[1], (258, 3, 65_535, 8), *size[3:], *strip], following=0),
        "strip-beyond-the-end.tif": tiff(
            [*size, (273, 4, 1, 2**32 - 2), (279, 4, 1, 2**32 - 2)], following=0
        ),
        "no-area.tif": tiff([(256, 4, 1, 0), (257, 4, 1, 0), *size[2:], *strip], following=0),
        "directory-beyond-the-end.tif": b"II*\0\xff\xff\xff\xff",
        "big-directory.tif": b"II+\0\x08\0\0\0\x10" + bytes(7) + b"\xff" * 8 + bytes(200),
    }


def _claims_in_boxes(picture: Image.Image) -> dict[str, bytes]:
    made = {}
    if features.check("avif"):
        avif = saved(picture, "AVIF")
        at = avif.index(b"ispe") + 8
        made["bomb.avif"] = avif[:at] + struct.pack(">II", 60_000, 60_000) + avif[at + 8 :]
        made["no-area.avif"] = avif[:at] + bytes(8) + avif[at + 8 :]
    if features.check("jpg_2000"):
        jp2 = saved(picture, "JPEG2000", no_jp2=True)
        at = jp2.index(b"\xff\x51") + 6
        made["bomb.j2k"] = jp2[:at] + struct.pack(">II", 2**32 - 1, 2**32 - 1) + jp2[at + 8 :]
        many = struct.pack(">8I", 9_999, 9_999, 0, 0, 1, 1, 0, 0)
        made["ten-million-tiles.j2k"] = jp2[:at] + many + jp2[at + 32 :]
        made["components-bomb.j2k"] = jp2[: at + 32] + struct.pack(">H", 16_384) + jp2[at + 34 :]
    return made


def _with_exif(jpeg: bytes, exif: bytes) -> bytes:
    body = b"Exif\0\0" + exif
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def _exif(tags: list[tuple[int, int, int, int]], *, following: int = 0) -> bytes:
    return tiff(tags, following=following)


def _exif_loop() -> bytes:
    """Directories that name themselves as what comes next, and as what lies within them."""
    return _exif([(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)], following=8)


def _segments(length: int) -> bytes:
    segment = b"\xff\xe1" + struct.pack(">H", 65_535) + b"http://ns.adobe.com/xap/1.0/\0".ljust(65_533, b" ")
    return segment * (length // len(segment))


def _gif_frame_at(left: int, top: int) -> bytes:
    gif = saved(Image.new("P", (9, 9)), "GIF")
    at = gif.index(b"\x2c") + 1
    return gif[:at] + struct.pack("<HH", left, top) + gif[at + 4 :]


def _bmp(width: int, height: int, bits: int, *, colours: int = 0) -> bytes:
    header = struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, width, height, 1, bits, 0, 0, 0, 0, colours, 0)
    return b"BM" + header + bytes(2000)


def _zip(data: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr(zipfile.ZipInfo("picture.jpg"), data)
    return archive.getvalue()
