"""A real PostgreSQL server for the tests, where its binaries are on the machine."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

BINARIES = ("initdb", "postgres")
STARTING_S = 30.0
STOPPING_S = 20.0
USER = "whyalike"
UNPRIVILEGED = "nobody"
"""Who the server runs as where the tests run as root, whom PostgreSQL refuses."""

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # the machine stays on; a trial that means to cut it must switch it on
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "300",
    "autovacuum": "off",  # a database that is being cleaned cannot be copied
}


def why_no_server() -> str | None:
    """The reason for which no server can be started here, None if there is none."""
    if sys.platform == "win32":
        return "the tests reach PostgreSQL through a socket in a folder, which Windows has not"
    if find_spec("psycopg") is None:
        return "psycopg is not installed: pip install 'whyalike[postgres]'"
    if binaries() is None:
        return "PostgreSQL's initdb and postgres are neither on PATH nor in /usr/lib/postgresql"
    return None


def binaries() -> Path | None:
    """The folder that holds them: of PATH, of pg_config, or of the newest Debian package."""
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], check=False, capture_output=True, text=True)
        candidates.append(Path(told.stdout.strip() or "."))
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    candidates += sorted(installed, key=lambda path: float(path.parent.name), reverse=True)
    return next((each for each in candidates if all((each / name).exists() for name in BINARIES)), None)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; databases are made and dropped by name."""

    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> URL:
        return URL.create(
            "postgresql+psycopg", username=USER, database=database, query={"host": str(self.folder)}
        )


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """A fresh server in a folder of its own, which is removed with it."""
    folder = Path(tempfile.mkdtemp(prefix="whyalike-pg-"))
    try:
        identity = _identity(folder)
        _run_initdb(folder, identity)
        process = subprocess.Popen(
            [str(_binary("postgres")), "-D", str(folder / "data"), "-k", str(folder), *_settings()],
            stdout=(folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no other thread runs when fixtures begin
            **identity,  # type: ignore[call-overload]
        )
        try:
            server = Server(folder, process)
            wait_until_it_answers(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            process.wait(STOPPING_S)
    finally:
        shutil.rmtree(folder)


def wait_until_it_answers(server: Server) -> None:
    """Also after one of its processes has died, and it has begun anew."""
    deadline = time.monotonic() + STARTING_S
    while True:
        try:
            with administering(server.url("postgres")) as connection:
                connection.execute(text("SELECT 1"))
                return
        except OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((server.folder / "log").read_text()) from None
            time.sleep(0.05)


@contextlib.contextmanager
def administering(url: URL | str) -> Iterator[Connection]:
    """A connection to the server of this URL, outside of its database and of any transaction."""
    engine = create_engine(make_url(url).set(database="postgres"), poolclass=NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def copy_database(url: URL | str, name: str) -> str:
    """The URL of a new database that holds what the other one does; whoever uses that is cut off."""
    original = make_url(url)
    with administering(original) as connection:
        _cut_off(connection, str(original.database))
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{original.database}"'))
    return original.set(database=name).render_as_string(hide_password=False)


def drop_database(url: URL | str) -> None:
    with administering(url) as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)'))


def _cut_off(connection: Connection, database: str) -> None:
    users = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    connection.execute(users, {"name": database})


def _binary(name: str) -> Path:
    folder = binaries()
    assert folder is not None, why_no_server()
    return folder / name


def _identity(folder: Path) -> dict[str, object]:
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, UNPRIVILEGED)
    return {"user": UNPRIVILEGED, "extra_groups": []}


def _run_initdb(folder: Path, identity: dict[str, object]) -> None:
    """With the order of words that people's databases have, where this PostgreSQL knows it."""
    command = [str(_binary("initdb")), "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8"]
    languages = (["--locale-provider=icu", "--icu-locale=en", "--locale=C"], ["--locale=C"])
    for language in languages:
        made = subprocess.run(
            [*command, "--no-sync", *language],
            check=False,
            capture_output=True,
            cwd=folder,
            **identity,  # type: ignore[call-overload]
        )
        if made.returncode == 0:
            return
        shutil.rmtree(folder / "data", ignore_errors=True)
    raise RuntimeError(made.stderr.decode())


def _settings() -> Iterator[str]:
    for name, value in SETTINGS.items():
        yield from ("-c", f"{name}={value}")


def _die_with_parent() -> None:
    if sys.platform == "linux":  # where the tests are killed nobody else stops it
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGINT)
