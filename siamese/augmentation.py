"""Random views of a picture for training: pictures in, pictures out, before any preprocessing.

A view is a picture in its own right: the checkpoint's preprocessing then crops or pads it as it would any
other, so that what is trained on and what is searched with come through the same door.
"""

import math
from typing import Literal

import numpy as np
from PIL import Image, ImageEnhance

Augmentation = Literal["none", "light", "strong", "free"]

# Share of the picture that a strong view keeps at least; with less of it, the subject is often gone.
SMALLEST_AREA = 0.5
ASPECT_JITTER = 0.15
COLOUR_JITTER = 0.3
FLIP_CHANCE = 0.5
# Degrees either way, few enough that a handwritten 1 does not become a 7.
ROTATION = 10.0
SHIFT = 0.08
SCALE = 0.1
# Of a square, with the identity as None.
SYMMETRIES = (None, *Image.Transpose)


def augment(picture: Image.Image, *, level: Augmentation, generator: np.random.Generator) -> Image.Image:
    """A random view of an RGB picture, drawn from `generator` alone.

    `none` is the picture itself; `light` shifts, scales and rotates it a little (characters, drawings);
    `strong` crops, mirrors and recolours it (photos); `free` also turns it by quarters (photos without an
    upright).
    """
    if level == "light":
        return _moved(picture, generator)
    if level == "strong":
        return _recoloured(_mirrored(_cropped(picture, generator), generator), generator)
    if level == "free":
        return _recoloured(_turned(_cropped(picture, generator), generator), generator)
    return picture


def mirrors(level: Augmentation) -> bool:
    """Whether the views of this level may be mirrored."""
    return level in {"strong", "free"}


def crops(level: Augmentation) -> bool:
    """Whether the views of this level are crops, which show things larger than the picture does."""
    return level in {"strong", "free"}


def _cropped(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    side = math.sqrt(generator.uniform(SMALLEST_AREA, 1.0))
    stretch = math.exp(generator.uniform(-ASPECT_JITTER, ASPECT_JITTER))
    width = _pixels(picture.width, side * stretch)
    height = _pixels(picture.height, side / stretch)
    left = int(generator.integers(picture.width - width + 1))
    top = int(generator.integers(picture.height - height + 1))
    return picture.crop((left, top, left + width, top + height))


def _pixels(whole: int, share: float) -> int:
    return min(whole, max(1, round(whole * share)))


def _mirrored(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    mirror = generator.random() < FLIP_CHANCE
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirror else picture


def _turned(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    symmetry = SYMMETRIES[generator.integers(len(SYMMETRIES))]
    return picture if symmetry is None else picture.transpose(symmetry)


def _recoloured(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    for enhancer in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        picture = enhancer(picture).enhance(generator.uniform(1 - COLOUR_JITTER, 1 + COLOUR_JITTER))
    return picture


def _moved(picture: Image.Image, generator: np.random.Generator) -> Image.Image:
    angle = math.radians(generator.uniform(-ROTATION, ROTATION))
    scale = 1 + generator.uniform(-SCALE, SCALE)
    shift_x, shift_y = generator.uniform(-SHIFT, SHIFT, 2) * picture.size
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    centre_x, centre_y = picture.width / 2, picture.height / 2
    return picture.transform(
        picture.size,
        Image.Transform.AFFINE,
        (
            cosine,
            sine,
            centre_x - cosine * (centre_x + shift_x) - sine * (centre_y + shift_y),
            -sine,
            cosine,
            centre_y + sine * (centre_x + shift_x) - cosine * (centre_y + shift_y),
        ),
        resample=Image.Resampling.BILINEAR,
        fillcolor=_border_colour(picture),
    )


def _border_colour(picture: Image.Image) -> tuple[int, int, int]:
    """What moves in from outside looks like the picture's edge, not like a black bar."""
    pixels = np.asarray(picture)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(channel) for channel in np.median(border, axis=0))
    return red, green, blue
