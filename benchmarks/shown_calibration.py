"""Probabilities of shown pairs, calibrated on other queries of the same kind: cross-validated over images.

    python benchmarks/shown_calibration.py CHECKPOINT… DATA --queries DIR

is what `whyalike calibrate GALLERY --queries DIR` says of a gallery of DATA, with as many matches of each
query as make 5,000 pairs. Of each checkpoint it prints the ECE, and the ECE that a perfectly calibrated score
shows by noise alone.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from siamese.embedded_samples import embed_samples
from siamese.encoder import Encoder
from siamese.images import DEFAULT_LIMITS
from siamese.protocols import choose_protocol
from siamese.recalibration import refit_shown
from whyalike.console import progress
from whyalike.folders import read_folder

PAIRS = 5000


def main() -> None:
    """Calibrate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT")
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--queries", type=Path, required=True)
    wanted = parser.parse_args()
    shown = progress()
    folders = [
        read_folder(each, limits=DEFAULT_LIMITS, progress=shown) for each in (wanted.data, wanted.queries)
    ]
    protocol = choose_protocol(folders[0].samples, queries=folders[1].samples)
    k = math.ceil(PAIRS / len(protocol.queries))
    for checkpoint in wanted.checkpoints:
        encoder = Encoder.load(checkpoint)
        images = embed_samples(encoder, protocol.references, progress=shown)
        asking = embed_samples(encoder, protocol.queries, progress=shown)
        refitted = refit_shown(images, asking=asking, k=k)
        said = f"{refitted.calibration.pairs} shown pairs (first {k})"
        print(f"{checkpoint.name}: {said}, ECE {refitted.error:.4f}, floor {refitted.floor:.4f}")


if __name__ == "__main__":
    main()
