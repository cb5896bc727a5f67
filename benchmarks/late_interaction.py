"""What late interaction of the local embeddings gains over the distance: R@1, paired over the queries.

The nearest candidates by the distance are re-scored: for each spot of one image the best cosine among the
other image's spots, weighted by the spot's norm, both directions averaged. References are read as a gallery
stores them (int8). The protocol is that of `whyalike evaluate`. Several checkpoints are several seeds; the
last line averages each query over them before its interval (95 %, bootstrap over queries).

    python benchmarks/late_interaction.py CHECKPOINT… DATA [--queries DIR] [--candidates 50]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from gallery.segments.quantization import dequantize, quantize
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from siamese.protocols import choose_protocol
from siamese.samples import Sample, image_of
from siamese.splits import Split
from siamese.threads import in_threads
from whyalike.console import progress
from whyalike.folders import read_folder

BATCH_SIZE = 32
RESAMPLES = 2000
LIMITS = ImageLimits()

Floats = NDArray[np.float32]
Samples = Sequence[Sample]


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Images taken apart: cosines need the unit local embeddings (n, N, D), weights their norms (n, N)."""

    embeddings: Floats  # (n, D), exact
    units: Floats  # zero where a cell is not seen
    norms: Floats

    @classmethod
    def of(cls, local: Floats, *, embeddings: Floats | None = None) -> Spots:
        """Take local embeddings (n, h, w, D), and the exact embeddings where `local` was rounded."""
        means = local.mean(axis=(1, 2), dtype=np.float64)
        exact = means / np.linalg.norm(means, axis=1, keepdims=True) if embeddings is None else embeddings
        cells = local.reshape(len(local), -1, local.shape[-1])
        norms = np.linalg.norm(cells, axis=-1)
        units = cells / np.maximum(norms, np.finfo(np.float32).tiny)[..., None]
        return cls(exact.astype(np.float32), units, norms)


def late_interaction(query: Floats, norms: Floats, matched: Floats, matched_norms: Floats) -> Floats:
    """Return (k,) in [-1, 1]: unit spots (N, D) of a query against (k, M, D) of its candidates.

    A spot without a norm is not seen: it neither asks nor answers.
    """
    cosines = np.einsum("nd,kmd->knm", query, matched, optimize=True)
    to_matched = np.where(matched_norms[:, None, :] > 0, cosines, -1.0).max(axis=2)
    to_query = np.where(norms[None, :, None] > 0, cosines, -1.0).max(axis=1)
    there = (to_matched * norms).sum(axis=1) / norms.sum()
    back = (to_query * matched_norms).sum(axis=1) / matched_norms.sum(axis=1)
    score: Floats = (there + back) / 2
    return score


def main() -> None:
    """Measure and print."""
    wanted = _arguments()
    shown = progress()
    samples = read_folder(wanted.data, limits=LIMITS, progress=shown).samples
    asking = read_folder(wanted.queries, limits=LIMITS, progress=shown).samples if wanted.queries else None
    gains: dict[str, list[float]] = defaultdict(list)
    for path in wanted.checkpoints:
        encoder = Encoder.load(path)
        split = None if encoder.record.split is None else Split.model_validate(encoder.record.split)
        protocol = choose_protocol(samples, queries=asking, split=split)
        alone = protocol.kind == "leave-one-out"
        queries = _spots(encoder, protocol.queries, f"{path.name}: queries")
        references = _stored(queries if alone else _spots(encoder, protocol.references, "references"))
        started = perf_counter()
        firsts = _firsts(protocol.queries, queries, protocol.references, references, wanted.candidates)
        print(f"\n{path} ({encoder.name}): {protocol.statement}")
        _say("distance", firsts[0])
        _say("local", firsts[1])
        _say("difference", firsts[1] - firsts[0])
        milliseconds = 1000 * (perf_counter() - started) / len(protocol.queries)
        print(f"{milliseconds:.1f} ms a query, with {wanted.candidates} candidates")
        for sample, gain in zip(protocol.queries, firsts[1] - firsts[0], strict=True):
            gains[sample.checksum].append(float(gain))
    print(f"\n{len(wanted.checkpoints)} checkpoints, {len(gains)} queries")
    _say("difference", np.array([np.mean(each) for each in gains.values()]))


def _spots(encoder: Encoder, samples: Samples, description: str) -> Floats:
    """(n, h, w, D), the local embeddings of the samples in their order; raises UnreadableImage."""
    prepared = in_threads(
        lambda each: encoder.prepare(image_of(each, encoder.preprocessing, limits=LIMITS)),
        samples,
        ahead=2 * BATCH_SIZE,
    )
    batches = []
    tracked = progress().track(prepared, description=description, total=len(samples))
    while batch := list(islice(tracked, BATCH_SIZE)):
        batches.append(encoder.local_embeddings(batch))
    return np.concatenate(batches)


def _stored(local: Floats) -> Spots:
    """The images as a gallery stores them: int8 local embeddings beside exact embeddings."""
    rounded = np.stack([dequantize(*quantize(each)) for each in local])
    return Spots.of(rounded, embeddings=Spots.of(local).embeddings)


def _firsts(
    asking: Samples, local: Floats, answering: Samples, references: Spots, candidates: int
) -> NDArray[np.float64]:
    """(2, n): 1 where the first match has the query's label, by the distance and by late interaction."""
    queries = Spots.of(local)
    labels = np.array([each.label for each in answering])
    checksums = np.array([each.checksum for each in answering])
    firsts = np.zeros((2, len(asking)))
    for row, sample in enumerate(asking):
        cosines = references.embeddings @ queries.embeddings[row]
        cosines[checksums == sample.checksum] = -np.inf
        nearest = np.argsort(-cosines, kind="stable")[: min(candidates, int(np.isfinite(cosines).sum()))]
        scores = late_interaction(
            queries.units[row], queries.norms[row], references.units[nearest], references.norms[nearest]
        )
        best = nearest[0], nearest[int(scores.argmax())]
        firsts[:, row] = [labels[each] == sample.label for each in best]
    return firsts


def _say(what: str, values: NDArray[np.float64]) -> None:
    resampled = np.random.default_rng(0).choice(values, (RESAMPLES, len(values))).mean(axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    print(f"{what}: R@1 {100 * values.mean():.2f} points, 95 % [{100 * low:.2f}, {100 * high:.2f}]")


def _arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT")
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--queries", type=Path, metavar="DIR", help="ask with these images against DATA")
    parser.add_argument("--candidates", type=int, default=50, help="re-scored for each query")
    return parser.parse_args()


if __name__ == "__main__":
    main()
