"""CPU time of evidence from stored local embeddings, against the grad-cam package on the same pairs.

    python benchmarks/evidence_speed.py [DATA] [--body …] [--weights …] [--image-size …]

Evidence here is four maps for each of ten matches: both images, both signs.  Ours starts from what a search
has at hand (the query's local embeddings, the matches' as int8, all embeddings) and includes the
dequantisation.  The package is asked ten images to a call, the other image's embedding is given to it for
nothing, and it is timed twice: as people use it, and with the body's parameters frozen, which spares it the
backward pass through the body (the maps are those of the linear layer's output).  One thread, because threads
that wait burn CPU time.  The speed does not depend on the weights, so that random ones do; without DATA, a
folder of pictures, the pictures are noise.  Exits with 1 if the smaller ratio is below 500.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import scale_cam_image
from torch import Tensor, nn

from explain.evidence import Evidence, explain_matches
from gallery.quantization import dequantize, quantize
from siamese.bodies import BODIES, build_body
from siamese.images import decode, read
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing

MATCHES = 10
REPEATS = 200  # of ours, which is too quick to be timed once
THEIR_REPEATS = 3
REQUIRED = 500
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


class Pooled(nn.Module):
    """The unnormalised embedding, of which the package is asked to explain a score."""

    def __init__(self, network: EncoderNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, D)."""
        return self.network.local_embeddings(x).mean(dim=(1, 2))


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
    used, cams = _cpu_seconds(lambda: _cams(network, tensors, embeddings), repeats=THEIR_REPEATS)
    network.body.requires_grad_(False)
    frozen, _ = _cpu_seconds(lambda: _cams(network, tensors, embeddings), repeats=THEIR_REPEATS)
    _say(f"{chosen.body}, {chosen.image_size} px, grid {stored.query.shape}, weights {chosen.weights}")
    _say(f"Evidence for {MATCHES} matches (both images, both signs), CPU time:")
    _say(f"  from stored int8 local embeddings  {ours * 1e3:12,.2f} ms")
    package = f"grad-cam {version('grad-cam')}"
    for how, theirs in (("as used", used), ("body frozen", frozen)):
        _say(f"  {package + ', ' + how:<35}{theirs * 1e3:12,.2f} ms, {theirs / ours:8,.0f} times as much")
    _say(
        f"Greatest difference of a factual map, scaled to [0, 1]: {_difference(evidence, cams):.4f}, by int8"
    )
    return 0 if min(used, frozen) / ours >= REQUIRED else 1


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
        images = [decode(read(path)) for path in files[:: max(1, len(files) // (MATCHES + 1))][: MATCHES + 1]]
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


def _cams(network: EncoderNetwork, tensors: Tensor, embeddings: Tensor) -> list[NDArray[np.float32]]:
    """Four calls: the query and the matches, each for the cosine and against it; (10, S, S) each."""
    queries, matches = tensors[:1].expand(MATCHES, -1, -1, -1), tensors[1:]
    asked, found = embeddings[:1].expand(MATCHES, -1), embeddings[1:]
    with GradCAM(Pooled(network), [network.linear], lambda t: t.permute(0, 3, 1, 2)) as cam:
        return [
            cam(images, targets=[_Cosine(other, sign) for other in others])
            for images, others in ((queries, found), (matches, asked))
            for sign in (1, -1)
        ]


@dataclass(frozen=True)
class _Cosine:
    """The cosine with both lengths held constant, or its negative."""

    other: Tensor
    sign: int

    def __call__(self, embedding: Tensor) -> Tensor:
        lengths = (embedding.norm() * self.other.norm()).detach()
        cosine: Tensor = torch.dot(embedding, self.other) / lengths
        return self.sign * cosine


def _cpu_seconds(work: Callable[[], Result], *, repeats: int) -> tuple[float, Result]:
    result = work()  # once without the clock: caches, lazy imports
    start = time.process_time()
    for _ in range(repeats):
        result = work()
    return (time.process_time() - start) / repeats, result


def _difference(evidence: Sequence[Evidence], cams: Sequence[NDArray[np.float32]]) -> float:
    """The greatest difference of our factual maps from the package's, enlarged and scaled as it does.

    Not of the counterfactual ones: where hardly anything speaks against, scaling shows int8's rounding.
    """
    size = cams[0].shape[2], cams[0].shape[1]
    ours = [each.query.factual for each in evidence], [each.matched.factual for each in evidence]
    scaled = [scale_cam_image(scale_cam_image(np.stack(grids), size)) for grids in ours]
    return float(max(np.abs(a - b).max() for a, b in zip(scaled, cams[::2], strict=True)))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
