"""Losses on a batch of unit embeddings, each behind one name, and the heads that learn beside them.

The metric losses come from pytorch-metric-learning. Those with proxies (one learned vector for each label)
and the heads have parameters of their own, which the optimizer and the training state must carry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from pytorch_metric_learning import losses, miners, reducers
from pytorch_metric_learning.utils.loss_and_miner_utils import convert_to_pairs
from torch import Tensor, nn
from torch.nn import functional

from siamese.heads import ClassHead, Heads, PairHead
from siamese.training_config import MARGINS, LossName

# Of a batch: first and second images of the same pairs, then first and second images of the different ones.
PairIndices = tuple[Tensor, Tensor, Tensor, Tensor]

# Cosines of a normalised softmax are divided by it (Zhai and Wu, BMVC 2019; the library's own default).
TEMPERATURE = 0.05
# A pair head starts as the sigmoid of this many times (cosine - 1/2), which is a fair judge already. It is
# also the unit of its weights, so that they move at the pace of the linear layer's.
STEEPNESS = 10.0


class BatchLoss(nn.Module):
    """What an encoder learns by, the weighted sum of some `parts`; and the pair head that learns beside it.

    The parts are "metric", "classes" (the class head) and "pairs" (the pair head); those with a weight are
    what the encoder learns by.
    """

    def __init__(self, parts: Mapping[str, nn.Module], weights: Mapping[str, float]) -> None:
        super().__init__()
        self.parts = nn.ModuleDict(parts)
        self.weights = dict(weights)

    def forward(
        self, embeddings: Tensor, labels: Tensor | None, indices: PairIndices | None = None
    ) -> Tensor:
        """Loss (a scalar) of unit embeddings (B, D) with label numbers (B,), or with labelled pairs."""
        of_parts = [
            weight * self.parts[name](embeddings, labels, indices) for name, weight in self.weights.items()
        ]
        return torch.stack(of_parts).sum()

    def beside(self, embeddings: Tensor, labels: Tensor | None, indices: PairIndices | None = None) -> Tensor:
        """Loss (a scalar) of the pair head where the encoder does not learn by it: no gradient reaches it."""
        if "pairs" in self.weights:
            return embeddings.new_zeros(())
        loss: Tensor = self.parts["pairs"](embeddings.detach(), labels, indices)
        return loss

    def heads(self, labels: Sequence[str]) -> Heads:
        """The heads as they are now; the class head's labels in the order of their numbers."""
        pairs, classes = self.parts["pairs"], None
        assert isinstance(pairs, PairLoss)
        if "classes" in self.parts:
            classes = _class_head(self.parts["classes"], labels)
        return Heads(pairs.head(), classes)


