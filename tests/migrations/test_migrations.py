"""The schema is made by Alembic alone, and is what the records say."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from gallery.database import open_engine, require_schema
from gallery.errors import SchemaOutdated
from gallery.records.base import SCHEMA_REVISION
from gallery.records.metadata import metadata
from migrations import schema
from tests.conftest import empty_database
from tests.postgresql import Server, drop_database

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/deep/down/records.db"


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    url = empty_database(postgresql, f"unmigrated_{uuid.uuid4().hex}")
    yield url
    drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A database in which there is nothing."""
    return str(request.getfixturevalue(f"{request.param}_url"))


def test_the_migrations_make_exactly_what_the_records_say(url: str) -> None:
    schema.upgrade(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata()) == []


def test_partial_indexes_and_autoincrement_are_the_records_own(sqlite_url: str, tmp_path: Path) -> None:
    schema.upgrade(sqlite_url)
    made = tmp_path / "made.db"
    metadata().create_all(engine := open_engine(f"sqlite:///{made}"))
    assert _definitions(sqlite_url) == _definitions(str(engine.url))


def test_partial_indexes_are_the_records_own_in_postgresql(postgresql: Server, postgresql_url: str) -> None:
    schema.upgrade(postgresql_url)
    made = empty_database(postgresql, f"made_{uuid.uuid4().hex}")
    with closing(made) as engine:
        metadata().create_all(engine)
    assert _index_definitions(postgresql_url) == _index_definitions(made)
    drop_database(made)


def test_every_step_can_be_taken_back_and_again(url: str) -> None:
    schema.upgrade(url)
    before = _tables(url)
    for revision in _revisions():
        command.downgrade(schema._config(url), revision)
        schema.upgrade(url)
        assert _tables(url) == before


def test_every_table_with_an_id_of_its_own_never_gives_it_twice() -> None:
    owners = [table for table in metadata().tables.values() if "id" in table.columns]
    assert len(owners) == 11
    assert all(table.dialect_options["sqlite"]["autoincrement"] for table in owners)


def test_upgrading_twice_changes_nothing(url: str) -> None:
    schema.upgrade(url)
    before = _tables(url)
    schema.upgrade(url)
    assert _tables(url) == before


def test_the_revision_is_known_before_and_after(url: str) -> None:
    assert schema.current(url) is None
    assert not schema.is_current(url)
    schema.upgrade(url)
    assert schema.current(url) == schema.head() == SCHEMA_REVISION
    assert schema.is_current(url)


def test_a_database_that_was_not_migrated_is_refused_with_the_way_out(url: str) -> None:
    with pytest.raises(
        SchemaOutdated, match=f"is empty, this version needs {SCHEMA_REVISION}; run `whyalike migrate`"
    ):
        require_schema(open_engine(url))


def test_a_database_of_another_version_is_refused(url: str) -> None:
    schema.upgrade(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaOutdated, match="is at 9999"):
        require_schema(engine)
    assert not schema.is_current(url)


def test_a_url_with_a_percent_sign_is_taken_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/100%/records.db"
    schema.upgrade(url)
    assert (tmp_path / "100%" / "records.db").exists()


