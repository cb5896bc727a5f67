"""Killing a writer at any of its steps, and seeing that nothing is lost and nothing is left."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import faiss
import pytest
from sqlalchemy import text

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.proof.verification import verify
from tests.faults import at_every_step, die_at
from tests.gallery.support import NAME, Trial, embedded, images
from tests.homes import copy_home, remove_home

FAILED = 70
SEED = 20261122
"""Decides which of the steps the sample takes."""

MOMENTS = 25
"""How often an action is killed at any moment of it, where every step is tried."""

long_steps = pytest.mark.parametrize("every", [149, pytest.param(1, marks=pytest.mark.soak)])
steps = pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.soak)])


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

    def seen(self) -> tuple[object, ...]:
        """Everything but the build's number."""
        return self.images, self.thumbnails, self.embeddings, self.local_embeddings, self.found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return self.number


def killed_at(step: int, action: Callable[[], object]) -> bool:
    """Run the action in a process that dies at the step; False if the action was done before."""
    return _killed(_forked(lambda: at_every_step(die_at(step)), action))


def killed_after(seconds: float, action: Callable[[], object]) -> bool:
    """Run the action in a process that is killed after this time; False if the action was done before."""
    child = _forked(lambda: None, action)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return _killed(child)


Homes = Callable[..., Iterator[Path]]
"""`killed_homes` without its `say`."""


def killed_homes(
    prepared: Path,
    folder: Path,
    action: Callable[[Path], object],
    *,
    every: int,
    fewest: int = 50,
    say: Callable[[str], None],
) -> Iterator[Path]:
    """Copies of a home in which the action was killed at every so manieth step, until it is done.

    It has at least the `fewest` steps. Where every step is tried, so are MOMENTS at random, and that is told.
    """
    for step in range(SEED % every, 1000, every):
        home = copy_home(prepared, folder / f"killed-{step}")
        started = time.monotonic()
        died = killed_at(step, partial(action, home))
        seconds = time.monotonic() - started
        if died:
            yield home
        remove_home(home)
        if not died:
            assert step >= fewest, "the action has more steps"
            break
    else:
        raise AssertionError("the action never ends")
    chance, died_at_moments = random.Random(SEED), 0
    for number in range(MOMENTS if every == 1 else 0):
        home = copy_home(prepared, folder / f"killed-then-{number}")
        died_at_moments += killed_after(chance.uniform(0, seconds), partial(action, home))
        yield home
        remove_home(home)
    if every == 1:
        say(f"killed at {step} steps and {died_at_moments} of {MOMENTS} moments")


def _forked(prepare: Callable[[], object], action: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            faiss.omp_set_num_threads(1)
            prepare()
            action()
        except BaseException as error:  # noqa: BLE001 — nothing may return into the copy of the test session
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(FAILED)
        os._exit(0)
    return child


def _killed(child: int) -> bool:
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def assert_tidy(home: Path, *, folded: bool = False) -> None:
    """Disk and records name the same things, each content is embedded once, and all bytes are right.

    Contents that were folded into another segment are in two, while older builds are kept.
    """
    trial = Trial.at(home)
    trial.open()
    assert verify(trial.galleries.site(NAME)).findings == ()
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
    assert folded or repeated == []
