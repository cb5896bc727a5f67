"""Where the network runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from siamese.errors import DeviceUnavailable, OutOfMemory

Made = TypeVar("Made")


def choose_device(name: str) -> torch.device:
    """The device by this name: "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:N".

    Raises DeviceUnavailable.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in {"cpu", "cuda"} or (number and not number.isdigit()) or (kind == "cpu" and number):
        raise DeviceUnavailable(f"{name!r} names no device; there are auto, cpu, cuda and cuda:N")
    if kind == "cpu":
        return torch.device("cpu")
    count = torch.cuda.device_count()
    if int(number or 0) >= count:
        raise DeviceUnavailable(
            f"there is no device {name!r}: torch sees {count} GPUs here; cpu always works"
        )
    return torch.device("cuda", int(number or 0))


def in_halves(work: Callable[[int], Made], size: int, *, device: torch.device) -> Made:
    """What the work makes in passes of this size, or of half and half again where memory runs out.

    Raises OutOfMemory where not even one image fits.
    """
    try:
        return work(size)
    except torch.OutOfMemoryError as error:
        if size == 1:
            raise OutOfMemory(f"{device} has no memory left for even one image") from error
    if device.type == "cuda":
        torch.cuda.empty_cache()  # only here has the failed pass let go of its tensors
    return in_halves(work, size // 2, device=device)
