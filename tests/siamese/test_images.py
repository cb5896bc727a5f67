from __future__ import annotations

import os
import struct
import threading
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from siamese import bands
from siamese.deep_grey import shaded
from siamese.errors import UnreadableImage
from siamese.images import FORMATS, ImageLimits, _told, decode, read
from tests.toys import mosaic, noise, png

FOUR = mosaic([["red", "lime"], ["blue", "yellow"]], cell=16)


def encoded(picture: Image.Image, format: str, **options: Any) -> bytes:
    data = BytesIO()
    picture.save(data, format, **options)
    return data.getvalue()


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def reason(data: bytes, **limits: int) -> str:
    with pytest.raises(UnreadableImage) as refusal:
        decode(data, limits=ImageLimits(**limits))
    assert refusal.value.reason == str(refusal.value)
    assert "\n" not in refusal.value.reason
    return refusal.value.reason


def png_with(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG made by hand, so that its header can lie."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for name, body in chunks:
        parts += [struct.pack(">I", len(body)), name, body, struct.pack(">I", zlib.crc32(name + body))]
    return b"".join(parts)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM", "QOI"])
def test_a_lossless_picture_is_read_exactly(format: str) -> None:
    image = decode(encoded(FOUR, format))
    assert image.mode == "RGB"
    assert (pixels(image) == pixels(FOUR)).all()


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "JPEG2000", "AVIF"])
def test_a_lossy_picture_is_read_nearly(format: str) -> None:
    if format not in Image.registered_extensions().values():
        pytest.skip(f"this Pillow reads no {format}")
    image = decode(encoded(FOUR.resize((128, 128)), format))
    assert abs(pixels(image) - pixels(FOUR.resize((128, 128)))).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "TIFF", "PNG", "WEBP"])
def test_a_picture_is_turned_upright_by_its_exif_orientation(format: str, orientation: int) -> None:
    lying = mosaic([["red", "lime", "black"], ["blue", "yellow", "white"]], cell=32)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose values that turn it on its side
    stored = lying.transpose(Image.Transpose(undo[orientation])) if orientation in undo else lying
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(encoded(stored, format, exif=exif))
    assert image.size == lying.size
    assert abs(pixels(image) - pixels(lying)).mean() < 8


def test_broken_exif_data_are_no_reason_to_refuse_a_picture() -> None:
    whole = encoded(FOUR, "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xffnonsense")
    assert decode(whole).size == FOUR.size


@pytest.mark.parametrize("value, grey", [(0, 0), (257, 1), (0x8000, 128), (65535, 255)])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_of_grey_are_scaled_and_not_clipped(format: str, value: int, grey: int) -> None:
    deep = Image.fromarray(np.full((8, 8), value, np.uint16))
    assert (pixels(decode(encoded(deep, format))) == grey).all()


def test_big_endian_sixteen_bits_are_scaled_too() -> None:
    values = np.full((2, 2), 0x8000, ">u2")
    header = b"II*\x00" if values.dtype.byteorder == "<" else b"MM\x00*"
    tags = [(256, 3, 2), (257, 3, 2), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 98), (279, 4, 8)]
    directory = struct.pack(">H", len(tags))
    for tag, kind, value in tags:
        directory += struct.pack(">HHI", tag, kind, 1) + struct.pack(
            ">HH" if kind == 3 else ">I", value, *[0] * (kind == 3)
        )
    tiff = header + struct.pack(">I", 8) + directory + struct.pack(">I", 0)
    tiff += b"\x00" * (98 - len(tiff)) + values.tobytes()
    assert (pixels(decode(tiff)) == 128).all()


def test_wide_integers_and_floats_keep_their_order_and_never_clip() -> None:
    ramp = np.linspace(-3e6, 5e6, 16).reshape(4, 4)
    for values in (ramp.astype(np.int32), ramp.astype(np.float32)):
        grey = pixels(decode(encoded(Image.fromarray(values), "TIFF")))[..., 0].ravel()
        assert grey[0] == 0 and grey[-1] == 255
        assert (np.diff(grey) > 0).all()


def test_floats_between_nought_and_one_are_shades_of_grey() -> None:
    values = np.array([[0.0, 0.5], [1.0, np.nan]], np.float32)
    grey = pixels(decode(encoded(Image.fromarray(values), "TIFF")))[..., 0]
    assert grey.tolist() == [[0, 128], [255, 0]]


