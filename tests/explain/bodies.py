"""Every body of the registry with random weights, made fit for measuring maps."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from siamese.bodies import build_body
from siamese.network import EncoderNetwork

DIMENSION = 16


def random_network(body: str) -> EncoderNetwork:
    """A seeded network whose features differ from cell to cell and from image to image.

    Batch normalisation with its first statistics (mean 0, variance 1) lets the features of a random body
    fade or blow up from layer to layer, so it is fitted to a few pictures first.
    """
    torch.manual_seed(7)
    network = EncoderNetwork(body_ := build_body(body, weights="none"), nn.Linear(body_.channels, DIMENSION))
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the plain average
    with torch.no_grad():
        network.train()
        network.feature_map(pictures(8, side=64, seed=1))
        network.eval()
        _centre(network, pictures(8, side=64, seed=2))
    return network


def pictures(count: int, *, side: int, seed: int) -> Tensor:
    """Normalised pictures (count, 3, side, side): blobs of colour on smooth noise."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.normal(size=(count, 3, 5, 5)).astype(np.float32))
    smooth = nn.functional.interpolate(coarse, size=(side, side), mode="bicubic", align_corners=False)
    for picture in smooth:
        left, top = rng.integers(0, side // 2, 2)
        colour = torch.from_numpy(rng.normal(0, 3, (3, 1, 1)).astype(np.float32))
        picture[:, top : top + side // 3, left : left + side // 3] += colour
    return smooth


def _centre(network: EncoderNetwork, examples: Tensor) -> None:
    """Scale and shift the linear layer so that local embeddings have mean 1/2 and spread 1.

    Random features hardly differ from picture to picture: around a large common mean every cosine is 1.
    """
    assert isinstance(network.linear, nn.Linear)
    local = network.local_embeddings(examples).reshape(-1, DIMENSION)
    spread = local.std(dim=0)
    network.linear.weight /= spread[:, None]
    network.linear.bias.copy_((network.linear.bias - local.mean(dim=0)) / spread + 0.5)
