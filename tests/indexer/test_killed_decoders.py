"""Decoding processes that are killed while a run goes on: no good file is lost, and the run ends well."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gallery.galleries import Galleries
from gallery.proof.verification import verify
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.settings import IndexingSettings
from tests.children import children
from tests.toys import noise, write_folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the trial finds the processes in /proc")

DECODER = "indexer.decoding_worker"
SETTINGS = IndexingSettings(decoding_processes=2, decoding_threads=2, batch_size=4, segment_size=16)


@contextmanager
def killing(chance: random.Random, *, mean_s: float, most: int) -> Iterator[list[int]]:
    """Kill one decoder after another, `most` of them, at random moments; gives those that were."""
    over, killed = threading.Event(), list[int]()

    def kill() -> None:
        while len(killed) < most and not over.wait(chance.expovariate(1 / mean_s)):
            for process in chance.sample(running := children(os.getpid(), DECODER), min(1, len(running))):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT]))
                    killed.append(process)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("count", "runs", "most"), [(40, 1, 3), pytest.param(300, 10, 20, marks=pytest.mark.soak)]
)
def test_a_run_whose_decoders_are_killed_loses_no_good_file(
    new_galleries: Callable[[str], Galleries],
    tmp_path: Path,
    toy: EncoderChoice,
    count: int,
    runs: int,
    most: int,
    say: Callable[[str], None],
) -> None:
    root = write_folder(tmp_path / "root", {f"{n}.png": noise(n, size=(400, 300)) for n in range(count)})
    kills, reported = 0, 0
    for number in range(runs):
        galleries = new_galleries(f"home-{number}")
        with killing(random.Random(number), mean_s=0.3, most=most) as killed:
            first = index(galleries, "g", [root], toy, options=IndexingOptions(settings=SETTINGS))
        kills, reported = kills + len(killed), reported + len(first.unreadable)
        assert first.images + len(first.unreadable) == count
        assert all("ends the decoder" in each.reason for each in first.unreadable)
        second = index(
            galleries, "g", [root], toy, options=IndexingOptions(settings=SETTINGS, retry_failed=True)
        )
        assert (second.images, second.unreadable) == (count, ())
        assert verify(galleries.site("g")).findings == ()
        assert children(os.getpid(), DECODER) == []
    if runs > 1:
        say(f"decoders: {kills} killed in {runs} runs of {count} files; {reported} were read by the next run")
