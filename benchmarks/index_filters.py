"""Filtered searches of a main index: recall, leaks and times at every selectivity, and where to switch.

    python benchmarks/index_engines.py MANY.npy WORK --only ours
    python benchmarks/index_filters.py MANY.npy WORK [--queries 100]

A filter allows a share of all entries: drawn at random, or those that lie nearest to a point that was drawn
("one side", as a label is: far from most queries).  Each is answered as `MainIndex` does, by the engine with
the filter whatever the share, and exactly; the switch between the last two is `ROWS_PER_ROOT`.  Exits with 1
if an id was outside, too few were found, or the recall of what `MainIndex` does lies below 0.99.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from gallery.index.faiss_engine import FaissEngine
from gallery.index.main_index import ROWS_PER_ROOT, Effort, MainIndex
from gallery.segments.arrays import StoredArray
from gallery.segments.embeddings import Embeddings, Part
from gallery.vector_index import VectorIndex

SHARES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001, 0.0001)
NEIGHBOURS = 10
LEAST_RECALL = 0.99


class Answered(NamedTuple):
    """The recall of some searches, their median time, and how many ids were outside or missing."""

    recall: float
    milliseconds: float
    outside: int
    missing: int


def main() -> int:
    """Ask with each filter, and print the table."""
    chosen = _arguments()
    faiss.omp_set_num_threads(1)
    rows = StoredArray(chosen.embeddings).mapped()
    queries = np.load(chosen.embeddings.with_suffix(".queries.npy"))[: chosen.queries]
    embeddings = Embeddings(rows.shape[1], [Part(np.arange(len(rows)), rows)])
    engine = FaissEngine.open(chosen.work / "ours")
    facts = json.loads((chosen.work / "ours.build.json").read_text())
    effort = Effort(facts["probes"], facts["candidates"])
    ways = {
        "as it is": MainIndex(embeddings, engine, effort),
        "engine": MainIndex(embeddings, engine, effort, rows_per_root=0),
        "exact": MainIndex(embeddings, engine, effort, rows_per_root=10**9),
    }
    print(f"{len(rows)} embeddings, switch at {int(ROWS_PER_ROOT * len(rows) ** 0.5)} allowed ones")
    print("| allowed | which | recall as it is | ms as it is | recall, engine | ms, engine | ms, exact |")
    print("|---|---|---|---|---|---|---|")
    failed = False
    for share in SHARES:
        for which, allowed in _filters(rows, share):
            answers = {
                name: _answered(index, queries, allowed, ways["exact"]) for name, index in ways.items()
            }
            _print(share, which, answers)
            own = answers["as it is"]
            failed |= own.outside > 0 or own.missing > 0 or own.recall < LEAST_RECALL
    return int(failed)


def _filters(rows: NDArray[np.float32], share: float) -> list[tuple[str, NDArray[np.int64]]]:
    generator = np.random.default_rng(int(1 / share))
    count = int(share * len(rows))
    drawn = np.sort(generator.choice(len(rows), count, replace=False)).astype(np.int64)
    point = rows[generator.integers(len(rows))]
    nearest = np.sort(np.argpartition(-(rows @ point), count - 1)[:count]).astype(np.int64)
    for each in (drawn, nearest):
        each.flags.writeable = False
    return [("at random", drawn), ("one side", nearest)]


def _answered(
    index: VectorIndex, queries: NDArray[np.float32], allowed: NDArray[np.int64], exact: VectorIndex
) -> Answered:
    index.search(queries[0], count=NEIGHBOURS, allowed=allowed)  # a filter is made ready at its first use
    hits, outside, missing, taken = 0, 0, 0, []
    for query in queries:
        started = time.perf_counter()
        found = index.search(query, count=NEIGHBOURS, allowed=allowed).content_ids
        taken.append(time.perf_counter() - started)
        wanted = exact.search(query, count=NEIGHBOURS, allowed=allowed).content_ids
        hits += len(np.intersect1d(found, wanted))
        outside += int((~np.isin(found, allowed)).sum())
        missing += min(NEIGHBOURS, len(allowed)) - len(found)
    of = len(queries) * min(NEIGHBOURS, len(allowed))
    return Answered(hits / of, float(np.median(taken) * 1e3), outside, missing)


def _print(share: float, which: str, answers: dict[str, Answered]) -> None:
    own, engine, exact = answers["as it is"], answers["engine"], answers["exact"]
    print(
        f"| {100 * share:g} % | {which} | {own.recall:.4f} | {own.milliseconds:.2f} | {engine.recall:.4f} "
        f"| {engine.milliseconds:.2f} | {exact.milliseconds:.2f} |",
        flush=True,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--queries", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
