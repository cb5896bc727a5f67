"""Searches of a build compared with exact search, and whether they drift from what its manifest says."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_1samp

from gallery.builds.build import Build
from gallery.index.candidates import Candidate
from gallery.index.recall import EQUALLY_NEAR, NEIGHBOURS, Recall, recall_of
from gallery.manifest import MainIndexClaims

LEAST_PROBES = 50
"""From so many on a recall of 0.95 is told from one of 0.99."""

LEAST_SHIFT = 0.2
"""A fifth of the searches lie elsewhere: less shifts every time that other people ask."""

UNLIKELY = 0.001
"""A shift that chance brings about once in a thousand times is no news."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Of one search: how many of the `neighbours` nearest it found, and the distance of the last of them."""

    hits: int
    neighbours: int
    reach: float


@dataclass(frozen=True, slots=True)
class Drift:
    """What some searches came to beside what the manifest says; `expected` is None for an exact index.

    `shift` in [0, 1] is how far the distances of the last neighbours are distributed otherwise than they
    were (Kolmogorov and Smirnov's statistic); None where the manifest does not tell. `warnings` say what to
    do, a sentence each.
    """

    recall: Recall
    expected: Recall | None
    shift: float | None
    warnings: tuple[str, ...]


def probe(build: Build, embedding: NDArray[np.float32]) -> Probe | None:
    """Ask for the nearest images by the index and exactly; None where the gallery holds too few.

    What is at distance 0 is taken for the query itself and left out, as when the index was measured.
    """
    count = NEIGHBOURS + 1
    asked = {"count": count, "fingerprint": build.fingerprint}
    exact = _others(build.search_exactly(embedding, **asked))  # type: ignore[arg-type]
    if len(exact) < NEIGHBOURS:
        return None
    reach = exact[NEIGHBOURS - 1]
    found = _others(build.search(embedding, **asked))  # type: ignore[arg-type]
    return Probe(sum(each <= reach + EQUALLY_NEAR for each in found[:NEIGHBOURS]), NEIGHBOURS, reach)


def drift(build: Build, probes: Sequence[Probe]) -> Drift | None:
    """What the probes say of a build; None without any."""
    if not probes:
        return None
    reach = np.array([each.reach for each in probes])
    recall = recall_of([each.hits for each in probes], reach, neighbours=NEIGHBOURS)
    main = build.manifest.index.main
    expected = Recall(**main.recall.model_dump()) if main and main.recall else None
    if main is None or expected is None or len(probes) < LEAST_PROBES:
        return Drift(recall, expected, None, ())
    shift, is_news = _shift(reach, expected.reach)
    return Drift(recall, expected, shift, tuple(_warnings(build, recall, expected, main, reach, is_news)))


def _others(candidates: Sequence[Candidate]) -> list[float]:
    return [each.index_distance for each in candidates if each.index_distance > EQUALLY_NEAR]


def _shift(reach: NDArray[np.float64], expected: Sequence[float]) -> tuple[float | None, bool]:
    """The statistic, and whether it is large and no chance."""
    if not expected:
        return None, False
    steps = np.linspace(0, 1, len(expected))
    tested = ks_1samp(reach, lambda values: np.interp(values, expected, steps))
    return float(tested.statistic), bool(tested.statistic >= LEAST_SHIFT and tested.pvalue < UNLIKELY)


def _warnings(
    build: Build,
    recall: Recall,
    expected: Recall,
    main: MainIndexClaims,
    reach: NDArray[np.float64],
    is_news: bool,
) -> list[str]:
    said = []
    if recall.high < min(expected.low, main.wanted):
        said.append(
            f"Searches find {recall.value:.1%} of the nearest {recall.neighbours}, where the index found "
            f"{expected.value:.1%} when it was built; `whyalike gallery compact {build.gallery}` builds it "
            "anew if images were added since, or with a --recall above that."
        )
    if is_news:
        middle = expected.reach[len(expected.reach) // 2]
        farther = "farther off" if np.median(reach) > middle else "nearer"
        said.append(
            f"The neighbours of what is asked lie {farther} than those of the gallery's own images when the "
            f"index was built (median {np.median(reach):.3f} instead of {middle:.3f}); if images were added "
            f"since, `whyalike gallery compact {build.gallery}` measures anew, and if other pictures are "
            "asked, calibrate on them."
        )
    return said
