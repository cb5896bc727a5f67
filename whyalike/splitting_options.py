"""The options of `whyalike train` that say which image is in which part."""

from typing import Annotated

import typer

from whyalike.options import SplitChoice


def _share(given: float | None) -> float | None:
    """0 ≤ share < 1; refused as wrong usage before anything is read."""
    if given is not None and not 0 <= given < 1:
        raise typer.BadParameter(f"{given:g} is no share: it must be at least 0 and less than 1")
    return given


Kind = Annotated[
    SplitChoice | None,
    typer.Option("--split", help="stratified (the default): a share of every label; paper: as published."),
]
Seed = Annotated[
    int | None, typer.Option("--split-seed", min=0, help="Draws the stratified split; by default 42.")
]
TestShare = Annotated[
    float | None,
    typer.Option(
        "--test-share",
        callback=_share,
        help="Of every label; by default 0.1, with --pairs 0. 0 where another folder is tested with.",
    ),
]
ValidationShare = Annotated[
    float | None,
    typer.Option("--validation-share", callback=_share, help="Of every label; by default 0.1."),
]
HoldOutLabels = Annotated[
    str | None,
    typer.Option(
        "--hold-out-labels",
        metavar="LABELS",
        help="Test on whole labels that are not trained on: so many (3), a share (0.2) or by name (a,b).",
    ),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        metavar="REGEX",
        help="Keep images together whose paths below DATA agree in the first group of this regular "
        "expression, or in all that it matches.",
    ),
]
NearDuplicates = Annotated[
    bool,
    typer.Option(
        "--near-duplicates/--no-near-duplicates",
        help="Look for copies that were re-encoded, resized or recoloured, and keep them together.",
    ),
]
