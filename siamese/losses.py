"""Losses on a batch of labelled unit embeddings, each behind one name.

All come from pytorch-metric-learning. Losses with proxies (one learned vector for each label) have parameters
of their own, which the optimizer and the training state must carry.
"""

from collections.abc import Callable
from typing import Any

import torch
from pytorch_metric_learning import losses, miners, reducers
from torch import nn

from siamese.training_config import MARGINS, LossName


class BatchLoss(nn.Module):
    """The sum of one or more losses over all pairs (or triplets, or proxies) of one batch."""

    def __init__(self, *parts: nn.Module, miner: Callable[..., Any] | None = None) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self._miner = miner

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss (a scalar) of unit embeddings (B, D) with label numbers (B,)."""
        mined = self._miner(embeddings, labels) if self._miner else None
        return torch.stack([part(embeddings, labels, mined) for part in self.parts]).sum()


class SquaredContrastiveLoss(losses.ContrastiveLoss):  # type: ignore[misc]
    """½ d² for a same pair, ½ max(0, margin − d)² for a different one (Hadsell et al., CVPR 2006, eq. 4)."""

    def pos_calc(self, distances: torch.Tensor, margin: float) -> torch.Tensor:
        """Loss of same pairs."""
        return super().pos_calc(distances, margin) ** 2 / 2  # type: ignore[no-any-return]

    def neg_calc(self, distances: torch.Tensor, margin: float) -> torch.Tensor:
        """Loss of different pairs."""
        return super().neg_calc(distances, margin) ** 2 / 2  # type: ignore[no-any-return]


def build_loss(name: LossName, *, labels: int, dimension: int, margin: float | None = None) -> BatchLoss:
    """The named loss for this many labels and embeddings of this dimension.

    `margin` replaces the default of the losses that have a single margin: for the contrastive losses the
    distance beyond which a different pair costs nothing, for triplet the gap that is asked for.

    Raises ValueError for a margin that the loss does not have.
    """
    if margin is not None and name not in MARGINS:
        raise ValueError(f"The loss {name!r} has no margin; those that have one: {', '.join(MARGINS)}.")
    chosen = MARGINS.get(name, 0.0) if margin is None else margin
    return _BUILDERS[name](labels, dimension, chosen)


def _contrastive(_labels: int, _dimension: int, margin: float) -> BatchLoss:
    return BatchLoss(losses.ContrastiveLoss(pos_margin=0.0, neg_margin=margin))


def _contrastive_paper(_labels: int, _dimension: int, margin: float) -> BatchLoss:
    return BatchLoss(
        SquaredContrastiveLoss(pos_margin=0.0, neg_margin=margin, reducer=reducers.MeanReducer())
    )


def _triplet(_labels: int, _dimension: int, margin: float) -> BatchLoss:
    return BatchLoss(losses.TripletMarginLoss(margin=margin))


def _multi_similarity(_labels: int, _dimension: int, _margin: float) -> BatchLoss:
    return BatchLoss(losses.MultiSimilarityLoss(), miner=miners.MultiSimilarityMiner())


def _supcon(_labels: int, _dimension: int, _margin: float) -> BatchLoss:
    return BatchLoss(losses.SupConLoss())


def _proxy_anchor(labels: int, dimension: int, _margin: float) -> BatchLoss:
    return BatchLoss(losses.ProxyAnchorLoss(labels, dimension))


def _arcface(labels: int, dimension: int, _margin: float) -> BatchLoss:
    return BatchLoss(losses.ArcFaceLoss(labels, dimension))


def _normalized_softmax(labels: int, dimension: int, _margin: float) -> BatchLoss:
    return BatchLoss(losses.NormalizedSoftmaxLoss(labels, dimension))


def _supcon_softmax(labels: int, dimension: int, _margin: float) -> BatchLoss:
    return BatchLoss(losses.SupConLoss(), losses.NormalizedSoftmaxLoss(labels, dimension))


_BUILDERS: dict[LossName, Callable[[int, int, float], BatchLoss]] = {
    "contrastive": _contrastive,
    "contrastive-paper": _contrastive_paper,
    "triplet": _triplet,
    "multi-similarity": _multi_similarity,
    "supcon": _supcon,
    "proxy-anchor": _proxy_anchor,
    "arcface": _arcface,
    "normalized-softmax": _normalized_softmax,
    "supcon+softmax": _supcon_softmax,
}
