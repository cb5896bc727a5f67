"""Pooled features of a frozen body: what its linear layer sees, computed once and kept."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from siamese.device import in_halves
from siamese.images import ImageLimits
from siamese.network import EncoderNetwork
from siamese.preparing import Prepared
from siamese.preprocessing import Preprocessing
from siamese.progress import Progress
from siamese.samples import Sample, image_of
from siamese.threads import in_threads

# A CPU is fastest on a few images at a time (MobileNetV2: 5.6 ms each by 16, 11.5 ms by 32, on one core).
CPU_BATCH = 8


def pooled_features(
    network: EncoderNetwork,
    samples: Sequence[Sample],
    *,
    preprocessing: Preprocessing,
    mirrored: bool,
    limits: ImageLimits,
    progress: Progress,
) -> Tensor:
    """The mean of the feature map over the seen cells: (n, views, C) float32, on the CPU.

    Each sample has two views, itself and its mirror image, where `mirrored`; else one. Raises
    UnreadableImage and OutOfMemory.
    """
    grid = network.grid(preprocessing.image_size)

    def views(sample: Sample) -> list[Prepared]:
        picture = image_of(sample, preprocessing, limits=limits)
        seen = preprocessing.seen_cells(*picture.size, grid)
        mirror = picture.transposed(Image.Transpose.FLIP_LEFT_RIGHT)
        faces = [picture, mirror] if mirrored else [picture]
        return [Prepared(preprocessing.preprocess(face), seen) for face in faces]

    pooling = EncoderNetwork(network.body, nn.Identity()).eval()
    device = next(network.parameters()).device
    pooled: list[Tensor] = []
    prepared = progress.track(
        in_threads(views, samples, ahead=2 * CPU_BATCH), description="features", total=len(samples)
    )
    while batch := list(itertools.islice(prepared, CPU_BATCH)):
        inputs, seen = stacked(list(itertools.chain.from_iterable(batch)))
        pooled.append(_pooled(pooling, inputs, seen, device))
    count = 2 if mirrored else 1
    channels = network.body.channels
    return torch.cat([torch.empty(0, channels), *pooled]).reshape(len(samples), count, channels)


def stacked(prepared: Sequence[Prepared]) -> tuple[Tensor, Tensor]:
    """A batch for the network: inputs (B, 3, S, S) with the channels last in memory, seen cells (B, h, w)."""
    inputs = torch.from_numpy(np.stack([one.tensor for one in prepared]))
    seen = torch.from_numpy(np.stack([one.seen for one in prepared]))
    return inputs.contiguous(memory_format=torch.channels_last), seen


def _pooled(pooling: EncoderNetwork, inputs: Tensor, seen: Tensor, device: torch.device) -> Tensor:
    def in_passes(size: int) -> Tensor:
        parts = zip(torch.split(inputs, size), torch.split(seen, size), strict=True)
        return torch.cat([_pass(pooling, some.to(device), cells.to(device)).cpu() for some, cells in parts])

    return in_halves(in_passes, len(inputs), device=device)


def _pass(pooling: EncoderNetwork, inputs: Tensor, seen: Tensor) -> Tensor:
    with torch.inference_mode():
        return pooling.local_embeddings(inputs, None if bool(seen.all()) else seen).mean(dim=(1, 2))
