"""One visitor's connection to the service: sends calls, notes what came of them, and judges every search."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx2

from search_api.calls.call import Call
from tests.search_api.load.ledger import Ledger
from tests.search_api.load.tally import Tally

GALLERY = "drawn"
PROBLEM = "application/problem+json"
REFUSED = frozenset({429, 503})
"""What a service may say that has too much to do."""


class UnansweredError(Exception):
    """The question has no answer: there was too much to do, or something was wrong, which is noted."""


@dataclass
class Visit:
    """Asks in one phase."""

    http: httpx2.AsyncClient
    ledger: Ledger
    tally: Tally
    overloaded: bool = False
    """Whether refusals are what is expected."""

    async def ask(self, call: Call[Any], *allowed: int) -> Any:
        """The answer's JSON (bytes where it is none); None where it was refused with an allowed status.

        Raises UnansweredError. Any other refusal is a fault, and so is a refusal that does not say why.
        """
        try:
            answer = await self.http.request(**call.request())
        except httpx2.HTTPError as error:
            self.tally.statuses["gone"] += 1
            self.tally.fault(f"{call.method} {call.path}: {error!r}")
            raise UnansweredError from error
        status = answer.status_code
        self.tally.statuses[str(status)] += 1
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if status < 400:
            return answer.json() if media_type == "application/json" else answer.content
        if status in REFUSED and self.overloaded:
            if "retry-after" not in answer.headers or media_type != PROBLEM:
                self.tally.fault(f"{call.method} {call.path}: {status} without Retry-After")
            raise UnansweredError
        if status not in allowed or media_type != PROBLEM or not json.loads(answer.content)["detail"]:
            self.tally.fault(f"{call.method} {call.path}: {status} {answer.content[:300]!r}")
            raise UnansweredError
        return None

    async def search(self, call: Call[Any], *allowed: int) -> dict[str, Any] | None:
        """The same for one search of the gallery, whose answer is judged."""
        least, gone = self.ledger.build, frozenset(self.ledger.gone)
        answer = await self.ask(call, *allowed)
        if answer is not None:
            self.require_true(answer, least=least, gone=gone)
        return answer

    def require_true(self, answer: dict[str, Any], *, least: int, gone: frozenset[int]) -> None:
        """The build is none from before the question, nothing removed is in it, and it is in order."""
        if answer["build"] < least:
            self.tally.fault(f"stale: build {answer['build']} after {least}")
        self.ledger.saw(answer["build"])
        if back := gone & set(ids_of(answer)):
            self.tally.fault(f"removed images came back in build {answer['build']}: {sorted(back)}")
        distances = [each["distance"] for each in answer["matches"]]
        if distances != sorted(distances):
            self.tally.fault(f"out of order: {distances}")
        if any(each["evidence"] is None or each["reason"] is None for each in answer["matches"]):
            self.tally.fault("a match without evidence")

    def require_first(self, answer: dict[str, Any] | None, image_id: int, what: str) -> None:
        """This image is found first, at distance 0."""
        matches = answer["matches"] if answer else []
        if not matches or (matches[0]["image_id"], matches[0]["distance"]) != (image_id, 0):
            build = answer["build"] if answer else None
            told = [(each["image_id"], each["distance"]) for each in matches[:2]]
            self.tally.fault(f"{what}: image {image_id} is not first at 0 in build {build}, but {told}")

    def require(self, holds: bool, told: str) -> None:
        """Else it is a fault."""
        if not holds:
            self.tally.fault(told)

    async def timed(self, kind: str, due: float, work: Any) -> None:
        """Does the work of one question, and notes how long it took since it was due."""
        try:
            await work
        except UnansweredError:
            return
        except Exception as error:  # noqa: BLE001 - each is told, and the others go on
            self.tally.fault(f"{kind}: the answer is not what it must be: {error!r}")
            return
        self.tally.took(kind, time.perf_counter() - due)


def ids_of(answer: dict[str, Any]) -> Iterable[int]:
    """The images that an answer shows."""
    return (each["image_id"] for each in answer["matches"])
