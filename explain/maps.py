"""Grad-CAM in closed form, from local embeddings alone.

The embedding is the mean of the local embeddings, e = mean_ij u_ij, so the gradient of any score s at
every cell is the same small vector g = ds/de, and the Grad-CAM map of s at the output of the linear
layer is g . u_ij / N before its ReLU.  With the weights' bias b left out, g . (u_ij - b) / N, it is the map
at the body's last feature map A, because there alpha_k = (W^T g)_k / N and u_ij = W a_ij + b.
(Selvaraju et al. 2017, equations 1 and 2; Stylianou et al. 2019 and Zhu et al. 2021 for the inner product.)

Shapes: one query (h, w, D) against any number of matched images (k, h', w', D); D is shared, the grids
need not be.  Everything is computed in float64, whatever comes in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explain.errors import MapMismatch, NotFinite

Floats = NDArray[np.float64]
Local = NDArray[np.floating]

CANCELLED = 1e-8  # a mean this small a share of its largest cell is the rounding of cells that cancel
SAME = 1e-6  # distances up to here are the rounding of float32 embeddings, and their direction is noise


@dataclass(frozen=True, slots=True)
class Pairs:
    """One query and k matched images in float64: their cells, unit embeddings and the lengths |e|."""

    query: Floats  # (h, w, D)
    matched: Floats  # (k, h', w', D)
    query_unit: Floats  # (D,), zero where e is zero
    matched_unit: Floats  # (k, D)
    query_norm: Floats  # (), |e_q|
    matched_norms: Floats  # (k,)

    @classmethod
    def of(
        cls,
        query: Local,
        matched: Local,
        *,
        query_embedding: Local | None = None,
        matched_embeddings: Local | None = None,
    ) -> Pairs:
        """Take local embeddings (h, w, D) and (k, h', w', D), and the exact unit embeddings where known.

        Stored local embeddings are rounded to int8; with the exact (D,) and (k, D) embeddings beside them
        the gradients are those of the exact score.  Raises MapMismatch and NotFinite.
        """
        _refuse_mismatch(query, matched)
        cells, other_cells = (each.astype(np.float64, copy=False) for each in (query, matched))
        unit, norm = _unit(cells)
        units, norms = _unit(other_cells)
        if not (np.isfinite(norm) and np.isfinite(norms).all()):
            raise NotFinite("Local embeddings must be finite numbers, but these hold NaN or infinity.")
        if query_embedding is not None and norm > 0:
            unit = query_embedding.astype(np.float64)
        if matched_embeddings is not None:
            units = np.where(norms[:, None] > 0, matched_embeddings.astype(np.float64), 0.0)
        return cls(cells, other_cells, unit, units, norm, norms)


@dataclass(frozen=True, slots=True)
class Gradients:
    """g = ds/de for the unnormalised mean e of either image of each pair."""

    query: Floats  # (k, D)
    matched: Floats  # (k, D)


def distances(pairs: Pairs) -> Floats:
    """Return |z_q - z_m| for every pair, (k,), computed from the difference of the unit embeddings."""
    d: Floats = np.linalg.norm(pairs.query_unit - pairs.matched_unit, axis=-1)
    return d


def comparable(pairs: Pairs) -> NDArray[np.bool_]:
    """Return (k,): False where either embedding is zero, so that no score of the pair is defined."""
    return (pairs.query_norm > 0) & (pairs.matched_norms > 0)


def cosine_gradients(pairs: Pairs) -> Gradients:
    """Return the gradients of the inner product e_q . e_m over |e_q| |e_m|, both lengths held constant.

    Their maps are the relevance maps: each sums to the cosine over its image.
    """
    defined = comparable(pairs)[:, None]
    return Gradients(
        query=defined * pairs.matched_unit * _reciprocal(pairs.query_norm),
        matched=defined * pairs.query_unit * _reciprocal(pairs.matched_norms)[:, None],
    )


def distance_gradients(pairs: Pairs) -> Gradients:
    """Return the gradients of the plain distance d = |z_q - z_m|; zero where d is (up to rounding) 0.

    dd/de_q = (z_q - z_m - z_q d^2 / 2) / (d |e_q|), and the same with the roles swapped: perpendicular to
    z_q, so that the signed map sums to zero over the image.
    """
    difference = pairs.query_unit - pairs.matched_unit
    d = distances(pairs)[:, None]
    slope = comparable(pairs)[:, None] * _reciprocal(d, zero=SAME)
    radial = d**2 / 2
    return Gradients(
        query=(difference - radial * pairs.query_unit) * slope * _reciprocal(pairs.query_norm),
        matched=(-difference - radial * pairs.matched_unit)
        * slope
        * _reciprocal(pairs.matched_norms)[:, None],
    )


def pair_head_gradients(pairs: Pairs, difference: Floats, product: Floats) -> Gradients:
    """Return the gradients of difference . |z_q - z_m| + product . (z_q o z_m), both weights (D,).

    The lengths are held constant, and so are the signs of z_q - z_m, which are 0 where the images are (up to
    rounding) the same; the map of an image then sums to what the number owes to it.
    """
    signs = np.sign(pairs.query_unit - pairs.matched_unit) * (distances(pairs) > SAME)[:, None]
    towards = comparable(pairs)[:, None] * signs * difference
    products = comparable(pairs)[:, None] * product
    return Gradients(
        query=(towards + products * pairs.matched_unit) * _reciprocal(pairs.query_norm),
        matched=(products * pairs.query_unit - towards) * _reciprocal(pairs.matched_norms)[:, None],
    )


def class_gradients(pairs: Pairs, weight: Floats) -> Gradients:
    """Return the gradients of weight . z (D,) at either image, the lengths held constant."""
    weights = comparable(pairs)[:, None] * weight
    return Gradients(
        query=weights * _reciprocal(pairs.query_norm),
        matched=weights * _reciprocal(pairs.matched_norms)[:, None],
    )


def signed_maps(pairs: Pairs, gradients: Gradients, *, bias: Local | None = None) -> tuple[Floats, Floats]:
    """Return Grad-CAM before its ReLU: (k, h, w) for the query and (k, h', w') for the matched images.

    Without `bias` at the output of the linear layer; with it, (D,), at the body's last feature map.
    """
    height, width, dimension = pairs.query.shape
    query = (gradients.query @ pairs.query.reshape(-1, dimension).T).reshape(-1, height, width)
    matched = np.matmul(pairs.matched, gradients.matched[:, None, :, None])[..., 0]
    if bias is not None:
        query = query - _bias_map(gradients.query, bias, pairs.query)
        matched = matched - _bias_map(gradients.matched, bias, pairs.matched)
    return query / (height * width), matched / (matched.shape[1] * matched.shape[2])


def relevance_maps(query: Local, matched: Local, *, bias: Local | None = None) -> tuple[Floats, Floats]:
    """Return the relevance maps of one pair, (h, w) and (h', w'); without `bias` each sums to the cosine."""
    pairs = Pairs.of(query, matched[None])
    maps = signed_maps(pairs, cosine_gradients(pairs), bias=bias)
    return maps[0][0], maps[1][0]


def distance_maps(query: Local, matched: Local, *, bias: Local | None = None) -> tuple[Floats, Floats]:
    """Return Grad-CAM of the distance of one pair before its ReLU, (h, w) and (h', w'); zero where d = 0."""
    pairs = Pairs.of(query, matched[None])
    maps = signed_maps(pairs, distance_gradients(pairs), bias=bias)
    return maps[0][0], maps[1][0]


def seen_cells(local: Local) -> NDArray[np.bool_]:
    """Return (..., h, w): a padded cell's local embedding is exactly 0, which says that it was not seen."""
    seen: NDArray[np.bool_] = np.any(local != 0, axis=-1)
    return seen


