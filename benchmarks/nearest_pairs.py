"""What the nearest of some images cost in all of a gallery, as each build measures them, and by `faiss.knn`.

On unit embeddings (n, 128) drawn at random: for as many queries as a build of so many rows asks for their
nearest (gallery/builds/usual.py), seconds of one core, the fewest of three tries.

    python benchmarks/nearest_pairs.py [--rows 50000 1000000 2000000]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import faiss
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gallery.builds.usual import COMPARED, LEAST_ASKED, SPARE
from gallery.index.recall import nearest_positions
from gallery.segments.embeddings import Embeddings, Part
from gallery.usual import IMAGES
from whyalike.tables import print_rows

SEED = 0
DIMENSIONS = 128
TRIES = 3
AT_ONCE = 100_000
"""Rows that are drawn at a time, so that memory holds little more than the embeddings."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 1_000_000, 2_000_000])
    faiss.omp_set_num_threads(1)
    with threadpool_limits(1):
        rows = [_measured(count) for count in parser.parse_args().rows]
    print_rows(("rows", "queries", "ours", "faiss.knn"), rows)


def _measured(count: int) -> tuple[str, ...]:
    vectors = _drawn(count)
    queries = vectors[: min(IMAGES, max(LEAST_ASKED, COMPARED // count))]
    embeddings = Embeddings(DIMENSIONS, [Part(np.arange(count), vectors)])
    ours = _seconds(lambda: nearest_positions(embeddings, queries, 1 + SPARE))
    theirs = _seconds(lambda: faiss.knn(queries, vectors, 1 + SPARE, metric=faiss.METRIC_INNER_PRODUCT))
    return f"{count:,}", f"{len(queries):,}", f"{ours:.2f} s", f"{theirs:.2f} s"


def _drawn(count: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(SEED)
    vectors = np.empty((count, DIMENSIONS), np.float32)
    for start in range(0, count, AT_ONCE):
        some = vectors[start : start + AT_ONCE]
        generator.standard_normal(some.shape, dtype=np.float32, out=some)
        some /= np.linalg.norm(some, axis=1, keepdims=True)
    return vectors


def _seconds(work: Callable[[], object]) -> float:
    """Of the processor rather than of the clock, as others may use it as well."""
    found = []
    for _ in range(TRIES):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return min(found)


if __name__ == "__main__":
    main()
