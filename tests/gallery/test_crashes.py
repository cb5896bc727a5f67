"""A run that is killed at any step leaves the last build as it was, and the next run goes on where it was.

Each trial forks a process that takes its own life (SIGKILL) at the nth step: before each statement and
commit, and before each synchronisation, renaming, writing and removal of a file. `make soak` tries every
step, `make test` a sample.
"""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from gallery.builds.compaction import compact
from gallery.builds.improvement import improve_index
from gallery.builds.rollback import roll_back
from gallery.deletion import delete_gallery, remove_folder
from gallery.erasure import erase
from gallery.errors import GalleryNotFound, NothingPublished
from gallery.folders import GalleryFolder
from gallery.index.kinds import IndexWish
from gallery.sources.scanning import checksum
from tests.gallery.killing import Homes, Snapshot, assert_tidy, killed_at, long_steps, steps
from tests.gallery.support import FINGERPRINT, NAME, Trial, embedded, ids

pytestmark = [
    pytest.mark.on_both,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="killing a copy of this process needs os.fork"),
]

BEFORE = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b", "/r/blue/c.jpg": b"c", "/r/blue/d.jpg": b"d"}
AFTER = {
    "/r/red/b.jpg": b"b",  # unchanged
    "/r/blue/a.jpg": b"a",  # moved and relabelled
    "/r/blue/c.jpg": b"C",  # changed
    "/r/green/e.jpg": b"e",  # added; d is gone
    "/r/green/f.jpg": b"f",
}


def run(home: Path, files: dict[str, bytes], *, seed: int = 0) -> list[str]:
    """Run in a fresh process's way; returns what was embedded, which `embedded.log` outlives."""
    done: list[str] = []

    def note(digest: str) -> None:
        done.append(digest)
        with (home / "embedded.log").open("a") as stream:
            stream.write(f"{digest}\n")

    Trial.at(home).run(files, progress=note, batch=2, seed=seed)
    return done


def durable(home: Path) -> list[str]:
    log = home / "embedded.log"
    return log.read_text().split() if log.exists() else []


@pytest.fixture
def prepared(trial: Trial) -> Path:
    trial.run(BEFORE)
    trial.engine.dispose()
    return trial.home


