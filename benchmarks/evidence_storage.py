"""What keeping local embeddings costs, and what rounding and a larger square do to the maps.

For held-out queries with their best match: the matched image's relevance map from local embeddings kept as
int8, as float16 and computed again, against float32: Spearman over the cells (mean, least), and the share of
the hottest fifth of the cells that stays (mean).  Bytes are those of the files of a segment.  Times are CPU
time: of an image at index (decoding and preparing, the network), and of the evidence of a match, ten to an
answer, both images and signs, from what is kept on.  The protocol is that of `whyalike evaluate`, with
queries and references drawn at random.  Each --image-size beside the checkpoint's own is a table of its own.

    python benchmarks/evidence_storage.py CHECKPOINT DATA [--image-size 448]…
        [--queries 300] [--references 300]
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from explain.evidence import explain_matches
from explain.maps import Pairs, cosine_gradients, signed_maps
from gallery.local_storage import LocalStorage
from gallery.segments.local_embeddings import FILES, StoredLocalEmbeddings, write_local_embeddings
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from siamese.preparing import Prepared
from siamese.protocols import choose_protocol
from siamese.resizing import resized
from siamese.samples import Sample, image_of
from siamese.splits import Split
from whyalike.console import progress
from whyalike.folders import read_folder

LIMITS = ImageLimits()
MATCHES = 10  # of one answer
HOTTEST = 0.2
MILLISECONDS = 1000
SEED = 0

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Samples as an encoder sees them, and the CPU seconds that each took it."""

    samples: Sequence[Sample]
    embeddings: Floats  # (n, D)
    local: Floats  # (n, h, w, D)
    preparing: float
    embedding: float

    @classmethod
    def of(cls, samples: Sequence[Sample], encoder: Encoder, *, description: str) -> Images:
        """Decode, prepare and embed one by one."""
        embeddings, local, spent = [], [], np.zeros(2)
        for sample in progress().track(samples, description=description, total=len(samples)):
            started = process_time()
            prepared = _prepared(sample, encoder)
            ready = process_time()
            embedded = encoder.embed([prepared])
            spent += ready - started, process_time() - ready
            embeddings.append(embedded.embeddings[0])
            local.append(embedded.local_embeddings[0])
        return cls(samples, np.stack(embeddings), np.stack(local), *(spent / len(samples)).tolist())


def main() -> None:
    """Measure and print, a table for each size of the square."""
    wanted = _arguments()
    torch.set_num_threads(1)
    encoder = Encoder.load(wanted.checkpoint, device="cpu")
    samples = read_folder(wanted.data, limits=LIMITS, progress=progress()).samples
    split = None if encoder.record.split is None else Split.model_validate(encoder.record.split)
    protocol = choose_protocol(samples, split=split)
    asking = _drawn(protocol.queries, wanted.queries)
    answering = _drawn(protocol.references, wanted.references)
    print(
        f"{encoder.name}: {protocol.statement}; {len(asking)} queries and {len(answering)} references drawn"
    )
    for size in (encoder.preprocessing.image_size, *wanted.image_size):
        sized = resized(encoder, size)
        queries = Images.of(asking, sized, description=f"{size} px: queries")
        references = Images.of(answering, sized, description=f"{size} px: references")
        _report(sized, queries, references)


def _report(encoder: Encoder, queries: Images, references: Images) -> None:
    best = _best(queries, references)
    firsts = [
        query.label == references.samples[match].label
        for query, match in zip(queries.samples, best, strict=True)
    ]
    height, width = encoder.grid
    print(
        f"\n{encoder.preprocessing.image_size} px, grid {height} × {width}, D = {encoder.dimension}: "
        f"{MILLISECONDS * references.preparing:.1f} ms to prepare an image and "
        f"{MILLISECONDS * references.embedding:.1f} ms for the network; R@1 {100 * np.mean(firsts):.1f}"
    )
    print("\n| kept as | bytes an image | Spearman, mean | least | hottest fifth | ms a match |")
    print("|---|---|---|---|---|---|")
    exact = _maps(queries, references, best, references.local)
    for storage in FILES:
        with tempfile.TemporaryDirectory() as folder:
            size, stored = _kept(Path(folder), references, storage)
            maps = _maps(queries, references, best, stored.rows(range(len(references.samples))))
            spent = _evidence_time(queries, references, best, stored.rows)
        _row(storage, size, maps, exact, spent)

    def recomputed(rows: Sequence[int]) -> Floats:
        return encoder.local_embeddings([_prepared(references.samples[row], encoder) for row in rows])

    again = np.concatenate([recomputed([match]) for match in best[:MATCHES]])
    assert np.array_equal(again, references.local[best[:MATCHES]]), "computed again, it is the same"
    spent = _evidence_time(queries, references, best, recomputed, answers=2)
    _row("none", 0, exact, exact, spent)


