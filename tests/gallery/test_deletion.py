"""Deleting a gallery: all of it goes, nothing else does, and a deletion that was killed can be finished."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from gallery.errors import GalleryInUse, GalleryLocked, GalleryNotFound
from gallery.records.base import Record
from tests.gallery.support import NAME, Trial, files_below, ids

FILES = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b"}


def rows(trial: Trial) -> dict[str, int]:
    with trial.engine.connect() as connection:
        counts = {
            table: connection.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in Record.metadata.tables
        }
    return {table: int(count) for table, count in counts.items() if count}


@pytest.mark.on_both
def test_everything_of_a_gallery_goes_and_nothing_of_another(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.gallery.support.NAME", "other")
    trial.run(FILES)
    alone, kept = rows(trial), files_below(trial.home / "galleries" / "other")
    monkeypatch.undo()
    trial.run(FILES)
    trial.run({"/r/red/a.jpg": b"A"})
    trial.galleries.delete(NAME)
    assert rows(trial) == alone
    assert [path.name for path in (trial.home / "galleries").iterdir()] == ["other"]
    assert files_below(trial.home / "galleries" / "other") == kept
    with pytest.raises(GalleryNotFound):
        trial.open()


def test_a_gallery_that_somebody_reads_or_writes_is_not_deleted(trial: Trial) -> None:
    trial.run(FILES)
    reader = trial.open()
    with pytest.raises(GalleryInUse, match="Build 1 of the gallery 'pictures' is open somewhere"):
        trial.galleries.delete(NAME)
    assert set(ids(reader)) == set(FILES)
    reader.close()
    with trial.writer(), pytest.raises(GalleryLocked):
        trial.galleries.delete(NAME)
    assert set(ids(trial.open())) == set(FILES)


def test_a_gallery_that_is_not_there_cannot_be_deleted(trial: Trial) -> None:
    with pytest.raises(GalleryNotFound, match="no gallery 'pictures'"):
        trial.galleries.delete(NAME)


@pytest.mark.parametrize("step", ["put_aside", "rmtree"])
def test_a_deletion_that_was_killed_is_finished_by_the_next_one(
    trial: Trial, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.run(FILES)
    target = {"put_aside": "gallery.deletion.put_aside", "rmtree": "shutil.rmtree"}[step]

    def die(*_: object, **__: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as killing:
        killing.setattr(target, die)
        with pytest.raises(InterruptedError):
            trial.galleries.delete(NAME)
    assert files_below(trial.home / "galleries")
    if step == "put_aside":
        trial.galleries.delete(NAME)
    else:
        with pytest.raises(GalleryNotFound):
            trial.galleries.delete(NAME)
    assert list((trial.home / "galleries").iterdir()) == []


def test_a_gallery_made_anew_takes_nothing_over_of_a_deletion_that_was_killed(
    trial: Trial, tmp_path: Path
) -> None:
    trial.run(FILES)
    shutil.copytree(trial.folder, tmp_path / "left")
    reader = trial.open()
    before = ids(reader)
    reader.close()
    trial.galleries.delete(NAME)
    shutil.copytree(tmp_path / "left", trial.folder)
    trial.run(FILES)
    build = trial.open()
    assert len(list((trial.folder / "segments").iterdir())) == 1
    assert build.corrupt_files() == []
    assert not set(before.values()) & set(ids(build).values()), "ids are never given twice"