@steps
def test_a_run_that_is_killed_at_any_step_leaves_the_last_build_as_it_was(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    before = Snapshot(Trial.at(prepared).open())
    known = ids(Trial.at(prepared).open())
    for home in homes(prepared, tmp_path, lambda home: run(home, AFTER), every=every):
        reader = Trial.at(home).open()
        assert reader.number in (1, 2)
        if reader.number == 1:
            assert Snapshot(reader) == before
        was = Snapshot(reader)

        kept = durable(home)
        assert not set(run(home, AFTER)) & set(kept), "what was durable is not embedded again"

        assert Snapshot(reader) == was, "an open reader sees nothing of the next run"
        after = Trial.at(home).open()
        found = ids(after)
        assert found.keys() == AFTER.keys()
        assert found["/r/red/b.jpg"] == known["/r/red/b.jpg"]
        assert found["/r/blue/a.jpg"] == known["/r/red/a.jpg"]
        fresh = {found[uri] for uri in ("/r/blue/c.jpg", "/r/green/e.jpg", "/r/green/f.jpg")}
        assert not fresh & set(known.values())
        assert after.number == 2
        assert_tidy(home)


@steps
def test_a_first_run_that_is_killed_at_any_step_is_gone_on_with(
    trial: Trial, tmp_path: Path, every: int, homes: Homes
) -> None:
    trial.engine.dispose()
    for home in homes(trial.home, tmp_path, lambda home: run(home, BEFORE), every=every):
        with contextlib.suppress(GalleryNotFound, NothingPublished):
            assert ids(Trial.at(home).open()).keys() == BEFORE.keys()
        kept = durable(home)
        assert not set(run(home, BEFORE)) & set(kept)
        assert ids(Trial.at(home).open()).keys() == BEFORE.keys()
        assert Trial.at(home).open().number == 1
        assert_tidy(home)


@steps
def test_a_change_of_the_encoder_that_is_killed_at_any_step_can_be_given_up(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    known = ids(Trial.at(prepared).open())
    for home in homes(prepared, tmp_path, lambda home: run(home, BEFORE, seed=1), every=every):
        published = Trial.at(home).open()
        old = published.fingerprint == FINGERPRINT
        run(home, BEFORE, seed=0 if old else 1)
        after = Trial.at(home).open()
        assert ids(after) == known
        assert after.number == (1 if old else 2)
        assert {path.name for path in (home / "galleries" / "pictures" / "encoders").iterdir()} == (
            {"f1"} if old else {"f1", "f2"}
        )
        assert_tidy(home)


def test_what_is_added_is_durable_when_the_call_returns(prepared: Path) -> None:
    def add_and_die() -> None:
        with Trial.at(prepared).writer() as writer:
            writer.add_segment([embedded(b"new")], fingerprint=FINGERPRINT)
            os.kill(os.getpid(), signal.SIGKILL)

    assert killed_at(10_000, add_and_die)
    with Trial.at(prepared).writer() as writer:
        assert checksum(b"new") in writer.embedded(FINGERPRINT)


@steps
def test_going_back_that_is_killed_at_any_step_is_done_or_not_begun(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    run(prepared, AFTER)
    first, second = (Snapshot(Trial.at(prepared).galleries.open(NAME, build=build)) for build in (1, 2))

    for home in homes(prepared, tmp_path, go_back, every=every, fewest=20):
        reader = Trial.at(home).open()
        assert Snapshot(reader).seen() == (second if reader.number == 2 else first).seen()
        if reader.number == 2:
            go_back(home)
        assert Snapshot(Trial.at(home).open()).seen() == first.seen()
        assert Snapshot(Trial.at(home).galleries.open(NAME, build=2)) == second
        assert run(home, AFTER) == []
        assert Snapshot(Trial.at(home).open()).seen() == second.seen()
        assert_tidy(home)


@steps
def test_a_compaction_that_is_killed_at_any_step_changes_nothing_that_is_seen(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    run(prepared, AFTER)
    before = Snapshot(Trial.at(prepared).open())
    for home in homes(prepared, tmp_path, fold, every=every, fewest=20):
        reader = Trial.at(home).open()
        assert Snapshot(reader).seen() == before.seen()
        was = Snapshot(reader)
        assert run(home, AFTER) == []
        fold(home)
        assert Snapshot(reader) == was
        folded = Trial.at(home).open()
        assert Snapshot(folded).seen() == before.seen()
        assert len(folded.manifest.segments) == 1
        assert_tidy(home, folded=True)


@long_steps
def test_an_erasure_that_is_killed_at_any_step_changes_nothing_that_is_seen_and_is_done_by_the_next(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    run(prepared, AFTER)
    before = Snapshot(Trial.at(prepared).open())
    gone = embedded(b"d").thumbnail
    for home in homes(prepared, tmp_path, rub_out, every=every, fewest=60):
        assert Snapshot(Trial.at(home).open()).seen() == before.seen()
        rub_out(home)
        assert Snapshot(Trial.at(home).open()).seen() == before.seen()
        assert not [
            path for path in home.rglob("thumbnails*") if path.is_file() and gone in path.read_bytes()
        ]
        assert_tidy(home, folded=True)


@steps
def test_the_building_of_an_index_that_is_killed_at_any_step_changes_nothing_that_is_seen(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    files = {f"/r/many/{number}.jpg": b"many%d" % number for number in range(70)}
    run(prepared, files)
    before = Snapshot(Trial.at(prepared).open())
    for home in homes(prepared, tmp_path, build_main_index, every=every, fewest=20):
        reader = Trial.at(home).open()
        assert Snapshot(reader).seen() == before.seen()
        assert run(home, files) == []
        build_main_index(home)
        indexed = Trial.at(home).open()
        assert Snapshot(indexed).seen() == before.seen()
        assert indexed.manifest.index.kind == "ivf-sq"
        assert len(list((home / "galleries" / NAME / "indexes").iterdir())) == 1
        assert_tidy(home)


@steps
def test_a_deletion_that_is_killed_at_any_step_is_done_or_can_be_done(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    for home in homes(prepared, tmp_path, remove_gallery, every=every, fewest=10):
        trial = Trial.at(home)
        try:
            assert ids(trial.open()).keys() == BEFORE.keys()
        except GalleryNotFound:
            remove_folder(trial.engine, GalleryFolder(home, NAME))
        else:
            remove_gallery(home)
        assert trial.galleries.names() == []
        assert not trial.folder.exists()
        run(home, AFTER)
        assert ids(trial.open()).keys() == AFTER.keys()
        assert_tidy(home)


def go_back(home: Path) -> None:
    with Trial.at(home).galleries.tenure(NAME) as tenure:
        roll_back(tenure, build=1)


def fold(home: Path) -> None:
    with Trial.at(home).galleries.tenure(NAME) as tenure:
        compact(tenure)


def rub_out(home: Path) -> None:
    with Trial.at(home).galleries.tenure(NAME) as tenure:
        erase(tenure, IndexWish())


def build_main_index(home: Path) -> None:
    with Trial.at(home).galleries.tenure(NAME) as tenure:
        improve_index(tenure, IndexWish("ivf-sq"))


def remove_gallery(home: Path) -> None:
    with Trial.at(home).galleries.tenure(NAME) as tenure:
        delete_gallery(tenure)
