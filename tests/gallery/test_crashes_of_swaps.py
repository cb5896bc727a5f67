"""A killed swap of the encoder, at any step: the old one or the new one answers, for the same images."""

import os
from pathlib import Path

import pytest

from gallery.swaps.successors import abandon, begin, successor
from gallery.swaps.swap import activate
from gallery.swaps.unembedded import unembedded
from tests.gallery.killing import Homes, Snapshot, assert_tidy
from tests.gallery.support import NAME, Trial, checkpoint, embedded, images

pytestmark = [
    pytest.mark.on_both,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="killing a copy of this process needs os.fork"),
]

FILES = {f"/r/{label}/{number}.jpg": f"{label}{number}".encode() for label in "ab" for number in range(2)}
NEW = "f2"

steps = pytest.mark.parametrize("every", [67, pytest.param(1, marks=pytest.mark.soak)])
"""A swap has more steps than other actions, because each content makes a segment here."""


@pytest.fixture
def prepared(trial: Trial) -> Path:
    trial.run(FILES)
    trial.engine.dispose()
    return trial.home


def swap(home: Path) -> list[str]:
    """Begin the swap or go on with it, and let the successor take over; returns what was embedded for it."""
    trial = Trial.at(home)
    with trial.galleries.tenure(NAME) as tenure:
        begin(tenure, checkpoint(home, 1), fingerprint=NEW, encoder_name="toy 1", storage="int8")
    site = trial.galleries.site(NAME)
    todo = [each.uri for each in unembedded(site, successor(site))]
    for uri in todo:
        with trial.writer() as writer:
            writer.add_segment([embedded(FILES[uri], seed=1)], fingerprint=NEW)
        with (home / "embedded.log").open("a") as log:
            log.write(f"{uri}\n")
    with trial.galleries.tenure(NAME) as tenure:
        activate(tenure)
    return todo


def durable(home: Path) -> set[str]:
    log = home / "embedded.log"
    return set(log.read_text().split()) if log.exists() else set()


@steps
def test_a_swap_that_is_killed_at_any_step_is_gone_on_with(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    before = Snapshot(Trial.at(prepared).open())
    for home in homes(prepared, tmp_path, swap, every=every):
        reader = Trial.at(home).open()
        assert images(reader) == before.images
        was = Snapshot(reader)
        if reader.number == 1:
            assert was == before
            kept = durable(home)
            assert not set(swap(home)) & kept, "what was durable is not embedded again"
            assert Snapshot(reader) == was
        with Trial.at(home).writer():
            pass
        after = Trial.at(home).open()
        assert (after.number, after.fingerprint, images(after)) == (2, NEW, before.images)
        assert_tidy(home)


@steps
def test_a_swap_that_is_killed_at_any_step_can_be_abandoned(
    prepared: Path, tmp_path: Path, every: int, homes: Homes
) -> None:
    before = Snapshot(Trial.at(prepared).open())
    for home in homes(prepared, tmp_path, swap_and_abandon, every=every):
        assert Snapshot(Trial.at(home).open()) == before
        swap_and_abandon(home)
        with Trial.at(home).writer():
            pass
        assert Snapshot(Trial.at(home).open()) == before
        assert_tidy(home)


def swap_and_abandon(home: Path) -> None:
    trial = Trial.at(home)
    with trial.galleries.tenure(NAME) as tenure:
        begin(tenure, checkpoint(home, 1), fingerprint=NEW, encoder_name="toy 1", storage="int8")
    with trial.writer() as writer:
        writer.add_segment([embedded(b"a0", seed=1)], fingerprint=NEW)
    with trial.galleries.tenure(NAME) as tenure:
        abandon(tenure)
