"""What every schema shares: frozen pieces of an answer, and the words that may stand in them."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

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


class SparseSchema(Schema):
    """A piece that leaves out the keys of `SPARSE` where they are null, because they were not asked for."""

    SPARSE: ClassVar[tuple[str, ...]]

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_asked(self, serialize: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        content: dict[str, Any] = serialize(self)
        return {key: value for key, value in content.items() if value is not None or key not in self.SPARSE}
