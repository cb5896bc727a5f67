"""The maps in closed form against torch.autograd and the grad-cam package, for every body of the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from scipy.stats import spearmanr
from torch import Tensor, nn

from explain import maps
from explain.scores import COSINE, DISTANCE, ClassScore, PairHeadLogit, Score
from gallery.segments.quantization import dequantize, quantize
from siamese.bodies import BODIES
from siamese.network import EncoderNetwork
from tests.explain.bodies import DIMENSION, pictures, random_network
from tests.explain.in_torch import in_torch

SIDE = 96
Layer = str  # "linear": the output of the linear layer; "body": the body's last feature map


class Pooled(nn.Module):
    """The unnormalised mean e of the local embeddings, which every score here is a function of."""

    def __init__(self, network: EncoderNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network.local_embeddings(x).mean(dim=(1, 2))


WEIGHTS = np.random.default_rng(17).normal(size=(2, DIMENSION)).astype(np.float32)
PAIR_HEAD = PairHeadLogit(WEIGHTS[0], WEIGHTS[1], 0.3)
CLASS_SCORE = ClassScore("tulip", WEIGHTS[0], -0.2)


SCORES: dict[str, Score] = {score.of: score for score in (COSINE, DISTANCE, PAIR_HEAD, CLASS_SCORE)}


@cache
def network_and_pair(body: str) -> tuple[EncoderNetwork, Tensor]:
    return random_network(body), pictures(2, side=SIDE, seed=3)


@pytest.fixture(params=list(BODIES), scope="module")
def body(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    network_and_pair.cache_clear()


@pytest.mark.parametrize("layer", ["linear", "body"])
@pytest.mark.parametrize("of", SCORES)
def test_closed_forms_are_gradcam_by_autograd_and_by_the_package(body: str, of: str, layer: Layer) -> None:
    network, pair = network_and_pair(body)
    ours = closed_form_maps(network, pair, of, layer)
    for side in (0, 1):
        score = score_against(network, pair, of, other=1 - side)
        signed = autograd_map(network, pair[side], score, layer)
        np.testing.assert_allclose(unit_range(ours[side]), unit_range(signed), atol=1e-4)
        for sign in (1, -1):  # what raises the score, and what lowers it; one of the two may be blank
            theirs = package_map(network, pair[side], lambda e, s=sign, f=score: s * f(e), layer)
            np.testing.assert_allclose(rectified(sign * ours[side]), theirs, atol=1e-4)


@pytest.mark.parametrize("layer", ["linear", "body"])
def test_maps_of_the_distance_between_identical_images_are_blank_everywhere(body: str, layer: Layer) -> None:
    network, pair = network_and_pair(body)
    twins = pair[[0, 0]]
    score = score_against(network, twins, "distance", other=1)
    for ours in closed_form_maps(network, twins, "distance", layer):
        assert not ours.any()
        assert not package_map(network, twins[0], score, layer).any()


def test_maps_from_int8_keep_their_order(body: str) -> None:
    """Beside the exact embeddings, as a gallery keeps them: rounded ones would flip signs of a head."""
    network, _ = network_and_pair(body)
    with torch.no_grad():
        query, matched = network.local_embeddings(pictures(2, side=192, seed=5)).numpy()
    known = maps.Pairs.of(query, matched[None])
    stored = maps.Pairs.of(
        dequantize(*quantize(query)),
        dequantize(*quantize(matched))[None],
        query_embedding=known.query_unit,
        matched_embeddings=known.matched_unit,
    )
    for score in SCORES.values():
        exact, rounded = (maps.signed_maps(pairs, score.gradients(pairs)) for pairs in (known, stored))
        for side in (0, 1):
            assert spearmanr(exact[side].ravel(), rounded[side].ravel()).statistic >= 0.99, score.of


def closed_form_maps(
    network: EncoderNetwork, pair: Tensor, of: str, layer: Layer
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Our signed maps, from float32 local embeddings alone (and the bias, for the body's feature map)."""
    with torch.no_grad():
        query, matched = (network.local_embeddings(picture[None])[0].numpy() for picture in pair)
    bias = network.linear.bias.detach().numpy() if layer == "body" else None
    known = maps.Pairs.of(query, matched[None])
    signed = maps.signed_maps(known, SCORES[of].gradients(known), bias=bias)
    return signed[0][0], signed[1][0]


def score_against(
    network: EncoderNetwork, pair: Tensor, of: str, *, other: int
) -> Callable[[Tensor], Tensor]:
    with torch.no_grad():
        constant = Pooled(network)(pair[other][None])[0]
    return lambda e: in_torch(SCORES[of])(e, constant)


def autograd_map(
    network: EncoderNetwork, picture: Tensor, score: Callable[[Tensor], Tensor], layer: Layer
) -> NDArray[np.float64]:
    """Grad-CAM before its ReLU by its definition: the mean gradient of each channel times the channel."""
    features = network.feature_map(picture[None]).detach().permute(0, 2, 3, 1)
    if layer == "linear":
        features = network.linear(features).detach()
    features.requires_grad_()
    local = features if layer == "linear" else network.linear(features)
    (gradient,) = torch.autograd.grad(score(local.mean(dim=(1, 2))[0]), features)
    weights = gradient.mean(dim=(1, 2), keepdim=True)
    return (weights * features).sum(dim=-1)[0].detach().double().numpy()


def package_map(
    network: EncoderNetwork, picture: Tensor, score: Callable[[Tensor], Tensor], layer: Layer
) -> NDArray[np.float32]:
    """Grad-CAM by the package, (SIDE, SIDE), as it scales and enlarges it itself."""
    where = network.linear if layer == "linear" else network.body
    channels_first = (lambda t: t.permute(0, 3, 1, 2)) if layer == "linear" else None
    with GradCAM(Pooled(network), [where], reshape_transform=channels_first) as cam:
        return cam(picture[None], targets=[score])[0]


def rectified(signed: NDArray[np.float64]) -> NDArray[np.float32]:
    """Our map through the package's own ReLU, scaling and enlarging."""
    cam = np.maximum(signed, 0)[None].astype(np.float32)
    return scale_cam_image(scale_cam_image(cam, (SIDE, SIDE)))[0]


def unit_range(signed: NDArray[np.float64]) -> NDArray[np.float64]:
    assert np.ptp(signed) > 0, "a map without relief proves nothing"
    return (signed - signed.min()) / (signed.max() - signed.min())
