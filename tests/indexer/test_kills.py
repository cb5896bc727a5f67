"""Runs of the whole indexer that are killed: at files they read, at any step of theirs, at any moment.

The runs are forked from a server that has loaded everything, so that a kill costs no start of torch. While
one runs and is killed, a reader goes on searching; the next run is left nothing to mend.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from gallery.builds.build import Build
from gallery.database import open_engine
from gallery.files import UNFINISHED
from gallery.galleries import Galleries
from gallery.proof.verification import verify
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from siamese.checkpoint import load_record
from tests.faults import at_every_step, die_at, kill_server_process_at
from tests.homes import copy_home, database_of, new_home, remove_home
from tests.postgresql import Server, wait_until_it_answers
from tests.toys import mean_colour_checkpoint, noise, write_folder

pytestmark = [
    pytest.mark.on_both,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork"),
]

T = TypeVar("T")

OLD, NEW = 6, 14
LONGEST_RUN_S = 0.6
"""Kills at random moments are spread over this time; a run takes about as long."""
STARTING_S = 60.0
"""A reader has looked for the first time by then, on however busy a machine."""
LAST_BREATH_S = 10.0
"""After how long nothing of a killed run may be left that still works."""
SMALL_STEPS = IndexingSettings(batch_size=2, segment_size=3, decoding_threads=2)


Trial = Callable[..., bool]
Target = Callable[["Scene", int], None]

Images = dict[str, tuple[int, str, bytes]]
"""image_id, checksum and embedding by uri."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A home with a published build of the old pictures, and a root where new ones wait to be indexed."""

    home: Path
    root: Path
    checkpoint: Path

    @contextmanager
    def galleries(self) -> Iterator[Galleries]:
        engine = open_engine(database_of(self.home))
        yield Galleries(self.home, engine)
        engine.dispose()

    def index(self, step: Callable[[], None] = lambda: None) -> IndexingReport:
        choice = EncoderChoice(checkpoint=self.checkpoint, device="cpu")
        with self.galleries() as galleries:
            return index(
                galleries,
                "g",
                [self.root],
                choice,
                options=IndexingOptions(settings=SMALL_STEPS, progress=Stepping(step)),
            )

    def images(self) -> Images:
        """What readers find now."""
        with self.galleries() as galleries:
            return images_of(galleries.open("g"))

    def faults(self) -> list[str]:
        """What `verify` finds, file by file and row by row."""
        with self.galleries() as galleries:
            return [finding.sentence for finding in verify(galleries.site("g")).findings]

    def durable(self) -> int:
        """How many contents need not be embedded again."""
        with self.galleries() as galleries, galleries.writer("g") as writer:
            return len(writer.embedded(load_record(self.checkpoint).fingerprint))


class Stepping:
    """A progress that calls back for every file."""

    def __init__(self, step: Callable[[], None]) -> None:
        self._step = step

    def track(self, iterable: Iterable[T], *, description: str, total: int | None = None) -> Iterator[T]:
        for each in iterable:
            self._step()
            yield each

    def say(self, line: str) -> None:
        raise AssertionError(line)


def images_of(build: Build) -> Images:
    query = np.eye(build.dimension, dtype=np.float32)[0]
    ids = [each.image_id for each in build.search(query, count=len(build), fingerprint=build.fingerprint)]
    embeddings = build.embeddings(ids)
    return {
        image.uri: (image.image_id, image.checksum, embedding.tobytes())
        for image, embedding in zip(build.images(ids), embeddings, strict=True)
    }


# What runs in the processes that die.


def index_until_file(scene: Scene, number: int) -> None:
    os.setsid()
    scene.index(die_at(number))


def index_until_step(scene: Scene, number: int) -> None:
    os.setsid()
    at_every_step(die_at(number))
    scene.index()


def index_until_disconnected(scene: Scene, number: int) -> None:
    os.setsid()
    kill_server_process_at(number)
    scene.index()


