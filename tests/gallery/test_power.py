"""The power may fail at any moment: what a committed row names is on the disk, whole and under its name."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gallery import files
from gallery.builds.collection import unnamed_paths
from gallery.builds.compaction import compact
from gallery.builds.rollback import roll_back
from gallery.folders import GalleryFolder
from gallery.records.galleries import GalleryRecord
from gallery.swaps.successors import begin, successor
from gallery.swaps.swap import activate
from gallery.swaps.unembedded import unembedded
from tests.gallery.power import Disk
from tests.gallery.support import NAME, Trial, checkpoint, embedded

BEFORE = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b", "/r/blue/c.jpg": b"c"}
AFTER = {"/r/red/b.jpg": b"b", "/r/blue/a.jpg": b"a", "/r/green/d.jpg": b"d"}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows synchronises no folders")


def look_after_commits(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> tuple[set[str], set[Path]]:
    """What commits found lost from now on, and the paths that they looked at."""
    disk, lost, seen = Disk(), set[str](), set[Path]()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    commit = trial.engine.dialect.do_commit

    def commit_and_look(connection: Any) -> None:
        commit(connection)
        for path in named_paths(trial):
            seen.add(path)
            lost.update(disk.lost(path, below=trial.home))

    monkeypatch.setattr(trial.engine.dialect, "do_commit", commit_and_look)
    return lost, seen


def named_paths(trial: Trial) -> set[Path]:
    """Segments, manifests and encoders that rows name."""
    folder = GalleryFolder(trial.home, NAME)
    with trial.engine.connect() as connection:
        gallery_id = connection.scalar(select(GalleryRecord.id))
        if gallery_id is None:
            return set()
        unnamed = set(unnamed_paths(connection, folder, gallery_id))
    present = (
        path for pattern in ("segments/*", "builds/*", "encoders/*/*") for path in folder.path.glob(pattern)
    )
    return set(present) - unnamed


def index_and_change(trial: Trial) -> None:
    trial.run(BEFORE)
    trial.run(AFTER)
    trial.run(AFTER, seed=1)
    for work in (lambda tenure: roll_back(tenure, build=2), compact):
        with trial.galleries.tenure(NAME) as tenure:
            work(tenure)
    trial.run({**BEFORE, **AFTER}, seed=1)
    swap(trial, {**BEFORE, **AFTER})


def swap(trial: Trial, files: dict[str, bytes]) -> None:
    """To encoder 2, which no run has used."""
    with trial.galleries.tenure(NAME) as tenure:
        begin(tenure, checkpoint(trial.home, 2), fingerprint="f3", encoder_name="toy 2", storage="int8")
    site = trial.galleries.site(NAME)
    todo = [files[each.uri] for each in unembedded(site, successor(site))]
    with trial.writer() as writer:
        writer.add_segment([embedded(data, seed=2) for data in todo], fingerprint="f3")
    with trial.galleries.tenure(NAME) as tenure:
        activate(tenure)


@pytest.mark.on_both
def test_whatever_a_committed_row_names_survives_a_power_cut(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, seen = look_after_commits(trial, monkeypatch)
    index_and_change(trial)
    assert lost == set()
    assert {path.parent.name for path in seen} >= {"segments", "builds", "f1", "f2", "f3"}


def skip_folders(path: Path) -> None:
    if not path.is_dir():
        SYNCHRONISE(path)


def skip_files(path: Path) -> None:
    if path.is_dir():
        SYNCHRONISE(path)


SYNCHRONISE = files.synchronise


@pytest.mark.parametrize(("skip", "missed"), [(skip_folders, "the name"), (skip_files, "the bytes of")])
def test_the_trial_of_power_cuts_sees_what_was_not_synchronised(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, skip: Callable[[Path], None], missed: str
) -> None:
    lost, _ = look_after_commits(trial, monkeypatch)
    monkeypatch.setattr(files, "synchronise", skip)
    trial.run(BEFORE)
    assert {line.startswith(missed) for line in lost} == {True}
