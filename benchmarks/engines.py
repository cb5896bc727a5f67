"""The engines that index_engines.py compares: ours, hnswlib and usearch, built and asked in one way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.index.building import build_index
from gallery.index.faiss_engine import FaissEngine
from gallery.index.kinds import IndexWish
from gallery.index.main_index import Effort, MainIndex
from gallery.segments.embeddings import Embeddings, Part

NEIGHBOURS = 10
BLOCK = 50_000
LADDER = (10, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256, 384, 512, 768, 1024)
CONNECTIONS, CONSTRUCTION = 16, 200

Search = Callable[[NDArray[np.float32]], NDArray[np.int64]]


class Ours:
    """The main index, exact re-scoring included."""

    def __init__(self, embeddings: NDArray[np.float32], work: Path) -> None:
        facts = json.loads((work / "ours.build.json").read_text())
        self._engine = FaissEngine.open(work / "ours")
        part = Part(np.arange(len(embeddings)), embeddings)
        self._embeddings = Embeddings(embeddings.shape[1], [part])
        self.efforts = [Effort(facts["probes"], facts["candidates"])]

    @staticmethod
    def build(embeddings: NDArray[np.float32], work: Path, wanted: float) -> dict[str, Any]:
        """As `whyalike index` does."""
        parts = [Part(np.arange(len(embeddings)), embeddings)]
        told = lambda line: print(line, round(time.process_time()), flush=True)  # noqa: E731
        choice = build_index(
            work / "ours", Embeddings(embeddings.shape[1], parts), IndexWish(recall=wanted), tell=told
        )
        built = choice.built
        assert built is not None, choice.attempts
        return {
            "factory": built.factory,
            "probes": built.effort.probes,
            "candidates": built.effort.candidates,
            "measured": [built.recall.low, built.recall.value, built.recall.high],
        }

    def searching(self, effort: Effort) -> Search:
        """With this effort."""
        index = MainIndex(self._embeddings, self._engine, effort)
        return lambda query: index.search(query, count=NEIGHBOURS).content_ids

    def file_bytes(self, work: Path) -> int:
        """Of the index alone."""
        return sum(path.stat().st_size for path in (work / "ours").iterdir())


class Hnswlib:
    """hnswlib, which keeps the embeddings in the index."""

    efforts = LADDER

    def __init__(self, embeddings: NDArray[np.float32], work: Path) -> None:
        import hnswlib

        self._index = hnswlib.Index("l2", embeddings.shape[1])
        self._index.load_index(str(work / "hnswlib.index"))
        self._index.set_num_threads(1)

    @staticmethod
    def build(embeddings: NDArray[np.float32], work: Path, _wanted: float) -> dict[str, Any]:
        """All at once, on one thread."""
        import hnswlib

        index = hnswlib.Index("l2", embeddings.shape[1])
        index.init_index(len(embeddings), M=CONNECTIONS, ef_construction=CONSTRUCTION, random_seed=0)
        for start in range(0, len(embeddings), BLOCK):
            rows = embeddings[start : start + BLOCK]
            index.add_items(rows, np.arange(start, start + len(rows)), num_threads=1)
        index.save_index(str(work / "hnswlib.index"))
        return {}

    def searching(self, effort: int) -> Search:
        """With this ef."""
        self._index.set_ef(effort)
        return lambda query: self._index.knn_query(query, k=NEIGHBOURS, num_threads=1)[0][0]

    def file_bytes(self, work: Path) -> int:
        """Embeddings included."""
        return (work / "hnswlib.index").stat().st_size


class Usearch:
    """usearch, mapped (`view`), which keeps the embeddings in the index."""

    efforts = LADDER

    def __init__(self, embeddings: NDArray[np.float32], work: Path) -> None:
        self._index = self._empty(embeddings.shape[1])
        self._index.view(str(work / "usearch.index"))

    @classmethod
    def build(cls, embeddings: NDArray[np.float32], work: Path, _wanted: float) -> dict[str, Any]:
        """All at once, on one thread."""
        index = cls._empty(embeddings.shape[1])
        for start in range(0, len(embeddings), BLOCK):
            rows = embeddings[start : start + BLOCK]
            index.add(np.arange(start, start + len(rows)), rows, threads=1)
        index.save(str(work / "usearch.index"))
        return {}

    @staticmethod
    def _empty(dimension: int) -> Any:
        from usearch.index import Index

        return Index(
            ndim=dimension,
            metric="l2sq",
            dtype="f32",
            connectivity=CONNECTIONS,
            expansion_add=CONSTRUCTION,
        )

    def searching(self, effort: int) -> Search:
        """With this expansion."""
        self._index.expansion_search = effort
        return lambda query: self._index.search(query, NEIGHBOURS, threads=1).keys.astype(np.int64)

    def file_bytes(self, work: Path) -> int:
        """Embeddings included."""
        return (work / "usearch.index").stat().st_size


ENGINES: dict[str, Any] = {"ours": Ours, "hnswlib": Hnswlib, "usearch": Usearch}