def count_steps(scene: Scene, _number: int) -> None:
    taken = itertools.count(1)
    at_every_step(lambda: (scene.home / "steps").write_text(str(next(taken))) and None)
    scene.index()


# The trial.


@pytest.fixture(scope="module")
def forking() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["indexer.indexing", "tests.faults", "psycopg"])
    return context


@pytest.fixture(scope="module")
def original(migrated: Path | str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    home = new_home(folder / "home", like=migrated)
    scene = Scene(home, folder / "root", mean_colour_checkpoint(folder / "toy"))
    write_folder(scene.root, {f"old/{n}.png": noise(n, size=(16, 12)) for n in range(OLD)})
    scene.index()
    write_folder(scene.root, {f"new/{n}.png": noise(100 + n, size=(16, 12)) for n in range(NEW)})
    (scene.root / "old/0.png").rename(scene.root / "old/moved.png")
    yield scene
    remove_home(home)


@pytest.fixture(scope="module")
def before(original: Scene) -> Images:
    return original.images()


@pytest.fixture(scope="module")
def undisturbed(original: Scene, tmp_path_factory: pytest.TempPathFactory) -> Images:
    """What readers find after a run that nobody killed."""
    scene = copy_of(original, tmp_path_factory.mktemp("undisturbed") / "home")
    scene.index()
    after = scene.images()
    remove_home(scene.home)
    return after


def copy_of(scene: Scene, home: Path) -> Scene:
    return replace(scene, home=copy_home(scene.home, home))


def killed(
    forking: ForkServerContext, target: Target, scene: Scene, number: int, within_s: float = 120.0
) -> bool:
    """Run the target until it dies, at the latest after this time; whether it died before it was done."""
    process = forking.Process(target=target, args=(scene, number))
    process.start()
    process.join(within_s)
    process.kill()
    process.join()
    require_gone(process.pid)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def require_gone(group: int | None) -> None:
    """Nothing that the run had started outlives it for long."""
    assert group is not None
    deadline = time.monotonic() + LAST_BREATH_S
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.02)
        os.killpg(group, signal.SIGKILL)
        raise AssertionError("processes that a killed run had started go on without it")


@contextmanager
def searching(scene: Scene, allowed: list[dict[str, tuple[str, bytes]]]) -> Iterator[None]:
    """Search all the while, in the build that is open and in the newest; each shows one of those allowed."""
    over, looked, seen = threading.Event(), threading.Event(), []

    def search() -> None:
        with scene.galleries() as galleries:
            first = galleries.open("g")
            while not over.is_set():
                try:
                    seen.append(without_ids(images_of(first)) == allowed[0])
                    seen.append(without_ids(images_of(galleries.open("g"))) in allowed)
                except Exception as error:  # noqa: BLE001 - told to the trial below
                    seen.append(repr(error))
                looked.set()
                over.wait(0.005)

    reader = threading.Thread(target=search)
    reader.start()
    assert looked.wait(STARTING_S)
    try:
        yield
    finally:
        over.set()
        reader.join()
    assert set(seen) == {True}


def require_nothing_lost(scene: Scene, before: Images, after: Images) -> None:
    """Readers find the old build or the new one, whole, and the next run embeds only what is not durable."""
    assert without_ids(scene.images()) in (without_ids(before), without_ids(after))
    durable = scene.durable()
    assert durable >= OLD

    report = scene.index()

    now = scene.images()
    assert report.embedded == OLD + NEW - durable
    assert without_ids(now) == without_ids(after)
    assert ids_by_checksum(before).items() <= ids_by_checksum(now).items()
    assert list(scene.home.rglob(f"{UNFINISHED}*")) == []
    assert scene.faults() == []
    assert not scene.index().published


def without_ids(images: Images) -> dict[str, tuple[str, bytes]]:
    return {uri: (checksum, embedding) for uri, (_, checksum, embedding) in images.items()}


