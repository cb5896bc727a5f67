"""Which spot answers which spot: the cosine of a pair, cell by cell.

The cosine is the sum over all pairs of cells of u_ij . v_kl / (N_q N_m |e_q| |e_m|), the contribution matrix,
whose rows sum to the query's relevance map and whose columns to the matched image's (Stylianou et al. 2019,
Zhu et al. 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from explain import maps
from explain.errors import MapMismatch, NotFinite
from explain.maps import Floats, Local, Pairs
from explain.scores import COSINE

Cell: TypeAlias = tuple[int, int]

TIED = 1e-6  # of a cosine: a spot that two others answer equally well is answered by neither
LEAST = 1e-9  # of a cosine: a smaller contribution is rounding


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What each two cells of a pair add to its cosine.

    `grids` are (h, w) of the query and (h', w') of the matched image. `matrix` and `cosines` are
    (h w, h' w'), the cells row by row: the contributions, in sum `value`, and how alike two cells are by
    themselves, in [-1, 1] and 0 where one of them lies in padding; `seen_pairs` do not.
    """

    grids: tuple[Cell, Cell]
    value: float
    matrix: Floats
    cosines: Floats
    seen_pairs: int

    def __post_init__(self) -> None:
        shape = tuple(height * width for height, width in self.grids)
        if self.matrix.shape != shape or self.cosines.shape != shape:
            raise MapMismatch(f"Contributions between grids {self.grids} are {shape}: {self.matrix.shape}.")
        if not (np.isfinite(self.matrix).all() and np.isfinite(self.cosines).all()):
            raise NotFinite("Contributions must be finite.")


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Two cells, as (row, column), that are each other's most alike.

    `contribution` > 0 is what the two add to the cosine of the pair, `share` that as a part of it and
    `times_average` as a multiple of what any two seen cells add on average, both None where the pair's cosine
    is not positive, and `cosine` how alike the two are by themselves.
    """

    query: Cell
    matched: Cell
    contribution: float
    share: float | None
    times_average: float | None
    cosine: float


def contributions(
    query: Local,
    matched: Local,
    *,
    query_embedding: Local | None = None,
    matched_embedding: Local | None = None,
) -> Contributions:
    """Take the cosine of a pair apart by its local embeddings (h, w, D) and (h', w', D).

    Rows and columns sum to the relevance maps. With the exact unit embeddings (D,) beside stored local
    embeddings these are the maps of the exact cosine, and what int8 lost is spread evenly over the seen
    cells. Zero in padding, and everywhere where either image has no embedding.
    Raises MapMismatch and NotFinite.
    """
    others = None if matched_embedding is None else matched_embedding[None]
    pairs = Pairs.of(query, matched[None], query_embedding=query_embedding, matched_embeddings=others)
    values = COSINE.values(pairs)
    images = pairs.query, pairs.matched[0]
    matrix = np.zeros((images[0][..., 0].size, images[1][..., 0].size))
    if maps.comparable(pairs)[0]:
        first, second = (local.reshape(-1, local.shape[-1]) for local in images)
        scale = matrix.size * float(pairs.query_norm) * float(pairs.matched_norms[0])
        signed = maps.signed_maps(pairs, COSINE.gradients(pairs))
        exact = (maps.summing_to(values, *each)[0].ravel() for each in zip(signed, images, strict=True))
        matrix = _summing_to_both(first @ second.T / scale, tuple(exact), images)
    grids = images[0].shape[:2], images[1].shape[:2]
    seen_pairs = math.prod(int(maps.seen_cells(local).sum()) for local in images)
    return Contributions(grids, float(values[0]), matrix, _cosines(*images), seen_pairs)


def mutual_best(found: Contributions) -> list[Correspondence]:
    """Return the cells that are each other's most alike and add to the cosine, the greatest addition first.

    Most alike by the cosine of the two, not by what they add: a cell with a large norm would be the best
    answer to nearly all others, and one or two correspondences would be left (benchmarks/correspondences.py).
    A spot that several others answer equally well, such as plain ground, is answered by none.
    """
    answers, asked = _best(found.cosines), _best(found.cosines.T)
    cells = np.arange(len(answers))
    mutual = cells[(answers >= 0) & (asked[answers] == cells)]
    adding = found.matrix[mutual, answers[mutual]]
    order = np.argsort(-adding, kind="stable")[: np.count_nonzero(adding > LEAST)]
    return [_correspondence(found, int(cell), int(answers[cell])) for cell in mutual[order]]


def _correspondence(found: Contributions, query: int, matched: int) -> Correspondence:
    added = float(found.matrix[query, matched])
    share = added / found.value if found.value > LEAST else None
    return Correspondence(
        query=(query // found.grids[0][1], query % found.grids[0][1]),
        matched=(matched // found.grids[1][1], matched % found.grids[1][1]),
        contribution=added,
        share=share,
        times_average=None if share is None else share * found.seen_pairs,
        cosine=float(found.cosines[query, matched]),
    )


def _best(alike: Floats) -> NDArray[np.intp]:
    """Return for every row (n,) the column that is most alike, -1 where there is none or it is not alone."""
    best = alike.argmax(axis=1)
    rivals = alike >= alike.max(axis=1, keepdims=True) - TIED
    alone = (rivals.sum(axis=1) == 1) & (alike.max(axis=1) > TIED)
    return np.where(alone, best, -1)


def _cosines(query: Local, matched: Local) -> Floats:
    """Return the cosine of each two cells, (h w, h' w')."""
    first, second = (_directions(local.reshape(-1, local.shape[-1])) for local in (query, matched))
    cosines: Floats = np.clip(first @ second.T, -1, 1)
    return cosines


def _directions(cells: Local) -> Floats:
    """Return unit vectors (n, D), zero where a cell is; scaled first, so that no square is lost."""
    largest = np.abs(cells).max(axis=1, keepdims=True)
    scaled = np.divide(cells, largest, out=np.zeros(cells.shape), where=largest > 0)
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    directions: Floats = np.divide(scaled, lengths, out=np.zeros(cells.shape), where=lengths > 0)
    return directions


def _summing_to_both(raw: Floats, sums: tuple[Floats, ...], images: tuple[Local, Local]) -> Floats:
    """Spread what rows (n,) and columns (m,) lack of these sums, of one total, over the seen cells."""
    shares = [seen / seen.sum() for seen in (maps.seen_cells(local).ravel() for local in images)]
    rows, columns = sums[0] - raw.sum(axis=1), sums[1] - raw.sum(axis=0)
    once = np.outer(rows, shares[1]) + np.outer(shares[0], columns)
    spread: Floats = raw + once - rows.sum() * np.outer(*shares)
    return spread