@pytest.mark.parametrize("value", [-7, 10**6])
def test_a_constant_picture_of_wide_integers_is_read(value: int) -> None:
    assert decode(encoded(Image.fromarray(np.full((4, 4), value, np.int32)), "TIFF")).size == (4, 4)


def test_one_bit_becomes_black_and_white() -> None:
    bits = Image.new("1", (4, 4))
    bits.putpixel((1, 0), 1)
    image = pixels(decode(encoded(bits, "PNG")))
    assert image[0, 1].tolist() == [255, 255, 255] and image.sum() == 3 * 255


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_on_white(mode: str) -> None:
    picture = Image.new("RGBA", (4, 1), (0, 0, 0, 255))
    picture.putpixel((1, 0), (0, 0, 0, 0))
    picture.putpixel((2, 0), (0, 0, 0, 128))
    image = pixels(decode(encoded(picture.convert(mode), "PNG")))
    assert image[0, :, 0].tolist() == [0, 255, 127, 0]


def test_a_transparent_colour_of_a_palette_lies_on_white() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    for format in ("PNG", "GIF"):
        image = pixels(decode(encoded(picture, format, transparency=1)))
        assert image[0].tolist() == [[255, 0, 0], [255, 255, 255]]


def test_a_transparent_colour_of_a_grey_or_rgb_png_lies_on_white() -> None:
    grey, colour = Image.new("L", (1, 1), 7), Image.new("RGB", (1, 1), (1, 2, 3))
    assert pixels(decode(encoded(grey, "PNG", transparency=7)))[0, 0].tolist() == [255] * 3
    assert pixels(decode(encoded(colour, "PNG", transparency=(1, 2, 3))))[0, 0].tolist() == [255] * 3


