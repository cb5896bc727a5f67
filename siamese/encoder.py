"""A loaded, frozen encoder: from a picture to its embedding and its local embeddings, numpy in and out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from siamese.bodies import UNTRAINED, Body, build_body
from siamese.calibration import Calibration
from siamese.checkpoint import NO_HEADS, CheckpointRecord, describe, load_heads, load_network
from siamese.device import choose_device, in_halves
from siamese.errors import ZeroEmbedding
from siamese.folding import fixed
from siamese.heads import Heads
from siamese.network import EncoderNetwork
from siamese.preparing import Prepared, prepare
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import AnyImage
from siamese.threads import usable_cores

RAW = "-raw"
"""How the name of an encoder of raw pooled features ends."""

# How many images one forward pass takes, always: libraries choose other algorithms for other shapes, and
# then the same image alone and in a batch would differ in its last bits (by a distance of up to 1e-6).
# One at a time costs a CPU nothing (MobileNetV2 at 224 px on one core: 11 ms an image, in batches of 32 it
# is 22 ms); a GPU is filled up with blank images.
CPU_PASS = 1
GPU_PASS = 32

Made = TypeVar("Made")

# What computes the network instead of PyTorch: pixels (B, 3, S, S) and seen (B, h, w) to (B, h, w, D).
OtherRuntime = Callable[[NDArray[np.float32], NDArray[np.bool_]], NDArray[np.float32]]

# The precision of convolutions and products is a switch of the whole process: one thread at a time turns it.
_PRECISION = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """A batch embedded: embeddings (B, D) float32 unit; local embeddings (B, h, w, D) float32.

    The mean of an image's local embeddings over all cells, normalised, is its embedding.
    """

    embeddings: NDArray[np.float32]
    local_embeddings: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """A network that is only asked, with the record that describes it; safe to share between threads."""

    record: CheckpointRecord
    network: EncoderNetwork
    device: str
    heads: Heads = NO_HEADS
    other_runtime: OtherRuntime | None = None
    _asked: EncoderNetwork = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """On a CPU the normalisations are folded into the convolutions: a third of the time of a pass."""
        folds = self.device == "cpu" and self.other_runtime is None
        object.__setattr__(self, "_asked", fixed(self.network) if folds else self.network)

    @classmethod
    def load(cls, path: Path, *, device: str = "auto") -> Encoder:
        """The encoder of the checkpoint at this path. Raises CheckpointError, DeviceUnavailable."""
        record, network = load_network(path)
        return cls._frozen(record, network, device, heads=load_heads(path, record))

    @classmethod
    def from_body(
        cls, body: str, *, weights: str, preprocessing: Preprocessing, device: str = "auto", seed: int = 0
    ) -> Encoder:
        """An encoder of the raw pooled features, D = C; `seed` draws the weights where there are "none".

        One without weights is called so, such as "small-untrained-raw" beside "small-raw".
        Raises UnknownName, WeightsUnavailable and UnusableData.
        """
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            built = build_body(body, weights=weights)
        known = body if weights != UNTRAINED else f"{body}-untrained"
        return cls._raw(built, preprocessing, device, known=known)

    def without_linear(self) -> Encoder:
        """The same body and preprocessing without the linear layer: raw pooled features, D = C."""
        return self._raw(self.network.body, self.preprocessing, self.device, known=self.record.body)

    @classmethod
    def _raw(cls, body: Body, preprocessing: Preprocessing, device: str, *, known: str) -> Encoder:
        network = EncoderNetwork(body, nn.Identity()).eval()
        calibration = Calibration.unfitted("raw pooled features were fitted on no pairs")
        record = describe(network, name=f"{known}{RAW}", preprocessing=preprocessing, calibration=calibration)
        return cls._frozen(record, network, device)

    @classmethod
    def _frozen(
        cls, record: CheckpointRecord, network: EncoderNetwork, device: str, *, heads: Heads = NO_HEADS
    ) -> Encoder:
        chosen = choose_device(device)
        network = network.eval().requires_grad_(False).to(chosen)
        if chosen.type == "cpu":  # 5 to 60 % faster there, with every body
            network = network.to(memory_format=torch.channels_last)
        return cls(record, network, str(chosen), heads)

    @property
    def name(self) -> str:
        """What people call it, such as "mobilenet_v2-pca128"."""
        return self.record.name

    @property
    def fingerprint(self) -> str:
        """What decides whether its embeddings may be compared with others."""
        return self.record.fingerprint

    @property
    def preprocessing(self) -> Preprocessing:
        """How it wants its images."""
        return self.record.preprocessing

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of its local embeddings."""
        return self.record.grid

    @property
    def dimension(self) -> int:
        """D, the length of its embeddings."""
        return self.record.dimension

    @property
    def calibration(self) -> Calibration:
        """What its distances mean."""
        return self.record.calibration

    @property
    def at_once(self) -> int:
        """How many images it computes at the same time: with more, each takes longer."""
        return usable_cores() if self.device == "cpu" else GPU_PASS

    def prepare(self, image: AnyImage) -> Prepared:
        """The image as this encoder takes it; work of the CPU, made for many threads.

        What was bytes is decoded by `siamese.decoding.decode_for`, by everybody who embeds it.
        """
        return prepare(image, self.preprocessing, self.grid)

    def embed(self, prepared: Sequence[Prepared]) -> Embedded:
        """Embed a batch of any size, none included. Raises ZeroEmbedding and OutOfMemory."""
        embedded, without = self.embed_directed(prepared)
        if without:
            raise ZeroEmbedding(without)
        return embedded

    def embed_directed(self, prepared: Sequence[Prepared]) -> tuple[Embedded, list[int]]:
        """Embed what has a direction, and tell the positions of what has none. Raises OutOfMemory."""
        local = self.local_embeddings(prepared)
        means = local.mean(axis=(1, 2), dtype=np.float64)
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        directed = (np.isfinite(lengths) & (lengths > np.finfo(np.float32).tiny))[:, 0]
        embeddings = (means[directed] / lengths[directed]).astype(np.float32)
        return Embedded(embeddings, local[directed]), np.flatnonzero(~directed).tolist()

    def local_embeddings(self, prepared: Sequence[Prepared]) -> NDArray[np.float32]:
        """The local embeddings of a batch: (B, h, w, D). Raises OutOfMemory."""
        if not prepared:
            return np.empty((0, *self.grid, self.dimension), np.float32)
        return self._in_passes(prepared, CPU_PASS if self.device == "cpu" else GPU_PASS)

    def _in_passes(self, prepared: Sequence[Prepared], size: int) -> NDArray[np.float32]:
        """(B, h, w, D) by forward passes of exactly this size; halved where the device cannot hold one."""

        def passes(size: int) -> NDArray[np.float32]:
            batches = [prepared[i : i + size] for i in range(0, len(prepared), size)]
            return np.concatenate(self._each_pass(batches, size))

        return in_halves(passes, size, device=torch.device(self.device))

    def _each_pass(self, batches: Sequence[Sequence[Prepared]], size: int) -> list[NDArray[np.float32]]:
        """On a CPU one core for each pass and many passes at once: a core's bits do not depend on how many
        cores there are, and cores that wait for one another inside a small network waste most of their time.
        """
        if self.device != "cpu":
            return [self._pass(batch, size) for batch in batches]
        if len(batches) == 1:
            return [_on_one_core(lambda: self._pass(batches[0], size))]
        with ThreadPoolExecutor(min(len(batches), usable_cores())) as pool:
            return list(pool.map(lambda batch: _on_one_core(lambda: self._pass(batch, size)), batches))

    def _pass(self, prepared: Sequence[Prepared], size: int) -> NDArray[np.float32]:
        """One forward pass of at most `size` images, filled up with blank ones."""
        tensors = np.zeros((size, *prepared[0].tensor.shape), np.float32)
        seen = np.ones((size, *self.grid), np.bool_)
        for row, one in enumerate(prepared):
            tensors[row], seen[row] = one.tensor, one.seen
        if self.other_runtime is not None:
            return self.other_runtime(tensors, seen)[: len(prepared)]
        x = torch.from_numpy(tensors).to(self.device)
        mask = None if seen.all() else torch.from_numpy(seen).to(self.device)
        with torch.inference_mode():
            local = self._in_full_precision(x, mask)[: len(prepared)]
        return np.ascontiguousarray(local.cpu().numpy())

    def _in_full_precision(self, x: Tensor, seen: Tensor | None) -> Tensor:
        """The local embeddings in float32; on a GPU with TF32 off and with one algorithm for one shape."""
        if self.device == "cpu":
            return self._asked.local_embeddings(x.contiguous(memory_format=torch.channels_last), seen)
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with _PRECISION, exact, _exact_products():
            return self.network.local_embeddings(x, seen)


@contextmanager
def _exact_products() -> Iterator[None]:
    """Products of matrices in float32, whatever the rest of the process has asked for."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _on_one_core(work: Callable[[], Made]) -> Made:
    """Do the work with torch's own threads off; the number of threads is each thread's own."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return work()
    finally:
        torch.set_num_threads(before)