def test_processes_that_upgrade_at_the_same_time_all_succeed(url: str) -> None:
    script = f"from migrations import schema; schema.upgrade({url!r})"
    running = [subprocess.Popen([sys.executable, "-c", script], cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    assert schema.is_current(url)


def test_an_upgrade_that_fails_half_way_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import Operations

    create_index = Operations.create_index

    def fail_at_the_second(self: Operations, name: str, *arguments: object, **options: object) -> None:
        if name == "ix_segments_gallery_id_fingerprint":
            raise OSError("the disk is full")
        create_index(self, name, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Operations, "create_index", fail_at_the_second)
        with pytest.raises(OSError, match="full"):
            schema.upgrade(url)
    engine = open_engine(url)
    assert inspect(engine).get_table_names() == []
    schema.upgrade(url)
    require_schema(engine)


def test_the_way_back_down_removes_every_table(url: str) -> None:
    schema.upgrade(url)
    command.downgrade(schema._config(url), "base")
    assert inspect(open_engine(url)).get_table_names() == ["alembic_version"]


def test_what_was_removed_and_said_before_removals_had_rows_of_their_own_stays(url: str) -> None:
    command.upgrade(schema._config(url), "0016")
    said = (
        "INSERT INTO amendments (gallery_id, uri, of_source, image_id, checksum, removed, labelled, label, "
        "attributes, author, said_at) VALUES "
        "(1, '/a', false, 1, 'aa', true, true, 'x', '{}', 'ada', '2026-01-01'), "
        "(1, '/b', false, NULL, 'bb', true, false, NULL, '{}', NULL, '2026-01-01'), "
        "(1, '/c', false, NULL, NULL, false, true, NULL, '{}', NULL, '2026-01-01')"
    )
    removed = "SELECT uri, checksum, image_id FROM {} ORDER BY uri"
    with closing(url) as engine, engine.begin() as connection:
        connection.execute(text("INSERT INTO galleries (id, name, created_at) VALUES (1, 'g', '2026-01-01')"))
        content = "INSERT INTO contents (id, gallery_id, checksum, width, height) VALUES (1, 1, 'aa', 1, 1)"
        connection.execute(text(content))
        connection.execute(text("INSERT INTO images (id, content_id) VALUES (1, 1)"))
        connection.execute(text(said))
    schema.upgrade(url)
    with closing(url) as engine, engine.connect() as connection:
        expected = [("/a", "aa", 1), ("/b", "bb", None)]
        assert [tuple(row) for row in connection.execute(text(removed.format("removals")))] == expected
        told = "SELECT uri FROM amendments WHERE labelled ORDER BY uri"
        assert connection.scalars(text(told)).all() == ["/a", "/c"]
        assert connection.scalar(text("SELECT count(*) FROM amendments")) == 2
    command.downgrade(schema._config(url), "0016")
    with closing(url) as engine, engine.connect() as connection:
        again = text(removed.format("amendments WHERE removed"))
        assert [tuple(row) for row in connection.execute(again)] == expected


def test_upgrading_loads_neither_torch_nor_faiss_nor_numpy(sqlite_url: str) -> None:
    script = (
        f"import sys; from migrations import schema; schema.upgrade({sqlite_url!r}); "
        "heavy = {'torch', 'faiss', 'numpy', 'PIL', 'cv2'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def test_the_alembic_command_works_from_the_checkout(sqlite_url: str) -> None:
    environment = {**os.environ, "WHYALIKE_DATABASE_URL": sqlite_url}
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=environment, check=True
    )
    assert schema.is_current(sqlite_url)


def test_the_alembic_command_without_a_url_says_what_to_set() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "WHYALIKE_DATABASE_URL"}
    run = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stderr.strip().startswith("Set WHYALIKE_DATABASE_URL to the database to migrate")


def test_the_sql_can_be_written_out_for_postgresql() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=ROOT,
        env={**os.environ, "WHYALIKE_DATABASE_URL": "postgresql+psycopg://nobody@nowhere/nothing"},
        check=False,
        capture_output=True,
        text=True,
    )
    if "psycopg" in run.stderr and "No module" in run.stderr:
        pytest.skip("psycopg is not installed")
    assert run.returncode == 0, run.stderr
    assert "BIGSERIAL" in run.stdout
    assert "WHERE until_build IS NULL" in run.stdout


def test_two_threads_may_ask_for_the_revision_at_once(url: str) -> None:
    schema.upgrade(url)
    answers: list[str | None] = []
    threads = [threading.Thread(target=lambda: answers.append(schema.current(url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [SCHEMA_REVISION] * 4


def _definitions(url: str) -> set[str]:
    with open_engine(url).connect() as connection:
        statements = connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
        found = {
            " ".join(sorted(statement.replace(",", " ").replace('"', "").split())) for statement in statements
        }
    return {
        definition
        for definition in found
        if "alembic_version" not in definition and "sqlite_" not in definition
    }


def _index_definitions(url: str) -> set[str]:
    with closing(url) as engine, engine.connect() as connection:
        indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
        return {index for index in connection.scalars(text(indexes)) if "alembic_version" not in index}


def _tables(url: str) -> dict[str, object]:
    """Columns, keys and indexes of every table."""
    with closing(url) as engine:
        found = inspect(engine)
        return {
            table: (
                [(column["name"], str(column["type"])) for column in found.get_columns(table)],
                sorted(found.get_foreign_keys(table), key=str),
                sorted(
                    (index["name"], index["unique"], _condition(index)) for index in found.get_indexes(table)
                ),
            )
            for table in found.get_table_names()
        }


def _condition(index: ReflectedIndex) -> str:
    return str([str(each) for name, each in index.get("dialect_options", {}).items() if "where" in name])


def _revisions() -> list[str]:
    """Those that can be gone back to, the newest first."""
    scripts = ScriptDirectory.from_config(schema._config(""))
    return [str(script.down_revision or "base") for script in scripts.walk_revisions()]


@contextmanager
def closing(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    yield engine
    engine.dispose()
