"""An encoder as an ONNX graph, and a session of ONNX Runtime that computes it."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from siamese.errors import RuntimeUnavailable
from siamese.network import EncoderNetwork

if TYPE_CHECKING:
    from siamese.encoder import Encoder

PIXELS = "pixels"
SEEN = "seen"
LOCAL_EMBEDDINGS = "local_embeddings"
EMBEDDING = "embedding"

# The oldest that torch's exporter writes without converting, so the one that most runtimes know.
OPSET = 18
PACKAGES = ("onnx", "onnxscript", "onnxruntime")


class OnnxSession:
    """A graph in ONNX Runtime, on the CPU, one core a call; threads may share it.

    Raises RuntimeUnavailable.
    """

    __slots__ = ("_inputs", "_session")

    def __init__(self, graph: bytes) -> None:
        require_onnx()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._inputs = {each.name for each in self._session.get_inputs()}

    def local_embeddings(self, pixels: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
        """pixels (B, 3, S, S) and seen (B, h, w) to (B, h, w, D)."""
        return self._run(LOCAL_EMBEDDINGS, pixels, seen)

    def embeddings(self, pixels: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The same to unit embeddings (B, D); zeros where there is no direction."""
        return self._run(EMBEDDING, pixels, seen)

    def _run(self, output: str, pixels: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
        given = {PIXELS: pixels, SEEN: seen}
        fed = {name: array for name, array in given.items() if name in self._inputs}
        made: NDArray[np.float32] = self._session.run([output], fed)[0]
        return made


def graph_of(encoder: Encoder) -> bytes:
    """The file of an ONNX graph that computes what the encoder, which is on the CPU, computes.

    Inputs: `pixels` (B, 3, S, S) float32 and, where the encoder pads, `seen` (B, h, w) bool. Outputs:
    `local_embeddings` (B, h, w, D) and `embedding` (B, D). Its metadata say whose graph it is and how a
    picture becomes pixels. Raises RuntimeUnavailable.
    """
    require_onnx()
    import onnx

    size = encoder.preprocessing.image_size
    # Two of each: an exporter takes a batch of one for a constant.
    given: dict[str, Tensor] = {PIXELS: torch.zeros(2, 3, size, size)}
    if encoder.preprocessing.fit == "pad":
        given[SEEN] = torch.ones(2, *encoder.grid, dtype=torch.bool)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own deprecated parts
        program = torch.onnx.export(
            _Outputs(encoder.network).eval(),
            kwargs=given,
            input_names=list(given),
            output_names=[LOCAL_EMBEDDINGS, EMBEDDING],
            dynamic_shapes={name: {0: torch.export.Dim("batch")} for name in given},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None, "only the older exporter returns nothing"
    model = program.model_proto
    onnx.helper.set_model_props(model, _metadata(encoder))
    return bytes(model.SerializeToString())


def require_onnx() -> None:
    """Raises RuntimeUnavailable where a package of the extra `onnx` is missing."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise RuntimeUnavailable(
            f"ONNX needs the package {missing[0]}, which is not installed: pip install 'whyalike[onnx]'"
        )


class _Outputs(nn.Module):
    """The network, with both of the graph's outputs."""

    def __init__(self, network: EncoderNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        local = self.network.local_embeddings(pixels, seen)
        return local, functional.normalize(local.mean(dim=(1, 2)), dim=1)


def _metadata(encoder: Encoder) -> dict[str, str]:
    return {
        "name": encoder.name,
        "fingerprint": encoder.fingerprint,
        "preprocessing": encoder.preprocessing.model_dump_json(),
    }
