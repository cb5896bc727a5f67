"""CPU time of a step of the body phase, per image, on one core: plain, and as `siamese.phases` computes it.

    python benchmarks/training_step.py [--body mobilenet_v2] [--trainable 12] [--side 176]

`split` sends a few pictures at a time through the frozen stages; `folded` also folds batch normalisation,
whose statistics are frozen, into the convolution before it. Weights are random: they do not change the time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn

from siamese.bodies import BODIES, build_body
from siamese.features import CPU_BATCH
from siamese.folding import folded

BATCH = 32
STEPS, ROUNDS = 3, 5


def main() -> None:
    """Print the three, the median of some rounds, in which they take turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--body", choices=BODIES, default="mobilenet_v2")
    parser.add_argument("--trainable", type=int, default=12)
    parser.add_argument("--side", type=int, default=176)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    ways = _ways(wanted.body, wanted.trainable, wanted.side)
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, step in ways.items():
            spent[name].append(_milliseconds(step))
    plain = median(spent["plain"])
    for name, times in spent.items():
        print(f"{name:8}{median(times):7.1f} ms an image, {plain / median(times):.1f} times as fast as plain")


def _ways(name: str, trainable: int, side: int) -> dict[str, Callable[[], None]]:
    body = build_body(name, weights="none").eval().requires_grad_(False)
    stages = body.stages()
    frozen, free = nn.Sequential(*stages[:-trainable]), nn.Sequential(*stages[-trainable:])
    free.requires_grad_(True)
    pictures = torch.rand(BATCH, 3, side, side).contiguous(memory_format=torch.channels_last)
    return {
        "plain": lambda: _learn(body(pictures)),
        "split": lambda: _learn(free(_in_passes(frozen, pictures))),
        "folded": lambda: _learn(folded(free)(_in_passes(folded(frozen), pictures))),
    }


def _in_passes(frozen: nn.Module, pictures: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([frozen(some) for some in torch.split(pictures, CPU_BATCH)])


def _learn(maps: Tensor) -> None:
    maps.mean(dim=(2, 3)).square().mean().backward()  # type: ignore[no-untyped-call]


def _milliseconds(step: Callable[[], None]) -> float:
    step()
    started = time.process_time()
    for _ in range(STEPS):
        step()
    return (time.process_time() - started) / STEPS / BATCH * 1000


if __name__ == "__main__":
    main()
