"""A learned pair head becomes a probability: its logits are fitted to pairs of validation images."""

from __future__ import annotations

import numpy as np

from siamese.calibration import MINIMUM_PAIRS, platt
from siamese.embedded_samples import EmbeddedSamples
from siamese.heads import Heads, HeadsRecord
from siamese.pairs import Pairs


def calibrated_heads(learned: Heads, embedded: EmbeddedSamples, pairs: Pairs) -> tuple[Heads, HeadsRecord]:
    """The heads with the pair head calibrated on balanced, distinct pairs of validation images.

    Where those can fit nothing, the pair head is left out and the record says why: what a head says of the
    pairs that it was trained on is no probability. Platt's slope and intercept (see `platt`) are folded into
    the weights and the bias.
    """
    if learned.pair is None or not embedded.samples:
        return _without_pair_head(learned, "there were no validation images to calibrate a pair head on")
    if len(pairs) < 2 * MINIMUM_PAIRS:
        reason = f"{len(pairs)} balanced validation pairs are too few to calibrate a pair head on"
        return _without_pair_head(learned, reason)
    query, matched = embedded.embeddings[pairs.queries], embedded.embeddings[pairs.references]
    intercept, slope = platt(-learned.pair.logits(query, matched), pairs.same)
    if slope <= 0:
        return _without_pair_head(learned, "the pair head tells validation pairs no better than chance")
    pair = learned.pair.rescaled(slope, intercept)
    rightly = (pair.probabilities(query, matched) >= 0.5) == pairs.same
    accuracy = float(np.mean([rightly[pairs.same].mean(), rightly[~pairs.same].mean()]))
    heads = Heads(pair, learned.classes)
    return heads, HeadsRecord.of(heads, pairs=len(pairs), balanced_accuracy=accuracy)


def _without_pair_head(learned: Heads, reason: str) -> tuple[Heads, HeadsRecord]:
    heads = Heads(None, learned.classes)
    return heads, HeadsRecord.of(heads, reason=reason)
