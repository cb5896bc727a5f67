"""The main index beside hnswlib and usearch, on embeddings by the million, each at the same recall.

    python benchmarks/embedding_mixture.py REAL.npy MANY.npy --count 1000000
    pip install hnswlib usearch
    python benchmarks/index_engines.py MANY.npy WORK [--recall 0.99] [--queries 10000] [--only ours]

MANY.npy are embeddings (n, 128) with MANY.queries.npy beside them.  All engines run on one thread; each is
built and measured in a process of its own, and what is done is kept in WORK, so that a run that was stopped
goes on.  The peers get M = 16, 200 candidates at building and float32, and the least effort (ef, expansion)
of a ladder that has no lower recall@10 than ours; ours is built by the same call as `whyalike index` makes,
with the effort that it found, and re-scores with the exact embeddings, which are mapped and not counted as
the index: they are there anyway.  Recall is over the first 1,000 queries against exact search.  Times are of
one query at a time.  "Private" is anonymous memory that opening and searching added; "mapped" are resident
pages of files after all queries, the embeddings' included.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from engines import ENGINES, NEIGHBOURS, Search
from numpy.typing import NDArray

from gallery.segments.arrays import StoredArray

TRUTH_QUERIES = 1000
TRUTH = "truth.json"


def main() -> int:
    """Build what is missing, measure what is missing, print the table."""
    chosen = _arguments()
    chosen.work.mkdir(exist_ok=True)
    truth = chosen.work / TRUTH
    if not truth.exists():
        _apart(_true_neighbours, "", chosen, truth)
    for name in ENGINES if chosen.only is None else (chosen.only,):
        built, measured = chosen.work / f"{name}.build.json", chosen.work / f"{name}.json"
        if not built.exists():
            _apart(_build, name, chosen, built)
        if not measured.exists():
            _apart(_measure, name, chosen, measured)
    _print(chosen.work)
    return 0


def _apart(function: Callable[..., dict[str, Any]], name: str, chosen: argparse.Namespace, to: Path) -> None:
    """In a process of its own, so that its memory is its own."""
    process = multiprocessing.get_context("spawn").Process(target=_kept, args=(function, name, chosen, to))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{name} failed.")


def _kept(function: Callable[..., dict[str, Any]], name: str, chosen: argparse.Namespace, to: Path) -> None:
    faiss.omp_set_num_threads(1)
    to.write_text(json.dumps(function(name, chosen)))


def _build(name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    facts = ENGINES[name].build(_mapped(chosen.embeddings), chosen.work, chosen.recall)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, **facts}


def _measure(name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    embeddings = _mapped(chosen.embeddings)
    queries = np.load(chosen.embeddings.with_suffix(".queries.npy"))[: chosen.queries]
    truth = np.array(json.loads((chosen.work / TRUTH).read_text())["nearest"])
    before = _resident()
    started = time.perf_counter()
    engine = ENGINES[name](embeddings, chosen.work)
    opened = time.perf_counter() - started
    search, recall, effort = _at_recall(engine, queries[:TRUTH_QUERIES], truth, _wanted(name, chosen))
    taken = []
    for query in queries:
        started = time.perf_counter()
        search(query)
        taken.append(time.perf_counter() - started)
    after = _resident()
    return {
        "recall": recall,
        "effort": effort,
        "open_s": opened,
        "p50_ms": float(np.percentile(taken, 50) * 1e3),
        "p99_ms": float(np.percentile(taken, 99) * 1e3),
        "file_bytes": engine.file_bytes(chosen.work),
        "entries": len(embeddings),
        "private_bytes": after["RssAnon"] - before["RssAnon"],
        "mapped_bytes": after["RssFile"] - before["RssFile"],
    }


def _wanted(name: str, chosen: argparse.Namespace) -> float:
    """Of the peers, no less than ours has on the same queries."""
    ours = chosen.work / "ours.json"
    if name == "ours" or not ours.exists():
        return float(chosen.recall)
    return max(chosen.recall, json.loads(ours.read_text())["recall"])


def _at_recall(
    engine: Any, queries: NDArray[np.float32], truth: NDArray[np.int64], wanted: float
) -> tuple[Search, float, str]:
    for effort in engine.efforts:
        search = engine.searching(effort)
        found = [set(search(query).tolist()) for query in queries]
        hits = [len(own & set(near)) for own, near in zip(found, truth.tolist(), strict=True)]
        recall = float(np.mean(hits)) / NEIGHBOURS
        if recall >= wanted:
            break
    return search, recall, str(effort)


def _mapped(path: Path) -> NDArray[np.float32]:
    return StoredArray(path).mapped()


def _true_neighbours(_name: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """By exact search; in a process of its own, because it touches every page."""
    queries = np.load(chosen.embeddings.with_suffix(".queries.npy"))[:TRUTH_QUERIES]
    _, nearest = faiss.knn(queries, _mapped(chosen.embeddings), NEIGHBOURS)
    return {"nearest": nearest.tolist()}


def _resident() -> dict[str, int]:
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) * 1024 for line in lines if line[0].startswith("Rss")}


def _print(work: Path) -> None:
    print(
        "| engine | recall@10 | effort | p50 ms | p99 ms | build, CPU s | file, bytes a vector | open, s "
        "| private MB | mapped MB |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    for name in ENGINES:
        if not (work / f"{name}.json").exists():
            continue
        built = json.loads((work / f"{name}.build.json").read_text())
        facts = json.loads((work / f"{name}.json").read_text())
        print(
            f"| {name} | {facts['recall']:.4f} | {facts['effort']} "
            f"| {facts['p50_ms']:.2f} | {facts['p99_ms']:.2f} "
            f"| {built['cpu']:.0f} | {facts['file_bytes'] / facts['entries']:.1f} | {facts['open_s']:.3f} "
            f"| {facts['private_bytes'] / 1e6:.0f} | {facts['mapped_bytes'] / 1e6:.0f} |"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--recall", type=float, default=0.99)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--only", choices=sorted(ENGINES))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
