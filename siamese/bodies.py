"""The bodies that an encoder can have, and the weights that they start from.

A body is the part of a network before its pooling: (B, 3, H, W) to a feature map (B, C, h, w). Its
parameters keep the names that torchvision gives them, so its files can be read as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import torch
from torch import Tensor, nn

from siamese.errors import UnknownName, WeightsUnavailable

UNTRAINED = "none"
"""What is said for weights where there shall be none."""
WAY_OUT = (
    "give a file of them with --weights PATH (docs/troubleshooting.md says how to get one); without any "
    "(--weights none) a network knows nothing until it is trained"
)


class Body(nn.Sequential):
    """(B, 3, H, W) to a feature map (B, C, h, w)."""

    def __init__(self, name: str, channels: int, parts: dict[str, nn.Module]) -> None:
        super().__init__()
        self.name = name
        self.channels = channels
        for part, module in parts.items():
            self.add_module(part, module)

    def stages(self) -> list[nn.Module]:
        """The body in order, each applied to what the one before gives: training may freeze the front."""
        parts = dict(self.named_children())
        if "features" in parts:
            return list(parts["features"].children())
        layers = [name for name in parts if name.startswith("layer")]
        stem = nn.Sequential(*(module for name, module in parts.items() if name not in layers))
        return [stem, *(parts[name] for name in layers)]


@dataclass(frozen=True, slots=True)
class BodyKind:
    """How a body is built, and the name of torchvision's ImageNet weights for it (None: there are none)."""

    channels: int
    build: Callable[[], dict[str, nn.Module]]
    imagenet: str | None


def _torchvision(name: str) -> Callable[[], dict[str, nn.Module]]:
    """The parts of a torchvision network that come before its pooling."""

    def build() -> dict[str, nn.Module]:
        from torchvision.models import get_model

        heads = ("avgpool", "classifier", "fc")
        return {part: module for part, module in get_model(name).named_children() if part not in heads}

    return build


def _small() -> dict[str, nn.Module]:
    """Four convolutions, stride 4: trains from scratch in seconds; 32 pixels give an 8 × 8 grid."""
    stages = [_convolution(3, 32, stride=2), _convolution(32, 64), nn.MaxPool2d(2)]
    return {"features": nn.Sequential(*stages, _convolution(64, 128), _convolution(128, 128))}


def _convolution(inputs: int, outputs: int, *, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _mean_colour() -> dict[str, nn.Module]:
    return {"features": nn.Sequential(nn.AvgPool2d(8))}


# IMAGENET1K_V1 throughout: the V2 recipes (label smoothing, mixup) gain accuracy on ImageNet and lose it
# where the features are used for something else (Kornblith et al. 2021, arXiv 2010.16402).
BODIES: Mapping[str, BodyKind] = {
    "mobilenet_v2": BodyKind(1280, _torchvision("mobilenet_v2"), "MobileNet_V2_Weights.IMAGENET1K_V1"),
    "mobilenet_v3_large": BodyKind(
        960, _torchvision("mobilenet_v3_large"), "MobileNet_V3_Large_Weights.IMAGENET1K_V1"
    ),
    "resnet18": BodyKind(512, _torchvision("resnet18"), "ResNet18_Weights.IMAGENET1K_V1"),
    "resnet34": BodyKind(512, _torchvision("resnet34"), "ResNet34_Weights.IMAGENET1K_V1"),
    "resnet50": BodyKind(2048, _torchvision("resnet50"), "ResNet50_Weights.IMAGENET1K_V1"),
    "squeezenet1_1": BodyKind(512, _torchvision("squeezenet1_1"), "SqueezeNet1_1_Weights.IMAGENET1K_V1"),
    "efficientnet_b0": BodyKind(
        1280, _torchvision("efficientnet_b0"), "EfficientNet_B0_Weights.IMAGENET1K_V1"
    ),
    "convnext_tiny": BodyKind(768, _torchvision("convnext_tiny"), "ConvNeXt_Tiny_Weights.IMAGENET1K_V1"),
    "small": BodyKind(128, _small, None),
}

# In no list of choices: the mean colour of each square of 8 × 8 pixels, so that a test's distances are
# mental arithmetic, also in a process of its own.
TOY_BODIES: Mapping[str, BodyKind] = {"mean_colour": BodyKind(3, _mean_colour, None)}


def build_body(name: str, *, weights: str) -> Body:
    """The body by this name with these weights: "imagenet", "none", or the path of a state_dict file.

    "none" draws them from torch's global generator: seed it for a reproducible body.
    Raises UnknownName and WeightsUnavailable.
    """
    body = empty_body(name)
    if weights == "imagenet":
        _load(body, _downloaded(name), source="torchvision's ImageNet weights")
    elif weights != UNTRAINED:
        _load(body, _read(Path(weights)), source=weights)
    return body


def empty_body(name: str) -> Body:
    """The body by this name with random weights, as a checkpoint is loaded into. Raises UnknownName."""
    kind = BODIES.get(name) or TOY_BODIES.get(name)
    if kind is None:
        raise UnknownName(f"there is no body named {name!r}; there are {', '.join(BODIES)}")
    return Body(name, kind.channels, kind.build())


def _downloaded(name: str) -> dict[str, Tensor]:
    """torchvision's own ImageNet weights, from its cache or from the internet."""
    from torchvision.models import get_weight

    kind = BODIES.get(name)
    if kind is None or kind.imagenet is None:
        raise WeightsUnavailable(f"there are no ImageNet weights for the body {name!r}; {WAY_OUT}")
    try:
        with redirect_stdout(sys.stderr):  # where torch writes that it downloads; stdout is for results
            state: dict[str, Tensor] = get_weight(kind.imagenet).get_state_dict(
                progress=False, check_hash=True, weights_only=True
            )
    except (OSError, HTTPException, RuntimeError, ValueError) as error:  # no network, no disk, broken data
        raise WeightsUnavailable(
            f"torchvision's ImageNet weights for {name} could not be downloaded ({error}); {WAY_OUT}"
        ) from error
    return state


def _read(path: Path) -> dict[str, Tensor]:
    """The state_dict in a file that torch or safetensors wrote; nothing else in it is unpickled."""
    if not path.is_file():
        raise WeightsUnavailable(f"there is no file of weights at {path}")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise a dozen kinds for a file that is not theirs
        raise WeightsUnavailable(f"{path} is no file of weights that can be read safely") from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsUnavailable(f"{path} holds something else than one state_dict of tensors")
    return state


def _load(body: Body, state: Mapping[str, Tensor], *, source: str) -> None:
    """Load the body's part of a state_dict; what belongs to the classifier is left out."""
    wanted = body.state_dict()
    if not any(name in state for name in wanted):  # the body was saved by itself: no prefix
        state = {f"features.{name}": tensor for name, tensor in state.items()}
    kept = {name: state[name] for name in wanted if name in state}
    missing = [name for name in wanted if name not in kept and not name.endswith("num_batches_tracked")]
    misfits = [name for name, tensor in kept.items() if tensor.shape != wanted[name].shape]
    if missing or misfits:
        wrong = f"{len(missing)} tensors are missing and {len(misfits)} have another shape"
        raise WeightsUnavailable(
            f"the weights in {source} are not of {body.name}: {wrong}; "
            "name the body that they are of with --body"
        )
    body.load_state_dict(kept, strict=False)
