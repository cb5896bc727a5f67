"""A request of the client as a value: where it goes, what it sends, how its answer is read.

Pictures are bytes, a path, or a name with bytes. Options that are left out are not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Picture = bytes | Path | tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and how its answer is read."""

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[tuple[str, tuple[str, bytes]]] = ()
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def request(self, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The arguments of httpx2's `request`; `headers` are sent beside those of the call."""
        told: dict[str, Any] = {"method": self.method, "url": self.path, "params": _sent(self.params)}
        told["headers"] = {**(headers or {}), **self.headers}
        if self.json is not None:
            return {**told, "json": self.json}
        return {**told, "data": _sent(self.data), "files": list(self.files)}


def model(schema: type[M]) -> Callable[[bytes], M]:
    """Reads an answer of this schema."""
    return schema.model_validate_json


def pictures(name: str, sent: Sequence[Picture]) -> list[tuple[str, tuple[str, bytes]]]:
    """The pictures as files of a form."""
    return [(name, _named(each)) for each in sent]


def gallery_path(name: str) -> str:
    """Where a gallery is."""
    return f"/v1/galleries/{quote(name, safe='')}"


def _named(picture: Picture) -> tuple[str, bytes]:
    if isinstance(picture, Path):
        return picture.name, picture.read_bytes()
    return picture if isinstance(picture, tuple) else ("picture", picture)


def _sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, as text; what was left out is left out."""
    return {name: _text(value) for name, value in values.items() if value is not None and value != ()}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)
