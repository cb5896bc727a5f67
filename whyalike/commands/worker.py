"""`whyalike worker`: does the jobs that people ask for, one after the other."""

from __future__ import annotations

from typing import Annotated

import typer

from whyalike.options import Device, Runtime


def worker(
    once: Annotated[
        bool, typer.Option("--once", help="Do what waits now, and leave; for a timer of the system.")
    ] = False,
    device: Device = None,
    runtime: Runtime = None,
) -> None:
    """Do jobs, such as imports over HTTP, until interrupted; any number of machines may run one.

    `whyalike serve` starts one by itself. A job that is interrupted goes on where it was, in any worker.
    """
    import logging
    import os
    import threading

    from whyalike.allocation import share_arenas
    from whyalike.child_processes import PARENT, go_behind_searches, when_orphaned
    from whyalike.settings import read_settings
    from whyalike.working import make_worker

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    share_arenas()
    settings, parent = read_settings(), os.environ.get(PARENT)
    if parent is not None:
        go_behind_searches()
    working = make_worker(settings, device=device, runtime=runtime)
    if once:
        while working.do_one():
            pass
        return
    when_orphaned(parent, lambda: os._exit(0))  # as if killed: whoever comes next takes its job up
    working.run(threading.Event())
