"""The kinds of main index, and which of them suit so many embeddings, a memory budget and a wanted recall."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import faiss as typed_faiss

from gallery.errors import InvalidIndex

faiss: Any = typed_faiss  # its stubs forget classes and parameters

AUTO = "auto"
FLAT = "flat"
KINDS = ("flat", "hnsw", "ivf-sq", "ivf-pq")

FLAT_NUMBERS = 6_400_000
"""Numbers (contents × dimension) up to which exact search is quick enough: 50,000 × 128 take 2 to 4 ms."""

FEWEST_ENTRIES = 64
"""Below this there is nothing to train on, whatever kind is asked for."""

LISTS_PER_ROOT = 4
"""Inverted lists for each √n entries: at a million that is 4,096 of 244 entries, a compromise of FAISS's."""

MOST_LISTS = 8192
"""Training takes as long as the square of the lists; 10 million entries are searched in time with these."""

ENTRIES_PER_LIST = 39
"""The fewest that FAISS trains a list on without a warning."""

HNSW_LINKS = 32
LINK_BYTES = 4
ID_BYTES = 8
FACTORY = "factory"
"""The kind of an index that was asked for by its FAISS string."""

_NOT_OURS = (faiss.IndexIDMap, faiss.IndexRefine)
"""Ids and re-scoring are the gallery's own: such a wrapper would store them twice."""


@dataclass(frozen=True, slots=True)
class IndexWish:
    """What a main index should be: of a `kind` (or auto, or a FAISS factory string), with this recall@10.

    `recall` lies above 0 and at most at 1; `memory` is the most bytes that the index may have, None for any.
    Raises InvalidIndex for anything else.
    """

    kind: str = AUTO
    recall: float = 0.99
    memory: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.recall <= 1:
            raise InvalidIndex(f"A wanted recall lies above 0 and at most at 1, not at {self.recall}.")
        if self.memory is not None and self.memory < 0:
            raise InvalidIndex(f"An index has no fewer than 0 bytes, so {self.memory} are no budget.")

    def check(self, dimension: int) -> None:
        """Raise InvalidIndex where the kind is a factory string that makes no index of this dimension."""
        if self.kind not in (AUTO, *KINDS):
            made_by(self.kind, dimension)


@dataclass(frozen=True, slots=True)
class Design:
    """An index that may be built: its kind, its FAISS string (empty if flat), about its bytes an entry."""

    kind: str
    factory: str
    bytes_per_entry: float


FLAT_DESIGN = Design(FLAT, "", 0.0)


def designs(wish: IndexWish, *, count: int, dimension: int) -> Iterator[Design]:
    """What to try for so many entries, in this order until one has the wanted recall; the last is flat.

    From kind to kind they are more exact and larger. They come in the order of their speed at equal recall,
    as `benchmarks/index_engines.py` measures it, and none is beyond the memory budget.
    """
    if count >= FEWEST_ENTRIES:
        for kind in _kinds(wish, count * dimension):
            design = _design(kind, count, dimension)
            if wish.memory is None or design.bytes_per_entry * count <= wish.memory:
                yield design
    yield FLAT_DESIGN


def made_by(factory: str, dimension: int) -> Any:
    """An untrained FAISS index; raises InvalidIndex for a string that makes none that fits here."""
    try:
        index = faiss.index_factory(dimension, factory)
    except RuntimeError as error:
        raise InvalidIndex(
            f"{factory!r} is neither one of {', '.join((AUTO, *KINDS))} nor a string that FAISS makes an "
            f"index of for {dimension} numbers, such as {_ivf_pq(1_000_000, dimension)!r}."
        ) from error
    if isinstance(index, _NOT_OURS):
        raise InvalidIndex(
            f"{factory!r} keeps ids or exact embeddings in the index, which the gallery does itself; leave "
            "that part of it out."
        )
    return index


def _kinds(wish: IndexWish, numbers: int) -> Iterator[str]:
    if wish.kind == AUTO:
        yield from () if numbers <= FLAT_NUMBERS else ("ivf-pq", "ivf-sq", "hnsw")
    elif wish.kind == "ivf-pq":
        yield from ("ivf-pq", "ivf-sq")
    elif wish.kind != FLAT:
        yield wish.kind


def _design(kind: str, count: int, dimension: int) -> Design:
    centroids = 4 * dimension * lists_for(count) / count
    if kind == "ivf-pq":
        return Design(kind, _ivf_pq(count, dimension), ID_BYTES + _parts(dimension) / 2 + centroids)
    if kind == "ivf-sq":
        return Design(kind, f"IVF{lists_for(count)},SQ8", ID_BYTES + dimension + centroids)
    if kind == "hnsw":
        links = LINK_BYTES * (2 * HNSW_LINKS + 1)
        return Design(kind, f"HNSW{HNSW_LINKS},SQ8", dimension + links + ID_BYTES)
    return Design(FACTORY, kind, 0.0)  # what it takes is what its author has chosen


def _ivf_pq(count: int, dimension: int) -> str:
    """Four bits for each pair of numbers, of what is left after the list's centroid."""
    return f"IVF{lists_for(count)},PQ{_parts(dimension)}x4fsr"


def _parts(dimension: int) -> int:
    return dimension // 2 if dimension % 2 == 0 else dimension


def lists_for(count: int) -> int:
    """The power of two next to 4 √n, within what can be trained."""
    wanted: float = LISTS_PER_ROOT * count**0.5
    most = max(1, min(MOST_LISTS, count // ENTRIES_PER_LIST))
    lists = 1
    while lists * 2**0.5 < wanted and lists * 2 <= most:
        lists *= 2
    return lists
