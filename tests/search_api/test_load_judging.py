"""The traffic sees what is wrong in an answer: else a trial under load would prove nothing."""

from __future__ import annotations

import random
from typing import Any

import httpx2
import pytest

from tests.search_api.load.asking import Visit
from tests.search_api.load.ledger import Ledger
from tests.search_api.load.tally import Tally

BUILD = 7
RIGHT = [(1, 0.0), (2, 0.5)]


def judged(matches: list[tuple[int, float]], build: int = BUILD, gone: frozenset[int] = frozenset()) -> Tally:
    """What is noted of an answer to picture 10, which is image 1, asked when build 7 had been seen."""
    ledger = Ledger({10: 1}, BUILD, random.Random(0))
    visit = Visit(httpx2.AsyncClient(), ledger, Tally("now", 0.0))
    answer: dict[str, Any] = {
        "build": build,
        "matches": [
            {"image_id": image_id, "distance": distance, "evidence": {}, "reason": {}}
            for image_id, distance in matches
        ],
    }
    visit.require_true(answer, least=BUILD, gone=gone)
    visit.require_first(answer, 1, "picture 10")
    return visit.tally


def test_a_right_answer_has_no_fault() -> None:
    assert judged(RIGHT).faults == []
    assert judged(RIGHT, build=BUILD + 1, gone=frozenset({3})).faults == []


@pytest.mark.parametrize(
    ("tally", "told"),
    [
        (judged(RIGHT, build=BUILD - 1), "stale"),
        (judged(RIGHT, gone=frozenset({2})), "came back"),
        (judged([(1, 0.0), (2, 0.5), (3, 0.4)]), "out of order"),
        (judged([(2, 0.0), (1, 0.0)]), "is not first"),
        (judged([(1, 1e-9)]), "is not first"),
        (judged([]), "is not first"),
    ],
)
def test_an_answer_that_is_stale_or_wrong_is_noted(tally: Tally, told: str) -> None:
    assert told in " ".join(tally.faults)


def test_another_answer_in_the_same_build_is_noted() -> None:
    ledger = Ledger({}, BUILD, random.Random(0))
    assert ledger.answered_before(1, BUILD, RIGHT) and ledger.answered_before(1, BUILD, RIGHT)
    assert not ledger.answered_before(1, BUILD, RIGHT[:1])
    assert ledger.answered_before(1, BUILD + 1, RIGHT[:1])
