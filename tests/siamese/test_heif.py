"""HEIC and AVIF: read upright where a plugin is there, refused with what would read them where none is."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from siamese.errors import UnreadableImage
from siamese.heif import AVIF, HEIF
from siamese.images import ImageLimits, decode
from tests.toys import mosaic, noise

LYING = mosaic([["red", "lime", "black"], ["blue", "yellow", "white"]], cell=64)
UNDO = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
"""Values of Image.Transpose that lay a picture so that its orientation tag raises it again."""


def encoded(picture: Image.Image, format: str, **options: Any) -> bytes:
    if format == HEIF:
        plugin = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
        plugin.register_heif_opener()
    Image.init()
    if format not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {format}")
    data = BytesIO()
    picture.save(data, format, **options)
    return data.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_avif_picture_is_turned_upright_once(orientation: int) -> None:
    stored = LYING.transpose(Image.Transpose(UNDO[orientation])) if orientation in UNDO else LYING
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = decode(encoded(stored, AVIF, exif=exif))
    assert image.size == LYING.size and image.mode == "RGB"
    assert abs(np.asarray(image).astype(int) - np.asarray(LYING).astype(int)).mean() < 12


def test_a_heic_picture_is_turned_by_its_boxes_and_not_again_by_its_exif_data() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # phones write it beside the box that turns the picture, and readers must not heed it
    image = decode(encoded(LYING, HEIF, exif=exif))
    assert image.size == LYING.size
    assert abs(np.asarray(image).astype(int) - np.asarray(LYING).astype(int)).mean() < 12


@pytest.mark.parametrize("format", [AVIF, HEIF])
def test_transparency_lies_on_white(format: str) -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    assert np.asarray(decode(encoded(clear, format))).min() > 245


def test_a_plugin_that_was_never_asked_for_is_found_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(noise(1), HEIF)
    monkeypatch.delitem(Image.OPEN, HEIF)
    assert decode(data).size == (64, 64)


def test_without_its_plugin_a_picture_is_refused_with_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    heic, avif = encoded(noise(1), HEIF), encoded(noise(1), AVIF)
    monkeypatch.delitem(Image.OPEN, HEIF)
    monkeypatch.delitem(Image.OPEN, AVIF)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for data, told in ((heic, "extra heif"), (avif, "Pillow 11.3")):
        with pytest.raises(UnreadableImage, match=told):
            decode(data)


@pytest.fixture(scope="module")
def whole() -> bytes:
    return encoded(noise(2, size=(16, 16)), HEIF)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_picture_is_an_image_or_a_refusal(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole[: data.draw(st.integers(1, len(whole)))])
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decode(bytes(damaged), limits=ImageLimits(max_pixels=10**6)).mode == "RGB"
    except UnreadableImage as refusal:
        assert refusal.reason
