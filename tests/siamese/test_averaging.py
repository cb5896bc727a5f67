from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from siamese.averaging import AveragedLearned
from siamese.bodies import build_body
from siamese.learned import Learned
from siamese.losses import build_loss
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing
from siamese.splits import stratified_split
from siamese.training import train
from siamese.training_config import TrainingConfig
from tests.siamese.samples import written


def learned() -> Learned:
    torch.manual_seed(0)
    body = build_body("small", weights="none")
    network = EncoderNetwork(body, nn.Linear(body.channels, 4))
    return Learned(network, build_loss("supcon", labels=2, dimension=4, class_head=1.0))


def set_to(module: Learned, value: float) -> None:
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.fill_(value)


def test_the_average_begins_with_the_first_step_and_follows_quickly_then_slowly() -> None:
    module = learned()
    average = AveragedLearned(module, decay=0.5)
    expected = 3.0
    for step, (value, kept) in enumerate([(3.0, 0.0), (6.0, 2 / 11), (9.0, 3 / 12), (12.0, 4 / 13)]):
        set_to(module, value)
        average.update_parameters(module)
        expected = kept * expected + (1 - kept) * value
        bias = average.module.network.linear.bias
        assert isinstance(bias, nn.Parameter)
        assert float(bias[0]) == pytest.approx(expected), step
    statistics = dict(average.module.named_buffers())["network.body.features.0.1.running_mean"]
    assert float(statistics[0]) == pytest.approx(expected)
    pairs = average.module.loss.parts["pairs"]
    assert float(pairs.get_parameter("bias")) == pytest.approx(expected)


def test_the_average_never_keeps_more_than_its_decay() -> None:
    module = learned()
    average = AveragedLearned(module, decay=0.5)
    average.n_averaged.fill_(1000)
    set_to(average.module, 0.0)
    set_to(module, 1.0)
    average.update_parameters(module)
    assert float(average.module.loss.parts["pairs"].get_parameter("bias")) == 0.5


def test_the_average_is_what_is_validated_and_kept_and_changes_nothing_of_the_learning(
    tmp_path: Path,
) -> None:
    samples = written(tmp_path / "data", per_label=8)
    split = stratified_split(samples, test=0.1, validation=0.4)
    recipe = {"preprocessing": Preprocessing(image_size=16), "dimension": 8, "epochs": 2, "batch_size": 8}
    plain, averaged = (
        train(
            samples, split, TrainingConfig.from_scratch(**recipe, ema=ema), tmp_path / f"{ema}", device="cpu"
        )
        for ema in (0.0, 0.9)
    )
    assert [epoch.loss for epoch in plain.history] == [epoch.loss for epoch in averaged.history]
    assert plain.record.fingerprint != averaged.record.fingerprint
    assert plain.record.heads and averaged.record.heads
    assert plain.record.heads.classes != averaged.record.heads.classes
