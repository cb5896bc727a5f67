"""One writer at a time; a dead one is taken over, and can no longer write."""

import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text, update

from gallery import leases, writer
from gallery.builds import collection
from gallery.builds.publication import Publication
from gallery.errors import GalleryLocked, GalleryNotFound
from gallery.leases import EXPIRY
from gallery.records.galleries import LeaseRecord
from tests.gallery.support import FINGERPRINT, Trial, embedded, places

pytestmark = pytest.mark.on_both

FILES = {"/r/red/a.jpg": b"a"}
PATIENCE_S = 60.0


def gone_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def write_lease(trial: Trial, **changes: object) -> None:
    with trial.engine.begin() as connection:
        connection.execute(update(LeaseRecord).values(**changes))


def test_a_second_writer_is_told_who_writes_since_when(trial: Trial) -> None:
    with trial.writer(), pytest.raises(GalleryLocked) as refused, trial.writer():
        pass
    assert "The gallery 'pictures' is being written by process" in str(refused.value)
    assert "since 2026-11-22 12:00:00 UTC; wait for it or end it." in str(refused.value)


def test_the_next_writer_need_not_wait(trial: Trial) -> None:
    for _ in range(3):
        with trial.writer():
            pass
    with pytest.raises(ZeroDivisionError), trial.writer():
        raise ZeroDivisionError
    with trial.writer():
        pass


def test_another_gallery_can_be_written_meanwhile(trial: Trial) -> None:
    with trial.writer(), trial.galleries.writer("other"):
        pass


def test_readers_never_wait_for_a_writer(trial: Trial) -> None:
    trial.run(FILES)
    with trial.writer():
        assert len(trial.open()) == 1


def test_a_writer_that_died_on_this_machine_is_taken_over_at_once(trial: Trial) -> None:
    with trial.writer() as dead:
        write_lease(trial, process_id=gone_process())
        with trial.writer() as heir:
            heir.add_segment([embedded(b"a")], fingerprint=FINGERPRINT)
            with pytest.raises(GalleryLocked, match="was taken over by another writer; run it again"):
                dead.add_segment([embedded(b"b")], fingerprint=FINGERPRINT)


def test_a_writer_on_another_machine_is_taken_over_once_it_is_silent_for_long(trial: Trial) -> None:
    with trial.writer():
        write_lease(trial, host="elsewhere", process_id=gone_process())
        trial.clock.pass_by(EXPIRY)
        with pytest.raises(GalleryLocked, match="on elsewhere since"), trial.writer():
            pass
        trial.clock.pass_by(timedelta(seconds=1))
        with trial.writer():
            pass


def test_whoever_was_taken_over_publishes_nothing(trial: Trial) -> None:
    trial.run(FILES)
    with trial.writer() as suspended:
        trial.clock.pass_by(EXPIRY + timedelta(seconds=1))
        trial.run({"/r/red/b.jpg": b"b"})
        with pytest.raises(GalleryLocked):
            suspended.publish(
                places(FILES), roots=[Path("/r")], fingerprint=FINGERPRINT, encoder_name="toy 0"
            )
        with pytest.raises(GalleryLocked):
            suspended.collect()
    assert trial.open().corrupt_files() == []
    assert trial.open().number == 2
    assert trial.open().image(2).uri == "/r/red/b.jpg"


def test_whoever_is_taken_over_before_publishing_does_not_replace_the_heirs_manifest(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.run(FILES)

    def prepare_and_sleep(**options: Any) -> Publication:
        monkeypatch.undo()
        trial.clock.pass_by(EXPIRY + timedelta(seconds=1))
        trial.run({"/r/red/b.jpg": b"b"})
        return Publication(**options)

    monkeypatch.setattr(writer, "Publication", prepare_and_sleep)
    with pytest.raises(GalleryLocked):
        trial.run({"/r/red/c.jpg": b"c"})
    assert trial.open().number == 2
    assert trial.open().image(2).uri == "/r/red/b.jpg"


def test_whoever_is_taken_over_while_collecting_removes_nothing_more(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.run(FILES)
    left = trial.folder / "segments" / "left"
    unnamed = collection.unnamed_paths

    def list_and_sleep(connection: Connection, *arguments: Any) -> list[Path]:
        paths = unnamed(connection, *arguments)
        monkeypatch.undo()
        connection.execute(update(LeaseRecord).values(token="the heir's"))
        return paths

    with trial.writer() as suspended:
        left.mkdir()
        monkeypatch.setattr(collection, "unnamed_paths", list_and_sleep)
        with pytest.raises(GalleryLocked):
            suspended.collect()
    assert left.exists()


def test_of_many_who_make_a_gallery_at_once_one_writes_it_and_the_others_are_told(trial: Trial) -> None:
    start, end = threading.Barrier(6), threading.Barrier(6)
    outcomes: list[str] = []

    def write() -> None:
        start.wait()
        try:
            with trial.writer():
                outcomes.append("written")
                end.wait()
        except GalleryLocked:
            outcomes.append("locked")
            end.wait()
        except Exception as error:  # noqa: BLE001 - told to the test below
            outcomes.append(repr(error))
            end.wait()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["locked"] * 5 + ["written"]
    assert trial.galleries.names() == ["pictures"]


def test_the_one_who_was_taken_over_does_not_release_the_heirs_lease(trial: Trial) -> None:
    suspended = trial.writer()
    suspended.__enter__()
    trial.clock.pass_by(EXPIRY + timedelta(seconds=1))
    with trial.writer():
        suspended.__exit__(None, None, None)
        with pytest.raises(GalleryLocked), trial.writer():
            pass


def test_a_writer_that_works_for_long_renews_its_lease(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEWAL_SECONDS", 0.01)
    with trial.writer():
        for _ in range(3):
            trial.clock.pass_by(EXPIRY - timedelta(seconds=1))
            wait_until_renewed(trial)
            with pytest.raises(GalleryLocked), trial.writer():
                pass


def wait_until_renewed(trial: Trial) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with trial.engine.connect() as connection:
            (renewed,) = connection.execute(LeaseRecord.__table__.select()).scalars("renewed_at")
        if renewed == trial.clock.now:
            return
    raise AssertionError("the lease is not renewed")


def test_no_thread_and_no_row_is_left_behind(trial: Trial) -> None:
    with trial.writer():
        assert any("lease of pictures" in thread.name for thread in threading.enumerate())
    assert not any("lease of pictures" in thread.name for thread in threading.enumerate())
    with trial.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM leases")) == 0


def test_a_gallery_that_was_deleted_while_one_waited_for_it_is_not_there(trial: Trial) -> None:
    site = trial.galleries.create("brief")
    trial.galleries.delete("brief")
    with pytest.raises(GalleryNotFound, match="was deleted just now"):
        leases.Lease(trial.engine, site.gallery_id, "brief", clock=trial.clock).acquire()
