"""CPU time of evidence from stored local embeddings, against grad-cam and captum on the same pairs.

    python benchmarks/evidence_speed.py [DATA] [--body …] [--weights …] [--image-size …]

Evidence here is four maps for each of ten matches: both images, both signs.  Ours starts from what a search
has at hand (the query's local embeddings, the matches' as int8, all embeddings) and includes the
dequantisation.  The packages (see peers.py) are asked ten images to a call, and the other image's embedding
is given to them for nothing.  As people use them, a call makes rectified maps of one sign at the pictures'
size: grad-cam does so by itself, captum with `relu_attributions` (its documentation: the original algorithm)
and `interpolate`.  Beside that, each as frugally as it goes, with the body's parameters frozen: that spares
grad-cam the backward pass through the body (the maps are those of the linear layer's output), which captum
never makes; and of captum both signs from one call, left on the grid.  One thread, because threads that wait
burn CPU time.  The speed does not depend on the weights, so that random ones do; without DATA, a folder of
pictures, the pictures are noise.  The difference is the greatest of a factual map scaled to [0, 1], and comes
of int8.  Exits with 1 if a package as people use it takes less than a thousand times as long as ours.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from peers import AS_USED, PEERS, Maps, Pooled
from PIL import Image
from pytorch_grad_cam.utils.image import scale_cam_image
from torch import Tensor, nn

from explain.evidence import Evidence, explain_matches
from gallery.segments.quantization import dequantize, quantize
from siamese.bodies import BODIES, build_body
from siamese.decoding import decode_for
from siamese.images import read
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing

MATCHES = 10
REPEATS = 200  # of ours, which is too quick to be timed once
ROUNDS = 3  # of which the quickest counts: another process on the machine only adds
REQUIRED = 1000
SEED = 0

Result = TypeVar("Result")


@dataclass(frozen=True)
class Stored:
    """What a search has at hand when its matches are found."""

    query: NDArray[np.float32]  # (h, w, D)
    query_embedding: NDArray[np.float32]  # (D,)
    matched: NDArray[np.int8]  # (10, h, w, D)
    scales: NDArray[np.float32]  # (10, 1, 1, 1)
    matched_embeddings: NDArray[np.float32]  # (10, D)


def main() -> int:
    """Measure both in one run, print both and their ratio."""
    chosen = _arguments()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    body = build_body(chosen.body, weights=chosen.weights)
    network = EncoderNetwork(body, nn.Linear(body.channels, chosen.dimension)).eval()
    tensors = _tensors(chosen.data, Preprocessing(image_size=chosen.image_size))
    if chosen.weights == "none":
        _enliven(network, tensors)
    stored, embeddings = _stored(network, tensors)
    ours, evidence = _cpu_seconds(lambda: _evidence(stored), repeats=REPEATS)
    _say(f"{chosen.body}, {chosen.image_size} px, grid {stored.query.shape}, weights {chosen.weights}")
    _say(f"Evidence for {MATCHES} matches (both images, both signs), CPU time:")
    _say(f"  {'from stored int8 local embeddings':<46}{ours * 1e3:10,.2f} ms")
    pooled, ratios = Pooled(network), {}
    for peer in PEERS:
        network.body.requires_grad_(peer.trained)
        theirs, maps = _cpu_seconds(partial(peer.maps, pooled, tensors, embeddings), repeats=1)
        ratios[peer] = theirs / ours
        _say(
            f"  {peer.name:<46}{theirs * 1e3:10,.2f} ms, {ratios[peer]:6,.0f} times as much; "
            f"a factual map differs by {_difference(evidence, maps):.4f}"
        )
    return 0 if all(ratio >= REQUIRED for peer, ratio in ratios.items() if peer.how == AS_USED) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="a folder of pictures; noise without one")
    parser.add_argument("--body", default="mobilenet_v2", choices=list(BODIES))
    parser.add_argument("--weights", default="none", help="imagenet, none or a state_dict file")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--dimension", type=int, default=128)
    return parser.parse_args()


def _tensors(data: Path | None, preprocessing: Preprocessing) -> Tensor:
    """(11, 3, S, S): the query and ten matches."""
    if data is None:
        noise = np.random.default_rng(SEED).integers(0, 256, (MATCHES + 1, 64, 64, 3), np.uint8)
        images = [Image.fromarray(pixels) for pixels in noise]
    else:
        files = sorted(path for path in data.rglob("*") if path.is_file())
        images = [
            decode_for(read(path), preprocessing)
            for path in files[:: max(1, len(files) // (MATCHES + 1))][: MATCHES + 1]
        ]
    if len(images) <= MATCHES:
        raise SystemExit(f"{data} holds {len(images)} pictures, and {MATCHES + 1} are needed.")
    return torch.from_numpy(np.stack([preprocessing.preprocess(image) for image in images]))


@torch.no_grad()
def _enliven(network: EncoderNetwork, tensors: Tensor) -> None:
    """Make random features differ: fit the batch normalisation, and move the mean embedding to near 0.

    Otherwise every map is flat, and comparing flat maps compares rounding.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain average of what it sees
    network.train().feature_map(tensors)
    network.eval()
    assert isinstance(network.linear, nn.Linear)
    network.linear.bias.sub_(0.9 * network.local_embeddings(tensors).mean(dim=(0, 1, 2)))


def _stored(network: EncoderNetwork, tensors: Tensor) -> tuple[Stored, Tensor]:
    with torch.inference_mode():
        local = network.local_embeddings(tensors)
    embeddings = local.mean(dim=(1, 2))
    units = nn.functional.normalize(embeddings).numpy()
    rounded = [quantize(each) for each in local[1:].numpy()]
    scales = np.array([scale for _, scale in rounded], np.float32)[:, None, None, None]
    matched = np.stack([values for values, _ in rounded])
    return Stored(local[0].numpy(), units[0], matched, scales, units[1:]), embeddings.clone()


def _evidence(stored: Stored) -> list[Evidence]:
    return explain_matches(
        stored.query,
        dequantize(stored.matched, stored.scales),
        query_embedding=stored.query_embedding,
        matched_embeddings=stored.matched_embeddings,
    )


def _cpu_seconds(work: Callable[[], Result], *, repeats: int) -> tuple[float, Result]:
    result = work()  # once without the clock: caches, lazy imports
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(repeats):
            result = work()
        rounds.append((time.process_time() - start) / repeats)
    return min(rounds), result


def _difference(evidence: Sequence[Evidence], cams: Maps) -> float:
    """The greatest difference of our factual maps from a package's, enlarged and scaled as grad-cam does.

    Not of the counterfactual ones: where hardly anything speaks against, scaling shows int8's rounding.
    """
    size = max(each.shape[1] for each in cams), max(each.shape[2] for each in cams)
    ours = [each.query.factual for each in evidence], [each.matched.factual for each in evidence]
    return float(
        max(
            np.abs(_scaled(np.stack(grids), size) - _scaled(theirs, size)).max()
            for grids, theirs in zip(ours, cams, strict=True)
        )
    )


def _scaled(maps: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = scale_cam_image(scale_cam_image(maps, size[::-1]))
    return scaled


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
