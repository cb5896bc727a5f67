"""The steps at which a writer may die: before each statement, each commit, and each change of the disk."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, event

CHANGES: tuple[tuple[Any, str], ...] = (
    (os, "fsync"),
    (os, "mkdir"),
    (os, "unlink"),
    (os, "rmdir"),
    (os, "rename"),
    (os, "replace"),
    (Path, "write_bytes"),
    (np, "save"),
    (shutil, "copytree"),
    (shutil, "rmtree"),
)

Tick = Callable[[], None]


def at_every_step(tick: Tick) -> None:
    """Call `tick` before each step of this process, of whichever thread, for the rest of its life."""
    for owner, name in CHANGES:
        setattr(owner, name, _after(tick, getattr(owner, name)))
    event.listen(Engine, "before_cursor_execute", lambda *_: tick())
    event.listen(Engine, "commit", lambda _: tick())


def die_at(number: int) -> Tick:
    """A step that kills this very process when it is taken for the `number`-th time, counted from 0."""
    taken = itertools.count()

    def step() -> None:
        if next(taken) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def kill_server_process_at(number: int) -> None:
    """Kill the process of PostgreSQL that serves the `number`-th statement of this one, before it."""
    taken = itertools.count()

    def kill(connection: Connection, *_: object) -> None:
        if next(taken) == number and connection.connection.dbapi_connection is not None:
            os.kill(connection.connection.dbapi_connection.info.backend_pid, signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", kill)


def _after(tick: Tick, function: Callable[..., object]) -> Callable[..., object]:
    def ticking(*arguments: object, **options: object) -> object:
        tick()
        return function(*arguments, **options)

    return ticking
