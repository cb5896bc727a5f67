"""Heads: linear layers on unit embeddings that judge a pair, or name a label. No torch.

They stand beside the encoder and never change its fingerprint; they have digests of their own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import BaseModel

from siamese.files import write_durably

Floats = NDArray[np.float32]
Logits = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class PairHead:
    """The chance that two images show the same, linear in |q − m| and q ∘ m: neither image comes first.

    difference, product: (D,) float32 weights. The linear form of the "sigmoid" Siamese networks (Koch et al.,
    ICML Deep Learning Workshop 2015, section 3.1).
    """

    difference: Floats
    product: Floats
    bias: float

    def __post_init__(self) -> None:
        if self.difference.ndim != 1 or self.difference.shape != self.product.shape:
            raise ValueError(
                f"a pair head has two rows of D weights, not {self.difference.shape} and {self.product.shape}"
            )
        _prove_finite(self.difference, self.product, np.asarray(self.bias))

    @property
    def dimension(self) -> int:
        """D, the length of the embeddings that it judges."""
        return len(self.difference)

    @property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal, of its numbers."""
        return _digest([self.difference, self.product, np.float64(self.bias)])

    def logits(self, query: Floats, matched: Floats) -> Logits:
        """difference · |q − m| + product · (q ∘ m) + bias, of unit embeddings (..., D): (...,).

        The two are broadcast against each other. Positive says same.
        """
        query, matched = np.asarray(query, np.float64), np.asarray(matched, np.float64)
        logits: Logits = np.abs(query - matched) @ self.difference + (query * matched) @ self.product
        return logits + self.bias

    def probabilities(self, query: Floats, matched: Floats) -> Logits:
        """The chance in (0, 1) that each pair is same; once calibrated, 0.5 is the verdict's threshold."""
        return np.exp(-np.logaddexp(0.0, -self.logits(query, matched)))

    def rescaled(self, slope: float, intercept: float) -> PairHead:
        """The head whose logits are slope · logit + intercept."""
        return PairHead(
            (self.difference * slope).astype(np.float32),
            (self.product * slope).astype(np.float32),
            self.bias * slope + intercept,
        )


@dataclass(frozen=True, slots=True, eq=False)
class ClassHead:
    """Which of the labels it learned an image shows. weight: (L, D) float32; bias: (L,) float32."""

    labels: tuple[str, ...]
    weight: Floats
    bias: Floats

    def __post_init__(self) -> None:
        count = len(self.labels)
        if not count or len(set(self.labels)) < count:
            raise ValueError("a class head has labels, and each of them once")
        if self.weight.ndim != 2 or len(self.weight) != count or self.bias.shape != (count,):
            raise ValueError(
                f"{count} labels need as many weights and biases: {self.weight.shape}, {self.bias.shape}"
            )
        _prove_finite(self.weight, self.bias)

    @property
    def dimension(self) -> int:
        """D, the length of the embeddings that it judges."""
        return int(self.weight.shape[1])

    @property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal, of its labels and numbers."""
        return _digest([self.weight, self.bias], text=json.dumps(self.labels))

    def logits(self, embeddings: Floats) -> Logits:
        """A number for each label, of unit embeddings (..., D): (..., L). Their softmax was trained."""
        logits: Logits = np.asarray(embeddings, np.float64) @ self.weight.T.astype(np.float64) + self.bias
        return logits

    def label_of(self, embedding: Floats) -> tuple[str, float]:
        """The most probable label of an image (D,), and its probability by the softmax."""
        logits = self.logits(embedding)
        best = int(logits.argmax())
        return self.labels[best], float(1 / np.exp(logits - logits[best]).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """The heads of one encoder; an encoder may have neither."""

    pair: PairHead | None = None
    classes: ClassHead | None = None

    def __post_init__(self) -> None:
        if self.pair and self.classes and self.pair.dimension != self.classes.dimension:
            raise ValueError("the heads of one encoder judge embeddings of one length")

    @property
    def dimension(self) -> int | None:
        """D, the length of the embeddings that they judge; None where there is no head."""
        head = self.pair or self.classes
        return head.dimension if head else None

    @property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal, of both."""
        return _digest([], text=json.dumps([head and head.digest for head in (self.pair, self.classes)]))

    def save(self, path: Path) -> None:
        """Write them to one safetensors file, whole or not at all. Raises OSError."""
        tensors: dict[str, NDArray[np.generic]] = {}
        labels: tuple[str, ...] = ()
        if self.pair:
            tensors |= {"pair.difference": self.pair.difference, "pair.product": self.pair.product}
            tensors["pair.bias"] = np.array([self.pair.bias], np.float64)
        if self.classes:
            tensors |= {"classes.weight": self.classes.weight, "classes.bias": self.classes.bias}
            labels = self.classes.labels
        contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        write_durably(path, safetensors.numpy.save(contiguous, metadata={"labels": json.dumps(labels)}))

    @classmethod
    def load(cls, path: Path) -> Heads:
        """Read what `save` wrote. Raises OSError, SafetensorError, KeyError, TypeError or ValueError."""
        with safetensors.safe_open(path, framework="numpy") as file:
            labels = tuple(json.loads(file.metadata()["labels"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        pair = classes = None
        if "pair.bias" in tensors:
            bias = float(tensors["pair.bias"][0])
            pair = PairHead(tensors["pair.difference"], tensors["pair.product"], bias)
        if "classes.bias" in tensors:
            classes = ClassHead(labels, tensors["classes.weight"], tensors["classes.bias"])
        return cls(pair, classes)


class HeadsRecord(BaseModel, frozen=True):
    """What a checkpoint says of its heads.

    `pair` and `classes` are the digests of the heads there are. The pair head was calibrated on `pairs`
    balanced pairs of validation images, which it tells apart with `balanced_accuracy` at a probability of
    0.5; where nothing could be fitted, `reason` says why.
    """

    digest: str
    pair: str | None = None
    classes: str | None = None
    labels: tuple[str, ...] = ()
    pairs: int = 0
    balanced_accuracy: float | None = None
    reason: str | None = None

    @classmethod
    def of(
        cls,
        heads: Heads,
        *,
        pairs: int = 0,
        balanced_accuracy: float | None = None,
        reason: str | None = None,
    ) -> HeadsRecord:
        """The record of these heads, and what is known of the pair head's calibration."""
        return cls(
            digest=heads.digest,
            pair=heads.pair and heads.pair.digest,
            classes=heads.classes and heads.classes.digest,
            labels=heads.classes.labels if heads.classes else (),
            pairs=pairs,
            balanced_accuracy=balanced_accuracy,
            reason=reason,
        )

    @property
    def file(self) -> str:
        """The name of the heads beside the record: other heads never overwrite them."""
        return f"heads-{self.digest[:16]}.safetensors"


def _prove_finite(*arrays: NDArray[np.generic]) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("a head has finite weights")


def _digest(arrays: Sequence[NDArray[np.generic] | np.generic], *, text: str = "") -> str:
    digest = hashlib.sha256(text.encode())
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
