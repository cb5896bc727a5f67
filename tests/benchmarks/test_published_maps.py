"""The published implementation's maps are written with its faults."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmarks.published_maps import PUBLISHED_COUNTERFACTUAL, PUBLISHED_FACTUAL, published, published_maps
from explain.maps import distance_maps
from tests.explain.local import Local, unit_embedding

RNG = np.random.default_rng(0)
NEAR = [RNG.normal(0.6, 1, shape).astype(np.float32) for shape in ((4, 5, 16), (3, 3, 16))]
BIAS = RNG.normal(size=16)


@pytest.mark.parametrize("bias", [None, BIAS])
@pytest.mark.parametrize("sign", [1, -1])
def test_both_images_are_weighted_with_the_first_ones_gradient_of_the_distance(sign, bias) -> None:
    e, other = (torch.from_numpy(local.astype(np.float64).mean(axis=(0, 1))) for local in NEAR)
    gradient = sign * gradient_at(e.requires_grad_(), other)
    for local, drawn in zip(NEAR, published_maps(*NEAR, sign=sign, bias=bias), strict=True):
        heat = np.maximum((local - (0 if bias is None else bias)) @ gradient, 0)
        np.testing.assert_allclose(drawn, heat / (heat.max() or 1), atol=1e-6)


def gradient_at(e: Tensor, other: Tensor) -> np.ndarray:
    unit = nn.functional.normalize
    distance = torch.linalg.vector_norm(unit(e, dim=0) - unit(other, dim=0))
    return torch.autograd.grad(distance, e)[0].numpy()


def test_of_the_first_image_factual_is_what_moves_the_pair_apart() -> None:
    factual, _ = published_maps(*NEAR, sign=1)
    own, _ = distance_maps(*NEAR)
    np.testing.assert_array_equal(factual > 0, own > 0)


@pytest.mark.parametrize("sign", [1, -1])
def test_pairs_that_differ_most_and_identical_images_have_no_maps_at_all(sign) -> None:
    far = NEAR[0], -NEAR[1]
    assert np.linalg.norm(unit_embedding(far[0]) - unit_embedding(far[1])) >= 1
    for pair in (far, (NEAR[0], NEAR[0])):
        assert not any(drawn.any() for drawn in published_maps(*pair, sign=sign))


class Seen:
    def __init__(self, local: Local) -> None:
        self.local_embeddings = local


def test_the_trials_get_both_by_name() -> None:
    makers = published(bias=BIAS)
    for name, sign in ((PUBLISHED_FACTUAL, 1), (PUBLISHED_COUNTERFACTUAL, -1)):
        drawn = makers[name](*map(Seen, NEAR))
        np.testing.assert_array_equal(drawn[1], published_maps(*NEAR, sign=sign, bias=BIAS)[1])
