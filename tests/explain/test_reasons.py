from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.evidence import Evidence, Explained, Side, explain
from explain.reasons import UNUSUAL, USUAL, Reason, Seen, reason, reasons
from explain.scores import SCORES
from explain.standings import IN_WORDS, Standing
from siamese.preprocessing import Placement, Preprocessing
from tests.explain.local import Local, pairs

SQUARE = Seen(Placement(90, 90, (0, 0, 90, 90)))
CODES = {"near-uniform", "flat", "padded-border", "unfaithful"}


def side(*hot: tuple[int, int], shape: tuple[int, int] = (9, 9)) -> Side:
    factual = np.zeros(shape, np.float32)
    for cell in hot:
        factual[cell] = 1
    return Side(factual, np.zeros_like(factual))


def evidence(query: Side, matched: Side, *, label: str | None = None) -> Evidence:
    own = None if label is None else 1.0
    return Evidence(query, matched, Explained("cosine", 0.9, 0.5, "relevance", label, own))


def codes(found: Reason) -> list[str]:
    return [warning.code for warning in found.warnings]


CENTRE_LEFT, CENTRE = side((4, 0), (4, 1)), side((4, 4))


@pytest.mark.parametrize(
    ("verdict", "label", "does"),
    [
        ("same", None, "makes them alike"),
        ("different", None, "keeps them apart"),
        (None, None, "makes them alike"),
        ("different", "rose", "shows rose"),
    ],
)
def test_the_sentence_follows_the_verdict_and_what_is_explained(verdict, label, does) -> None:
    found = reason(evidence(CENTRE_LEFT, CENTRE, label=label), SQUARE, SQUARE, verdict=verdict)
    assert found.text == (
        f"What {does} lies mostly at the centre left of the query and in the centre of the match "
        "(100 % of it on 2 % of the query and 1 % of the match)."
    )


def test_shares_that_differ_are_each_told() -> None:
    spread = side(*((4, column) for column in range(4)))
    found = reason(evidence(spread, CENTRE), SQUARE, SQUARE)
    assert found.text.endswith("(75 % of it on 4 % of the query, 100 % on 1 % of the match).")


def test_blank_maps_say_so() -> None:
    blank = side()
    assert (
        reason(evidence(blank, blank), SQUARE, SQUARE).text == "No part of either picture makes them alike."
    )
    half = reason(evidence(CENTRE, blank), SQUARE, SQUARE, verdict="different").text
    lies = "What keeps them apart lies mostly in the centre of the query (100 % of it on 1 % of the query)"
    assert half == f"{lies}; no part of the match keeps them apart."
    other = reason(evidence(blank, CENTRE), SQUARE, SQUARE).text
    assert other.endswith("1 % of the match); no part of the query makes them alike.")


def test_a_map_that_could_not_be_computed_is_no_blank_one() -> None:
    unknown, blank = replace(SQUARE, known=False), side()
    told = reason(evidence(CENTRE, blank), SQUARE, unknown).text
    assert told.startswith("What makes") and told.endswith("; the map of the match could not be computed.")
    neither = reason(evidence(blank, blank), unknown, unknown).text
    assert (
        neither == "The map of the query could not be computed; the map of the match could not be computed."
    )


def test_nothing_that_is_there_is_rounded_to_nothing() -> None:
    tiny = side((15, 15), shape=(31, 31))
    assert "on under 1 % of the query" in reason(evidence(tiny, CENTRE), SQUARE, SQUARE).text


def test_a_map_that_is_nearly_even_is_doubted_where_it_is() -> None:
    even = Side(np.ones((9, 9), np.float32), np.zeros((9, 9), np.float32))
    for query, matched, where in (
        (even, CENTRE, "the query"),
        (CENTRE, even, "the match"),
        (even, even, "both"),
    ):
        found = reason(evidence(query, matched), SQUARE, SQUARE)
        assert codes(found) == ["near-uniform"] and where in found.warnings[0].text
    assert codes(reason(evidence(CENTRE, CENTRE), SQUARE, SQUARE)) == []


def test_no_place_is_named_on_a_map_that_is_nearly_even() -> None:
    even = Side(np.ones((9, 9), np.float32), np.zeros((9, 9), np.float32))
    told = [
        reason(evidence(*pair), SQUARE, SQUARE).text
        for pair in ((even, CENTRE), (CENTRE, even), (even, even))
    ]
    assert told == [
        "What makes them alike is spread nearly evenly over the query, and lies mostly in the centre of the "
        "match (100 % of it on 1 % of the match).",
        "What makes them alike lies mostly in the centre of the query (100 % of it on 1 % of the query), and "
        "is spread nearly evenly over the match.",
        "What makes them alike is spread nearly evenly over both pictures, and no part of them stands out.",
    ]


