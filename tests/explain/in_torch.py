"""The explained numbers as torch computes them from two unnormalised embeddings e (D,), to differentiate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from explain.scores import ClassScore, PairHeadLogit, Score

Number = Callable[[Tensor, Tensor], Tensor]


def in_torch(score: Score) -> Number:
    """The same number, of an image and the other one of its pair."""
    if isinstance(score, PairHeadLogit):
        return partial(_pair_head_logit, score)
    if isinstance(score, ClassScore):
        return partial(_class_score, score)
    return {"cosine": _inner_product, "distance": _distance}[score.of]


def _inner_product(e: Tensor, other: Tensor) -> Tensor:
    """The inner product over both lengths, held constant: its value is the cosine."""
    return e @ other / (e.norm() * other.norm()).detach()


def _distance(e: Tensor, other: Tensor) -> Tensor:
    unit = nn.functional.normalize
    return torch.linalg.vector_norm(unit(e, dim=0) - unit(other, dim=0))


def _pair_head_logit(head: PairHeadLogit, e: Tensor, other: Tensor) -> Tensor:
    """Koch et al.'s logit over constant lengths, and over the signs of the difference held constant."""
    unit, other_unit = e / e.norm().detach(), other / other.norm()
    apart = unit - other_unit
    difference, product = (torch.from_numpy(each).to(e.dtype) for each in (head.difference, head.product))
    return difference @ (apart * apart.sign().detach()) + product @ (unit * other_unit) + head.bias


def _class_score(head: ClassScore, e: Tensor, _other: Tensor) -> Tensor:
    return torch.from_numpy(head.weight).to(e.dtype) @ (e / e.norm().detach()) + head.bias
