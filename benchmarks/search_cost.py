"""What a search over HTTP costs beside what nobody can do without, and what many clients gain on one.

    python benchmarks/search_cost.py CHECKPOINT PICTURES --out FOLDER [--gallery 100000] [--queries 200]
        [--clients 16] [--seconds 20] [--runtime torch] [--processes 1]

A gallery of so many embeddings, drawn from a mixture that is fitted to those of PICTURES, is served by
`whyalike serve`, a process of its own. Each query is a file of PICTURES with a number behind its end, so that
the gallery does not know it.
In turn, one is searched for (k = 10, evidence included, from the first byte sent to the last byte received),
and one is decoded, prepared and run through the network in this process; and once more through the network as
torchvision has it, by plain PyTorch. Then one client and many ask for so many seconds, of a service of so
many processes; what the machine itself gains from computing in many processes is measured beside them, for
the cores of some machines share what they compute with.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np
import torch
from embedding_mixture import drawn, fitted
from indexing_cost import fill, made_up, noise, run_over
from numpy.typing import NDArray
from serving import served

from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.network import EncoderNetwork
from siamese.onnx_runtime import Runtime, computed_by
from siamese.preparing import Prepared

BOUNDARY = "a-part-of-a-form"
STAGES = ("decode", "embed", "search", "rescore", "explain", "total")
FITTED = 1500  # pictures that the mixture is fitted to
COMPONENTS = 40
WARM = 20  # queries before the first that counts

Made = TypeVar("Made")


def main() -> None:
    """Print both figures and the stages, as JSON."""
    chosen = _arguments()
    home = chosen.out / "home"
    pictures = [path.read_bytes() for path in sorted(chosen.pictures.rglob("*.jpg"))]
    if not home.exists():
        root = made_up(chosen.out / "pictures", chosen.gallery)
        fill(root, chosen.checkpoint, home, drawn=like(chosen.checkpoint, pictures[:FITTED]))
        run_over([root], chosen.checkpoint, home)
    queries = (pictures[number % len(pictures)] + number.to_bytes(8, "big") for number in itertools.count())
    with served(home, chosen.runtime, processes=chosen.processes) as port:
        found = cost(port, queries, chosen)
        rates = {n: rate(port, pictures, clients=n, seconds=chosen.seconds) for n in (1, chosen.clients)}
    passes = {n: passes_a_second(chosen, pictures, processes=n) for n in (1, os.cpu_count() or 1)}
    found["searches_a_second"] = {str(clients): each for clients, each in rates.items()}
    found["clients_gain"] = rates[chosen.clients] / rates[1]
    found["passes_a_second"] = {str(processes): each for processes, each in passes.items()}
    found["machine_gains"] = max(passes.values()) / passes[1]
    print(json.dumps(found, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--gallery", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--runtime", choices=("torch", "onnx"), default="torch")
    return parser.parse_args()


def like(
    checkpoint: Path, pictures: list[bytes]
) -> Callable[[Encoder, np.random.Generator], NDArray[np.float32]]:
    """Draws local embeddings whose mean is distributed like the embeddings of these pictures."""
    encoder = Encoder.load(checkpoint, device="cpu")
    prepared = (encoder.prepare(decode_for(picture, encoder.preprocessing)) for picture in pictures)
    mixture = fitted(np.concatenate([encoder.embed([each]).embeddings for each in prepared]), COMPONENTS)

    def local(encoder: Encoder, numbers: np.random.Generator) -> NDArray[np.float32]:
        spread = noise(encoder, numbers) / np.sqrt(encoder.dimension)
        return spread - spread.mean(axis=(0, 1)) + drawn(mixture, 1, numbers)[0]

    return local


def cost(port: int, queries: Iterator[bytes], chosen: argparse.Namespace) -> dict[str, object]:
    """p50 in milliseconds of a search and of what it cannot do without, and of the stages it names."""
    encoder = computed(chosen.checkpoint, chosen.runtime)
    network = encoder.network
    searched, alone, plain = [], [], []
    stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for turn in range(WARM + chosen.queries):
        answer, searching = timed(lambda: json.loads(search(connection, next(queries))))
        embedding = timed(lambda: encoder.embed([prepared(encoder, next(queries))]))[1]
        passing = timed(lambda: forward(network, prepared(encoder, next(queries))))[1]
        if turn >= WARM:
            searched.append(searching)
            alone.append(embedding)
            plain.append(passing)
            for stage in STAGES:
                stages[stage].append(answer["timings"][stage])
    return {
        "search_ms": 1e3 * median(searched),
        "alone_ms": 1e3 * median(alone),
        "ratio": median(searched) / median(alone),
        "plain_ms": 1e3 * median(plain),
        "ratio_to_plain": median(searched) / median(plain),
        "stages_ms": {stage: round(median(each), 2) for stage, each in stages.items()},
    }


def timed(work: Callable[[], Made]) -> tuple[Made, float]:
    """What it gives, and the seconds that it takes."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def prepared(encoder: Encoder, picture: bytes) -> Prepared:
    """As the encoder takes it."""
    return encoder.prepare(decode_for(picture, encoder.preprocessing))


def forward(network: EncoderNetwork, one: Prepared) -> None:
    """One forward pass by plain PyTorch on one core, as the encoder's are."""
    torch.set_num_threads(1)
    with torch.inference_mode():
        network(torch.from_numpy(one.tensor)[None].contiguous(memory_format=torch.channels_last))


def search(connection: http.client.HTTPConnection, picture: bytes) -> bytes:
    """The answer to a search for this picture; an error where it is none."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="q.jpg"\r\n\r\n'.encode()
    body = head + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
    connection.request(
        "POST", "/v1/search?k=10", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    )
    response = connection.getresponse()
    answer = response.read()
    if response.status != http.client.OK:
        raise SystemExit(f"{response.status}: {answer.decode()}")
    return answer


def rate(port: int, pictures: list[bytes], *, clients: int, seconds: float) -> float:
    """Searches a second of so many clients, each of which asks again once answered."""
    number, answered = itertools.count(), itertools.count()
    ends = time.monotonic() + seconds

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < ends:
            own = next(number)
            search(connection, pictures[own % len(pictures)] + own.to_bytes(4, "big") + os.urandom(4))
            next(answered)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return next(answered) / (time.monotonic() - began)


def passes_a_second(chosen: argparse.Namespace, pictures: list[bytes], *, processes: int) -> float:
    """Pictures that so many processes decode, prepare and embed in a second, each on one core."""
    context = multiprocessing.get_context("spawn")
    given = (chosen.checkpoint, chosen.runtime, pictures[:WARM], chosen.seconds / 2)
    with context.Pool(processes) as pool:
        return sum(pool.starmap(embedded_in, [given] * processes, chunksize=1))


def embedded_in(checkpoint: Path, runtime: Runtime, pictures: list[bytes], seconds: float) -> float:
    """Pictures a second of this process alone."""
    torch.set_num_threads(1)
    encoder = computed(checkpoint, runtime)
    count, began = 0, time.monotonic()
    for picture in itertools.cycle(pictures):
        encoder.embed([prepared(encoder, picture)])
        count += 1
        if time.monotonic() - began > seconds:
            break
    return count / (time.monotonic() - began)


def computed(checkpoint: Path, runtime: Runtime) -> Encoder:
    """The encoder on the CPU, by this runtime."""
    return computed_by(runtime, Encoder.load(checkpoint, device="cpu"))


if __name__ == "__main__":
    main()
