"""`whyalike jobs`: long work that was asked for, how far it is, and its end."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import Json

jobs = typer.Typer(name="jobs", help="Look at jobs, such as imports over HTTP.", no_args_is_help=True)

JobId = Annotated[int, typer.Argument(metavar="JOB", min=1, help="Its number; `whyalike jobs list` has it.")]


@jobs.command(name="list")
def list_jobs(
    gallery: Annotated[str | None, typer.Option("--gallery", help="Only those of this gallery.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most that are listed.")] = 20,
    json: Json = False,
) -> None:
    """List the jobs, the newest first."""
    from search_api.answers.jobs import job_list
    from whyalike.job_tables import open_board, print_jobs
    from whyalike.tables import print_json

    found = job_list(open_board(), gallery=gallery, states=(), before=None, limit=limit)
    print_json(found) if json else print_jobs(found.jobs)


@jobs.command()
def show(job: JobId, json: Json = False) -> None:
    """Say how far a job is, what came of it, and which files it could not read."""
    from search_api.answers.jobs import job_schema
    from whyalike.job_tables import ERRORS_SHOWN, open_board, print_job
    from whyalike.tables import print_json

    board = open_board()
    found = job_schema(board.get(job))
    print_json(found) if json else print_job(found, board.errors(job, limit=ERRORS_SHOWN))


@jobs.command()
def cancel(job: JobId, json: Json = False) -> None:
    """End a job: at once while it waits, after its batch where it runs. What was published stays."""
    from search_api.answers.jobs import job_schema
    from whyalike.console import say
    from whyalike.job_tables import open_board
    from whyalike.tables import print_json

    found = job_schema(open_board().cancel(job))
    if json:
        print_json(found)
    else:
        say(f"job {found.id}: {'ends after its batch' if found.cancelling else found.state}")
