"""What it costs in quality, and saves in time, that large JPEGs are decoded at the scale an encoder needs.

    python benchmarks/reducing_gap.py CHECKPOINT PICTURES [--images 200] [--mosaics 60] [--gaps 1 1.5 2 3 4]

PICTURES has label folders of photographs, small ones, of which large ones are made in two ways, each of a
random size between 2 and 16 megapixels: `enlarged`, with noise so that they are not smooth, and `mosaic`, in
which many photographs lie side by side as they are, which has as much detail as a picture can have. All are
JPEGs as cameras write them. For each gap: the distance of the embedding to that of the picture decoded in
full (median, 95 %, largest), CPU milliseconds of decoding and preparing, and, of those enlarged, R@1 and the
AUC of all pairs, where both sides were decoded so, and where only the query was. Gap 0 is decoding in full.
Above them stand the distances of what nobody minds: the same picture in another JPEG quality (75 for 90).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.preparing import prepare

MEGAPIXELS = (2.0, 16.0)
SHAPE = (4, 3)
NOISE = 6.0
QUALITY, OTHER_QUALITY = 90, 75
FULL = 0.0

Floats = NDArray[np.float64]


def main() -> None:
    """Make the pictures, embed them at every gap, and print a table of each kind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--mosaics", type=int, default=60)
    parser.add_argument("--gaps", type=float, nargs="+", default=[1, 1.5, 2, 3, 4])
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    encoder = Encoder.load(given.checkpoint, device="cpu")
    files = sorted(given.pictures.rglob("*.jpg"))
    drawn = [files[i] for i in np.random.default_rng(given.seed).permutation(len(files))]
    chosen = drawn[: given.images]
    labels = np.array([file.parent.name for file in chosen])
    chance = np.random.default_rng(given.seed)
    _report("enlarged", encoder, (_enlarged(file, chance) for file in chosen), given.gaps, labels)
    mosaics = (_mosaic(drawn, chance) for _ in range(given.mosaics))
    _report("mosaic", encoder, mosaics, given.gaps, None)


def _report(
    kind: str,
    encoder: Encoder,
    pictures: Iterator[Image.Image],
    gaps: Sequence[float],
    labels: NDArray[np.str_] | None,
) -> None:
    embeddings: dict[float, list[Floats]] = {gap: [] for gap in (FULL, *gaps)}
    seconds = dict.fromkeys(embeddings, 0.0)
    other = []
    for picture in pictures:
        data = _jpeg(picture, QUALITY)
        for gap, found in embeddings.items():
            embedding, took = _embedded(encoder, data, gap)
            found.append(embedding)
            seconds[gap] += took
        other.append(_embedded(encoder, _jpeg(picture, OTHER_QUALITY), FULL)[0])
    full = np.stack(embeddings[FULL])
    print(f"{kind}: {len(full)} pictures")
    print(f"  JPEG quality {OTHER_QUALITY}: {_distances(np.stack(other), full)}")
    for gap, found in embeddings.items():
        own = np.stack(found)
        told = (
            "" if labels is None else f"; both: {_quality(own, own, labels)}; {_quality(own, full, labels)}"
        )
        milliseconds = 1000 * seconds[gap] / len(full)
        print(f"  gap {gap:g}: {_distances(own, full)}; {milliseconds:.0f} ms{told}", flush=True)


def _embedded(encoder: Encoder, data: bytes, gap: float) -> tuple[Floats, float]:
    """The embedding (D,) of the picture, and the CPU seconds of decoding and preparing it."""
    preprocessing = encoder.preprocessing.model_copy(update={"reducing_gap": gap})
    started = process_time()
    prepared = prepare(decode_for(data, preprocessing), preprocessing, encoder.grid)
    took = process_time() - started
    return encoder.embed([prepared]).embeddings[0].astype(np.float64), took


def _distances(embeddings: Floats, full: Floats) -> str:
    found = np.linalg.norm(embeddings - full, axis=1)
    return f"{np.median(found):.4f} {np.quantile(found, 0.95):.4f} {found.max():.4f}"


def _quality(queries: Floats, references: Floats, labels: NDArray[np.str_]) -> str:
    """R@1 and the AUC of all pairs, no picture paired with itself."""
    cosines = queries @ references.T
    apart = ~np.eye(len(labels), dtype=np.bool_)
    same = labels[:, None] == labels[None, :]
    nearest = np.where(apart, cosines, -np.inf).argmax(axis=1)
    recall = (labels[nearest] == labels).mean()
    return f"R@1 {recall:.3f} AUC {roc_auc_score(same[apart], cosines[apart]):.4f}"


def _enlarged(file: Path, chance: np.random.Generator) -> Image.Image:
    with Image.open(file) as picture:
        width, height = _large(picture.size, chance)
        pixels = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    noise = chance.standard_normal((height, width, 1), dtype=np.float32) * NOISE
    return Image.fromarray(np.clip(np.asarray(pixels) + noise, 0, 255).astype(np.uint8))


def _mosaic(files: Sequence[Path], chance: np.random.Generator) -> Image.Image:
    size = _large(SHAPE, chance)
    canvas = Image.new("RGB", size)
    top = 0
    while top < size[1]:
        left, row = 0, size[1]
        while left < size[0]:
            with Image.open(files[chance.integers(len(files))]) as picture:
                canvas.paste(picture.convert("RGB"), (left, top))
                left, row = left + picture.width, min(row, picture.height)
        top += row
    return canvas


def _large(shape: tuple[int, int], chance: np.random.Generator) -> tuple[int, int]:
    """(width, height) of a random number of megapixels, in this shape."""
    pixels = 1e6 * np.exp(chance.uniform(*np.log(MEGAPIXELS)))
    scale = np.sqrt(pixels / (shape[0] * shape[1]))
    return round(shape[0] * scale), round(shape[1] * scale)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    data = BytesIO()
    picture.save(data, "JPEG", quality=quality)
    return data.getvalue()


if __name__ == "__main__":
    main()
