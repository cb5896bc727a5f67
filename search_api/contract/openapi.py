"""What the service says of itself: tags, examples, and refusals under their own media type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from gallery.access.key import Scope
from search_api.contract.examples import EXAMPLES
from search_api.destinations import scope_of
from search_api.edge.door import COOKIE
from search_api.problems.refusals import PROBLEM_JSON

TAGS: list[dict[str, Any]] = [
    {"name": "search", "description": "Ask with a picture."},
    {"name": "galleries", "description": "What can be searched."},
    {"name": "images", "description": "The images of a gallery and the evidence painted over them."},
    {"name": "queries", "description": "Uploaded queries that are kept for a while."},
    {"name": "judgements", "description": "What people say of pairs: right or wrong."},
    {"name": "encoders", "description": "Who embeds galleries."},
    {"name": "imports", "description": "Pictures become images of a gallery."},
    {"name": "jobs", "description": "Long work, how far it is, and its end."},
    {"name": "service", "description": "Whether the service can answer."},
]
JSON = "application/json"
PROBLEM_REFERENCE = "#/components/schemas/Problem"
FIRST_FAILURE = 400
SECURITY_SCHEMES: dict[str, Any] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key of `whyalike keys create`. Its scope is read, write (which holds read) or "
        "admin (which holds both); each operation names the one that it needs. None is asked for where the "
        "service listens on its own machine alone.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "What stands for a key in a browser, by POST /v1/session; by HTTPS its name begins "
        "with __Host-.",
    },
}
REFUSALS = {
    "401": "No valid key",
    "403": "The key lacks the scope, or another page sent this",
    "429": "Too many requests",
}
REFUSED_BODIES = {
    "400": "The body is no JSON, or no form",
    "408": "The body took too long to arrive",
    "413": "The body has too many bytes",
}


def install(app: FastAPI) -> None:
    """Completes the description that FastAPI makes of the routes."""
    describe = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(describe())
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    schema["components"]["securitySchemes"] = SECURITY_SCHEMES
    for method, operation in _operations(schema):
        _guard(operation, scope_of(operation["operationId"], method.upper()))
        if "requestBody" in operation:
            _refuse(operation, REFUSED_BODIES)
        for status, response in operation["responses"].items():
            content = response.get("content", {})
            if content.get(JSON, {}).get("schema", {}).get("$ref") == PROBLEM_REFERENCE:
                response["content"] = {PROBLEM_JSON: content[JSON]}
            elif JSON in content and int(status) < FIRST_FAILURE:
                content[JSON]["example"] = EXAMPLES[operation["operationId"]]
    return schema


def _guard(operation: dict[str, Any], scope: Scope | None) -> None:
    """Says which scope an operation needs, and how it refuses who has it not."""
    if scope is None:
        operation["security"] = []
        return
    operation["security"] = [{name: [scope]} for name in SECURITY_SCHEMES]
    _refuse(operation, REFUSALS)


def _refuse(operation: dict[str, Any], refusals: Mapping[str, str]) -> None:
    """Says that it may be refused so, where the operation says nothing more exact."""
    for status, what in refusals.items():
        problem = {"description": what, "content": {PROBLEM_JSON: {"schema": {"$ref": PROBLEM_REFERENCE}}}}
        operation["responses"].setdefault(status, problem)


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in schema["paths"].values():
        yield from path.items()