@pytest.mark.parametrize(
    ("value", "standing", "lead"),
    [
        (0.9, Standing(0.99, 0.8), f"{IN_WORDS['close']} (closer than 80 % of nearest pairs)"),
        (0.9, Standing(0.99, 0.79), f"{IN_WORDS['usual']} (closer than 79 % of nearest pairs)"),
        (0.9, Standing(0.99, 0.19), f"{IN_WORDS['distant']} (closer than 19 % of nearest pairs)"),
        (0.4, Standing(0.99, 0.04), f"{IN_WORDS['far']} (closer than 4 % of nearest pairs)"),
        (0.9, Standing(0.9977), f"{UNUSUAL} (closer than 99.7 % of pairs)"),
        (0.9, None, UNUSUAL),
        (0.4, Standing(0.6), f"{USUAL} (closer than 60 % of pairs)"),
    ],
)
def test_beside_a_gallery_a_reason_says_first_how_alike_they_are(value, standing, lead) -> None:
    told = Explained("cosine", value, 0.5, "relevance", baseline_from="gallery")
    found = reason(replace(evidence(CENTRE_LEFT, CENTRE), explained=told), SQUARE, SQUARE, standing=standing)
    assert found.text == (
        f"{lead}: what makes them alike lies mostly at the centre left of the query and in the centre of the "
        "match (100 % of it on 2 % of the query and 1 % of the match)."
    )
    assert found.short == (
        "What makes them alike lies mostly at the centre left of the query and in the centre of the match."
    )


def test_a_place_that_is_the_same_on_both_pictures_is_told_once() -> None:
    assert reason(evidence(CENTRE, CENTRE), SQUARE, SQUARE).text == (
        "What makes them alike lies mostly in the centre of both pictures "
        "(100 % of it on 1 % of the query and 1 % of the match)."
    )


@pytest.mark.parametrize(
    ("rows", "columns", "said"),
    [
        ((0, 9), (0, 9), "all over the query and mostly in the centre of the match"),
        ((0, 2), (0, 2), "mostly at the upper left of the query and in the centre of the match"),
        ((4, 5), (8, 9), "mostly at the centre right of the query and in the centre of the match"),
    ],
)
def test_where_it_lies_is_said_in_words(rows, columns, said) -> None:
    hot = [(row, column) for row in range(*rows) for column in range(*columns)]
    spots = hot if len(hot) < 81 else hot[::2]
    assert f"alike lies {said} (" in reason(evidence(side(*spots), CENTRE), SQUARE, SQUARE).text


def test_what_lies_all_over_a_picture_is_not_said_to_lie_mostly_there() -> None:
    scattered = side(*[(row, column) for row in range(9) for column in range(9)][::2])
    told = [
        reason(evidence(*pair), SQUARE, SQUARE).short
        for pair in ((scattered, scattered), (CENTRE, scattered), (scattered, side()))
    ]
    assert told == [
        "What makes them alike lies all over both pictures.",
        "What makes them alike lies mostly in the centre of the query and all over the match.",
        "What makes them alike lies all over the query; no part of the match makes them alike.",
    ]


def test_evidence_on_plain_ground_is_doubted_and_unknown_detail_is_not() -> None:
    detail = np.full((9, 9), 40, np.uint8)
    detail[4, 4] = 0
    assert codes(reason(evidence(CENTRE, CENTRE_LEFT), Seen(SQUARE.placement, detail), SQUARE)) == ["flat"]
    assert codes(reason(evidence(CENTRE_LEFT, CENTRE), Seen(SQUARE.placement, detail), SQUARE)) == []


def test_evidence_along_padding_is_doubted() -> None:
    padded = Seen(Placement(100, 50, (0, -25, 100, 75)))
    edge, middle = side((2, 3), shape=(8, 8)), side((3, 3), shape=(8, 8))
    found = reason(evidence(edge, CENTRE), padded, SQUARE)
    assert codes(found) == ["padded-border"] and "the query" in found.warnings[0].text
    assert codes(reason(evidence(middle, CENTRE), padded, SQUARE)) == []


@given(
    pairs(),
    st.sampled_from(["same", "different", None]),
    st.sampled_from(list(SCORES.values())),
    st.sampled_from(["crop", "pad"]),
)
def test_every_pair_has_a_reason_of_finite_numbers(pair: tuple[Local, Local], verdict, of, fit) -> None:
    found_evidence = explain(*pair, of=of, threshold=0.8, verdict=verdict)
    seen = [Seen(Preprocessing(fit=fit).placement(*size)) for size in ((64, 48), (30, 200))]
    found = reason(found_evidence, *seen, verdict=verdict)
    swapped = explain(*pair[::-1], of=of, threshold=0.8, verdict=verdict)
    assert found.text.endswith(".") and "nan" not in found.text and set(codes(found)) <= CODES
    assert np.isfinite([found.query.share, found.query.area, found.matched.share, found.matched.area]).all()
    back = reason(swapped, *seen[::-1], verdict=verdict)
    assert (back.query.blank, back.matched.blank) == (found.matched.blank, found.query.blank)


@given(st.lists(pairs(), min_size=1, max_size=4), st.sampled_from(["crop", "pad"]))
def test_reasons_of_many_matches_are_each_as_alone(drawn: list[tuple[Local, Local]], fit) -> None:
    query = drawn[0][0]
    others = [matched for _, matched in drawn if matched.shape == drawn[0][1].shape]
    found = [explain(query, each) for each in others if each.shape[-1] == query.shape[-1]]
    seen = [Seen(Preprocessing(fit=fit).placement(40 + 30 * place, 70)) for place in range(len(found))]
    together = reasons(found, SQUARE, seen, [None] * len(found))
    assert together == [reason(each, SQUARE, other) for each, other in zip(found, seen, strict=True)]
