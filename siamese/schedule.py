"""How fast to learn at each moment, and when to stop: pure functions, so that nothing of them is saved."""

import math
from collections.abc import Sequence

PLATEAU_FACTOR = 0.5
# A score (in [0, 1]) that rises by less has not risen.
SMALLEST_GAIN = 1e-4


def warmup_factor(progress: float, *, warmup: float) -> float:
    """Share of the rate during warm-up, rising from above 0 to 1; `progress` and `warmup` in epochs."""
    return 1.0 if progress >= warmup else (progress + SMALLEST_GAIN) / (warmup + SMALLEST_GAIN)


def cosine_factor(progress: float, *, epochs: int) -> float:
    """Share of the rate after `progress` of `epochs`, from 1 to 0 (Loshchilov and Hutter 2017, eq. 5)."""
    return 0.5 * (1 + math.cos(math.pi * min(progress / epochs, 1.0)))


def plateau_factor(scores: Sequence[float], *, patience: int) -> float:
    """Share of the rate after these scores, halved each time that `patience` epochs brought no gain."""
    best, waited, factor = -math.inf, 0, 1.0
    for score in scores:
        waited = 0 if score > best + SMALLEST_GAIN else waited + 1
        best = max(best, score)
        if waited == patience:
            waited, factor = 0, factor * PLATEAU_FACTOR
    return factor


def epochs_since_best(scores: Sequence[float]) -> int:
    """Epochs since the score last rose; 0 where the last epoch is the best one, or where there is none."""
    best, since = -math.inf, 0
    for score in scores:
        since = 0 if score > best + SMALLEST_GAIN else since + 1
        best = max(best, score)
    return since
