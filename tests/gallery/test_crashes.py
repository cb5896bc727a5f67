"""A run that is killed at any step leaves the last build as it was, and the next run goes on where it was.

Each trial forks a process that takes its own life (no `finally`, no `atexit`) at the nth step: before each
statement and commit, and before each synchronisation, renaming, writing and removal of a file. `make soak`
tries every step, `make test` a sample.
"""

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
import pytest
from sqlalchemy import Engine, event, text

from gallery.build import Build, GalleryImage
from gallery.errors import GalleryNotFound, NothingPublished
from gallery.scanning import checksum
from tests.gallery.support import FINGERPRINT, Trial, embedded, ids, images
from tests.homes import copy_home, remove_home

pytestmark = [
    pytest.mark.on_both,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="killing a copy of this process needs os.fork"),
]

KILLED = 77
FAILED = 70
SEED = 20261122
"""Decides which of the steps the sample takes."""

steps = pytest.mark.parametrize("every", [17, pytest.param(1, marks=pytest.mark.soak)])

BEFORE = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b", "/r/blue/c.jpg": b"c", "/r/blue/d.jpg": b"d"}
AFTER = {
    "/r/red/b.jpg": b"b",  # unchanged
    "/r/blue/a.jpg": b"a",  # moved and relabelled
    "/r/blue/c.jpg": b"C",  # changed
    "/r/green/e.jpg": b"e",  # added; d is gone
    "/r/green/f.jpg": b"f",
}


class Snapshot:
    """Everything that a reader sees in a build."""

    def __init__(self, build: Build) -> None:
        self.number = build.number
        self.images: list[GalleryImage] = images(build)
        image_ids = [image.image_id for image in self.images]
        self.thumbnails = [build.thumbnail(image_id) for image_id in image_ids]
        self.embeddings = build.embeddings(image_ids).tobytes()
        self.local_embeddings = build.local_embeddings(image_ids).tobytes()
        query = embedded(b"a").embedding
        self.found = build.search(query, count=3, fingerprint=build.fingerprint) if image_ids else []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return self.number


def killed_at(step: int, action: Callable[[], object]) -> bool:
    """Run the action in a process that dies at the step; False if the action was done before."""
    child = os.fork()
    if child == 0:
        try:
            faiss.omp_set_num_threads(1)
            _arm(step)
            action()
        except BaseException as error:  # noqa: BLE001 — nothing may return into the copy of the test session
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(FAILED)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def _arm(step: int) -> None:
    left = iter(range(step - 1, -1, -1))
    main = threading.get_ident()

    def tick() -> None:
        if threading.get_ident() == main and next(left) == 0:
            os._exit(KILLED)

    for owner, name in (
        (os, "fsync"),
        (os, "mkdir"),
        (os, "unlink"),
        (os, "rmdir"),
        (Path, "rename"),
        (Path, "replace"),
        (Path, "write_bytes"),
        (np, "save"),
        (faiss, "write_index"),
        (shutil, "copytree"),
        (shutil, "rmtree"),
    ):
        setattr(owner, name, _ticking(tick, getattr(owner, name)))
    event.listen(Engine, "before_cursor_execute", lambda *_: tick())
    event.listen(Engine, "commit", lambda _: tick())


def _ticking(tick: Callable[[], None], function: Callable[..., object]) -> Callable[..., object]:
    def ticking(*arguments: object, **options: object) -> object:
        tick()
        return function(*arguments, **options)

    return ticking


def homes(prepared: Path, folder: Path, action: Callable[[Path], object], *, every: int) -> Iterator[Path]:
    """Copies of a home in which the action was killed at every so manieth step, until it is done."""
    for step in range(1 + SEED % every, 1000, every):
        home = copy_home(prepared, folder / f"killed-{step}")
        if not killed_at(step, lambda home=home: action(home)):  # type: ignore[misc]
            assert step > 50, "the action has many more steps"
            return
        yield home
        remove_home(home)
    raise AssertionError("the action never ends")


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


def assert_tidy(home: Path) -> None:
    """Disk and records name the same things, each content is embedded once, and all bytes are right."""
    trial = Trial.at(home)
    build = trial.open()
    assert build.corrupt_files() == []
    with trial.engine.connect() as connection:
        segments = set(connection.scalars(text("SELECT name FROM segments")))
        numbers = connection.scalars(text("SELECT number FROM builds")).all()
        folders = set(connection.scalars(text("SELECT encoder_folder FROM builds")))
        repeated = connection.scalars(
            text(
                "SELECT content_id FROM embedded_contents JOIN segments ON segments.id = segment_id "
                "GROUP BY content_id, fingerprint HAVING count(*) > 1"
            )
        ).all()
        assert connection.scalar(text("SELECT count(*) FROM leases")) == 0
    assert {path.name for path in (trial.folder / "segments").iterdir()} == segments
    assert {path.name for path in (trial.folder / "builds").iterdir()} == {
        f"{number}.json" for number in numbers
    }
    encoders = {
        path.relative_to(trial.folder / "encoders").as_posix() for path in trial.folder.glob("encoders/*/*")
    }
    assert encoders == folders
    assert repeated == []


@pytest.fixture
def prepared(trial: Trial) -> Path:
    trial.run(BEFORE)
    trial.engine.dispose()
    return trial.home


@steps
def test_a_run_that_is_killed_at_any_step_leaves_the_last_build_as_it_was(
    prepared: Path, tmp_path: Path, every: int
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
    trial: Trial, tmp_path: Path, every: int
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
    prepared: Path, tmp_path: Path, every: int
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
            os._exit(KILLED)

    assert killed_at(10_000, add_and_die)
    with Trial.at(prepared).writer() as writer:
        assert checksum(b"new") in writer.embedded(FINGERPRINT)
