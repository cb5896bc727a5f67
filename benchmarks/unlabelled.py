"""What an encoder without labels keeps: its R@1 against that of its body's raw pooled features.

Every image of DATA asks all the others (leave-one-out); labels are only used to judge. Prints R@1 of both and
their paired difference, with 95 % bootstrap intervals over the query images.

    whyalike index DATA --gallery unlabelled
    python benchmarks/unlabelled.py DATA CHECKPOINT

CHECKPOINT is the encoder that the gallery keeps: WHYALIKE_HOME/galleries/unlabelled/encoders/….
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from siamese.embedded_samples import EmbeddedSamples, embed_samples
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from siamese.intervals import mean_interval
from siamese.protocols import choose_protocol
from siamese.retrieval import rank
from whyalike.console import progress
from whyalike.folders import read_folder


def main() -> None:
    """Measure and print."""
    wanted = _arguments()
    shown = progress()
    folder = read_folder(wanted.data, limits=ImageLimits(), progress=shown)
    queries = choose_protocol(folder.samples).queries
    fitted = Encoder.load(wanted.checkpoint)
    found = {
        encoder: _found_first(embed_samples(encoder, queries, progress=shown, description=encoder.name))
        for encoder in (fitted.without_linear(), fitted)
    }
    for encoder, firsts in found.items():
        _say(f"{encoder.name}, {encoder.dimension} numbers", firsts)
    raw, kept = found.values()
    _say(f"difference, paired over {len(raw)} queries", kept - raw)


def _found_first(embedded: EmbeddedSamples) -> NDArray[np.float64]:
    """(n,) 1 where the nearest other image has the query's label."""
    labels, checksums = embedded.labels, embedded.checksums
    ranked = rank(
        embedded.embeddings,
        embedded.embeddings,
        labels=(labels, labels),
        checksums=(checksums, checksums),
    )
    return ranked.recall_at(1)


def _say(what: str, values: NDArray[np.float64]) -> None:
    low, high = mean_interval(values, seed=0) or (np.nan, np.nan)
    print(f"{what}: R@1 {100 * values.mean():.2f} points, 95 % [{100 * low:.2f}, {100 * high:.2f}]")


def _arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    return parser.parse_args()


if __name__ == "__main__":
    main()
