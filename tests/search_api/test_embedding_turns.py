"""Pictures that wait together are embedded together, with the bits that they would have alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from search_api.errors import Abandoned
from search_api.loaded.embedding_turns import EmbeddingTurns, Pair
from search_api.loaded.slots import Slots
from search_api.presence import PRESENCE, Presence
from siamese.encoder import Encoder
from siamese.errors import ZeroEmbedding
from siamese.preparing import Prepared
from siamese.preprocessing import Preprocessing
from tests.search_api.serving import until
from tests.toys import mean_colour_encoder, noise, plain

PATIENCE_S = 60.0


@contextmanager
def waiting_together(
    encoders: Sequence[Encoder], pictures: Sequence[Prepared], slots: int = 1
) -> Iterator[tuple[list[Future[Pair]], list[int]]]:
    """What became of pictures that all came while no slot was free, and the sizes of the batches."""
    sizes: list[int] = []
    held = Slots(slots)
    turns = EmbeddingTurns(held, sizes.append)
    for _ in range(slots):
        held.take_unless(lambda: False)
    with ThreadPoolExecutor(len(pictures)) as pool:
        outcomes = []
        for place, (encoder, prepared) in enumerate(zip(encoders, pictures, strict=True), start=1):
            outcomes.append(pool.submit(turns.embed, encoder, prepared))
            until(lambda place=place: len(turns._line) == place)  # type: ignore[misc]
        for _ in range(slots):
            held.give_back()
        yield outcomes, sizes


def alone(encoder: Encoder, prepared: Prepared) -> Pair:
    return EmbeddingTurns(Slots(1), lambda size: None).embed(encoder, prepared)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    preprocessing = Preprocessing(fit="crop", image_size=64)
    return Encoder.from_body("small", weights="none", preprocessing=preprocessing, device="cpu")


@pytest.mark.parametrize("slots", [1, 3])
def test_a_picture_has_the_same_bits_alone_and_with_whoever_came_along(encoder: Encoder, slots: int) -> None:
    pictures = [encoder.prepare(noise(seed)) for seed in range(9)]
    with waiting_together([encoder] * 9, pictures, slots) as (outcomes, sizes):
        together = [each.result(PATIENCE_S) for each in outcomes]
    for prepared, (embedding, local) in zip(pictures, together, strict=True):
        own, own_local = alone(encoder, prepared)
        assert np.array_equal(embedding, own) and np.array_equal(local, own_local)
    assert sum(sizes) == 9


def test_no_batch_is_larger_than_what_is_computed_at_once(encoder: Encoder) -> None:
    pictures = [encoder.prepare(noise(seed)) for seed in range(5)]
    with waiting_together([encoder] * 5, pictures) as (outcomes, sizes):
        for each in outcomes:
            each.result(PATIENCE_S)
    whole, rest = divmod(5, encoder.at_once)
    assert sizes == [encoder.at_once] * whole + [rest] * bool(rest)


def test_one_that_comes_alone_is_embedded_alone_and_at_once(encoder: Encoder) -> None:
    sizes: list[int] = []
    EmbeddingTurns(Slots(1), sizes.append).embed(encoder, encoder.prepare(noise(1)))
    assert sizes == [1]


def test_a_picture_that_cannot_be_embedded_spoils_nobody_elses_answer(tmp_path) -> None:  # type: ignore[no-untyped-def]
    encoder = mean_colour_encoder(tmp_path)
    pictures = [encoder.prepare(plain(colour)) for colour in ("red", "black", "blue", "black")]
    with waiting_together([encoder] * 4, pictures) as (outcomes, _):
        red, _ = outcomes[0].result(PATIENCE_S)
        for spoilt in (outcomes[1], outcomes[3]):
            assert isinstance(spoilt.exception(PATIENCE_S), ZeroEmbedding)
        blue, _ = outcomes[2].result(PATIENCE_S)
    assert np.array_equal(red, [1, 0, 0]) and np.array_equal(blue, [0, 0, 1])


def test_a_batch_that_fails_is_tried_one_by_one(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    embed = Encoder.embed_directed
    bad = encoder.prepare(noise(2))

    def failing(self: Encoder, prepared: Sequence[Prepared]) -> object:
        if any(each is bad for each in prepared):
            raise MemoryError("no room")
        return embed(self, prepared)

    monkeypatch.setattr(Encoder, "embed_directed", failing)
    pictures = [encoder.prepare(noise(1)), bad, encoder.prepare(noise(3))]
    with waiting_together([encoder] * 3, pictures) as (outcomes, _):
        assert isinstance(outcomes[1].exception(PATIENCE_S), MemoryError)
        assert outcomes[0].result(PATIENCE_S) and outcomes[2].result(PATIENCE_S)


def test_each_is_embedded_by_its_own_encoder(encoder: Encoder, tmp_path) -> None:  # type: ignore[no-untyped-def]
    other = mean_colour_encoder(tmp_path)
    mixed = [encoder, other, encoder, other]
    pictures = [each.prepare(noise(seed)) for seed, each in enumerate(mixed)]
    with waiting_together(mixed, pictures) as (outcomes, _):
        for which, prepared, outcome in zip(mixed, pictures, outcomes, strict=True):
            assert np.array_equal(outcome.result(PATIENCE_S)[0], alone(which, prepared)[0])


def test_who_was_taken_along_does_not_wait_for_the_next_slot(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for two: the second batch may last for ever, and both of the first have their answers."""
    release, embed = threading.Event(), Encoder.embed_directed
    late = encoder.prepare(noise(9))

    def lasting(self: Encoder, prepared: Sequence[Prepared]) -> object:
        if any(each is late for each in prepared):
            assert release.wait(PATIENCE_S)
        return embed(self, prepared)

    monkeypatch.setattr(Encoder, "embed_directed", lasting)
    monkeypatch.setattr(Encoder, "at_once", property(lambda self: 2))
    pictures = [encoder.prepare(noise(1)), encoder.prepare(noise(2)), late]
    with waiting_together([encoder] * 3, pictures) as (outcomes, _):
        assert outcomes[0].result(PATIENCE_S) and outcomes[1].result(PATIENCE_S)
        assert not outcomes[2].done()
        release.set()
        assert outcomes[2].result(PATIENCE_S)


def test_a_picture_that_nobody_waits_for_any_more_is_not_embedded(encoder: Encoder) -> None:
    sizes: list[int] = []
    held, gone = Slots(1), Presence()
    turns = EmbeddingTurns(held, sizes.append)
    held.take_unless(lambda: False)

    def asked(seed: int, presence: Presence) -> Pair:
        PRESENCE.set(presence)
        return turns.embed(encoder, encoder.prepare(noise(seed)))

    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(asked, seed, each) for seed, each in enumerate((gone, Presence()))]
        until(lambda: len(turns._line) == 2)
        gone.end()
        held.give_back()
        with pytest.raises(Abandoned):
            outcomes[0].result(PATIENCE_S)
        assert outcomes[1].result(PATIENCE_S) and sizes == [1]
