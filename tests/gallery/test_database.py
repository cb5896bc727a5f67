"""SQLite is set up so that readers and writers of many processes do not hurt each other."""

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from gallery.database import open_engine, writing
from gallery.records.base import UtcDateTime
from gallery.records.galleries import GalleryRecord
from gallery.records.images import ContentRecord
from tests.gallery.support import Trial

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


def test_sqlite_runs_with_wal_full_synchronisation_foreign_keys_and_patience(tmp_path: Path) -> None:
    with open_engine(f"sqlite:///{tmp_path}/new/folder/records.db").connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = [connection.scalar(text(f"PRAGMA {pragma}")) for pragma in pragmas]
    assert values == ["wal", 2, 1, 30_000]


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
        tables = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")).all()
        for table in set(tables) - {"alembic_version", "sqlite_sequence"}:
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
