"""Asking before what cannot be taken back."""

import sys

import typer

from whyalike.errors import NotConfirmed


def confirm(question: str) -> None:
    """Ask a person on stderr; a no ends the command. Raises NotConfirmed where there is no terminal."""
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise NotConfirmed(
            "Nothing was done, because nobody said yes; where nobody can, pass --yes."
        ) from None