def test_cmyk_becomes_the_colours_that_it_prints() -> None:
    printed = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    for format in ("JPEG", "TIFF"):
        assert abs(pixels(decode(encoded(printed, format)))[8, 8] - [255, 0, 0]).max() < 8


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_read(format: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    assert abs(pixels(decode(data))[16, 16] - [255, 0, 0]).max() < 8


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_picture_is_refused_as_truncated(format: str, share: float) -> None:
    data = encoded(noise(1), format)
    assert "truncated" in reason(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"hello", b"<html></html>", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert reason(data)


def test_a_file_of_no_bytes_is_called_empty() -> None:
    assert reason(b"") == "the file is empty"


def test_a_picture_of_too_many_pixels_is_refused_by_its_header_alone() -> None:
    for side, limit in [(20_000, 100_000_000), (60_000, 100_000_000), (11, 120)]:
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        lying = png_with([(b"IHDR", header), (b"IDAT", b""), (b"IEND", b"")])
        assert "pixels" in reason(lying, max_pixels=limit)


@pytest.mark.parametrize("format", FORMATS)
def test_no_format_is_decoded_before_its_size_is_judged(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if format not in Image.SAVE or format not in Image.OPEN:
        pytest.skip(f"this Pillow does not write {format}")
    data = encoded(noise(1), format)

    def decoded(picture: Image.Image) -> None:
        raise AssertionError("the picture was decoded")

    opener = Image.OPEN[format][0]  # a class, or for JPEG a function that chooses between two
    for kind in {ImageFile.ImageFile, opener if isinstance(opener, type) else ImageFile.ImageFile}:
        monkeypatch.setattr(kind, "load", decoded)
    assert "64 × 64 pixels" in reason(data, max_pixels=100)


def test_an_icon_is_no_picture_because_it_is_decoded_as_it_is_opened() -> None:
    assert "no picture" in reason(encoded(noise(1), "ICO"))


def test_a_range_beyond_single_precision_keeps_its_order() -> None:
    values = np.array([[-3e38, 0], [1e38, 3e38]], np.float32)
    grey = pixels(decode(encoded(Image.fromarray(values), "TIFF")))[..., 0].ravel()
    assert grey[0] == 0 and grey[-1] == 255 and (np.diff(grey) >= 0).all()


def test_a_large_picture_within_the_limits_is_read_without_a_warning() -> None:
    header = struct.pack(">IIBBBBB", 10_000, 9_500, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * (9_500 * (1 + 1_250)))
    large = png_with([(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(large).size == (10_000, 9_500)


def test_a_file_of_too_many_bytes_is_refused_before_it_is_opened() -> None:
    assert "larger than the 100 bytes" in reason(png(noise(1)), max_bytes=100)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_picture_is_an_image_or_a_refusal_and_never_another_exception(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "QOI"]))
    damaged = bytearray(encoded(noise(2, size=(16, 16)), format))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, min(len(damaged), 200) - 1))] = data.draw(st.integers(0, 255))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = decode(bytes(damaged), limits=ImageLimits(max_pixels=10**6))
    except UnreadableImage as refusal:
        assert refusal.reason
    else:
        assert image.mode == "RGB"


def test_pictures_are_decoded_by_many_threads_at_once() -> None:
    data, sizes = encoded(FOUR, "JPEG"), []
    threads = [
        threading.Thread(target=lambda: sizes.extend(decode(data).size for _ in range(20))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [FOUR.size] * 80


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(FOUR))
    assert read(tmp_path / "a.png") == png(FOUR)


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "large.jpg").write_bytes(b"x" * 11)
    refused = {"empty.jpg": "empty", "large.jpg": "10 bytes", ".": "regular"}
    if os.name == "posix":
        os.mkfifo(tmp_path / "pipe.jpg")
        (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere.jpg")
        refused |= {"pipe.jpg": "regular", "broken.jpg": "not there"}
    for name, word in {
        **refused,
        "broken.jpg": "not there",
        "gone.jpg": "not there",
        "nul\0": "null",
    }.items():
        with pytest.raises(UnreadableImage, match=word):
            read(tmp_path / name, limits=ImageLimits(max_bytes=10))


def test_a_jpeg_made_of_scans_that_take_very_long_is_refused_and_a_progressive_one_is_read() -> None:
    progressive = encoded(noise(0), "JPEG", progressive=True)
    assert decode(progressive).size == (64, 64)
    last = progressive.rindex(b"\xff\xda")
    repeated = progressive[:last] + progressive[last:-2] * 200 + progressive[-2:]
    assert "scans" in reason(repeated)


@pytest.mark.parametrize(
    "slow",
    [
        b"qoif" + struct.pack(">IIBB", 2001, 1250, 3, 0) + b"\xfd" * 100_000,
        b"P6 2001 1250 77\n" + bytes(3 * 2001 * 1250),
        b"P2 2001 1250 255\n" + b"1 " * 2001 * 1250,
    ],
)
def test_a_format_that_is_decoded_slowly_may_have_fewer_pixels(slow: bytes) -> None:
    assert "2,500,000 are allowed in this slow kind of" in reason(slow)


def test_a_format_that_is_decoded_fast_may_have_more_pixels() -> None:
    assert decode(b"P6 2001 2000 255\n" + bytes(3 * 2001 * 2000)).size == (2001, 2000)


@pytest.mark.parametrize("mode", ["F", "I", "I;16"])
def test_deep_grey_is_shaded_alike_in_one_band_and_in_many(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(0).uniform(0, 60_000, (37, 23)).astype(np.float32)
    picture = Image.fromarray(values).convert("I") if mode != "F" else Image.fromarray(values)
    picture = picture.convert(mode)
    at_once = shaded(picture).tobytes()
    monkeypatch.setattr(bands, "BAND_PIXELS", 100)
    assert shaded(picture).tobytes() == at_once


def test_a_reason_has_no_letter_that_a_database_refuses() -> None:
    assert _told(ValueError("a\0b\n\x1bc")) == "a b c"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "L", "RGB"])
def test_transparency_lies_on_white_alike_in_one_band_and_in_many(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = noise(1, size=(37, 23)).convert("RGBA")
    picture.putalpha(noise(2, size=(37, 23)).convert("L"))
    options: dict[str, Any] = {"transparency": 3} if mode == "P" else {}
    if mode in {"L", "RGB"}:
        options = {"transparency": 7 if mode == "L" else (1, 2, 3)}
    picture = picture.convert(mode)
    data = encoded(picture, "PNG", **options) if mode != "PA" else encoded(picture.convert("LA"), "PNG")
    at_once = decode(data).tobytes()
    monkeypatch.setattr(bands, "BAND_PIXELS", 100)
    assert decode(data).tobytes() == at_once
