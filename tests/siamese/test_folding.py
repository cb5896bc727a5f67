"""Folded batch normalisation: the same numbers, the same gradients, the same parameters."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from siamese.bodies import BODIES, build_body
from siamese.folding import FoldedConvolution, fixed, folded
from siamese.images import DEFAULT_LIMITS
from siamese.network import EncoderNetwork
from siamese.phases import BodyPhase
from siamese.progress import Silent
from siamese.training_config import TrainingConfig

SIDE = 64
TOLERANCE = 1e-4


def lively(body: nn.Module) -> nn.Module:
    """The body with statistics and weights of its normalisations that leave nothing as it is."""
    for module in body.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_var, module.weight.data):
                tensor.uniform_(0.5, 1.5)
            for tensor in (module.running_mean, module.bias.data):
                tensor.normal_(0, 0.2)
    return body.eval()


@pytest.mark.parametrize("name", BODIES)
def test_a_folded_body_gives_what_the_body_gives(name: str) -> None:
    torch.manual_seed(0)
    body = lively(build_body(name, weights="none"))
    pictures = torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        expected, found = body(pictures), folded(body)(pictures)
    assert torch.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE * float(expected.abs().max()))


@pytest.mark.parametrize("name", BODIES)
def test_a_fixed_network_gives_what_the_network_gives_without_a_normalisation(name: str) -> None:
    torch.manual_seed(0)
    body = build_body(name, weights="none")
    network = EncoderNetwork(lively(body), nn.Linear(body.channels, 8)).eval()
    before = {key: each.clone() for key, each in network.state_dict().items()}
    pictures = torch.rand(2, 3, SIDE, SIDE)
    with torch.inference_mode():
        expected, found = network(pictures), fixed(network)(pictures)
    assert torch.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in fixed(network).modules())
    assert all((each == before[key]).all() for key, each in network.state_dict().items())


def test_networks_of_other_threads_go_on_while_one_is_fixed() -> None:
    network = EncoderNetwork(lively(build_body("small", weights="none")), nn.Identity()).eval()
    pictures, done = torch.rand(1, 3, SIDE, SIDE), threading.Event()

    def ask() -> int:
        count = 0
        with torch.inference_mode():
            while not done.is_set():
                network(pictures)
                count += 1
        return count

    with ThreadPoolExecutor(1) as asking:
        asked = asking.submit(ask)
        for _ in range(30):
            fixed(network)
        done.set()
        assert asked.result() > 0


def test_a_network_without_a_normalisation_is_fixed_already() -> None:
    network = EncoderNetwork(build_body("squeezenet1_1", weights="none"), nn.Identity()).eval()
    assert fixed(network) is network


def test_what_is_folded_learns_as_it_would_unfolded() -> None:
    torch.manual_seed(0)
    body = lively(build_body("mobilenet_v2", weights="none"))
    pictures = torch.rand(2, 3, SIDE, SIDE)
    gradients = []
    for network in (body, folded(body)):
        body.zero_grad()
        network(pictures).square().mean().backward()
        gradients.append([parameter.grad.clone() for parameter in body.parameters()])
    for expected, found in zip(*gradients, strict=True):
        assert torch.allclose(found, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def test_a_folded_body_has_the_very_parameters_of_the_body_in_their_order() -> None:
    body = build_body("mobilenet_v2", weights="none")
    twin = folded(body)
    assert [id(each) for each in twin.parameters()] == [id(each) for each in body.parameters()]
    assert not any(isinstance(module, FoldedConvolution) for module in body.modules())


def test_every_normalisation_of_the_default_body_is_folded() -> None:
    twin = folded(build_body("mobilenet_v2", weights="none"))
    inside = {id(each.normalisation) for each in twin.modules() if isinstance(each, FoldedConvolution)}
    assert all(id(each) in inside for each in twin.modules() if isinstance(each, nn.BatchNorm2d))


def test_a_normalisation_that_has_no_convolution_before_it_is_left_alone() -> None:
    sequence = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4))
    assert [type(each) for each in folded(sequence).children()] == [type(each) for each in sequence]


@pytest.mark.parametrize("device, expected", [("cpu", True), ("meta", False)])
def test_a_body_learns_folded_on_a_cpu_and_as_it_is_elsewhere(device, expected) -> None:
    network = EncoderNetwork(build_body("mobilenet_v2", weights="none"), nn.Linear(1280, 8)).to(device)
    phase = BodyPhase.prepared(network, None, TrainingConfig(), limits=DEFAULT_LIMITS, progress=Silent())
    for part in (phase.frozen, phase.learning.body):
        assert any(isinstance(module, FoldedConvolution) for module in part.modules()) == expected
