"""What an encoder without labels costs: PCA of a tenth of the numbers against raw pooled features.

Every image of DATA asks all the others (leave-one-out). The linear layer is fitted to the same images, as
`whyalike index` does; labels are only used to judge. Prints R@1 of both and their paired difference with its
95 % bootstrap interval over the query images.

    python benchmarks/unlabelled.py DATA [--body mobilenet_v2] [--weights imagenet] [--image-size 224]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from siamese.embedded_samples import EmbeddedSamples, embed_samples
from siamese.encoder import Encoder
from siamese.images import ImageLimits, decode, read
from siamese.preprocessing import Preprocessing
from siamese.protocols import choose_protocol
from siamese.retrieval import mean_interval, rank
from siamese.whitening import fit_to_gallery
from whyalike.console import progress
from whyalike.folders import read_folder


def main() -> None:
    """Measure and print."""
    wanted = _arguments()
    limits, shown = ImageLimits(), progress()
    folder = read_folder(wanted.data, limits=limits, progress=shown)
    samples = choose_protocol(folder.samples).queries
    raw = Encoder.from_body(
        wanted.body, weights=wanted.weights, preprocessing=Preprocessing(image_size=wanted.image_size)
    )
    with tempfile.TemporaryDirectory() as out:
        images = (raw.prepare(decode(read(one.path, limits=limits), limits=limits)) for one in samples)
        tracked = shown.track(images, description="fitting", total=len(samples))
        fitted = fit_to_gallery(raw, tracked, out=Path(out) / "checkpoint")
        hits = [
            _found_first(embed_samples(each, samples, progress=shown, description=each.name))
            for each in (raw, fitted)
        ]
    for encoder, found in zip((raw, fitted), hits, strict=True):
        _say(f"{encoder.name}, {encoder.dimension} numbers", found)
    print(f"queries (leave-one-out): {len(hits[0])}")
    _say("difference, paired", hits[1] - hits[0])


def _found_first(embedded: EmbeddedSamples) -> np.ndarray:
    """(n,) 1 where the nearest other image has the query's label."""
    labels, checksums = embedded.labels, embedded.checksums
    ranked = rank(
        embedded.embeddings,
        embedded.embeddings,
        labels=(labels, labels),
        checksums=(checksums, checksums),
    )
    return ranked.recall_at(1)


def _say(what: str, values: np.ndarray) -> None:
    low, high = mean_interval(values, seed=0) or (float("nan"), float("nan"))
    print(f"{what}: R@1 {100 * values.mean():.2f} points, 95 % [{100 * low:.2f}, {100 * high:.2f}]")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--body", default="mobilenet_v2")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--image-size", type=int, default=224)
    return parser.parse_args()


if __name__ == "__main__":
    main()
