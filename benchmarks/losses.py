"""Every loss, without and with a class head beside it, on the frozen features of one body.

    python benchmarks/losses.py DATA --weights FILE

The features of the paper's split are computed once. Each loss then teaches a linear layer with the default
rates, batches and averaged weights, for several seeds, and is judged on the validation images alone, after
its last epoch: the test images choose nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev

import torch
from torch import nn

from siamese.bodies import Body, build_body
from siamese.images import DEFAULT_LIMITS
from siamese.learned import Learned
from siamese.learner import Learner
from siamese.learning_data import LearningData, read_learning_data
from siamese.losses import build_loss
from siamese.network import EncoderNetwork
from siamese.phases import HeadPhase
from siamese.schedule import cosine_factor
from siamese.splits import paper_split
from siamese.training_config import LOSS_NAMES, TrainingConfig
from siamese.validation import ValidationScores
from whyalike.console import progress
from whyalike.folders import read_folder

SEEDS = 3
EPOCHS = 10
MEASURES = {"MAP@R": "map_at_r", "R@1": "recall_at_1", "pair AUC": "pair_auc"}


def screened(
    config: TrainingConfig, body: Body, data: LearningData, features: HeadPhase
) -> ValidationScores | None:
    """The validation scores after the last epoch of a linear layer on these features."""
    torch.manual_seed(config.seed)
    network = EncoderNetwork(body, nn.Linear(body.channels, config.dimension))
    loss = build_loss(
        config.loss, labels=len(data.labels), dimension=config.dimension, class_head=config.class_head
    )
    phase = HeadPhase(network.linear, data, config.seed, features.training, features.validation)
    learner = Learner.of(phase, Learned(network, loss), config, torch.device("cpu"))
    for epoch in range(config.epochs):
        plan = data.plan(config, epoch=epoch)
        for done, batch in enumerate(phase.load(plan, epoch=epoch)):
            learner.set_rates(cosine_factor(epoch + done / len(plan), epochs=config.epochs))
            learner.learn(batch)
    return data.scores(phase.validated(learner.kept.network))


def candidates(weights: str) -> Iterator[TrainingConfig]:
    """Each loss without and with a class head."""
    for loss in LOSS_NAMES:
        for class_head in (0.0, 1.0):
            if loss != "softmax" or class_head:
                yield TrainingConfig(
                    weights=weights, loss=loss, class_head=class_head, trainable="head", epochs=EPOCHS
                )


def _said(config: TrainingConfig, scores: Sequence[ValidationScores | None]) -> None:
    name = config.loss + (" + class head" if config.class_head and config.loss != "softmax" else "")
    cells = []
    for measure in MEASURES.values():
        values = [getattr(each, measure) for each in scores if each is not None]
        cells.append(f"{fmean(values):.4f} ± {stdev(values):.4f}")
    print(f"{name:32}", "   ".join(cells), flush=True)


def main() -> None:
    """Screen and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", default="imagenet")
    wanted = parser.parse_args()
    shown = progress()
    samples = read_folder(wanted.data, limits=DEFAULT_LIMITS, progress=shown).samples
    first = next(candidates(wanted.weights))
    data = read_learning_data(
        samples,
        paper_split(samples),
        preprocessing=first.preprocessing,
        limits=DEFAULT_LIMITS,
        progress=shown,
        budget=0,
    )
    body = build_body(first.body, weights=wanted.weights)
    network = EncoderNetwork(body, nn.Linear(body.channels, first.dimension))
    features = HeadPhase.prepared(network, data, first, limits=DEFAULT_LIMITS, progress=shown)
    print(f"{'loss':32}", "            ".join(MEASURES))
    for config in candidates(wanted.weights):
        seeded = (config.model_copy(update={"seed": seed}) for seed in range(SEEDS))
        _said(config, [screened(each, body, data, features) for each in seeded])


if __name__ == "__main__":
    main()
