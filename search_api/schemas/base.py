"""What every schema shares: frozen pieces of an answer, and the words that may stand in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    model_validator,
)

from gallery.filters.attributes import is_storable

Verdict = Literal["same", "different"]
ScorerName = Literal["distance", "pair-head"]
ExplainedScore = Literal["cosine", "distance", "pair-head", "class"]
Prefilter = Literal["label"]
FittedOn = Literal["pair", "shown"]
DrawnOn = Literal["original", "thumbnail", "upload"]
ComputedFrom = Literal["stored", "upload", "original", "thumbnail", "nothing"]
OriginalState = Literal["unchanged", "changed", "gone", "elsewhere"]


class Schema(BaseModel):
    """A frozen piece of an answer that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AskedSchema(Schema):
    """A piece of a question: whatever text is in it, every database keeps it and every answer can show it."""

    @model_validator(mode="before")
    @classmethod
    def _texts_are_storable(cls, told: Any) -> Any:
        if not all(is_storable(text) for text in _texts(told)):
            raise ValueError("a text holds a NUL or half a surrogate pair, which no database keeps")
        return told


def _texts(told: Any) -> Iterator[str]:
    """All texts in what was read of JSON, names too; without recursion, however deep it is."""
    waiting = [told]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as named:
                waiting += [*named, *named.values()]
            case list() as several:
                waiting += several


class SparseSchema(Schema):
    """A piece that leaves out the keys of `SPARSE` where they are null, because they were not asked for."""

    SPARSE: ClassVar[tuple[str, ...]]

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        for name in cls.SPARSE:
            cls.model_fields[name].exclude_if = _was_not_asked
        cls.model_rebuild(force=True)


def _was_not_asked(value: object) -> bool:
    return value is None
