"""The least effort that reaches the wanted recall, found on held-out queries and measured on others."""

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gallery.index.main_index import Effort, Engine
from gallery.index.recall import HeldOut, Recall
from gallery.segments.embeddings import Embeddings

CANDIDATES = (20, 30, 50, 70, 100, 150, 200, 300, 400, 600, 800)
"""Numbers of candidates that are tried; re-scoring more takes longer than a stronger kind of index does."""

STEP = 2**0.5
"""From one number of probes to the next one that is tried."""

TIMED_QUERIES = 50
MARGIN = 0.25
"""What is tuned on some queries reaches a little less on others: a fourth of what may be missed is left."""


def efforts(
    engine: Engine,
    embeddings: Embeddings,
    queries: HeldOut,
    *,
    wanted: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Effort]:
    """Efforts that reach the wanted recall on these queries, the quickest first; none if none does."""
    enough = wanted + MARGIN * (1 - wanted)
    seconds = {
        each: _seconds(engine, embeddings, queries, each, clock)
        for each in _reaching(engine, embeddings, queries, enough)
    }
    yield from sorted(seconds, key=lambda each: seconds[each])


def measured(engine: Engine, embeddings: Embeddings, queries: HeldOut, effort: Effort) -> Recall:
    """The recall of searches with this effort."""
    hits = []
    for number, query in enumerate(queries.queries):
        proposed = engine.propose(query, count=effort.candidates, probes=effort.probes)
        hits.append(int(queries.hits(number, embeddings, proposed).sum()))
    return queries.recall(hits)


def _probes(engine: Engine) -> Iterator[int]:
    wanted = 1.0
    while wanted < engine.most_probes:
        yield round(wanted)
        wanted *= STEP
    yield engine.most_probes


def _reaching(engine: Engine, embeddings: Embeddings, queries: HeldOut, enough: float) -> Iterator[Effort]:
    """The fewest candidates for each number of probes, until more probes spare none."""
    fewest: int | None = None
    for probes in _probes(engine):
        candidates = _fewest_candidates(engine, embeddings, queries, probes, enough)
        if candidates is not None and candidates == fewest:
            return
        if candidates is not None:
            yield Effort(probes, candidates)
        fewest = candidates


def _fewest_candidates(
    engine: Engine, embeddings: Embeddings, queries: HeldOut, probes: int, enough: float
) -> int | None:
    most = min(CANDIDATES[-1], len(embeddings))
    found = np.zeros((len(queries), most), np.int64)
    for number, query in enumerate(queries.queries):
        proposed = engine.propose(query, count=most, probes=probes)
        hits = np.cumsum(queries.hits(number, embeddings, proposed))
        found[number, : len(hits)] = hits
        found[number, len(hits) :] = hits[-1] if len(hits) else 0
    return _first_reaching(found, queries, enough)


def _first_reaching(found: NDArray[np.int64], queries: HeldOut, enough: float) -> int | None:
    for candidates in CANDIDATES:
        column = found[:, min(candidates, found.shape[1]) - 1]
        if queries.recall(column.tolist()).value >= enough:
            return candidates
    return None


def _seconds(
    engine: Engine, embeddings: Embeddings, queries: HeldOut, effort: Effort, clock: Callable[[], float]
) -> float:
    """The median time of a search with re-scoring."""
    taken = []
    for number in range(min(TIMED_QUERIES, len(queries))):
        started = clock()
        proposed = engine.propose(queries.queries[number], count=effort.candidates, probes=effort.probes)
        queries.hits(number, embeddings, proposed)
        taken.append(clock() - started)
    return float(np.median(taken))