class PairLoss(nn.Module):
    """Binary cross-entropy of a pair head over pairs of a batch, same and different weighing the same."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.difference = nn.Parameter(torch.zeros(dimension))
        self.product = nn.Parameter(torch.ones(dimension))
        self.bias = nn.Parameter(torch.tensor(-0.5))

    def forward(
        self, embeddings: Tensor, labels: Tensor | None, indices: PairIndices | None = None
    ) -> Tensor:
        """Loss (a scalar) over the given pairs, or over all of the batch; 0 where there is none."""
        first, alike, second, unlike = convert_to_pairs(indices, labels)
        same = functional.softplus(-self._logits(embeddings[first], embeddings[alike]))
        different = functional.softplus(self._logits(embeddings[second], embeddings[unlike]))
        means = [kind.mean() for kind in (same, different) if len(kind)]
        return torch.stack(means).mean() if means else embeddings.sum() * 0

    def _logits(self, query: Tensor, matched: Tensor) -> Tensor:
        unscaled = (query - matched).abs() @ self.difference + (query * matched) @ self.product + self.bias
        return STEEPNESS * unscaled

    def head(self) -> PairHead:
        """The head as it is now, not calibrated."""
        difference, product = ((STEEPNESS * each.detach()).cpu() for each in (self.difference, self.product))
        return PairHead(difference.numpy(), product.numpy(), STEEPNESS * float(self.bias.detach()))


class ClassLoss(losses.NormalizedSoftmaxLoss):  # type: ignore[misc]
    """A normalised softmax over all labels; pairs do not concern it."""

    def forward(self, embeddings: Tensor, labels: Tensor, _indices: PairIndices | None = None) -> Tensor:
        """Loss (a scalar) of unit embeddings (B, D) with label numbers (B,)."""
        loss: Tensor = super().forward(embeddings, labels)
        return loss


class MinedMultiSimilarityLoss(losses.MultiSimilarityLoss):  # type: ignore[misc]
    """Multi-similarity over the pairs that its miner finds, where none are given (Wang et al., CVPR 2019)."""

    def __init__(self) -> None:
        super().__init__()
        self.miner = miners.MultiSimilarityMiner()

    def forward(
        self, embeddings: Tensor, labels: Tensor | None, indices: PairIndices | None = None
    ) -> Tensor:
        """Loss (a scalar) of unit embeddings (B, D)."""
        loss: Tensor = super().forward(embeddings, labels, indices or self.miner(embeddings, labels))
        return loss


class SquaredContrastiveLoss(losses.ContrastiveLoss):  # type: ignore[misc]
    """½ d² for a same pair, ½ max(0, margin − d)² for a different one (Hadsell et al., CVPR 2006, eq. 4)."""

    def pos_calc(self, distances: Tensor, margin: float) -> Tensor:
        """Loss of same pairs."""
        return super().pos_calc(distances, margin) ** 2 / 2  # type: ignore[no-any-return]

    def neg_calc(self, distances: Tensor, margin: float) -> Tensor:
        """Loss of different pairs."""
        return super().neg_calc(distances, margin) ** 2 / 2  # type: ignore[no-any-return]


def build_loss(
    name: LossName, *, labels: int, dimension: int, margin: float | None = None, class_head: float = 0.0
) -> BatchLoss:
    """The named loss for this many labels and embeddings of this dimension.

    `margin` replaces the default of the losses that have a single margin: for the contrastive losses the
    distance beyond which a different pair costs nothing, for triplet the gap that is asked for. `class_head`
    is the weight of the class head in the sum, 0 for none.

    Raises ValueError for a margin that the loss does not have, and for a softmax without a class head.
    """
    if margin is not None and name not in MARGINS:
        raise ValueError(f"The loss {name!r} has no margin; those that have one: {', '.join(MARGINS)}.")
    parts: dict[str, nn.Module] = {"pairs": PairLoss(dimension)}
    weights: dict[str, float] = {}
    if name == "pair-head":
        weights["pairs"] = 1.0
    elif name != "softmax":
        chosen = MARGINS.get(name, 0.0) if margin is None else margin
        parts["metric"], weights["metric"] = _BUILDERS[name](labels, dimension, chosen), 1.0
    if class_head:
        parts["classes"], weights["classes"] = ClassLoss(labels, dimension, TEMPERATURE), class_head
    if not weights:
        raise ValueError("The loss 'softmax' is the class head itself, which needs a weight above 0.")
    return BatchLoss(parts, weights)


def _class_head(loss: nn.Module, labels: Sequence[str]) -> ClassHead:
    """The class head whose logits are those that the loss was computed from."""
    assert isinstance(loss, ClassLoss)
    weight = functional.normalize(loss.W.detach(), dim=0).T / loss.temperature
    return ClassHead(tuple(labels), weight.cpu().contiguous().numpy(), torch.zeros(len(labels)).numpy())


_BUILDERS: dict[str, Callable[[int, int, float], Any]] = {
    "contrastive": lambda _labels, _dimension, margin: losses.ContrastiveLoss(
        pos_margin=0.0, neg_margin=margin
    ),
    "contrastive-paper": lambda _labels, _dimension, margin: SquaredContrastiveLoss(
        pos_margin=0.0, neg_margin=margin, reducer=reducers.MeanReducer()
    ),
    "triplet": lambda _labels, _dimension, margin: losses.TripletMarginLoss(margin=margin),
    "multi-similarity": lambda *_: MinedMultiSimilarityLoss(),
    "supcon": lambda *_: losses.SupConLoss(),
    "proxy-anchor": lambda labels, dimension, _margin: losses.ProxyAnchorLoss(labels, dimension),
    "arcface": lambda labels, dimension, _margin: losses.ArcFaceLoss(labels, dimension),
}