def ids_by_checksum(images: Images) -> dict[str, int]:
    return {checksum: image_id for image_id, checksum, _ in images.values()}


@pytest.fixture
def trial(
    forking: ForkServerContext, original: Scene, before: Images, undisturbed: Images, tmp_path: Path
) -> Trial:
    """Kill a run on a copy of the scene and see that nothing is lost; whether it died before it was done."""

    def run(target: Target, number: int, within_s: float = 120.0) -> bool:
        scene = copy_of(original, tmp_path / uuid.uuid4().hex)
        with searching(scene, [without_ids(before), without_ids(undisturbed)]):
            died = killed(forking, target, scene, number, within_s)
        require_nothing_lost(scene, before, undisturbed)
        remove_home(scene.home)
        return died

    return run


@pytest.fixture(scope="module")
def steps(forking: ForkServerContext, original: Scene, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps a whole run takes: statements, commits, changes of the disk."""
    scene = copy_of(original, tmp_path_factory.mktemp("counted") / "home")
    process = forking.Process(target=count_steps, args=(scene, 0))
    process.start()
    process.join()
    assert process.exitcode == 0
    count = int((scene.home / "steps").read_text())
    remove_home(scene.home)
    return count


def test_a_run_that_is_killed_at_a_file_loses_nothing(trial: Trial) -> None:
    assert trial(index_until_file, OLD + NEW // 2)


def test_a_run_that_is_killed_between_two_steps_loses_nothing(trial: Trial, steps: int) -> None:
    for number in random.Random(7).sample(range(steps), 3):
        assert trial(index_until_step, number)


def test_a_run_that_is_killed_at_any_moment_loses_nothing(trial: Trial) -> None:
    chance = random.Random(7)
    for _ in range(2):
        trial(index_until_file, OLD + NEW, chance.uniform(0.02, LONGEST_RUN_S))


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_runs_that_are_killed_at_any_step_file_and_moment_lose_nothing(
    trial: Trial, steps: int, say: Callable[[str], None]
) -> None:
    chance = random.Random(0)
    at_steps = chance.sample(range(steps), 100)
    assert all(trial(index_until_step, number) for number in at_steps)
    assert all(trial(index_until_file, number) for number in range(OLD + NEW))
    moments = [chance.uniform(0.02, LONGEST_RUN_S) for _ in range(100)]
    died = sum(trial(index_until_file, OLD + NEW, moment) for moment in moments)
    assert died >= 30, "most runs were over before they were killed; the machine is faster than thought"
    say(f"indexing: killed at {len(at_steps)} of {steps} steps, at {OLD + NEW} files, {died} times at random")


@pytest.mark.parametrize("kills", [1, pytest.param(30, marks=pytest.mark.soak)])
def test_a_run_whose_database_server_breaks_down_loses_nothing(
    forking: ForkServerContext,
    migrated_postgresql: str,
    postgresql: Server,
    tmp_path: Path,
    kills: int,
    say: Callable[[str], None],
) -> None:
    root = write_folder(tmp_path / "root", {f"old/{n}.png": noise(n, size=(16, 12)) for n in range(OLD)})
    home = new_home(tmp_path / "home", like=migrated_postgresql)
    original = Scene(home, root, mean_colour_checkpoint(tmp_path / "toy"))
    original.index()
    before = original.images()
    write_folder(root, {f"new/{n}.png": noise(100 + n, size=(16, 12)) for n in range(NEW)})
    done = copy_of(original, tmp_path / "done")
    done.index()
    for number in random.Random(7).sample(range(60), kills):
        scene = copy_of(original, tmp_path / uuid.uuid4().hex)
        process = forking.Process(target=index_until_disconnected, args=(scene, number))
        process.start()
        process.join()
        wait_until_it_answers(postgresql)
        require_nothing_lost(scene, before, done.images())
        remove_home(scene.home)
    say(f"indexing: PostgreSQL's process killed before {kills} statements")
    for scene in (original, done):
        remove_home(scene.home)
