"""Figures as small files, for pages that are kept with the code."""

from pathlib import Path

from PIL import Image

COLOURS = 64
"""Enough for heat and lines over a photo, dithered."""


def write_small(figure: Image.Image, path: Path, *, width: int) -> None:
    """Writes a figure once more as PNG, with few enough pixels and colours to be a small file."""
    large = figure.convert("RGB")
    size = (width, round(large.height * width / large.width))
    small = large.resize(size, Image.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    palette = small.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE)
    small.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
