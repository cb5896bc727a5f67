"""The command `whyalike`: its verbs, and the one place where an error becomes a sentence and an exit code."""

import io
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.core import TyperGroup

from whyalike.commands.calibrate import calibrate
from whyalike.commands.compare import compare
from whyalike.commands.demo import demo
from whyalike.commands.evaluate import evaluate
from whyalike.commands.export import export
from whyalike.commands.gallery.group import gallery
from whyalike.commands.gallery.list_galleries import galleries
from whyalike.commands.illustrate import illustrate
from whyalike.commands.index import index
from whyalike.commands.jobs import jobs
from whyalike.commands.judgements.group import judgements
from whyalike.commands.keys.group import keys
from whyalike.commands.migrate import migrate
from whyalike.commands.openapi import openapi
from whyalike.commands.search import search
from whyalike.commands.serve import serve
from whyalike.commands.train import train
from whyalike.commands.why_not import why_not
from whyalike.commands.worker import worker

INTERRUPTED = 130
TERMINATED = 143
READER_GONE = 141


class Commands(TyperGroup):
    """Runs a verb; what it raises becomes one sentence on stderr and an exit code."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Runs the verb of the command line.

        Raises `typer.Exit` with the exit code of whatever went wrong.
        """
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            _leave("Interrupted.", INTERRUPTED)
        except BrokenPipeError:
            _mute_stdout()
            _leave("", READER_GONE)
        except Exception as error:
            if hasattr(error, "exit_code") or isinstance(error, typer.Abort):
                raise
            _report(error, debug=bool(ctx.params.get("debug")))
        return result


def run() -> NoReturn:
    """The entry point: runs the command line and leaves with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    app()
    raise SystemExit(0)


app = typer.Typer(
    name="whyalike",
    help="Find the images in a collection that look like this one, and see why.",
    epilog="Exit codes and the JSON contract: docs/cli.md. Settings (WHYALIKE_…): docs/settings.md.",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    demo,
    train,
    evaluate,
    index,
    search,
    why_not,
    compare,
    illustrate,
    calibrate,
    serve,
    worker,
    export,
    galleries,
    migrate,
    openapi,
):
    app.command()(verb)
app.add_typer(gallery)
app.add_typer(judgements)
app.add_typer(keys)
app.add_typer(jobs)


def _version(wanted: bool) -> None:
    """Prints the version and leaves."""
    if wanted:
        from search_api.version import installed_version

        sys.stdout.write(f"whyalike {installed_version() or '(never installed)'}\n")
        raise typer.Exit


@app.callback()
def whyalike(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="WHYALIKE_DEBUG", help="Show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Find the images in a collection that look like this one, and see why."""


def _report(error: Exception, *, debug: bool) -> NoReturn:
    """Says what went wrong and leaves with its exit code."""
    from whyalike.errors import DatabaseBusy, exit_code, is_locked, sentence

    if debug:
        traceback.print_exception(error)
    if is_locked(error):
        error = DatabaseBusy("another process has been writing to the database for too long; try again later")
    _leave(sentence(error), exit_code(error))


def _leave(text: str, code: int) -> NoReturn:
    """One sentence on stderr, then the exit code."""
    if text:
        from whyalike.console import say

        say(text)
    raise typer.Exit(code)


def _mute_stdout() -> None:
    """Sends what is still buffered nowhere, so that leaving does not fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """Leaves as on an error, so that what is held (the lease of a gallery) is let go."""
    raise SystemExit(TERMINATED)
