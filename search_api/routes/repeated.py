"""Query parameters that are given twice: which of them is meant, nobody knows, so that none is taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import Request

from search_api.errors import InvalidQuestion


async def named_once(request: Request) -> None:
    """Raises InvalidQuestion for a parameter of the operation that is given twice and is no list."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    repeated = {name: times for name, times in given.items() if times > 1}
    if not repeated:
        return
    for name in _single(_operation(request)):
        if name in repeated:
            raise InvalidQuestion(
                f"The parameter {name} is given {repeated[name]} times, and it may be given once."
            )


def _operation(request: Request) -> Mapping[str, Any]:
    """What openapi.json says of the operation; nothing of what is not in it."""
    path = getattr(request.scope.get("route"), "path_format", "")
    found: Mapping[str, Any] = request.app.openapi()["paths"].get(path, {}).get(request.method.lower(), {})
    return found


def _single(operation: Mapping[str, Any]) -> Iterator[str]:
    for each in operation.get("parameters", ()):
        schema = each["schema"]
        types = [schema.get("type"), *(one.get("type") for one in schema.get("anyOf", ()))]
        if each["in"] == "query" and "array" not in types:
            yield each["name"]
