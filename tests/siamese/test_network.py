from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from siamese.bodies import BODIES, build_body
from siamese.errors import UnusableData
from siamese.network import EncoderNetwork, cell_weights
from siamese.preprocessing import Preprocessing
from tests.toys import noise


def random_network(body: str, *, dimension: int = 8) -> EncoderNetwork:
    torch.manual_seed(1)
    built = build_body(body, weights="none")
    return EncoderNetwork(built, nn.Linear(built.channels, dimension)).eval()


def unit(vectors: torch.Tensor) -> torch.Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True)


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("body", BODIES)
def test_the_plain_mean_of_the_local_embeddings_normalised_is_the_embedding(body: str, fit: str) -> None:
    network = random_network(body)
    preprocessing = Preprocessing.model_validate({"image_size": 96, "fit": fit})
    grid = network.grid(96)
    images = [noise(1, size=(90, 40)), noise(2, size=(30, 70)), noise(3, size=(50, 50))]
    x = torch.from_numpy(np.stack([preprocessing.preprocess(image) for image in images]))
    seen = torch.from_numpy(np.stack([preprocessing.seen_cells(*image.size, grid) for image in images]))
    with torch.inference_mode():
        local = network.local_embeddings(x, seen)
        embeddings = network(x, seen)
        pooled = torch.stack([network.feature_map(x)[i][:, seen[i]].mean(1) for i in range(3)])
        swapped = network.linear(pooled)
    assert local.shape == (3, *grid, 8)
    assert (local[~seen] == 0).all()
    assert torch.allclose(unit(local.mean((1, 2))), embeddings, atol=1e-6)
    assert torch.allclose(unit(swapped), embeddings, atol=1e-5), "pooling and the layer may be swapped"


@pytest.mark.parametrize("body", BODIES)
def test_without_padding_the_mask_changes_nothing(body: str) -> None:
    network = random_network(body)
    x = torch.randn(2, 3, 64, 64)
    seen = torch.ones(2, *network.grid(64), dtype=torch.bool)
    with torch.inference_mode():
        assert torch.equal(network.local_embeddings(x, seen), network.local_embeddings(x))


@given(rows=st.integers(1, 9), columns=st.integers(1, 9), seed=st.integers(0, 1000))
@settings(deadline=None)
def test_weighted_cells_have_the_mean_of_the_seen_ones(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    seen = torch.rand(2, rows, columns, generator=generator) < 0.5
    seen[:, 0, 0] = True
    cells = torch.randn(2, rows, columns, 3, generator=generator)
    mean = (cells * cell_weights(seen)).mean((1, 2))
    expected = torch.stack([cells[i][seen[i]].mean(0) for i in range(2)])
    assert torch.allclose(mean, expected, atol=1e-5)


def test_an_identity_keeps_the_raw_pooled_features() -> None:
    network = EncoderNetwork(build_body("mean_colour", weights="none"), nn.Identity())
    x = torch.rand(1, 3, 32, 32)
    assert network.dimension == 3
    assert torch.allclose(network(x), unit(x.mean((2, 3))), atol=1e-6)


def test_asking_for_the_grid_leaves_every_module_in_its_mode() -> None:
    network = random_network("small").train()
    frozen = network.body.stages()[0].eval()
    assert network.grid(32) == (8, 8)
    assert network.training and not frozen.training and network.body.stages()[-1].training


@pytest.mark.parametrize("body", [*BODIES, "mean_colour"])
@pytest.mark.parametrize("image_size", [1, 8, 16, 24])
def test_a_square_too_small_for_a_body_is_refused_in_one_sentence(body: str, image_size: int) -> None:
    network = random_network(body).train()
    try:
        assert min(network.grid(image_size)) >= 1
    except UnusableData as refusal:
        assert f"{body} needs larger pictures than {image_size} pixels" in str(refusal)
        assert body in {"squeezenet1_1", "convnext_tiny", "small", "mean_colour"}
    assert network.training


def test_gradients_reach_body_and_layer_through_the_embedding() -> None:
    network = random_network("small").train()
    network(torch.randn(4, 3, 32, 32))[:, 0].sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
