"""Conditions as people write them, and the sentences that they are refused with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.errors import InvalidFilter
from gallery.filters.attributes import MAX_TEXT, attributes_of, digest_of, number_of, text_of
from gallery.filters.conditions import Condition, Operand, operand, parse_where, require_known
from gallery.filters.filtering import satisfying


def one(text: str) -> Condition:
    (condition,) = parse_where([text])
    return condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("year >= 2020", Condition("year", ">=", (Operand("2020", 2020.0),))),
        ("year>=2020", Condition("year", ">=", (Operand("2020", 2020.0),))),
        ("year == -1.5e3", Condition("year", "=", (Operand("-1.5e3", -1500.0),))),
        ("code = '007'", Condition("code", "=", (Operand("007"),))),
        ("site != north", Condition("site", "!=", (Operand("north"),))),
        ("site in (a, b)", Condition("site", "in", (Operand("a"), Operand("b")))),
        ("site IN ('a, b', 3)", Condition("site", "in", (Operand("a, b"), Operand("3", 3.0)))),
        ("site not in (a)", Condition("site", "not in", (Operand("a"),))),
        ("camera exists", Condition("camera", "exists")),
        ("camera missing", Condition("camera", "missing")),
        ('"camera model" = "EOS ""R"""', Condition("camera model", "=", (Operand('EOS "R"'),))),
        ("site = north sea shore", Condition("site", "=", (Operand("north sea shore"),))),
        ("größe < Öl", Condition("größe", "<", (Operand("Öl"),))),
        ("taken >= 2020-01-31", Condition("taken", ">=", (Operand("2020-01-31"),))),
    ],
)
def test_a_condition_is_read_as_it_is_meant(text: str, condition: Condition) -> None:
    assert one(text) == condition


def test_conditions_are_joined_by_and_and_by_being_given_twice() -> None:
    joined = parse_where(["year >= 2020 and year < 2024", "label = cat"])
    assert [(each.name, each.operator) for each in joined] == [("year", ">="), ("year", "<"), ("label", "=")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "begins with the name"),
        ("year", "compares nothing"),
        ("year >=", "a value is missing"),
        ("year ~ 3", "compares nothing"),
        (">= 3", "begins with the name"),
        ("site in a", "stand in brackets"),
        ("site in (a", "brackets"),
        ("site in ()", "a value is missing"),
        ("site = 'a", "is not understood"),
        ("site = a or site = b", None),
        ("year = 1, 2", "“and” joins"),
        ("year ! 3", "is not understood"),
    ],
)
def test_what_is_no_condition_is_refused_in_one_sentence(text: str, reason: str | None) -> None:
    with pytest.raises(InvalidFilter) as refused:
        parse_where([text])
    assert reason is None or reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_too_much_in_one_question_is_refused() -> None:
    with pytest.raises(InvalidFilter, match="at most 20 conditions, not 21"):
        parse_where(["a = 1"] * 21)
    with pytest.raises(InvalidFilter, match="at most 500 values in all conditions, not 501"):
        parse_where([f"a in ({', '.join(map(str, range(501)))})"])


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        assert parse_where([text])
    except InvalidFilter as refused:
        assert str(refused).endswith(".")


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_whatever_is_quoted_is_a_name_or_a_value(name: str, value: str) -> None:
    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    assert one(f"{quoted(name)} = {quoted(value)}") == Condition(name, "=", (Operand(value),))


def test_a_program_says_what_it_compares_with_by_type() -> None:
    assert operand("2020") == Operand("2020") and operand(2020) == Operand("2020", 2020.0)
    assert operand(True) == Operand("true")
    assert operand(20200101) == Operand("20200101", 20200101.0) and operand(0.5) == Operand("0.5", 0.5)


@pytest.mark.parametrize("number", [10**400, float("nan"), float("inf")])
def test_a_number_that_cannot_be_compared_is_refused(number: float) -> None:
    with pytest.raises(InvalidFilter, match="is no number that is compared"):
        operand(number)


@pytest.mark.parametrize("text", ["a\0", "\ud800"])
def test_a_value_that_no_database_keeps_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter, match="site is compared with"):
        satisfying(1, (Condition("site", "=", (Operand(text),)),))


def test_a_name_that_nobody_has_is_refused_with_those_that_come_near() -> None:
    require_known(parse_where(["year = 1 and label = a"]), {"year"}, gallery="g")
    with pytest.raises(InvalidFilter, match="has an attribute 'yaer'; did you mean year"):
        require_known(parse_where(["yaer = 1"]), {"year", "site"}, gallery="g")
    with pytest.raises(InvalidFilter, match="it has label, site, year"):
        require_known(parse_where(["quality = 1"]), {"year", "site"}, gallery="g")


def test_a_cell_is_text_and_an_empty_one_is_none() -> None:
    assert attributes_of({"b": 1, "a": True, "c": None, "d": " ", "e": float("nan"), "f": 0.1}) == {
        "a": "true",
        "b": "1",
        "f": "0.1",
    }
    assert text_of("x" * 1000) == "x" * MAX_TEXT and text_of("a\0b") == "ab"


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "1_000", "0x1", "", "1 2", "٣"])
def test_what_programs_do_not_write_as_a_number_is_text(text: str) -> None:
    assert number_of(text) is None


@given(st.dictionaries(st.text(max_size=5), st.text(min_size=1, max_size=9)))
def test_attributes_have_one_name_whatever_their_order(attributes: dict[str, str]) -> None:
    turned = dict(reversed(attributes.items()))
    assert digest_of(attributes) == digest_of(turned) != digest_of({**attributes, "more": "x"})
    assert (digest_of(attributes) is None) == (not attributes)
