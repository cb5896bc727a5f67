"""Pictures that wait together, embedded together: the same bits as alone, and how much faster.

    python benchmarks/embedding_turns.py [--body mobilenet_v2] [--image-size 224] [--device auto] [--count N]

Threads embed pictures of noise through `EmbeddingTurns`, as the service's do, with weights drawn from a seed.
Compared are batches of what the encoder computes at once and no batches at all. Exits with 1 where one bit of
any picture depends on who was embedded with it. Of this project and others it needs what an encoder needs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import PropertyMock, patch

import numpy as np
from PIL import Image

from search_api.loaded.embedding_turns import EmbeddingTurns, Pair
from search_api.loaded.slots import Slots
from siamese.encoder import Encoder
from siamese.preparing import Prepared
from siamese.preprocessing import Preprocessing

THREADS = (1, 2, 4, 16, 48)


def main() -> int:
    """Print a line for each number of threads, and whether all bits were the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--body", default="mobilenet_v2")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--count", type=int, default=320)
    chosen = parser.parse_args()
    preprocessing = Preprocessing(image_size=chosen.image_size, fit="crop")
    encoder = Encoder.from_body(
        chosen.body, weights="none", preprocessing=preprocessing, device=chosen.device
    )
    pictures = [encoder.prepare(noise(seed, chosen.image_size)) for seed in range(chosen.count)]
    alone, _, _ = embedded(encoder, pictures, threads=1)
    print(f"{encoder.name} on {encoder.device}, {encoder.at_once} at once")
    differing = 0
    for threads in THREADS:
        with patch.object(Encoder, "at_once", PropertyMock(return_value=1)):
            _, unbatched, _ = embedded(encoder, pictures, threads=threads)
        found, batched, sizes = embedded(encoder, pictures, threads=threads)
        differing += sum(not same(*pair) for pair in zip(alone, found, strict=True))
        mean = sum(size * times for size, times in sizes.items()) / sum(sizes.values())
        print(
            f"{threads:3} threads  {unbatched:7.1f}/s one by one  {batched:7.1f}/s in batches of {mean:4.1f} "
            f"({batched / unbatched:.2f} times)"
        )
    print(f"{differing} of {len(THREADS) * chosen.count} differ from the same alone")
    return 1 if differing else 0


def embedded(
    encoder: Encoder, pictures: list[Prepared], *, threads: int
) -> tuple[list[Pair], float, Counter[int]]:
    """What the threads were told of the pictures, pictures a second, and the sizes of the batches."""
    sizes: Counter[int] = Counter()
    turns = EmbeddingTurns(Slots(1), lambda size: sizes.update([size]))
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        found = list(pool.map(lambda prepared: turns.embed(encoder, prepared), pictures))
        return found, len(pictures) / (time.perf_counter() - began), sizes


def same(one: Pair, other: Pair) -> bool:
    """Whether both are the same to the last bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def noise(seed: int, side: int) -> Image.Image:
    """A picture drawn with this seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


if __name__ == "__main__":
    sys.exit(main())
