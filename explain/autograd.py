"""Grad-CAM by autograd, for a foreign network: one whose head has no closed form.

Any torch module from a picture to an embedding will do, such as one with a multilayer head or max pooling.
Its grid is the output of one of its layers; the score is differentiated from there on, and for each image by
itself (Selvaraju et al. 2017, equations 1 and 2). Where everything after the layer is linear, these maps are
the closed forms of `explain.maps`; elsewhere they say where, and add up to nothing.

The one module of this package that computes in torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from explain.errors import ExplainError, MapMismatch, NotFinite
from explain.evidence import Evidence, Explained, Verdict, sides, supporting_sign
from explain.maps import SAME
from explain.scores import AUTOGRAD

Picture = NDArray[np.float32]  # (3, H, W), as the network wants it
LAYERS_NAMED = 8  # in a refusal: the last ones, because a grid is wanted from near the end


@dataclass(frozen=True, slots=True)
class NetworkScore:
    """A differentiable number of two embeddings (D,); `towards_same` as of `explain.scores.Score`.

    `of_directions` says that it is of unit embeddings, so that there is none where an embedding is zero.
    """

    of: str
    towards_same: int
    number: Callable[[Tensor, Tensor], Tensor]
    of_directions: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A picture in a network: its grid (1, C, h, w), a leaf of the graph, and the embedding (D,) made of it.

    Raises MapMismatch and NotFinite.
    """

    grid: Tensor
    embedding: Tensor

    def __post_init__(self) -> None:
        if self.grid.ndim != 4 or len(self.grid) != 1 or self.embedding.ndim != 1:
            raise MapMismatch(
                "A grid is (1, C, h, w) and its embedding (D,), "
                f"but these are {tuple(self.grid.shape)} and {tuple(self.embedding.shape)}."
            )
        if not (self.grid.isfinite().all() and self.embedding.isfinite().all()):
            raise NotFinite("The network's numbers must be finite, but they hold NaN or infinity.")


def _cosine(query: Tensor, matched: Tensor) -> Tensor:
    """The inner product over both lengths, held constant: else the gradient loses the level of the cosine."""
    lengths = (query.norm() * matched.norm()).detach()
    cosine: Tensor = torch.dot(query, matched) / lengths
    return cosine


def _distance(query: Tensor, matched: Tensor) -> Tensor:
    return _length(query / query.norm() - matched / matched.norm())


def _raw_distance(query: Tensor, matched: Tensor) -> Tensor:
    return _length(query - matched)


def _length(difference: Tensor) -> Tensor:
    """Its norm; 0, and flat, where it is mere rounding: there the norm has no gradient."""
    length = difference.norm()
    return length if length > SAME else (0 * difference).sum()


COSINE = NetworkScore("cosine", 1, _cosine)
DISTANCE = NetworkScore("distance", -1, _distance)
RAW_DISTANCE = NetworkScore("distance", -1, _raw_distance, of_directions=False)
"""The Euclidean distance of embeddings as they come, for a network that was trained without unit length."""


def explain_by_autograd(
    network: nn.Module,
    layer: str,
    query: Picture,
    matched: Picture,
    *,
    of: NetworkScore = COSINE,
    verdict: Verdict | None = None,
) -> Evidence:
    """Explain a pair by a foreign network, at the grid that its `layer` gives.

    `network`, in evaluation mode, takes (1, 3, H, W) to (1, D), and `layer` is the dotted name of the module
    in it whose output is (1, C, h, w). The network is left as it was: no hooks, no gradients.
    Raises ExplainError, MapMismatch and NotFinite.
    """
    return evidence_of(trace(network, layer, query), trace(network, layer, matched), of=of, verdict=verdict)


def trace(network: nn.Module, layer: str, picture: Picture) -> Traced:
    """Run a network on one picture, and keep what it takes to differentiate from the layer on.

    Raises what `explain_by_autograd` raises.
    """
    if any(module.training for module in network.modules()):
        raise ExplainError("The network is in training mode, where it changes as it runs: call its eval().")
    parameter = next(network.parameters(), torch.empty(0))
    prepared = torch.from_numpy(np.ascontiguousarray(picture, np.float32))
    with torch.inference_mode(False), torch.no_grad(), _cut_at(_layer(network, layer)) as grids:
        embedding = _embedding(network(prepared[None].to(parameter.device)))
    if len(grids) != 1:
        raise ExplainError(f"The layer “{layer}” must run once for a picture, but it ran {len(grids)} times.")
    return Traced(grids[0], embedding)


