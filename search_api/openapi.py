"""What the service says of itself: tags, examples, and refusals under their own media type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from search_api.examples import EXAMPLES
from search_api.problems import PROBLEM_JSON

TAGS: list[dict[str, Any]] = [
    {"name": "search", "description": "Ask with a picture."},
    {"name": "galleries", "description": "What can be searched."},
    {"name": "images", "description": "The images of a gallery and the evidence painted over them."},
    {"name": "service", "description": "Whether the service can answer."},
]
JSON = "application/json"
PROBLEM_REFERENCE = "#/components/schemas/Problem"
FIRST_FAILURE = 400


def install(app: FastAPI) -> None:
    """Completes the description that FastAPI makes of the routes."""
    describe = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(describe())
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    for operation in _operations(schema):
        for status, response in operation["responses"].items():
            content = response.get("content", {})
            if content.get(JSON, {}).get("schema", {}).get("$ref") == PROBLEM_REFERENCE:
                response["content"] = {PROBLEM_JSON: content[JSON]}
            elif JSON in content and int(status) < FIRST_FAILURE:
                content[JSON]["example"] = EXAMPLES[operation["operationId"]]
    return schema


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in schema["paths"].values():
        yield from path.values()
