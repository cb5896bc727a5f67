"""Where the network runs."""

from __future__ import annotations

import torch

from siamese.errors import DeviceUnavailable


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
