"""The same encoder with fewer and fewer of its weights: what explains it must change with them.

(Adebayo et al., "Sanity checks for saliency maps", NeurIPS 2018, section 4.1: cascading randomisation.)
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from siamese.encoder import Encoder
from siamese.network import EncoderNetwork

PORTIONS = 4
"""In so many steps the body's stages are re-drawn, the last ones first."""


def cascade(encoder: Encoder, *, seed: int) -> Iterator[tuple[str, Encoder]]:
    """The encoder with its linear layer re-drawn, then the body's stages too, from the last to the first.

    With each goes the name of what is re-drawn. A tensor is drawn from the normal distribution with its own
    mean and spread, so that what flows through the network keeps its size; the running means of the
    normalisations stay. The record is still that of the whole encoder.
    """
    generator = torch.Generator().manual_seed(seed)
    network = copy.deepcopy(encoder.network)
    stages = network.body.stages()
    if isinstance(network.linear, nn.Linear):
        _redraw(network.linear, generator)
        yield "linear layer", _frozen(encoder, network)
    reached = len(stages)
    for portion in range(1, PORTIONS + 1):
        start = round(len(stages) * (1 - portion / PORTIONS))
        if start == reached:
            continue
        for stage in stages[start:reached]:
            _redraw(stage, generator)
        reached = start
        told = "everything" if start == 0 else f"and the last {len(stages) - start} of {len(stages)} stages"
        yield told, _frozen(encoder, network)


def _frozen(encoder: Encoder, network: EncoderNetwork) -> Encoder:
    return replace(encoder, network=copy.deepcopy(network), other_runtime=None)


def _redraw(module: nn.Module, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            values = parameter.detach().cpu()
            drawn = torch.randn(values.shape, generator=generator)
            spread = values.std() if values.numel() > 1 else torch.tensor(0.0)
            parameter.copy_(values.mean() + spread * drawn)