def summing_to(totals: Floats, signed: Floats, local: Local) -> Floats:
    """Spread what is missing from `totals` (k,) evenly over the seen cells of the maps (k, h, w)."""
    seen = seen_cells(local)
    counts = np.maximum(seen.sum(axis=(-2, -1)), 1)
    missing = (totals - signed.sum(axis=(-2, -1))) / counts
    spread: Floats = signed + seen * missing[:, None, None]
    return spread


def _refuse_mismatch(query: Local, matched: Local) -> None:
    fits = query.ndim == 3 and matched.ndim == 4 and query.shape[2] == matched.shape[3]
    if not fits or 0 in query.shape or 0 in matched.shape[1:]:
        raise MapMismatch(
            f"Local embeddings of a query are (h, w, D) and of its matches (k, h, w, D) with the same D, "
            f"but these are {query.shape} and {matched.shape}."
        )


def _unit(local: Floats) -> tuple[Floats, Floats]:
    """Return the mean over the grid of (..., h, w, D) as unit vectors (..., D), and its lengths (...)."""
    means = local.mean(axis=(-3, -2))
    norms = np.asarray(np.linalg.norm(means, axis=-1))
    largest = np.maximum(local.max(axis=(-3, -2, -1)), -local.min(axis=(-3, -2, -1)))
    norms = np.where(norms <= CANCELLED * largest, 0.0, norms)
    return means * _reciprocal(norms)[..., None], norms


def _reciprocal(length: Floats, *, zero: float = 0.0) -> Floats:
    """Return 1 / length, and 0 where the length is no longer than `zero`."""
    return np.divide(1.0, length, out=np.zeros_like(length), where=length > zero)


def _bias_map(gradient: Floats, bias: Local, local: Floats) -> Floats:
    """Return g . b on the seen cells, which carry it N / N_seen times (see siamese.network)."""
    seen = seen_cells(local)
    counts = np.maximum(seen.sum(axis=(-2, -1), keepdims=True), 1)
    shares: Floats = seen * (seen.shape[-2] * seen.shape[-1] / counts)
    projected: Floats = gradient @ bias.astype(np.float64)
    return projected[:, None, None] * shares
