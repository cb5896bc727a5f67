"""Evidence of foreign networks: by their own gradients, and nothing stays behind."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from torch import Tensor, nn

from explain.autograd import COSINE, DISTANCE, RAW_DISTANCE, NetworkScore, explain_by_autograd, trace
from explain.errors import ExplainError, MapMismatch, NotFinite
from explain.evidence import Evidence, Side, explain
from explain.scores import COSINE as CLOSED_COSINE
from explain.scores import DISTANCE as CLOSED_DISTANCE

SCORES = [COSINE, DISTANCE, RAW_DISTANCE]
HEADS = {
    "multilayer": lambda: nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2)
    ),
    "max": lambda: nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, 5)),
}
LAYER = "0.2"  # of a foreign network: the last of its body


def foreign(head: str, *, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Conv2d(4, 6, 3))
    return nn.Sequential(body, HEADS[head]()).eval()


def linear(*, seed: int = 0, dimension: int = 5) -> nn.Module:
    """Linear after its layer "2", whose grid is then that of local embeddings."""
    torch.manual_seed(seed)
    projected = nn.Conv2d(6, dimension, 1)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(), projected, nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).eval()


def picture(seed: int, *, height: int = 15, width: int = 15) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(3, height, width)).astype(np.float32)


def parts(evidence: Evidence) -> list[Side]:
    return [evidence.query, evidence.matched]


def unlike(side: Side, other: Side) -> float:
    """The greatest difference of their signed maps, as a share of the greatest heat."""
    ours, theirs = (each.factual - each.counterfactual for each in (side, other))
    return float(np.abs(ours - theirs).max() / max(np.abs(ours).max(), np.finfo(np.float32).tiny))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**16),
    st.integers(1, 9),
    st.sampled_from([(COSINE, CLOSED_COSINE), (DISTANCE, CLOSED_DISTANCE)]),
    st.sampled_from(["same", "different", None]),
)
def test_where_all_is_linear_after_the_layer_the_maps_are_the_closed_forms(
    seed, dimension, scores, verdict
) -> None:
    network = linear(seed=seed, dimension=dimension)
    pair = picture(seed), picture(seed + 1, height=19, width=11)
    locals_ = [local_embeddings(network, each) for each in pair]
    by_autograd = explain_by_autograd(network, "2", *pair, of=scores[0], verdict=verdict)
    closed = explain(*locals_, of=scores[1])  # without a verdict, so without its baseline
    assert by_autograd.explained.value == pytest.approx(closed.explained.value, abs=1e-5)
    for ours, theirs in zip(parts(by_autograd), parts(closed), strict=True):
        turned = Side(theirs.counterfactual, theirs.factual) if verdict == "different" else theirs
        assert np.abs(ours.factual - turned.factual).max() <= 1e-5 * max(1, turned.factual.max())
        assert np.abs(ours.counterfactual - turned.counterfactual).max() <= 1e-5 * max(
            1, turned.counterfactual.max()
        )


def local_embeddings(network: nn.Module, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.no_grad():
        grid: Tensor = network[:3](torch.from_numpy(pixels)[None])
    return grid[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("of", SCORES)
def test_the_maps_of_a_foreign_network_are_those_of_the_grad_cam_package(head: str, of: NetworkScore) -> None:
    network, pair = foreign(head), (picture(0), picture(1))
    evidence = explain_by_autograd(network, LAYER, *pair, of=of)
    embeddings = [trace(network, LAYER, each).embedding.detach() for each in pair]
    targets = [
        lambda e: of.number(e, embeddings[1]),
        lambda e: of.number(embeddings[0], e),
    ]
    for side, pixels, target in zip(parts(evidence), pair, targets, strict=True):
        with GradCAM(network, [network.get_submodule(LAYER)]) as cam:
            theirs = cam(torch.from_numpy(pixels)[None], targets=[target])
        raised = side.factual if of.towards_same > 0 else side.counterfactual
        ours = scale_cam_image(scale_cam_image(raised[None], (15, 15)))
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_maps_of_a_multilayer_head_say_that_they_do_not_add_up() -> None:
    explained = explain_by_autograd(foreign("multilayer"), LAYER, picture(0), picture(1)).explained
    assert (explained.of, explained.method, explained.baseline) == ("cosine", "grad-cam (autograd)", 0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16), st.sampled_from(list(HEADS)), st.sampled_from(SCORES))
def test_each_image_has_its_own_gradient_so_that_swapping_the_images_swaps_the_maps(seed, head, of) -> None:
    network, pair = foreign(head, seed=seed), (picture(seed), picture(seed + 1, height=21))
    there = explain_by_autograd(network, LAYER, *pair, of=of)
    back = explain_by_autograd(network, LAYER, *pair[::-1], of=of)
    assert unlike(there.query, back.matched) < 1e-4 and unlike(there.matched, back.query) < 1e-4
    assert there.explained.value == pytest.approx(back.explained.value, abs=1e-6)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("of", [DISTANCE, RAW_DISTANCE])
def test_the_distance_of_a_picture_to_itself_has_blank_maps(head: str, of: NetworkScore) -> None:
    evidence = explain_by_autograd(foreign(head), LAYER, picture(0), picture(0), of=of)
    assert evidence.explained.value == 0
    assert not any(side.factual.any() or side.counterfactual.any() for side in parts(evidence))


@pytest.mark.parametrize("of", SCORES)
def test_an_embedding_that_is_zero_has_blank_maps(of: NetworkScore) -> None:
    network = foreign("max")
    with torch.no_grad():
        for parameter in network[1].parameters():
            parameter.zero_()
    evidence = explain_by_autograd(network, LAYER, picture(0), picture(1), of=of)
    assert evidence.explained.value == 0
    assert not any(side.factual.any() or side.counterfactual.any() for side in parts(evidence))


def test_a_raw_distance_from_a_zero_embedding_is_a_distance_like_any_other() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    with torch.no_grad():
        network[0].bias.zero_()
    dark, light = np.zeros((3, 4, 4), np.float32), np.ones((3, 4, 4), np.float32)
    raw = explain_by_autograd(network, "0", dark, light, of=RAW_DISTANCE)
    assert raw.explained.value == pytest.approx(float(trace(network, "0", light).embedding.detach().norm()))
    assert raw.matched.factual.any() or raw.matched.counterfactual.any()
    assert explain_by_autograd(network, "0", dark, light, of=DISTANCE).explained.value == 0


def test_a_layer_whose_output_is_changed_in_place_has_the_maps_of_one_whose_is_not() -> None:
    pair, found = (picture(0), picture(1)), []
    for in_place in (False, True):
        network = nn.Sequential(nn.ReLU(in_place), foreign("max")[1])
        whole = nn.Sequential(foreign("max")[0], network).eval()
        found.append(explain_by_autograd(whole, LAYER, *pair))
    for ours, theirs in zip(parts(found[0]), parts(found[1]), strict=True):
        np.testing.assert_array_equal(ours.factual, theirs.factual)
        np.testing.assert_array_equal(ours.counterfactual, theirs.counterfactual)


@pytest.mark.parametrize("of", SCORES)
def test_a_picture_of_one_colour_has_finite_maps(of: NetworkScore) -> None:
    plain = np.ones((3, 15, 15), np.float32)
    evidence = explain_by_autograd(foreign("max"), LAYER, plain, picture(1), of=of)
    assert all(np.isfinite(side.factual).all() for side in parts(evidence))


def test_the_network_is_left_as_it_was_and_nothing_stays_in_memory() -> None:
    network = foreign("multilayer")
    before = {name: each.clone() for name, each in network.state_dict().items()}
    explain_by_autograd(network, LAYER, picture(0), picture(1))
    tensors = tensors_alive()
    for seed in range(3):
        explain_by_autograd(network, LAYER, picture(seed), picture(seed + 1), of=DISTANCE)
    assert tensors_alive() == tensors
    assert all(not module._forward_hooks for module in network.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert all(torch.equal(before[name], each) for name, each in network.state_dict().items())


def tensors_alive() -> int:
    gc.collect()
    return sum(issubclass(type(each), Tensor) for each in gc.get_objects())


def test_a_network_that_fails_is_left_without_hooks_and_with_gradients_on() -> None:
    network = nn.Sequential(*foreign("max"), nn.Linear(99, 1)).eval()
    with pytest.raises(RuntimeError, match="shapes"):
        explain_by_autograd(network, LAYER, picture(0), picture(1))
    assert torch.is_grad_enabled() and all(not module._forward_hooks for module in network.modules())


def test_a_caller_in_inference_mode_gets_the_same_maps() -> None:
    network, pair = foreign("multilayer"), (picture(0), picture(1))
    usual = explain_by_autograd(network, LAYER, *pair)
    with torch.inference_mode():
        within = explain_by_autograd(network, LAYER, *pair)
    np.testing.assert_array_equal(usual.query.factual, within.query.factual)


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        ("nowhere", "no layer “nowhere”; its last ones are .*1.0"),
        ("", "no layer “”"),
        ("1.2", "must give a grid"),
    ],
)
def test_a_layer_that_gives_no_grid_is_refused(layer: str, why: str) -> None:
    with pytest.raises(ExplainError, match=why):
        explain_by_autograd(foreign("max"), layer, picture(0), picture(1))


class Odd(nn.Module):
    """Its layer `aside` is not what the embedding is made of, and `twice` runs as often as it says."""

    def __init__(self, *, wrong: str = "") -> None:
        super().__init__()
        self.aside, self.twice, self.wrong = nn.Conv2d(3, 3, 1), nn.ReLU(), wrong

    def forward(self, pixels: Tensor) -> Tensor | None:
        self.aside(pixels)
        made = self.twice(self.twice(pixels)).mean(dim=(2, 3))
        return {"": made, "none": None, "flat": made[0], "nan": made * torch.nan}[self.wrong]


def test_a_layer_without_a_say_or_that_runs_twice_is_refused() -> None:
    with pytest.raises(ExplainError, match="does not depend on the layer"):
        explain_by_autograd(Odd().eval(), "aside", picture(0), picture(1))
    with pytest.raises(ExplainError, match="it ran 2 times"):
        explain_by_autograd(Odd().eval(), "twice", picture(0), picture(1))


@pytest.mark.parametrize(
    ("wrong", "error", "why"),
    [
        ("none", MapMismatch, "gave NoneType"),
        ("flat", MapMismatch, "gave \\(3,\\)"),
        ("nan", NotFinite, "finite"),
    ],
)
def test_a_network_that_gives_no_embedding_is_refused(wrong: str, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        explain_by_autograd(Odd(wrong=wrong).eval(), "aside", picture(0), picture(1))


def test_a_network_in_training_mode_is_refused() -> None:
    with pytest.raises(ExplainError, match="eval"):
        explain_by_autograd(foreign("max").train(), LAYER, picture(0), picture(1))


def test_the_example_in_the_docs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out == "grad-cam (autograd) (3, 3)\n"
