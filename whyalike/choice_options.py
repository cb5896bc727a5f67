"""The options of `search` that say which of the matches are shown."""

from typing import Annotated

import typer

MinProbability = Annotated[
    float | None,
    typer.Option("--min-probability", min=0, max=1, help="Leave out matches that are less probable."),
]
MaxDistance = Annotated[
    float | None, typer.Option("--max-distance", min=0, max=2, help="Leave out matches that are farther.")
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        "--group-by",
        metavar="NAME",
        help="Only the best match of each label (“label”), or value of an attribute.",
    ),
]
GroupSize = Annotated[
    int, typer.Option("--group-size", min=1, max=20, help="How many images of each group are shown.")
]
Fold = Annotated[bool, typer.Option("--fold", help="Tell each content once, however many images show it.")]
IncludeJudged = Annotated[
    bool, typer.Option("--include-judged", help="Also show pairs that were judged wrong.")
]
After = Annotated[
    str | None,
    typer.Option("--cursor", metavar="CURSOR", help="The next_cursor of the same search, for what follows."),
]
