"""How far ONNX Runtime is from PyTorch on real pictures, and how much faster: docs/decisions/0011.

python benchmarks/onnx_runtime.py CHECKPOINT DATA [--every 20]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from gallery.sources.scanning import scan
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.images import read
from siamese.onnx_graph import PIXELS, SEEN, graph_of
from siamese.onnx_runtime import in_onnx_runtime
from siamese.preparing import Prepared

BATCH = 8
TIMED = 40
ROUNDS = 5


def main() -> None:
    """Prints the differences and the CPU time of both on one core, taken by turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=20, help="take one picture of so many")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    encoder = Encoder.load(wanted.checkpoint, device="cpu")
    computed = in_onnx_runtime(encoder)
    files = list(scan([wanted.data]))[:: wanted.every]
    prepared = [encoder.prepare(decode_for(read(file.path), encoder.preprocessing)) for file in files]
    print(f"{encoder.name}, {encoder.preprocessing.image_size} px, {len(prepared)} pictures")
    print_differences(encoder, computed, prepared)
    print_bits(encoder, computed, prepared)
    print_times({"torch": encoder, "onnx": computed}, prepared[:TIMED])


def print_differences(encoder: Encoder, computed: Encoder, prepared: list[Prepared]) -> None:
    """The most that one number, an embedding and a distance of two pictures differ by."""
    ours, theirs = encoder.embed(prepared), computed.embed(prepared)
    lengths = np.linalg.norm(ours.local_embeddings.mean(axis=(1, 2)), axis=1)
    of_local = abs(theirs.local_embeddings - ours.local_embeddings).reshape(len(prepared), -1).max(axis=1)
    moved = np.linalg.norm(theirs.embeddings.astype(np.float64) - ours.embeddings, axis=1)
    apart = [distances(each.embeddings.astype(np.float64)) for each in (ours, theirs)]
    print(f"length of the mean local embedding: {lengths.min():.1f} to {lengths.max():.1f}")
    print(
        f"one number of the local embeddings: {of_local.max():.1e}, "
        f"divided by that length: {(of_local / lengths).max():.1e}"
    )
    print(f"one number of an embedding: {abs(theirs.embeddings - ours.embeddings).max():.1e}")
    print(f"distance of a picture to itself in the other runtime: {moved.max():.1e}")
    print(f"distance of two pictures: {abs(apart[0] - apart[1]).max():.1e}")
    nearest = [(each + 9 * np.eye(len(each))).argmin(axis=1) for each in apart]
    print(f"same nearest picture: {np.mean(nearest[0] == nearest[1]):.4f}")


def print_bits(encoder: Encoder, computed: Encoder, prepared: list[Prepared]) -> None:
    """Whether ONNX Runtime's bits depend on batch, threads of a session, or calls at the same time."""
    graph = graph_of(encoder)
    pixels, seen = np.stack([each.tensor for each in prepared]), np.stack([each.seen for each in prepared])

    def run(session: onnxruntime.InferenceSession, rows: slice) -> NDArray[np.float32]:
        names = {each.name for each in session.get_inputs()}
        given = {PIXELS: pixels[rows], SEEN: seen[rows]}
        made: NDArray[np.float32] = session.run(None, {name: given[name] for name in names})[0]
        return made

    def rows(size: int) -> list[slice]:
        return [slice(start, start + size) for start in range(0, len(prepared), size)]

    alone = computed.local_embeddings(prepared)
    one, two = open_session(graph, threads=1), open_session(graph, threads=2)
    with ThreadPoolExecutor(4) as pool:
        at_once = np.concatenate(list(pool.map(lambda each: run(one, each), rows(1))))
    batches = np.concatenate([run(one, each) for each in rows(BATCH)])
    on_two = np.concatenate([run(two, each) for each in rows(1)])
    for name, other in {
        f"in batches of {BATCH}": batches,
        "on 2 threads": on_two,
        "4 at once": at_once,
    }.items():
        print(f"largest difference {name}: {abs(other - alone).max():.1e}")


def print_times(encoders: dict[str, Encoder], prepared: list[Prepared]) -> None:
    """Milliseconds of CPU time for one picture on one core, the best of some rounds by turns."""
    best = dict.fromkeys(encoders, float("inf"))
    for _ in range(ROUNDS):
        for name, encoder in encoders.items():
            best[name] = min(best[name], cpu_ms(encoder.local_embeddings, prepared))
    print(", ".join(f"{name} {ms:.1f} ms" for name, ms in best.items()), end="")
    print(f" of CPU time for a picture: {best['torch'] / best['onnx']:.1f} times as fast")


def cpu_ms(embed: Callable[[list[Prepared]], object], prepared: list[Prepared]) -> float:
    """For one picture, asked one at a time."""
    started = time.process_time()
    for each in prepared:
        embed([each])
    return 1000 * (time.process_time() - started) / len(prepared)


def open_session(graph: bytes, *, threads: int) -> onnxruntime.InferenceSession:
    """A session with so many threads inside a call."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def distances(embeddings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each pair: (n, n)."""
    return np.asarray(np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2))


if __name__ == "__main__":
    main()