def _row(storage: str, size: float, maps: Sequence[Floats], exact: Sequence[Floats], spent: float) -> None:
    ranks = [float(spearmanr(a.ravel(), b.ravel()).statistic) for a, b in zip(maps, exact, strict=True)]
    kept = [_hottest_kept(a, b) for a, b in zip(maps, exact, strict=True)]
    print(
        f"| {storage} | {size:,.0f} | {np.mean(ranks):.4f} | {min(ranks):.4f} | {np.mean(kept):.3f} "
        f"| {MILLISECONDS * spent:.3g} |"
    )


def _best(queries: Images, references: Images) -> list[int]:
    """The row of the nearest reference of each query, other content than its own."""
    cosines = queries.embeddings @ references.embeddings.T
    same = np.array([[a.checksum == b.checksum for b in references.samples] for a in queries.samples])
    return [int(row) for row in np.where(same, -np.inf, cosines).argmax(axis=1)]


def _maps(queries: Images, references: Images, best: Sequence[int], local: Floats) -> list[Floats]:
    """The relevance map of each query's best match, of these local embeddings and the exact embeddings."""
    maps = []
    for row, match in enumerate(best):
        pairs = Pairs.of(
            queries.local[row],
            local[match][None],
            query_embedding=queries.embeddings[row],
            matched_embeddings=references.embeddings[match][None],
        )
        maps.append(signed_maps(pairs, cosine_gradients(pairs))[1][0].astype(np.float32))
    return maps


def _hottest_kept(rounded: Floats, exact: Floats) -> float:
    count = max(1, round(HOTTEST * exact.size))
    hottest = [set(np.argsort(-each.ravel(), kind="stable")[:count].tolist()) for each in (rounded, exact)]
    return len(hottest[0] & hottest[1]) / count


def _kept(folder: Path, references: Images, storage: LocalStorage) -> tuple[float, StoredLocalEmbeddings]:
    """Bytes an image, and what reads them."""
    write_local_embeddings(folder, references.local, storage)
    size = sum(path.stat().st_size for path in folder.iterdir()) / len(references.samples)
    return size, StoredLocalEmbeddings(folder, storage)


def _evidence_time(
    queries: Images,
    references: Images,
    best: Sequence[int],
    read: Callable[[Sequence[int]], Floats],
    *,
    answers: int = 50,
) -> float:
    """CPU seconds of a match; an answer holds the best match of ten queries, asked by the first."""
    started, matches = process_time(), 0
    for first in range(0, answers * MATCHES, MATCHES):
        rows = [best[row % len(best)] for row in range(first, first + MATCHES)]
        query = first % len(best)
        explain_matches(
            queries.local[query],
            read(rows),
            query_embedding=queries.embeddings[query],
            matched_embeddings=references.embeddings[rows],
        )
        matches += len(rows)
    return (process_time() - started) / matches


def _prepared(sample: Sample, encoder: Encoder) -> Prepared:
    return encoder.prepare(image_of(sample, encoder.preprocessing, limits=LIMITS))


def _drawn(samples: Sequence[Sample], count: int) -> list[Sample]:
    return random.Random(SEED).sample(list(samples), min(count, len(samples)))


def _arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--image-size", type=int, action="append", default=[], help="another square, too")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--references", type=int, default=300)
    return parser.parse_args()


if __name__ == "__main__":
    main()
