"""Files that mean harm: hand-made ones, and seeded mutations of every format that Pillow reads."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable, Iterator
from functools import cache

from PIL import Image

from tests.indexer.bombs import bombs
from tests.indexer.handmade import chunk, handmade, saved
from tests.indexer.rare_formats import rare_formats

ABSURD = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def hostile_files(count: int, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` files as (name, bytes): all the hand-made ones first, then mutations, the same for one seed."""
    made = {**handmade(), **bombs()}
    yield from list(made.items())[:count]
    chance = random.Random(seed)
    originals = list(wellformed().items())
    for number in range(count - len(made)):
        name, data = originals[number % len(originals)]
        mutation = chance.choice(MUTATIONS)
        suffix = chance.choice([name.rpartition(".")[2], "jpg", "png", "tif", "gif", "webp", "txt", ""])
        yield f"{number:05}-{mutation.__name__}-{name}.{suffix}", mutation(data, chance)


@cache
def wellformed() -> dict[str, bytes]:
    """One small picture in every format that Pillow reads, and in every mode that it writes, by its name."""
    Image.init()
    picture = Image.effect_noise((48, 32), 70).convert("RGB")
    modes = {
        mode: picture.convert(mode)
        for mode in ("1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I", "F")
    }
    modes["I;16"] = picture.convert("I").convert("I;16")
    written = {}
    for kind in sorted(set(Image.SAVE) - {"PDF", "PALM"}):  # those two can be written and not read
        for mode, image in modes.items():
            data = io.BytesIO()
            try:
                image.save(data, kind)
            except (OSError, ValueError, KeyError):
                continue  # this format does not know this mode
            written[f"{kind.lower()}-{mode.lower().replace(';', '')}.{kind.lower()}"] = data.getvalue()
    return {**written, **_variants(picture), **rare_formats()}


def _variants(picture: Image.Image) -> dict[str, bytes]:
    frames = [picture.rotate(angle) for angle in (0, 90, 180)]
    exif = Image.Exif()
    exif[0x0112] = 6
    tiffs = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "group4", "jpeg")
    return {
        "progressive.jpg": saved(picture, "JPEG", progressive=True),
        "rotated.jpg": saved(picture, "JPEG", exif=exif),
        "animated.gif": saved(picture, "GIF", save_all=True, append_images=frames),
        "animated.png": saved(picture, "PNG", save_all=True, append_images=frames),
        "animated.webp": saved(picture, "WEBP", save_all=True, append_images=frames),
        "pages.tif": saved(picture, "TIFF", save_all=True, append_images=frames),
        **{
            f"{c}.tif": saved(picture.convert("1" if c == "group4" else "RGB"), "TIFF", compression=c)
            for c in tiffs
        },
    }


def cut(data: bytes, chance: random.Random) -> bytes:
    """The file ends too early."""
    return data[: chance.randrange(len(data))]


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    """A few bits anywhere are turned."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 2, 8, 64])):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def flip_header(data: bytes, chance: random.Random) -> bytes:
    """A few of the first bytes are others."""
    changed = bytearray(data)
    for _ in range(chance.choice([1, 2, 4])):
        changed[chance.randrange(min(len(changed), 128))] = chance.randrange(256)
    return bytes(changed)


def absurd_number(data: bytes, chance: random.Random) -> bytes:
    """A number of the first bytes is absurdly large, small or negative."""
    changed = bytearray(data)
    form = chance.choice(["<I", ">I", "<H", ">H"])
    value = chance.choice(ABSURD) & (0xFFFF if form.endswith("H") else 0xFFFFFFFF)
    struct.pack_into(form, changed, chance.randrange(max(1, min(len(changed), 256) - 4)), value)
    return bytes(changed)


def zero_block(data: bytes, chance: random.Random) -> bytes:
    """A block of the file was never written."""
    start = chance.randrange(len(data))
    return data[:start] + bytes(len(data[start : start + 512])) + data[start + 512 :]


def repeat_block(data: bytes, chance: random.Random) -> bytes:
    """A block is there many times."""
    start = chance.randrange(len(data))
    return data[:start] + data[start : start + 64] * chance.choice([2, 100, 5000]) + data[start:]


def drop_block(data: bytes, chance: random.Random) -> bytes:
    """A block is missing."""
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.choice([1, 16, 256]) :]


def splice(data: bytes, chance: random.Random) -> bytes:
    """The beginning of one format and the end of another."""
    other = chance.choice(list(wellformed().values()))
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def cut_to_a_part(data: bytes, chance: random.Random) -> bytes:
    """The file ends after a round part of it, as a copy that was broken off."""
    return data[: len(data) * chance.randrange(1, 16) // 16]


def absurd_chunk(data: bytes, chance: random.Random) -> bytes:
    """A PNG of which one number is absurd, under a checksum that is right; others have a number changed."""
    starts = _chunks(data) if data.startswith(b"\x89PNG") else []
    if not starts:
        return absurd_number(data, chance)
    start, length = chance.choice(starts)
    body = bytearray(data[start + 8 : start + 8 + length])
    if len(body) >= 4:
        struct.pack_into(">I", body, chance.randrange(len(body) - 3), chance.choice(ABSURD))
    return data[:start] + chunk(data[start + 4 : start + 8], bytes(body)) + data[start + 12 + length :]


def absurd_tag(data: bytes, chance: random.Random) -> bytes:
    """A TIFF of which one tag has an absurd type, count or value; others have a number changed."""
    if not data.startswith(b"II*\0"):
        return absurd_number(data, chance)
    (directory,) = struct.unpack_from("<I", data, 4)
    if directory + 2 > len(data):
        return cut(data, chance)
    (count,) = struct.unpack_from("<H", data, directory)
    entry = directory + 2 + 12 * chance.randrange(max(1, count))
    changed = bytearray(data.ljust(entry + 12, b"\0"))
    place, form = chance.choice([(0, "<H"), (2, "<H"), (4, "<I"), (8, "<I")])
    value = chance.choice(ABSURD) & (0xFFFF if form == "<H" else 0xFFFFFFFF)
    struct.pack_into(form, changed, entry + place, value)
    return bytes(changed)


def _chunks(png: bytes) -> list[tuple[int, int]]:
    """Where each chunk begins, and how long its data are."""
    found, start = [], 8
    while start + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, start)
        found.append((start, length))
        start += 12 + length
    return found


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    cut,
    flip_bits,
    flip_header,
    absurd_number,
    zero_block,
    repeat_block,
    drop_block,
    splice,
    cut_to_a_part,
    absurd_chunk,
    absurd_tag,
)
