"""Near-duplicates: two files that hold the same shot, re-encoded, resized or recoloured.

They are found on small grey thumbnails alone: a perceptual hash (the signs of the lowest frequencies)
proposes pairs, the correlation of the thumbnails' gradients confirms them. Gradients and not shades, because
by shade two moles on pale skin correlate at 0.95: their large smooth shape is all that it sees.
docs/decisions/0008-units-and-near-duplicates.md has the pairs that the thresholds were read from.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Pixels of a thumbnail's side. A picture that is smaller itself has too little detail to be told apart."""

HASHED_SIDE = 8
# Of 63 bits. The same shot differed by 0 to 12 through re-encoding at quality 30, resizing, cropping 2 % and
# strong recolouring, on five sets of photos; of 20,000 random pairs of flowers 1 in 10,000 lay at 16 or less.
MOST_BITS = 12
# On flowers, rooms, groceries, pets and skin all 95 pairs above were looked at, and each is the same shot; of
# the pairs from 0.85 to 0.90 some are, and some are two packages of one brand or two moles in one vignette.
LEAST_CORRELATION = 0.9
# Root mean square of the gradient, in shades of 256 for each cell. The flattest photo of 12,000 had 3.3;
# below 2 it is the noise of the encoder, or one shade.
LEAST_GRADIENT = 2.0
# How many frequencies share the gradient's energy (its participation ratio): 1.5 for an even slope of
# shade, 6.7 for the plainest photo of 12,000. What is as plain as a slope looks like any other slope.
LEAST_FREQUENCIES = 4.0

BLOCK = 1024
"""Thumbnails that are compared with all others at a time: 4 bytes for each pair of them in memory."""


def near_duplicates(thumbnails: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The pairs (m, 2) of positions i < j in (n, 32, 32) thumbnails that hold the same shot, in their order.

    Flat thumbnails are near-duplicates of nothing, not even of their equals. Mirrored, turned or more than
    slightly cropped copies are not looked for, and two shots of one scene are not meant to be found.
    Costs n²/2 comparisons of hashes, and 16 kB of memory for each thumbnail: 0.5 s for 4,000 thumbnails and
    11 s for 50,000 on one core.

    Raises ValueError for another shape.
    """
    if thumbnails.ndim != 3 or thumbnails.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"thumbnails are (n, {SIDE}, {SIDE}), and these are {thumbnails.shape}")
    spectra = _spectra(thumbnails)
    gradients = _gradients(spectra)
    textured = np.flatnonzero(_has_texture(gradients))
    signs = _signs(spectra[textured])
    units = gradients[textured]
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    found = [np.empty((0, 2), np.int64)]
    for first, second in _proposed(signs):
        alike = np.einsum("pf,pf->p", units[first], units[second]) >= LEAST_CORRELATION
        found.append(textured[np.stack([first[alike], second[alike]], axis=1)])
    return np.concatenate(found)


def _spectra(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The orthonormal cosine transform of each thumbnail: (n, 32, 32), rows and columns by frequency."""
    frequency, cell = np.arange(SIDE)[:, None], np.arange(SIDE)[None, :]
    waves = np.sqrt(2 / SIDE) * np.cos(np.pi * frequency * (2 * cell + 1) / (2 * SIDE))
    waves[0] = np.sqrt(1 / SIDE)
    waves = waves.astype(np.float32)
    spectra: NDArray[np.float32] = waves @ thumbnails.astype(np.float32) @ waves.T
    return spectra


def _gradients(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 1024) spectra by angular frequency: their inner products are those of the gradients (Parseval)."""
    frequency = np.pi / SIDE * np.arange(SIDE)
    angular = np.hypot(frequency[:, None], frequency[None, :]).astype(np.float32)
    gradients: NDArray[np.float32] = (spectra * angular).reshape(len(spectra), SIDE * SIDE)
    return gradients


def _has_texture(gradients: NDArray[np.float32]) -> NDArray[np.bool_]:
    energy = np.square(gradients)
    total = energy.sum(axis=1)
    spread = total**2 >= LEAST_FREQUENCIES * np.einsum("nf,nf->n", energy, energy)
    textured: NDArray[np.bool_] = (total >= LEAST_GRADIENT**2 * SIDE**2) & spread
    return textured


def _signs(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 63) the perceptual hash as +1 and -1: BLAS then counts equal bits faster than bit operations."""
    lowest = spectra[:, :HASHED_SIDE, :HASHED_SIDE].reshape(len(spectra), HASHED_SIDE**2)[:, 1:]
    signs: NDArray[np.float32] = np.where(lowest > 0, 1, -1).astype(np.float32)
    return signs


def _proposed(signs: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions of pairs, each once and the lower one first, whose hashes differ by few bits."""
    least_product = signs.shape[1] - 2 * MOST_BITS
    for start in range(0, len(signs), BLOCK):
        block = signs[start : start + BLOCK]
        first, second = np.nonzero(block @ signs[start:].T >= least_product)
        once = first < second
        yield first[once] + start, second[once] + start
