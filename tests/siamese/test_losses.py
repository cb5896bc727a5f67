from __future__ import annotations

import math

import numpy as np
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
    loss = build_loss(name, labels=3, dimension=8, class_head=0.1)
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
    learned = build_loss(name, labels=3, dimension=8, class_head=1.0)
    loss = learned(vectors, LABELS[:1]) + learned.beside(vectors, LABELS[:1])
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


@pytest.mark.parametrize(
    ("name", "class_head", "proxies"), [("arcface", 0, 1), ("proxy-anchor", 1, 2), ("softmax", 1, 1)]
)
def test_proxies_and_heads_have_parameters_to_learn_and_to_save(
    name: LossName, class_head: float, proxies: int
) -> None:
    loss = build_loss(name, labels=3, dimension=8, class_head=class_head)
    assert sorted(tensor.numel() for tensor in loss.state_dict().values()) == [1, 8, 8] + [24] * proxies
    assert all(parameter.requires_grad for parameter in loss.parameters())


def test_the_class_head_is_a_weighted_part_of_the_loss() -> None:
    torch.manual_seed(0)
    both = build_loss("supcon", labels=3, dimension=8, class_head=0.5)
    alone = build_loss("supcon", labels=3, dimension=8)(scattered(), LABELS)
    classes = both.parts["classes"](scattered(), LABELS)
    assert both(scattered(), LABELS).item() == pytest.approx((alone + 0.5 * classes).item())


def test_the_softmax_of_the_class_heads_logits_is_what_was_trained() -> None:
    torch.manual_seed(0)
    loss = build_loss("softmax", labels=3, dimension=8, class_head=1.0)
    classes = loss.heads(["a", "b", "c"]).classes
    assert classes is not None
    logits = torch.from_numpy(classes.logits(scattered().numpy()))
    by_hand = functional.cross_entropy(logits, LABELS)
    assert loss(scattered(), LABELS).item() == pytest.approx(by_hand.item(), rel=1e-5)
    label, probability = classes.label_of(scattered().numpy()[0])
    expected = torch.softmax(logits[0], dim=0)
    assert (label, probability) == ("abc"[int(expected.argmax())], pytest.approx(float(expected.max())))


def test_the_pair_head_learns_the_balanced_cross_entropy_of_all_pairs() -> None:
    loss = build_loss("supcon", labels=2, dimension=8)
    pair = loss.heads([]).pair
    assert pair is not None
    vectors, labels = scattered(), np.array([0, 0, 0, 0, 0, 1])
    chances = pair.probabilities(vectors.numpy()[:, None], vectors.numpy())
    same = (labels[:, None] == labels) & ~np.eye(6, dtype=bool)
    expected = (-np.log(chances[same]).mean() - np.log(1 - chances[labels[:, None] != labels]).mean()) / 2
    assert loss.beside(vectors, torch.from_numpy(labels)).item() == pytest.approx(expected, rel=1e-5)


def test_the_pair_head_moves_the_embeddings_only_where_it_is_the_loss() -> None:
    vectors = scattered().requires_grad_()
    beside = build_loss("supcon", labels=3, dimension=8).beside(vectors, LABELS)
    beside.backward()
    assert vectors.grad is None
    koch = build_loss("pair-head", labels=3, dimension=8)
    assert float(koch.beside(vectors, LABELS)) == 0
    koch(vectors, LABELS).backward()
    assert vectors.grad is not None and vectors.grad.abs().max() > 0


@pytest.mark.parametrize("name", ["contrastive", "multi-similarity", "supcon", "pair-head"])
def test_labelled_pairs_without_labels_are_enough_for_a_loss_of_pairs(name: LossName) -> None:
    loss = build_loss(name, labels=0, dimension=8)
    same, different = torch.tensor([[0, 2], [1, 3]]), torch.tensor([[0, 1], [2, 4]])
    indices = (same[0], same[1], different[0], different[1])
    vectors = scattered().requires_grad_()
    (loss(vectors, None, indices) + loss.beside(vectors, None, indices)).backward()
    assert vectors.grad is not None and vectors.grad[5].abs().max() == 0 < vectors.grad[:5].abs().max()


def test_a_margin_is_refused_where_the_loss_has_none() -> None:
    with pytest.raises(ValueError, match="has no margin"):
        build_loss("supcon", labels=3, dimension=8, margin=0.5)
    with pytest.raises(ValueError, match="class head"):
        build_loss("softmax", labels=3, dimension=8)
    assert set(MARGINS) <= set(LOSS_NAMES)
