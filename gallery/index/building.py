"""Building a main index: chosen, trained on a sample, filled block by block, tuned, measured, written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faiss as typed_faiss
import numpy as np
from numpy.typing import NDArray

from gallery.files import file_sha256, new_folder, remove
from gallery.index.faiss_engine import FaissEngine
from gallery.index.kinds import FLAT, Design, IndexWish, designs, made_by
from gallery.index.main_index import Effort
from gallery.index.recall import HeldOut, Recall, held_out
from gallery.index.tuning import efforts, measured
from gallery.segments.embeddings import Embeddings

faiss: Any = typed_faiss  # its stubs forget classes and parameters

BLOCK = 65_536
"""Embeddings that are added at once; 32 MB at 128 numbers."""

TRAINING_ENTRIES = 40
"""Entries that each list's centroid is trained on; FAISS asks for 39 or more."""

LEAST_TRAINING_ENTRIES = 20_000
KMEANS_ROUNDS = 6
"""Of the lists' centroids; FAISS's 10 take nearly twice the time, and the recall is measured anyway."""

TUNING_QUERIES = 300
MEASURED_QUERIES = 1000

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A kind of index that was not kept, and why."""

    kind: str
    factory: str
    reason: str


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """An index that is durable in its folder, what it is, and how well it finds.

    `files` are the size in bytes and the SHA-256 of each file by its name.
    """

    kind: str
    factory: str
    entries: int
    dimension: int
    effort: Effort
    recall: Recall
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """What it takes on disk."""
        return sum(size for size, _ in self.files.values())


@dataclass(frozen=True, slots=True)
class Choice:
    """What was built, None where exact search is the choice; and what was tried before."""

    built: BuiltIndex | None
    attempts: tuple[Attempt, ...]


def build_index(
    folder: Path,
    embeddings: Embeddings,
    wish: IndexWish,
    *,
    seed: int = 0,
    tell: Told = lambda _: None,
) -> Choice:
    """Write the index that suits the wish durably into a new folder, or none where that is exact search.

    Kind after kind is built until one reaches the wanted recall within the budget; `tell` hears of each step.
    The embeddings are read from where they lie, a block at a time. Raises InvalidIndex for a factory string
    that FAISS makes nothing of, FileExistsError if the folder is there.
    """
    wish.check(embeddings.dimension)
    attempts: list[Attempt] = []
    queries: tuple[HeldOut, HeldOut] | None = None
    for design in designs(wish, count=len(embeddings), dimension=embeddings.dimension):
        if design.kind == FLAT:
            break
        tell(f"{design.factory}: training and adding {len(embeddings):,} embeddings")
        try:
            engine = FaissEngine(_filled(design, embeddings, seed))
        except RuntimeError as error:
            attempts.append(Attempt(design.kind, design.factory, f"FAISS does not make it: {_told(error)}"))
            continue
        tell(f"{design.factory}: finding the effort for a recall of {wish.recall}")
        queries = queries or _queries(embeddings, seed)
        found = _tuned(engine, embeddings, queries, wish.recall)
        if found is None:
            attempts.append(Attempt(design.kind, design.factory, f"its recall does not reach {wish.recall}"))
            continue
        built = _written(folder, engine, design, embeddings, *found)
        if wish.memory is None or built.bytes <= wish.memory:
            return Choice(built, tuple(attempts))
        attempts.append(Attempt(design.kind, design.factory, f"it takes {built.bytes:,} bytes"))
        remove(folder)
    return Choice(None, tuple(attempts))


def _filled(design: Design, embeddings: Embeddings, seed: int) -> Any:
    index = made_by(design.factory, embeddings.dimension)
    _prepare(index)
    index.train(_training_sample(embeddings, index, seed))
    if isinstance(index, faiss.IndexIVFPQFastScan):
        index.use_precomputed_table = 0  # as when it is opened; see faiss_engine.py
    for start in range(0, len(embeddings), BLOCK):
        positions = np.arange(start, min(start + BLOCK, len(embeddings)))
        index.add(embeddings.rows(positions))
    return index


def _told(error: RuntimeError) -> str:
    """What FAISS says is wrong, without where in its source."""
    return str(error).splitlines()[-1].rpartition("Error: ")[2]


def _prepare(index: Any) -> None:
    """FAISS writes warnings about few training points to stderr; the recall is measured instead."""
    ivf: Any = faiss.try_extract_index_ivf(index)
    if ivf is not None:
        ivf.cp.min_points_per_centroid = 1
        ivf.cp.niter = KMEANS_ROUNDS
    for quantizer in (getattr(index, "pq", None), getattr(ivf, "pq", None)):
        if quantizer is not None:
            quantizer.cp.min_points_per_centroid = 1


def _training_sample(embeddings: Embeddings, index: Any, seed: int) -> NDArray[np.float32]:
    ivf = faiss.try_extract_index_ivf(index)
    lists = ivf.nlist if ivf is not None else 0
    count = min(len(embeddings), max(LEAST_TRAINING_ENTRIES, TRAINING_ENTRIES * lists))
    return embeddings.rows(_drawn(len(embeddings), count, seed))


def _queries(embeddings: Embeddings, seed: int) -> tuple[HeldOut, HeldOut]:
    """Some to tune with, and others to measure with; in a small gallery they are the same."""
    count = min(len(embeddings), TUNING_QUERIES + MEASURED_QUERIES)
    positions = np.random.default_rng(seed + 1).permutation(_drawn(len(embeddings), count, seed + 1))
    split = TUNING_QUERIES if count > 2 * TUNING_QUERIES else 0
    measuring = held_out(embeddings, positions[split:])
    return (held_out(embeddings, positions[:split]) if split else measuring), measuring


def _drawn(total: int, count: int, seed: int) -> NDArray[np.int64]:
    """Positions without repetition, ascending."""
    chosen = np.random.default_rng(seed).choice(total, count, replace=False)
    return np.sort(chosen).astype(np.int64)


def _tuned(
    engine: FaissEngine, embeddings: Embeddings, queries: tuple[HeldOut, HeldOut], wanted: float
) -> tuple[Effort, Recall] | None:
    tuning, measuring = queries
    for effort in efforts(engine, embeddings, tuning, wanted=wanted):
        recall = measured(engine, embeddings, measuring, effort)
        if recall.value >= wanted:
            return effort, recall
    return None


def _written(
    folder: Path, engine: FaissEngine, design: Design, embeddings: Embeddings, effort: Effort, recall: Recall
) -> BuiltIndex:
    with new_folder(folder) as unfinished:
        engine.write(unfinished)
        files = {path.name: (path.stat().st_size, file_sha256(path)) for path in sorted(unfinished.iterdir())}
    return BuiltIndex(
        design.kind, design.factory, len(embeddings), embeddings.dimension, effort, recall, files
    )
