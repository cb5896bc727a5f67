"""The packages that evidence is compared with, each asked for the same maps of the same pairs.

A maker takes the network, eleven prepared pictures (the query and ten matches) and their embeddings, and
returns the factual maps of the query and of the matches; it makes the counterfactual ones, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM
from torch import Tensor, nn

from siamese.network import EncoderNetwork

AS_USED = "as used"

Maps = list[NDArray[np.float32]]


class Pooled(nn.Module):
    """The unnormalised embedding, made of its `grid`: the packages are asked to explain a score of it."""

    def __init__(self, network: EncoderNetwork) -> None:
        super().__init__()
        self.network = network
        self.grid = nn.Identity()  # (B, D, h, w), channels first, as the packages want it

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, D)."""
        pooled: Tensor = self.grid(self.network.local_embeddings(x).permute(0, 3, 1, 2)).mean(dim=(2, 3))
        return pooled


MakesMaps = Callable[[Pooled, Tensor, Tensor], Maps]


@dataclass(frozen=True)
class Peer:
    """A package, how it is asked, whether the body is as trained then, and its maker of maps."""

    package: str
    how: str
    trained: bool
    maps: MakesMaps

    @property
    def name(self) -> str:
        """With the version that is installed."""
        return f"{self.package} {version(self.package)}, {self.how}"


def _by_grad_cam(pooled: Pooled, tensors: Tensor, embeddings: Tensor) -> Maps:
    """Four calls: the query and the matches, each for the cosine and against it; the factual (10, S, S)."""
    with GradCAM(pooled, [pooled.grid]) as cam:
        made = [
            cam(images, targets=[_Cosine(other, sign) for other in others])
            for images, others in _asked(tensors, embeddings)
            for sign in (1, -1)
        ]
    return made[::2]


def _by_captum(pooled: Pooled, tensors: Tensor, embeddings: Tensor) -> Maps:
    """Four calls as well, each rectified and enlarged; the factual (10, S, S)."""
    made = []
    for images, others in _asked(tensors, embeddings):
        for sign in (1, -1):
            cam = LayerGradCam(_cosines(pooled, sign), pooled.grid)
            heat = cam.attribute(images, additional_forward_args=(others,), relu_attributions=True)
            enlarged = LayerAttribution.interpolate(heat, images.shape[2:], "bilinear")
            made.append(enlarged[:, 0].detach().numpy())
    return made[::2]


def _by_captum_at_once(pooled: Pooled, tensors: Tensor, embeddings: Tensor) -> Maps:
    """Two calls, each split by sign and left on the grid; the factual (10, h, w)."""
    cam = LayerGradCam(_cosines(pooled, 1), pooled.grid)
    made = [
        cam.attribute(images, additional_forward_args=(others,))[:, 0].detach().numpy()
        for images, others in _asked(tensors, embeddings)
    ]
    return [np.maximum(sign * signed, 0) for signed in made for sign in (1, -1)][::2]


def _cosines(pooled: Pooled, sign: int) -> Callable[[Tensor, Tensor], Tensor]:
    def cosines(images: Tensor, others: Tensor) -> Tensor:
        return torch.stack([_Cosine(o, sign)(e) for e, o in zip(pooled(images), others, strict=True)])

    return cosines


def _asked(tensors: Tensor, embeddings: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Ten images to a call and the other image's embedding for each: the query's, then the matches'."""
    queries, asked = (
        tensors[:1].expand(len(tensors) - 1, -1, -1, -1),
        embeddings[:1].expand(len(tensors) - 1, -1),
    )
    return [(queries, embeddings[1:]), (tensors[1:], asked)]


@dataclass(frozen=True)
class _Cosine:
    """The cosine with both lengths held constant, or its negative."""

    other: Tensor
    sign: int

    def __call__(self, embedding: Tensor) -> Tensor:
        lengths = (embedding.norm() * self.other.norm()).detach()
        cosine: Tensor = torch.dot(embedding, self.other) / lengths
        return self.sign * cosine


PEERS = (
    Peer("grad-cam", AS_USED, True, _by_grad_cam),
    Peer("captum", AS_USED, True, _by_captum),
    Peer("grad-cam", "body frozen", False, _by_grad_cam),
    Peer("captum", "body frozen, both signs at once", False, _by_captum_at_once),
)
