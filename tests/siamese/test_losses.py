from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from siamese.losses import build_loss
from siamese.training_config import LOSS_NAMES, MARGINS, LossName

LABELS = torch.tensor([0, 0, 1, 1, 2, 2])


def on_circle(*degrees: float) -> Tensor:
    angles = torch.tensor(degrees) * math.pi / 180
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def scattered(seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(6, 8, generator=generator), dim=1)


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_following_a_loss_brings_images_of_one_label_together(name: LossName) -> None:
    torch.manual_seed(0)
    vectors = scattered().requires_grad_()
    loss = build_loss(name, labels=3, dimension=8)
    optimizer = torch.optim.Adam([vectors, *loss.parameters()], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss(functional.normalize(vectors, dim=1), LABELS).backward()
        optimizer.step()
    distances = torch.cdist(functional.normalize(vectors, dim=1), functional.normalize(vectors, dim=1))
    same = LABELS[:, None] == LABELS
    apart = distances[~same].min()
    together = distances[same].max()
    assert together < apart


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_a_batch_with_nothing_to_compare_has_a_finite_loss_and_gradient(name: LossName) -> None:
    torch.manual_seed(0)
    vectors = scattered()[:1].requires_grad_()
    loss = build_loss(name, labels=3, dimension=8)(vectors, LABELS[:1])
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(vectors.grad).all()  # type: ignore[arg-type]


def test_the_papers_contrastive_loss_is_that_computed_by_hand() -> None:
    # 0° and 60° are 1 apart (same), 180° is 2 and √3 from them (different); margin 2; all three pairs.
    vectors, labels = on_circle(0, 60, 180), torch.tensor([0, 0, 1])
    same, near, far = 1.0, math.sqrt(3), 2.0
    expected = 0.5 * same**2 + 0.5 * ((2 - near) ** 2 + (2 - far) ** 2) / 2
    assert float(build_loss("contrastive-paper", labels=2, dimension=2)(vectors, labels)) == pytest.approx(
        expected, abs=1e-5
    )


def test_the_contrastive_loss_asks_nothing_of_different_pairs_beyond_its_margin() -> None:
    vectors, labels = on_circle(0, 0, 90, 90), torch.tensor([0, 0, 1, 1])
    assert float(build_loss("contrastive", labels=2, dimension=2)(vectors, labels)) == pytest.approx(
        0, abs=1e-4
    )
    wide = build_loss("contrastive", labels=2, dimension=2, margin=1.8)
    assert float(wide(vectors, labels)) == pytest.approx(1.8 - math.sqrt(2), abs=1e-4)


@pytest.mark.parametrize("name", ["arcface", "normalized-softmax", "proxy-anchor", "supcon+softmax"])
def test_losses_with_proxies_have_parameters_to_learn_and_to_save(name: LossName) -> None:
    loss = build_loss(name, labels=3, dimension=8)
    assert [tensor.numel() for tensor in loss.state_dict().values()] == [24]
    assert all(parameter.requires_grad for parameter in loss.parameters())


def test_a_margin_is_refused_where_the_loss_has_none() -> None:
    with pytest.raises(ValueError, match="has no margin"):
        build_loss("supcon", labels=3, dimension=8, margin=0.5)
    assert set(MARGINS) <= set(LOSS_NAMES)
