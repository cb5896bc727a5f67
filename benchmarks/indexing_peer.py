"""Images per CPU second of a whole indexing run, and of imagededup's CNN encoder with the same body.

    python benchmarks/indexing_peer.py CHECKPOINT PICTURES --out FOLDER [--images 1000] [--large 100]
        [--reducing-gap 2] [--runtimes torch onnx]

needs the package imagededup (0.3.3) beside WhyAlike; it encodes a folder with `CNN.encode_images`, its own
transform and the body of the checkpoint, pooled. Both embed the same copies of PICTURES, and the same
pictures of 12 megapixels (PICTURES enlarged, with some noise). Ours runs once with each `--runtime` (see
`whyalike index --runtime`) and writes a gallery besides; what it takes to start, the export of the graph
included, is measured by runs over one picture, and left out. With `--reducing-gap` the checkpoint is
saved anew below FOLDER with that gap and no other change, as an encoder that is trained today has it. At its
import imagededup wants the weights of torchvision's mobilenet_v3_small, which it does not use here.
"""

from __future__ import annotations

import argparse
import json
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from imagededup.methods import CNN
from imagededup.utils import CustomModel
from imagededup.utils.models import MobilenetV3
from indexing_cost import copies, put, run_over, spent
from PIL import Image

from siamese.checkpoint import describe, load_network, save
from siamese.encoder import Encoder
from siamese.onnx_runtime import Runtime

LARGE = (4000, 3000)
NOISE = 6.0  # shades, so that large pictures compress as photographs do


class PooledBody(torch.nn.Module):
    """A body and the mean of its feature map, as imagededup asks for a model."""

    def __init__(self, body: torch.nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C)."""
        return self.body(x).mean(dim=(2, 3))


def main() -> None:
    """Run both over both folders, and print images per CPU second."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--large", type=int, default=100)
    parser.add_argument("--reducing-gap", type=float, default=None)
    parser.add_argument("--runtimes", nargs="+", choices=get_args(Runtime), default=list(get_args(Runtime)))
    given = parser.parse_args()
    checkpoint = given.checkpoint
    if given.reducing_gap is not None:
        checkpoint = with_gap(checkpoint, given.out / "checkpoint", given.reducing_gap)
    folders = {
        "thumbnails": (copies(given.pictures, given.out / "thumbnails", given.images), given.images),
        "photographs": (enlarged(given.pictures, given.out / "photographs", given.large), given.large),
    }
    one = copies(given.pictures, given.out / "one", 1)
    start = {runtime: start_of(runtime, one, checkpoint, given.out) for runtime in given.runtimes}
    body = Encoder.load(checkpoint, device="cpu").network.body
    peer = CNN(verbose=False, model_config=CustomModel("body", PooledBody(body), MobilenetV3.transform))
    found = {}
    for name, (root, count) in folders.items():
        theirs = spent(lambda root=root: peer.encode_images(root, recursive=True)).cpu
        found[name] = {"imagededup": count / theirs}
        for runtime in given.runtimes:
            home = given.out / f"{name}-{runtime}"
            ours = indexed(runtime, root, checkpoint, home) - start[runtime]
            found[name] |= {runtime: count / ours, f"{runtime}_ratio": theirs / ours}
    print(json.dumps(found, indent=1))


def start_of(runtime: Runtime, one: Path, checkpoint: Path, out: Path) -> float:
    """CPU seconds of a run over one picture, once the runtime has its graph."""
    indexed(runtime, one, checkpoint, out / f"first-{runtime}")
    return indexed(runtime, one, checkpoint, out / f"one-{runtime}")


def indexed(runtime: Runtime, root: Path, checkpoint: Path, home: Path) -> float:
    """CPU seconds of a whole run over the root, into a new home."""
    return spent(lambda: run_over([root], checkpoint, home, runtime=runtime)).cpu


def with_gap(path: Path, out: Path, gap: float) -> Path:
    """The checkpoint with another reducing gap, and so another fingerprint."""
    record, network = load_network(path)
    preprocessing = record.preprocessing.model_copy(update={"reducing_gap": gap})
    save(
        out,
        network,
        describe(network, name=record.name, preprocessing=preprocessing, calibration=record.calibration),
    )
    return out


def enlarged(pictures: Path, root: Path, count: int) -> Path:
    """So many pictures of 12 megapixels below the root."""
    chance = np.random.default_rng(0)
    for number, original in enumerate(islice(cycle(sorted(pictures.rglob("*.jpg"))), count)):
        with Image.open(original) as picture:
            large = np.asarray(picture.convert("RGB").resize(LARGE, Image.Resampling.BICUBIC), np.float32)
        noisy = np.clip(large + chance.normal(0, NOISE, large.shape), 0, 255).astype(np.uint8)
        data = BytesIO()
        Image.fromarray(noisy).save(data, "JPEG", quality=90)
        put(root, number, data.getvalue())
    return root


if __name__ == "__main__":
    main()
