"""Who asked and goes away: each stage of long work looks, and leaves the rest undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gallery.builds.build import Build
from search_api import search as search_module
from search_api.errors import Abandoned
from search_api.evidence import overlays
from search_api.evidence.accounts import Extras, HidingWanted
from search_api.presence import PRESENCE, Presence
from search_api.queries.subjects import Stored, Upload
from search_api.search import Searcher
from siamese.encoder import Encoder
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import fitted_at, plain, png

RED = Upload(png(plain("red")), "red.png")
HALF = Upload(png(HALF_RED), "half.png")
LOOKS = 4
"""After so many somebody goes away; each test below takes more."""


@pytest.fixture
def searcher(workshop: Workshop) -> Searcher:
    workshop.publish(calibration=fitted_at(0.77))
    return workshop.searcher()


@contextmanager
def somebody() -> Iterator[Presence]:
    presence = Presence()
    token = PRESENCE.set(presence)
    try:
        yield presence
    finally:
        PRESENCE.reset(token)


def leaving_at(
    number: int, presence: Presence, monkeypatch: pytest.MonkeyPatch, what: str, of: object
) -> list[int]:
    """From the call of this number on nobody is there; returns the calls that were made."""
    calls: list[int] = []
    called: Callable[..., object] = getattr(of, what)

    def counted(*arguments: object, **options: object) -> object:
        calls.append(len(calls))
        if len(calls) == number:
            presence.end()
        return called(*arguments, **options)

    monkeypatch.setattr(of, what, counted)
    return calls


@pytest.mark.parametrize("wanted", [HidingWanted(what_if=True), HidingWanted(faithfulness=True)])
def test_hiding_regions_ends_with_the_batch_that_is_looked_at(
    searcher: Searcher, wanted: HidingWanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):  # the second time there is a turn again
        with somebody() as presence, monkeypatch.context() as patch:
            calls = leaving_at(LOOKS, presence, patch, "embed_directed", Encoder)
            with pytest.raises(Abandoned):
                searcher.comparer.compare(HALF, RED, extras=Extras(hiding=wanted))
            assert len(calls) == LOOKS
    assert searcher.comparer.compare(HALF, RED, extras=Extras(hiding=wanted)).distance > 0


def test_a_trial_does_not_begin_for_nobody(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    with somebody() as presence:
        embedded = leaving_at(2, presence, monkeypatch, "embed_directed", Encoder)  # after both embeddings
        with pytest.raises(Abandoned):
            searcher.comparer.compare(HALF, RED, extras=Extras(hiding=HidingWanted(what_if=True)))
        assert len(embedded) == 2


def test_why_not_does_not_search_exactly_for_nobody(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with somebody() as presence:
        leaving_at(1, presence, monkeypatch, "rank", search_module)
        exactly = leaving_at(99, presence, monkeypatch, "search_exactly", Build)
        with pytest.raises(Abandoned):
            searcher.why_not(RED, 1)
        assert not exactly


def test_no_more_is_painted_for_nobody(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    with somebody() as presence:
        painted = leaving_at(LOOKS, presence, monkeypatch, "layer", overlays)
        with pytest.raises(Abandoned):
            searcher.search(Stored(1), k=3, extras=Extras(overlays=True))
        assert len(painted) == LOOKS
