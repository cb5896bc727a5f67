"""What computes encoders: PyTorch on a device or ONNX Runtime on the CPU, as options and settings want it."""

from dataclasses import dataclass
from pathlib import Path

from siamese.encoder import Encoder
from siamese.onnx_graph import require_onnx
from siamese.onnx_runtime import Runtime, computed_by
from whyalike.errors import UsageError
from whyalike.options import RuntimeChoice
from whyalike.settings import Settings


@dataclass(frozen=True, slots=True)
class Computing:
    """A device of PyTorch, or "onnx" and the folder in which exported graphs are kept."""

    device: str
    runtime: Runtime
    graphs: Path

    def load(self, checkpoint: Path) -> Encoder:
        """The encoder of this checkpoint; raises what `Encoder.load` and `in_onnx_runtime` raise."""
        return self.computed(Encoder.load(checkpoint, device=self.device))

    def computed(self, encoder: Encoder) -> Encoder:
        """The same encoder, computed by the runtime; raises what `in_onnx_runtime` raises."""
        return computed_by(self.runtime, encoder, graphs=self.graphs)


def choose_computing(
    settings: Settings, *, device: str | None = None, runtime: RuntimeChoice | None = None
) -> Computing:
    """Options come before settings. Raises UsageError, and RuntimeUnavailable before anything is computed."""
    device = device or settings.device
    chosen: Runtime = runtime.value if runtime else settings.runtime
    if chosen == "onnx":
        if device not in {"auto", "cpu"}:
            raise UsageError(
                f"ONNX Runtime computes on the CPU here, not on {device}: "
                "choose --device cpu or --runtime torch"
            )
        require_onnx()
        device = "cpu"
    return Computing(device, chosen, settings.home / "onnx")
