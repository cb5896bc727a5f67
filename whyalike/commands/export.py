"""`whyalike export`: an encoder as one file for other programs."""

import errno
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whyalike.options import Json

if TYPE_CHECKING:
    from siamese.onnx_runtime import ExportReport


def export(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="An encoder from `whyalike train`.")
    ],
    onnx: Annotated[Path, typer.Option("--onnx", metavar="FILE", help="The ONNX file to write.")],
    check: Annotated[
        list[Path] | None,
        typer.Option("--check", metavar="IMAGE", help="Try it on this picture, too; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Write an encoder as one ONNX file, once ONNX Runtime computes with it what PyTorch computes.

    The file takes pictures prepared as its metadata say, and gives local embeddings and embedding.
    """
    from siamese.encoder import Encoder
    from siamese.onnx_graph import require_onnx
    from siamese.onnx_runtime import export_encoder
    from whyalike.pictures import picture
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    limits = read_settings().limits
    require_onnx()
    _require_place(onnx)
    encoder = Encoder.load(checkpoint, device="cpu")
    images = [picture(each, encoder.preprocessing, limits=limits) for each in check or ()]
    report = export_encoder(encoder, onnx, images=images)
    if json:
        print_json(report)
    else:
        _print(report)


def _require_place(file: Path) -> None:
    """Before anything is computed, raises UsageError and FileNotFoundError."""
    from whyalike.errors import UsageError

    if file.is_dir():
        raise UsageError(f"--onnx names the folder {file}: name a file, such as {file / 'encoder.onnx'}")
    if not file.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(file.parent))


def _print(report: "ExportReport") -> None:
    """What was written, and how near it is to what it was written from."""
    from siamese.fingerprint import short
    from siamese.onnx_check import BOUND
    from whyalike.tables import print_facts

    measured = report.difference
    facts = (
        ("file", f"{report.file} ({report.bytes / 1e6:.1f} MB)"),
        ("encoder", f"{report.encoder} ({short(report.fingerprint)})"),
        ("local embeddings", f"differ from PyTorch's by at most {measured.local_embeddings:.1e}"),
        ("embedding", f"differs from PyTorch's by at most {measured.embedding:.1e}"),
        ("measured on", f"{measured.images} pictures; {BOUND:.0e} is allowed"),
    )
    print_facts(facts)
