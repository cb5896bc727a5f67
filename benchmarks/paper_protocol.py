"""The protocol of Livieris et al. (J. Imaging 2023, 9(10), 224) as it stands, as a baseline.

Written from its description and its published configuration: pairs drawn once, one same and one different for
each image (a same pair may be an image with itself); the whole body and an MLP (C → 256 → ReLU → 2) learn
from batches of 4 pairs by Adam with a rate of 5e-6 and gradients clipped at 1; the distance of the 2-d
embeddings is clamped at 1, and the contrastive loss has a margin of 2. No augmentation. Its early stopping
(25 epochs) and its plateau (15 epochs) cannot act within the time that is given here.

    python benchmarks/paper_protocol.py DATA --weights FILE --image-size 176 --seconds 600

trains for so many seconds on the training part of the paper's split, and prints the measures of `whyalike
evaluate` on the same pairs and the same split. It runs on a GPU where there is one, as `whyalike train` does,
but in single precision: nothing of the protocol asks for another.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from paper_judging import LARGEST_DISTANCE, Judged, Judging
from torch import Tensor, nn

from siamese.bodies import Body, build_body
from siamese.device import choose_device
from siamese.images import DEFAULT_LIMITS
from siamese.preprocessing import Preprocessing
from siamese.samples import Sample, image_of
from siamese.splits import Split, paper_split
from siamese.threads import in_threads
from whyalike.console import progress
from whyalike.folders import read_folder

MARGIN = 2.0
RATE = 5e-6
BATCH_SIZE = 4
CLIP_NORM = 1.0
HIDDEN, DIMENSION = 256, 2
AHEAD = 64
# Images of one forward pass when nothing learns any more.
AT_ONCE = 8


class PaperNetwork(nn.Module):
    """(B, 3, S, S) to (B, 2): body, average pooling, two layers; the embeddings are not normalised."""

    def __init__(self, body: Body) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Sequential(nn.Linear(body.channels, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, DIMENSION))

    def forward(self, x: Tensor) -> Tensor:
        """The embedding."""
        embedding: Tensor = self.head(self.body(x).mean(dim=(2, 3)))
        return embedding


def paper_loss(first: Tensor, second: Tensor, same: Tensor) -> Tensor:
    """D² for a same pair and max(0, 2 − D)² for a different one, D clamped at 1: (B, 2), (B, 2), (B,)."""
    distances = (first - second).norm(dim=1).clamp(max=LARGEST_DISTANCE)
    different = (MARGIN - distances).clamp(min=0) ** 2
    return torch.where(same, distances**2, different).mean()


def pairs_drawn_once(labels: Sequence[str], *, seed: int) -> list[tuple[int, int, bool]]:
    """For each image one of its label, itself perhaps, and one of another: positions, same."""
    generator = np.random.default_rng(seed)
    known = np.array(labels)
    pairs = []
    for position, label in enumerate(labels):
        pairs.append((position, int(generator.choice(np.flatnonzero(known == label))), True))
        pairs.append((position, int(generator.choice(np.flatnonzero(known != label))), False))
    return pairs


def train_and_judge(
    samples: Sequence[Sample],
    split: Split,
    *,
    body: str,
    weights: str,
    preprocessing: Preprocessing,
    seconds: float,
    rate: float = RATE,
    seed: int = 0,
    device: str = "auto",
) -> Judged:
    """Train for so many seconds on the split's training part, and judge its test part against it."""
    torch.manual_seed(seed)
    network = PaperNetwork(build_body(body, weights=weights))
    network = network.to(choose_device(device)).to(memory_format=torch.channels_last)
    training, validation, test = (_part(samples, split, part) for part in ("train", "validation", "test"))
    epochs, spent = _train(network, training, preprocessing, seconds=seconds, rate=rate, seed=seed)
    network.eval()
    judging = Judging(split, training, _embedded(network, training, preprocessing))
    parts = [(part, _embedded(network, part, preprocessing)) for part in (test, validation)]
    return judging.judged(*parts[0], *parts[1], epochs=epochs, seconds=spent)


def _part(samples: Sequence[Sample], split: Split, part: str) -> list[Sample]:
    files = {(file.uri, file.checksum) for file in split.usable(part)}  # type: ignore[arg-type]
    return [sample for sample in samples if (sample.uri, sample.checksum) in files]


def _train(
    network: PaperNetwork,
    training: Sequence[Sample],
    preprocessing: Preprocessing,
    *,
    seconds: float,
    rate: float,
    seed: int,
) -> tuple[float, float]:
    """Epochs done and seconds spent, without the reading ahead."""
    device = _device(network)
    pairs = pairs_drawn_once([sample.label for sample in training], seed=seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    network.train()
    started, steps = time.monotonic(), 0
    for inputs, same in _batches(pairs, training, preprocessing, seed=seed):
        first, second = network(inputs.to(device)).chunk(2)
        optimizer.zero_grad()
        paper_loss(first, second, same.to(device)).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
        optimizer.step()
        steps += 1
        if time.monotonic() - started > seconds:
            break
    return steps * BATCH_SIZE / len(pairs), time.monotonic() - started


def _batches(
    pairs: Sequence[tuple[int, int, bool]],
    training: Sequence[Sample],
    preprocessing: Preprocessing,
    *,
    seed: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end: inputs (2B, 3, S, S), the first images before the second ones, and same (B,)."""

    def loaded(number: int) -> tuple[NDArray[np.float32], NDArray[np.float32], bool]:
        first, second, same = pairs[number]
        return _tensor(training[first], preprocessing), _tensor(training[second], preprocessing), same

    def numbers() -> Iterator[int]:
        generator = np.random.default_rng(seed)
        while True:
            yield from generator.permutation(len(pairs)).tolist()

    stream = in_threads(loaded, numbers(), ahead=AHEAD)
    while True:
        firsts, seconds, same = zip(*(next(stream) for _ in range(BATCH_SIZE)), strict=True)
        yield torch.from_numpy(np.stack([*firsts, *seconds])), torch.tensor(same)


def _tensor(sample: Sample, preprocessing: Preprocessing) -> NDArray[np.float32]:
    return preprocessing.preprocess(image_of(sample, preprocessing, limits=DEFAULT_LIMITS))


def _embedded(
    network: PaperNetwork, samples: Sequence[Sample], preprocessing: Preprocessing
) -> NDArray[np.float64]:
    """Embeddings (n, 2)."""
    device = _device(network)
    tensors = in_threads(lambda sample: _tensor(sample, preprocessing), samples, ahead=AHEAD)
    rows = [np.empty((0, DIMENSION), np.float32)]
    with torch.inference_mode():
        while some := list(itertools.islice(tensors, AT_ONCE)):
            rows.append(network(torch.from_numpy(np.stack(some)).to(device)).cpu().numpy())
    return np.concatenate(rows).astype(np.float64)


def _device(network: nn.Module) -> torch.device:
    return next(network.parameters()).device


def main() -> None:
    """Train, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--body", default="mobilenet_v2")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--image-size", type=int, default=176)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    wanted = parser.parse_args()
    folder = read_folder(wanted.data, limits=DEFAULT_LIMITS, progress=progress())
    judged = train_and_judge(
        folder.samples,
        paper_split(folder.samples),
        body=wanted.body,
        weights=wanted.weights,
        preprocessing=Preprocessing(image_size=wanted.image_size),
        seconds=wanted.seconds,
        rate=wanted.rate,
        seed=wanted.seed,
        device=wanted.device,
    )
    print(judged)


if __name__ == "__main__":
    main()
