"""Encoders outside PyTorch: written as a file for other programs, or computed by ONNX Runtime here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from siamese.encoder import Encoder
from siamese.errors import DeviceUnavailable
from siamese.files import write_durably
from siamese.onnx_check import Difference, difference, probes
from siamese.onnx_graph import OnnxSession, graph_of
from siamese.scaled_image import AnyImage

Runtime = Literal["torch", "onnx"]

DIGEST_DIGITS = 16
"""64 bits tell a whole file from a damaged one."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A file with the graph of an encoder, and how far ONNX Runtime is from PyTorch with it."""

    file: Path
    bytes: int
    encoder: str
    fingerprint: str
    difference: Difference


def export_encoder(encoder: Encoder, file: Path, *, images: Sequence[AnyImage] = ()) -> ExportReport:
    """Write the encoder, which is on the CPU, as one ONNX file, whole or not at all, and only if it is right.

    It is tried on the probes and on these images. Raises RuntimeUnavailable, RuntimeDiffers and OSError.
    """
    graph = graph_of(encoder)
    tried = [*probes(encoder.preprocessing.image_size), *images]
    measured = difference(encoder, OnnxSession(graph), tried).require_small()
    write_durably(file, graph)
    return ExportReport(file, len(graph), encoder.name, encoder.fingerprint, measured)


def computed_by(runtime: Runtime, encoder: Encoder, *, graphs: Path | None = None) -> Encoder:
    """The same encoder, computed by PyTorch, as it was loaded, or `in_onnx_runtime`, which may raise."""
    return encoder if runtime == "torch" else in_onnx_runtime(encoder, graphs=graphs)


def in_onnx_runtime(encoder: Encoder, *, graphs: Path | None = None) -> Encoder:
    """The same encoder, computed by ONNX Runtime, within `onnx_check.BOUND` of what PyTorch computes.

    graphs: a folder in which the exported graph is kept for the next time, where it can be written to.
    Raises DeviceUnavailable if the encoder is not on the CPU, RuntimeUnavailable and RuntimeDiffers.
    """
    if encoder.device != "cpu":
        raise DeviceUnavailable(f"ONNX Runtime computes on the CPU here, not on {encoder.device}")
    kept = _kept(graphs, encoder.fingerprint) if graphs else None
    graph = kept or graph_of(encoder)
    session = OnnxSession(graph)
    difference(encoder, session, probes(encoder.preprocessing.image_size)).require_small()
    if graphs and not kept:
        _keep(graphs, encoder.fingerprint, graph)
    return replace(encoder, other_runtime=session.local_embeddings)


def _kept(graphs: Path, fingerprint: str) -> bytes | None:
    """The encoder's graph from this folder, if it is there and its bytes are those that were written."""
    for file in graphs.glob(f"{fingerprint}-*.onnx"):
        with suppress(OSError):
            graph = file.read_bytes()
            if file.name == _name(fingerprint, graph):
                return graph
    return None


def _keep(graphs: Path, fingerprint: str, graph: bytes) -> None:
    """Keep the graph; a folder that cannot be written to costs only the time of the next export."""
    with suppress(OSError):
        graphs.mkdir(parents=True, exist_ok=True)
        write_durably(graphs / _name(fingerprint, graph), graph)
        for damaged in graphs.glob(f"{fingerprint}-*.onnx"):
            if damaged.name != _name(fingerprint, graph):
                damaged.unlink(missing_ok=True)


def _name(fingerprint: str, graph: bytes) -> str:
    return f"{fingerprint}-{hashlib.sha256(graph).hexdigest()[:DIGEST_DIGITS]}.onnx"
