"""What all tests share: patience with a busy machine, and the two databases that records may be in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import text

from migrations import schema
from tests.homes import ELSEWHERE, new_home, remove_home
from tests.postgresql import Server, administering, running_server, why_no_server

settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test` asks PostgreSQL where the SQL matters most (marked `on_both`), `make soak` everywhere."""
    for item in items:
        databases = getattr(item, "callspec", None) and item.callspec.params.get("migrated")
        if databases == "postgresql" and item.get_closest_marker("on_both") is None:
            item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server that is started once, where its binaries are on the machine."""
    if reason := why_no_server():
        pytest.skip(reason)
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "records.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: Server) -> str:
    url = empty_database(postgresql, "migrated")
    schema.upgrade(url)
    return url


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest) -> Path | str:
    """Migrated records to make homes like: a SQLite file, or the URL of a database in PostgreSQL."""
    found: Path | str = request.getfixturevalue(f"migrated_{request.param}")
    return found


@pytest.fixture
def make_home(tmp_path: Path, migrated: Path | str) -> Iterator[Callable[[str], Path]]:
    """New homes by their names; those that are beside PostgreSQL are removed after the test."""
    yield lambda name: new_home(tmp_path / name, like=migrated)
    for elsewhere in list(tmp_path.rglob(ELSEWHERE)):
        remove_home(elsewhere.parent)


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """What a long trial has found, a line of its own at the end of `make soak`."""
    return lambda line: request.node.add_report_section("call", "found", f"  {line}\n")


def empty_database(server: Server, name: str) -> str:
    """The URL of a new database in which there is nothing."""
    with administering(server.url("postgres")) as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    return server.url(name).render_as_string(hide_password=False)
