"""The worker as the settings want it, and the processes of it that the service starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gallery.galleries import Galleries
from gallery.jobs.board import JobBoard
from gallery.sources.allowed import AllowedSources
from indexer.performing import Performer
from indexer.worker import Worker
from search_api.routes.managing import Managing
from whyalike.computing import choose_computing
from whyalike.console import say
from whyalike.home import open_galleries
from whyalike.index_wishes import index_wish
from whyalike.options import RuntimeChoice
from whyalike.settings import Settings

PARENT = "_WHYALIKE_PARENT"
"""Names the process that a worker must not outlive; set by `started_workers`, and by nobody else."""

NICENESS = 10
"""Of the workers that the service starts: on the cores that they share, searches go first."""

LAST_BREATH_S = 10.0
"""What a worker that is told to stop may take to give its job back, before it is killed."""


def make_worker(
    settings: Settings, *, device: str | None = None, runtime: RuntimeChoice | None = None
) -> Worker:
    """A worker over the home's galleries; raises what opening them and choosing a runtime raise."""
    computing = choose_computing(settings, device=device, runtime=runtime)
    galleries = open_galleries(settings)
    performer = Performer(
        galleries,
        AllowedSources.listed(settings.jobs.import_sources),
        settings=settings.indexing,
        limits=settings.limits,
        fetching=settings.fetching,
        wish=index_wish(settings.gallery.index, kind=None, recall=None, memory_mib=None),
        device=computing.device,
        runtime=computing.runtime,
        graphs=computing.graphs,
    )
    return Worker(JobBoard(galleries.engine), performer, settings.jobs, tell=say)


def make_managing(galleries: Galleries, settings: Settings) -> Managing:
    """What may be managed over HTTP; new galleries may have the encoders in `encoders` of the home."""
    return Managing(
        galleries,
        allowed=AllowedSources.listed(settings.jobs.import_sources),
        uploads=settings.gallery.uploads,
        encoders=settings.home / "encoders",
    )


@contextmanager
def started_workers(count: int, *options: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many worker processes with these options while the block runs; they end with this process."""
    command = [sys.executable, "-m", "whyalike", "worker", *options]
    environment = {**os.environ, PARENT: str(os.getpid())}
    workers = [
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
        for _ in range(count)
    ]  # in sessions of their own: Ctrl-C is for this process, which tells them
    try:
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            try:
                worker.wait(LAST_BREATH_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def go_behind_searches() -> None:
    """This process has what the service leaves of the cores, where the system knows priorities."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def is_orphaned(environment_parent: str | None) -> bool:
    """Whether the process that started this one, if it was named so, is gone."""
    return environment_parent is not None and os.getppid() != int(environment_parent)
