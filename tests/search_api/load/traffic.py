"""Mixed traffic for a running service, from a process of its own, and whether every answer was right.

    python -m tests.search_api.load.traffic URL FOLDER --rated 120

FOLDER may be imported from. The last line that is printed is JSON: the phases (warm-up, rating, rated,
overload, recovery) with their rates, times, statuses and faults.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from search_api.calls import managing
from tests.search_api.load.asking import GALLERY, Visit
from tests.search_api.load.changes import Changes
from tests.search_api.load.drawn import number_of
from tests.search_api.load.ledger import Ledger
from tests.search_api.load.questions import BAD_SHARE, SHARES, Bad, Question
from tests.search_api.load.tally import Tally

CLIENTS = 4
"""Who ask one after the other while the largest rate is measured."""
WARMING = 8
"""While it warms up: as many at the same time as come together by chance later on."""
RATED_SHARE = 0.3
"""Of the largest rate: what is left is for imports on the same cores, and for chance."""
OVERLOAD = 4
"""Times the largest rate."""
MOST_UNANSWERED = 400
"""Questions at a time that this process can have open; more than the service lets in."""
BAD_FILES = 400
CALM_S = 3.0
"""After the overload, until what was let in is answered."""
CONNECTING_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each phase lasts, in seconds; 0 leaves it out."""

    warm_up: float
    rating: float
    rated: float
    overload: float
    recovery: float
    pause: float
    at_once: int


class Traffic:
    """Asks the service at `url` in phases."""

    def __init__(self, http: httpx2.AsyncClient, ledger: Ledger, root: Path, plan: Plan) -> None:
        self._http = http
        self._plan = plan
        self._ledger = ledger
        self._root = root
        self._tallies: list[Tally] = []
        kinds: dict[str, tuple[float, Question]] = {
            **SHARES,
            "bad": (BAD_SHARE, Bad(BAD_FILES, seed=ledger.chance.randrange(1000))),
        }
        self._kinds = [(kind, question) for kind, (_, question) in kinds.items()]
        self._weights = [share for share, _ in kinds.values()]
        self._due = 0

    async def play(self) -> dict[str, Any]:
        """All phases, and what came of them."""
        plan = self._plan
        visit = self._phase("warm-up")
        changes = Changes(visit, self._root, plan.at_once, ("drawn-a", "drawn-b"))
        await changes.begin()
        await self._while_changing(changes, plan.warm_up, self._closed(visit, plan.warm_up, WARMING))
        largest = await self._closed(self._phase("rating"), plan.rating)
        rated = RATED_SHARE * largest
        changes.visit = visit = self._phase("rated")
        await self._while_changing(changes, plan.rated, self._open(visit, rated, plan.rated))
        if plan.overload:
            await self._open(self._phase("overload", overloaded=True), OVERLOAD * largest, plan.overload)
            await asyncio.sleep(CALM_S)
            await self._open(self._phase("recovery"), rated, plan.recovery)
        self._tallies[-1].ended = time.time()
        told = {each.name: each.told() for each in self._tallies}
        return {"largest": largest, "rate": rated, "phases": told, "changes": dict(changes.done)}

    def _phase(self, name: str, *, overloaded: bool = False) -> Visit:
        now = time.time()
        if self._tallies:
            self._tallies[-1].ended = now
        self._tallies.append(Tally(name, now))
        return Visit(self._http, self._ledger, self._tallies[-1], overloaded)

    async def _while_changing(self, changes: Changes, seconds: float, asking: Awaitable[object]) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(asking, changes.until(deadline, self._plan.pause))

    async def _closed(self, visit: Visit, seconds: float, clients: int = CLIENTS) -> float:
        """Clients who ask again as soon as they are answered; returns requests a second."""
        began = time.perf_counter()

        async def client() -> None:
            while time.perf_counter() - began < seconds:
                kind, question = self._next()
                await visit.timed(kind, time.perf_counter(), question(visit))

        await asyncio.gather(*(client() for _ in range(clients)))
        answered = sum(map(len, visit.tally.seconds.values()))
        return answered / (time.perf_counter() - began)

    async def _open(self, visit: Visit, rate: float, seconds: float) -> None:
        """Questions fall due at chance moments, so many a second, whether others are answered or not."""
        clock, asked = time.perf_counter, set[asyncio.Task[None]]()
        due, end = clock(), clock() + seconds
        while due < end:
            await asyncio.sleep(max(0.0, due - clock()))
            if len(asked) < MOST_UNANSWERED:
                kind, question = self._next()
                task = asyncio.create_task(visit.timed(kind, due, question(visit)))
                asked.add(task)
                task.add_done_callback(asked.discard)
            else:
                visit.tally.statuses["not sent"] += 1
            due += self._ledger.chance.expovariate(rate)
        if asked:
            await asyncio.wait(asked)

    def _next(self) -> tuple[str, Question]:
        return self._ledger.chance.choices(self._kinds, self._weights)[0]


async def ledger_of(http: httpx2.AsyncClient, seed: int) -> Ledger:
    """What is in the gallery now."""
    core: dict[int, int] = {}
    after: int | None = 0
    while after is not None:
        call = managing.list_images(GALLERY, after=after, limit=200)
        page = (await http.request(**call.request())).raise_for_status().json()
        core.update({number_of(each["uri"]): each["image_id"] for each in page["images"]})
        after = page["next_after"]
    return Ledger(core, page["build"], random.Random(seed))


async def main() -> None:
    """Play, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--warm-up", type=float, default=10.0)
    parser.add_argument("--rating", type=float, default=10.0)
    parser.add_argument("--rated", type=float, default=60.0)
    parser.add_argument("--overload", type=float, default=15.0)
    parser.add_argument("--recovery", type=float, default=20.0)
    parser.add_argument("--pause", type=float, default=1.0, help="Seconds between changes.")
    parser.add_argument("--at-once", type=int, default=24, help="Pictures of an import.")
    parser.add_argument("--seed", type=int, default=0)
    chosen = vars(parser.parse_args())
    url, folder, seed = chosen.pop("url"), chosen.pop("folder"), chosen.pop("seed")
    limits = httpx2.Limits(max_connections=MOST_UNANSWERED, max_keepalive_connections=50)
    async with httpx2.AsyncClient(base_url=url, timeout=CONNECTING_S, limits=limits) as http:
        traffic = Traffic(http, await ledger_of(http, seed), folder, Plan(**chosen))
        sys.stdout.write(json.dumps(await traffic.play()) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
