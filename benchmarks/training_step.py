"""CPU time of a step of the body phase, per image, on one core: plain, and as `siamese.phases` computes it.

    python benchmarks/training_step.py [--body mobilenet_v2] [--trainable 12] [--side 176]

`split` sends a few pictures at a time through the frozen stages; `folded` also folds batch normalisation,
whose statistics are frozen, into the convolution before it. Weights are random: they do not change the time.
With `--operations` each way's operations are counted instead, forward and backward, all pictures at a time as
on a GPU: one that computes them faster than it is asked to waits for these.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

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
    parser.add_argument("--operations", action="store_true")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    at_once = BATCH if wanted.operations else CPU_BATCH
    ways = _ways(wanted.body, wanted.trainable, wanted.side, at_once)
    if wanted.operations:
        for name, step in ways.items():
            print(f"{name:8}{_operations(step):6,} operations")
        return
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, step in ways.items():
            spent[name].append(_milliseconds(step))
    plain = median(spent["plain"])
    for name, times in spent.items():
        print(f"{name:8}{median(times):7.1f} ms an image, {plain / median(times):.1f} times as fast as plain")


def _ways(name: str, trainable: int, side: int, at_once: int) -> dict[str, Callable[[], None]]:
    body = build_body(name, weights="none").eval().requires_grad_(False)
    stages = body.stages()
    frozen, free = nn.Sequential(*stages[:-trainable]), nn.Sequential(*stages[-trainable:])
    free.requires_grad_(True)
    pictures = torch.rand(BATCH, 3, side, side).contiguous(memory_format=torch.channels_last)
    return {
        "plain": lambda: _learn(body(pictures)),
        "split": lambda: _learn(free(_in_passes(frozen, pictures, at_once))),
        "folded": lambda: _learn(folded(free)(_in_passes(folded(frozen), pictures, at_once))),
    }


def _in_passes(frozen: nn.Module, pictures: Tensor, at_once: int) -> Tensor:
    with torch.no_grad():
        return torch.cat([frozen(some) for some in torch.split(pictures, at_once)])


def _learn(maps: Tensor) -> None:
    maps.mean(dim=(2, 3)).square().mean().backward()  # type: ignore[no-untyped-call]


class _Counted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what torch is asked to compute."""

    count: int = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += 1
        return func(*args, **(kwargs or {}))


def _operations(step: Callable[[], None]) -> int:
    step()
    counted = _Counted()  # type: ignore[no-untyped-call]
    with counted:
        step()
    return int(counted.count)


def _milliseconds(step: Callable[[], None]) -> float:
    step()
    started = time.process_time()
    for _ in range(STEPS):
        step()
    return (time.process_time() - started) / STEPS / BATCH * 1000


if __name__ == "__main__":
    main()
