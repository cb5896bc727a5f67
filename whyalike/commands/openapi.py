"""`whyalike openapi`: the description of the API that `docs/openapi.json` is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def openapi(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it here instead of to stdout.")
    ] = None,
) -> None:
    """Describe the API as OpenAPI, in JSON, as the service does with default settings."""
    import sys

    from whyalike.described import described_api

    text = described_api()
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