def evidence_of(
    query: Traced, matched: Traced, *, of: NetworkScore = COSINE, verdict: Verdict | None = None
) -> Evidence:
    """Explain two pictures that were run through the same network, each by its own gradient.

    A pair without a verdict is read as "same". The maps are measured from 0 and do not add up. Where either
    embedding is zero, those of a score of directions are blank. Raises ExplainError, and MapMismatch where
    the embeddings differ in length.
    """
    if query.embedding.shape != matched.embedding.shape:
        raise MapMismatch(
            "Both embeddings are (D,) with the same D, "
            f"but these are {tuple(query.embedding.shape)} and {tuple(matched.embedding.shape)}."
        )
    value, signed = _value_and_maps(query, matched, of)
    ours, theirs = (sides(each[None] * supporting_sign(of, verdict))[0] for each in signed)
    return Evidence(ours, theirs, Explained(of.of, value, 0.0, AUTOGRAD))


def _value_and_maps(
    query: Traced, matched: Traced, of: NetworkScore
) -> tuple[float, list[NDArray[np.float64]]]:
    grids = [query.grid, matched.grid]
    if of.of_directions and not (query.embedding.any() and matched.embedding.any()):
        return 0.0, [np.zeros(grid.shape[2:]) for grid in grids]
    with torch.inference_mode(False), torch.enable_grad():
        score = of.number(query.embedding.double(), matched.embedding.double())
    gradients = _gradients(score, grids)
    return score.item(), [_grad_cam(*each) for each in zip(grids, gradients, strict=True)]


def _gradients(score: Tensor, grids: list[Tensor]) -> list[Tensor]:
    """The graphs are kept: a query may be explained with one match after the other."""
    unused = not score.requires_grad
    found = () if unused else torch.autograd.grad(score, grids, retain_graph=True, allow_unused=True)
    gradients = [each for each in found if each is not None]
    if len(gradients) < len(grids):
        raise ExplainError("The embedding does not depend on the layer: name one that it is made of.")
    return gradients


def _grad_cam(grid: Tensor, gradient: Tensor) -> NDArray[np.float64]:
    """Grad-CAM before its ReLU, (h, w): each channel weighted by its mean gradient."""
    weights = gradient.double().mean(dim=(2, 3), keepdim=True)
    signed: NDArray[np.float64] = (weights * grid.detach().double()).sum(dim=1)[0].cpu().numpy()
    return signed


@contextmanager
def _cut_at(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Make what the layer gives, while it runs, a leaf from which on a graph is kept; collect these."""
    grids: list[Tensor] = []

    def cut(_module: nn.Module, _given: object, grid: object) -> Tensor:
        if not isinstance(grid, Tensor) or grid.ndim != 4 or len(grid) != 1:
            raise MapMismatch(f"The layer must give a grid (1, C, h, w), but it gives {_shape(grid)}.")
        grids.append(grid.detach().requires_grad_())
        torch.set_grad_enabled(True)  # until the `no_grad` around the network ends
        return grids[-1].clone()  # a leaf itself may not be changed in place, as by the ReLU that comes next

    with layer.register_forward_hook(cut):
        yield grids


def _layer(network: nn.Module, name: str) -> nn.Module:
    layers: dict[str, nn.Module] = dict(network.named_modules())
    if not name or name not in layers:
        known = ", ".join([each for each in layers if each][-LAYERS_NAMED:])
        raise ExplainError(f"The network has no layer “{name}”; its last ones are {known}.")
    return layers[name]


def _embedding(given: object) -> Tensor:
    if not isinstance(given, Tensor) or given.ndim != 2 or len(given) != 1:
        raise MapMismatch(f"The network must give embeddings (1, D), but it gave {_shape(given)}.")
    return given[0]


def _shape(given: object) -> str:
    return str(tuple(given.shape)) if isinstance(given, Tensor) else type(given).__name__
