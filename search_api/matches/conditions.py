"""What narrows a search by labels and attributes, as it is asked for: in words, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field, TypeAdapter, ValidationError

from gallery.errors import InvalidFilter
from gallery.filters.conditions import Condition, Operator, Where, bounded, operand, parse_where
from search_api.schemas.base import AskedSchema


class ConditionSchema(AskedSchema):
    """One condition; a number is compared as a number, text as text."""

    name: str = Field(min_length=1, description="Of an attribute, or “label”.", examples=["year"])
    operator: Operator
    values: list[str | bool | int | float] = Field(
        default=[], description="One, or any number with “in” and “not in”, or none with “exists”, “missing”."
    )


MAX_TEXT = 50_000
"""Characters of one text: what is longer takes seconds to be read."""

_CONDITIONS = TypeAdapter(list[ConditionSchema])


def conditions(texts: Sequence[str] | None) -> Where:
    """The conditions in the texts, each of them in words (`year >= 2020`) or a JSON list of conditions.

    All must hold. Raises InvalidFilter.
    """
    found = tuple(each for text in texts or () for each in _conditions(text))
    return bounded(found)


def _conditions(text: str) -> Where:
    if len(text) > MAX_TEXT:
        raise InvalidFilter(
            f"A condition is told in at most {MAX_TEXT:,} characters, but this one has {len(text):,}."
        )
    if not text.lstrip().startswith("["):
        return parse_where([text])
    try:
        parsed = _CONDITIONS.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the list"
        raise InvalidFilter(f"The conditions are not understood: {where}: {fault['msg']}.") from None
    return tuple(
        Condition(each.name, each.operator, tuple(operand(value) for value in each.values)) for each in parsed
    )
