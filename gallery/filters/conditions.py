"""Conditions on labels and attributes, as people write them: `year >= 2020`, `site in (a, b)`.

    conditions = condition { "and" condition }
    condition  = name operator value | name ["not"] "in" "(" value { "," value } ")"
               | name "exists" | name "missing"
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">="

Names and values with spaces or signs in them are quoted, 'so' or "so". A value that is written as a number is
compared as one; quoted it is compared as text. `label` is the label. No condition but `missing` is true of an
image that has no such attribute.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from gallery.errors import InvalidFilter
from gallery.filters.attributes import is_storable, number_of

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "exists", "missing"]

LABEL = "label"
"""The name that stands for the label in conditions."""

MAX_CONDITIONS = 20
MAX_VALUES = 500
"""What one question may hold: each condition is a look-up, each value a variable of the statement."""

_ANY = 2**31
_TAKES = {"in": (0, _ANY), "not in": (0, _ANY), "exists": (0, 0), "missing": (0, 0)}
_COMPARING: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")
_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")|(?P<sign>==|!=|<=|>=|[=<>(),])|(?P<word>[^\s'"=<>!(),]+))"""
)
_EXAMPLE = "such as “year >= 2020” or “site in (a, b)”"


@dataclass(frozen=True, slots=True)
class Operand:
    """What is compared with: the text, and the number where it was written as one."""

    text: str
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on the attribute of this name."""

    name: str
    operator: Operator
    operands: tuple[Operand, ...] = ()

    def __post_init__(self) -> None:
        if self.operator not in get_args(Operator):
            raise InvalidFilter(f"{self.operator!r} compares nothing; {', '.join(get_args(Operator))} do.")
        least, most = _TAKES.get(self.operator, (1, 1))
        if not least <= len(self.operands) <= most:
            takes = "one value" if most else "no value"
            raise InvalidFilter(f"{self.name} {self.operator} takes {takes}, not {len(self.operands)}.")

    def __str__(self) -> str:
        """For people to read: values are not quoted."""
        said = ", ".join(each.text for each in self.operands)
        listed = f"({said})" if self.operator in {"in", "not in"} else said
        return " ".join(part for part in (self.name, self.operator, listed) if part)


Where = tuple[Condition, ...]
"""Conditions that must all hold."""


def parse_where(texts: Iterable[str]) -> Where:
    """The conditions in these texts, all of which must hold; raises InvalidFilter."""
    found = tuple(condition for text in texts for condition in _Parser(text).conditions())
    return bounded(found)


def bounded(where: Where) -> Where:
    """The conditions, if one search may hold as many; raises InvalidFilter."""
    if len(where) > MAX_CONDITIONS:
        raise InvalidFilter(f"A search takes at most {MAX_CONDITIONS} conditions, not {len(where)}.")
    values = sum(len(condition.operands) for condition in where)
    if values > MAX_VALUES:
        raise InvalidFilter(f"A search takes at most {MAX_VALUES} values in all conditions, not {values}.")
    return where


def operand(value: str | float | bool) -> Operand:
    """What a program compares with: numbers as numbers, text as text, truth as true and false.

    Raises InvalidFilter for a number that is not finite, or too large to be compared.
    """
    if isinstance(value, bool):
        return Operand("true" if value else "false")
    if isinstance(value, str):
        return Operand(value)
    text = str(value).removesuffix(".0")
    number = number_of(text)
    if number is None:
        raise InvalidFilter(f"{text[:50]} is no number that is compared; give one below 1e308.")
    return Operand(text, number)


def require_known(where: Where, names: Collection[str], *, gallery: str) -> None:
    """Refuse a condition on what no image has: a slip of the pen must not look like an empty result."""
    known = {LABEL, *names}
    for condition in where:
        if condition.name not in known:
            near = difflib.get_close_matches(condition.name, known, n=3)
            has = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(sorted(known))}."
            raise InvalidFilter(
                f"No image of the gallery {gallery!r} has an attribute {condition.name!r}; {has}"
            )


def require_storable(where: Where) -> None:
    """Refuse a value that no database can be asked with: it holds a NUL or half a surrogate pair."""
    for condition in where:
        for each in condition.operands:
            if not is_storable(each.text):
                raise InvalidFilter(
                    f"{condition.name} is compared with {each.text[:50]!r}, which holds what is in no text."
                )


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["quoted", "sign", "word", "end"]
    text: str

    def says(self, *words: str) -> bool:
        return self.kind in {"word", "sign"} and self.text.lower() in words


class _Parser:
    """Reads the conditions of one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        self._tokens = list(self._read())
        self._at = 0

    def conditions(self) -> Iterator[Condition]:
        yield self._condition()
        while self._next.kind != "end":
            if not self._take().says("and"):
                raise self._refusal("“and” joins conditions")
            yield self._condition()

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def _read(self) -> Iterator[_Token]:
        at = 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._refusal(f"{self._text[at:].strip()[:20]!r} is not understood")
            kind = match.lastgroup
            found = match[kind or 0]
            if kind == "quoted":
                yield _Token("quoted", found[1:-1].replace(found[0] * 2, found[0]))
            else:
                yield _Token("sign" if kind == "sign" else "word", found)
            at = match.end()
        yield _Token("end", "")

    def _condition(self) -> Condition:
        name = self._take()
        if name.kind not in {"word", "quoted"} or not name.text:
            raise self._refusal("a condition begins with the name of an attribute")
        sign = self._take()
        if sign.says("exists"):
            return Condition(name.text, "exists")
        if sign.says("missing"):
            return Condition(name.text, "missing")
        if sign.says("in"):
            return Condition(name.text, "in", self._values())
        if sign.says("not") and self._take().says("in"):
            return Condition(name.text, "not in", self._values())
        for operator in _COMPARING:
            if sign.says(operator) or (operator == "=" and sign.says("==")):
                return Condition(name.text, operator, (self._value(),))
        follower = f"{sign.text!r}, which" if sign.text else "nothing, which"
        raise self._refusal(f"{name.text!r} is followed by {follower} compares nothing")

    def _values(self) -> tuple[Operand, ...]:
        if not self._take().says("("):
            raise self._refusal("the values after “in” stand in brackets")
        values = [self._value()]
        while not (sign := self._take()).says(")"):
            if not sign.says(","):
                raise self._refusal("the values after “in” stand in brackets, with commas between")
            values.append(self._value())
        return tuple(values)

    def _value(self) -> Operand:
        """A quoted text, or words up to the next sign or “and”."""
        first = self._take()
        if first.kind == "quoted":
            return Operand(first.text)
        if first.kind != "word":
            raise self._refusal("a value is missing")
        words = [first.text]
        while self._next.kind == "word" and not self._next.says("and"):
            words.append(self._take().text)
        text = " ".join(words)
        return Operand(text, number_of(text))

    def _refusal(self, reason: str) -> InvalidFilter:
        return InvalidFilter(
            f"The condition {self._text[:200]!r} is not understood: {reason}; write it {_EXAMPLE}."
        )
