"""Runs that are killed: at files they read, at every file they synchronise, and at any other moment.

The runs are forked from a server that has loaded everything, so that a kill costs no start of torch.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from gallery.build import Build
from gallery.database import open_engine
from gallery.files import UNFINISHED
from gallery.galleries import Galleries
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from migrations.schema import upgrade
from siamese.checkpoint import load_record
from tests.toys import mean_colour_checkpoint, noise, write_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")

T = TypeVar("T")

OLD, NEW = 6, 14
LONGEST_RUN_S = 0.6
"""Kills at random moments are spread over this time; a run takes about as long."""
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
        url = f"sqlite:///{self.home / 'whyalike.db'}"
        upgrade(url)
        engine = open_engine(url)
        yield Galleries(self.home, engine)
        engine.dispose()

    def index(self, step: Callable[[], None] = lambda: None) -> IndexingReport:
        choice = EncoderChoice(checkpoint=self.checkpoint, device="cpu")
        with self.galleries() as galleries:
            return index(galleries, "g", [self.root], choice, settings=SMALL_STEPS, progress=Stepping(step))

    def images(self) -> Images:
        """What readers find now; every file that they read is what was written."""
        with self.galleries() as galleries:
            build = galleries.open("g")
            assert build.corrupt_files() == []
            return images_of(build)

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


def die_at(number: int) -> Callable[[], None]:
    """A step that kills this very process when it is taken for the `number`-th time, counted from 0."""
    taken = iter(range(sys.maxsize))

    def step() -> None:
        if next(taken) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def index_until_file(scene: Scene, number: int) -> None:
    scene.index(die_at(number))


def index_until_synchronised(scene: Scene, number: int) -> None:
    synchronise, step = os.fsync, die_at(number)

    def fsync(descriptor: int) -> None:
        step()
        synchronise(descriptor)

    os.fsync = fsync
    scene.index()


# The trial.


@pytest.fixture(scope="module")
def forking() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["indexer.indexing", "migrations.schema", "alembic.command"])
    return context


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("scene")
    scene = Scene(folder / "home", folder / "root", mean_colour_checkpoint(folder / "toy"))
    write_folder(scene.root, {f"old/{n}.png": noise(n, size=(16, 12)) for n in range(OLD)})
    scene.index()
    write_folder(scene.root, {f"new/{n}.png": noise(100 + n, size=(16, 12)) for n in range(NEW)})
    (scene.root / "old/0.png").rename(scene.root / "old/moved.png")
    return scene


@pytest.fixture(scope="module")
def undisturbed(original: Scene, tmp_path_factory: pytest.TempPathFactory) -> Images:
    """What readers find after a run that nobody killed."""
    scene = copy_of(original, tmp_path_factory.mktemp("undisturbed") / "home")
    scene.index()
    return scene.images()


def copy_of(scene: Scene, home: Path) -> Scene:
    shutil.copytree(scene.home, home)
    return replace(scene, home=home)


def killed(
    forking: ForkServerContext,
    target: Callable[[Scene, int], None],
    scene: Scene,
    number: int,
    within_s: float,
) -> bool:
    """Run the target until it dies, at the latest after this time; whether it died before it was done."""
    process = forking.Process(target=target, args=(scene, number))
    process.start()
    process.join(within_s)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


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
    assert not scene.index().published


def without_ids(images: Images) -> dict[str, tuple[str, bytes]]:
    return {uri: (checksum, embedding) for uri, (_, checksum, embedding) in images.items()}


def ids_by_checksum(images: Images) -> dict[str, int]:
    return {checksum: image_id for image_id, checksum, _ in images.values()}


@pytest.fixture
def trial(forking: ForkServerContext, original: Scene, undisturbed: Images, tmp_path: Path) -> Trial:
    """Kill a run on a copy of the scene and see that nothing is lost; whether it died before it was done."""

    def run(target: Target, number: int, within_s: float = 120.0) -> bool:
        scene = copy_of(original, tmp_path / uuid.uuid4().hex)
        died = killed(forking, target, scene, number, within_s)
        require_nothing_lost(scene, original.images(), undisturbed)
        return died

    return run


@pytest.fixture(scope="module")
def synchronisations(original: Scene, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many files and folders a whole run synchronises."""
    calls: list[int] = []
    scene = copy_of(original, tmp_path_factory.mktemp("counted") / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", calls.append)
        scene.index()
    return len(calls)


@pytest.mark.parametrize("number", [0, 9, OLD + NEW - 1])
def test_a_run_that_is_killed_at_a_file_loses_nothing(trial: Trial, number: int) -> None:
    assert trial(index_until_file, number)


def test_a_run_that_is_killed_between_two_steps_of_writing_loses_nothing(
    trial: Trial, synchronisations: int
) -> None:
    for number in random.Random(7).sample(range(synchronisations), 8):
        assert trial(index_until_synchronised, number)


def test_a_run_that_is_killed_at_any_moment_loses_nothing(trial: Trial) -> None:
    chance = random.Random(7)
    for _ in range(4):
        trial(index_until_file, OLD + NEW, chance.uniform(0.02, LONGEST_RUN_S))


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_runs_that_are_killed_at_every_step_and_at_a_hundred_moments_lose_nothing(
    trial: Trial, synchronisations: int
) -> None:
    for number in range(synchronisations):
        assert trial(index_until_synchronised, number)
    for number in range(OLD + NEW):
        assert trial(index_until_file, number)
    chance = random.Random(0)
    died = [trial(index_until_file, OLD + NEW, chance.uniform(0.02, LONGEST_RUN_S)) for _ in range(100)]
    assert sum(died) >= 30, "most runs were over before they were killed; the machine is faster than thought"
