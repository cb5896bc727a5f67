"""Both databases are set up so that readers and writers of many processes do not hurt each other."""

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from gallery.database import open_engine, writing
from gallery.records.base import UtcDateTime
from gallery.records.galleries import GalleryRecord
from gallery.records.images import ContentRecord
from tests.gallery.support import Trial
from tests.postgresql import Server, administering

pytestmark = pytest.mark.on_both

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def test_sqlite_runs_with_wal_full_synchronisation_foreign_keys_and_patience(tmp_path: Path) -> None:
    with open_engine(f"sqlite:///{tmp_path}/new/folder/records.db").connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = [connection.scalar(text(f"PRAGMA {pragma}")) for pragma in pragmas]
    assert values == ["wal", 2, 1, 30_000]


def test_postgresql_neither_waits_for_ever_nor_is_kept_waiting(migrated_postgresql: str) -> None:
    with open_engine(migrated_postgresql).connect() as connection:
        settings = ("lock_timeout", "idle_in_transaction_session_timeout")
        assert [connection.scalar(text(f"SHOW {setting}")) for setting in settings] == ["30s", "5min"]


def test_a_connection_that_the_server_has_closed_is_made_anew(
    migrated_postgresql: str, postgresql: Server
) -> None:
    engine = open_engine(migrated_postgresql)
    assert _process_of(engine) == _process_of(engine)
    closed = _process_of(engine)
    with administering(postgresql.url("postgres")) as connection:
        connection.execute(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": closed})
    assert _process_of(engine) != closed


def test_a_plain_postgresql_url_is_answered_by_the_driver_that_is_installed(migrated_postgresql: str) -> None:
    assert open_engine(migrated_postgresql.replace("+psycopg", "")).driver == "psycopg"


def _process_of(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")) or 0)


def test_a_row_that_refers_to_nothing_is_refused(trial: Trial) -> None:
    with pytest.raises(IntegrityError), writing(trial.engine) as connection:
        connection.execute(insert(ContentRecord).values(gallery_id=99, checksum="c", width=1, height=1))


def test_writers_wait_for_each_other_and_none_fails(trial: Trial) -> None:
    with writing(trial.engine) as connection:
        connection.execute(insert(GalleryRecord).values(name="counter", created_at=NOW, published_build=0))
    failed: list[Exception] = []

    def count() -> None:
        try:
            for _ in range(20):
                with writing(trial.engine) as connection:
                    number = connection.scalar(select(GalleryRecord.published_build))
                    connection.execute(text(f"UPDATE galleries SET published_build = {number} + 1"))
        except Exception as error:  # noqa: BLE001 — told to the test below
            failed.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with trial.engine.connect() as connection:
        assert connection.scalar(select(GalleryRecord.published_build)) == 80


def test_a_reader_sees_one_state_while_a_writer_commits(trial: Trial) -> None:
    names = select(GalleryRecord.name)
    with trial.engine.begin() as reader:
        assert reader.scalars(names).all() == []
        with writing(trial.engine) as connection:
            connection.execute(insert(GalleryRecord).values(name="new", created_at=NOW))
        assert reader.scalars(names).all() == []
    with trial.engine.begin() as reader:
        assert reader.scalars(names).all() == ["new"]


def test_a_transaction_that_fails_leaves_nothing(trial: Trial) -> None:
    with pytest.raises(ZeroDivisionError), writing(trial.engine) as connection:
        connection.execute(insert(GalleryRecord).values(name="new", created_at=NOW))
        raise ZeroDivisionError
    assert trial.galleries.names() == []


def test_times_come_back_in_utc_whatever_zone_they_were_stored_in(trial: Trial) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    with writing(trial.engine) as connection:
        connection.execute(insert(GalleryRecord).values(name="new", created_at=elsewhere))
        stored = connection.scalar(select(GalleryRecord.created_at))
    assert stored == NOW
    assert stored is not None
    assert stored.tzinfo == timezone.utc


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="must name its zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), None)  # type: ignore[arg-type]


def test_a_galleries_rows_go_with_it(trial: Trial) -> None:
    trial.run({"/r/a/1.jpg": b"a"})
    with writing(trial.engine) as connection:
        connection.execute(text("DELETE FROM galleries"))
        for table in set(inspect(connection).get_table_names()) - {"alembic_version"}:
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
