"""What strangers send to a service, as a process of its own: each a clear answer, none fatal, memory flat."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from tests.indexer.bombs import bombs
from tests.indexer.handmade import handmade
from tests.indexer.hostile import hostile_files
from tests.search_api.conftest import Workshop
from tests.search_api.hostile_requests import (
    PATIENCE_S,
    Answer,
    Sent,
    exchange,
    hostile_requests,
    mangled_requests,
)
from tests.search_api.serving import served_alone
from tests.toys import plain, png

GOOD = png(plain("red"))
BODY_SECONDS = 1.0
SAMPLE = 80
"""Of the files, and of the requests, in `make test`."""
PEOPLE = 4
"""Who sends at the same time."""
PROBLEM = "application/problem+json"
MOST_TOLD = 20_000
"""Bytes of a refusal: it does not give back what was sent."""
MOST_GROWTH = 1.05
"""Of memory, from the first half of the files to the second."""
MOST_MEMORY_MB = 2_500
"""At any moment: torch, and as many of the largest pictures at once as there are slots for decoding."""
HANDMADE = len(handmade()) + len(bombs())


@dataclass
class Process:
    """`whyalike serve`, and what it was asked."""

    url: str
    pid: int
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    unclear: list[str] = field(default_factory=list)

    def note(self, where: str, name: str, answer: Answer, *, is_http: bool = True) -> None:
        """Counts an answer, and remembers one that says nothing clear."""
        self.answers[where, answer.status] += 1
        if fault := fault_of(answer, is_http=is_http):
            self.unclear.append(f"{where}, {name}: {fault}")

    def memory_mb(self, kind: str = "VmRSS") -> float:
        status = Path(f"/proc/{self.pid}/status")
        if not status.exists():
            return 0.0
        return int(re.findall(rf"^{kind}:\s+(\d+) kB$", status.read_text(), re.MULTILINE)[0]) / 1024

    def require_good(self) -> None:
        """It answers as on the first day, and nothing went wrong inside."""
        assert self.unclear == [], "\n".join(self.unclear[:20])
        answer = httpx2.post(f"{self.url}/v1/search", files={"image": GOOD}, timeout=PATIENCE_S)
        assert answer.json()["matches"][0]["distance"] == 0
        faults = re.findall(r'^whyalike_requests_total\{.*status="5', self._metrics(), re.MULTILINE)
        assert faults == []

    def _metrics(self) -> str:
        return httpx2.get(f"{self.url}/metrics", timeout=PATIENCE_S).text

    @property
    def sent(self) -> int:
        return sum(self.answers.values())

    def told(self) -> str:
        """How many came to what."""
        statuses: Counter[int] = Counter()
        for (_, status), count in self.answers.items():
            statuses[status] += count
        return ", ".join(f"{count} × {status or 'gone'}" for status, count in sorted(statuses.items()))


def fault_of(answer: Answer, *, is_http: bool) -> str | None:
    """What is not clear in an answer."""
    if answer.status in {0, 200, 202} or (not is_http and answer.status in {400, 431}):
        return None
    if not 400 <= answer.status < 500 or answer.media_type != PROBLEM:
        return f"{answer.status} {answer.media_type} {answer.body[:200]!r}"
    if answer.status == 405 and not answer.body:
        return None
    problem = json.loads(answer.body)
    is_told = problem["status"] == answer.status and problem["detail"] and problem["title"]
    return None if is_told and len(answer.body) < MOST_TOLD else f"unclear: {answer.body[:200]!r}"


@contextmanager
def process(workshop: Workshop) -> Iterator[Process]:
    """The service over a gallery of plain colours, on a port of its own."""
    workshop.publish()
    workshop.galleries.create("hostile")
    settings = {
        "WHYALIKE_HOME": str(workshop.root / "home"),
        "WHYALIKE_DATABASE_URL": f"sqlite:///{workshop.root}/records.db",
        "WHYALIKE_SERVE__BODY_SECONDS": str(BODY_SECONDS),
        "WHYALIKE_JOBS__WORKERS": "0",
    }
    with served_alone(workshop.root, settings) as (url, pid):
        yield Process(url, pid)


def send_files(service: Process, files: Sequence[tuple[str, bytes]], client: httpx2.Client) -> None:
    """Each to one of the places that take a picture, in turn."""
    for number, (called, data) in enumerate(files):
        where = ("search", "compare", "uploads")[number % 3]
        name = called.encode("ascii", "replace").decode()
        sent = {
            "search": ("/v1/search", [("image", (name, data))]),
            "compare": ("/v1/compare", [("a", ("good.png", GOOD)), ("b", (name, data))]),
            "uploads": ("/v1/galleries/hostile/uploads", [("files", (name, data))]),
        }[where]
        got = client.post(service.url + sent[0], files=sent[1])
        media_type = got.headers.get("content-type", "").partition(";")[0]
        service.note(where, name, Answer(got.status_code, media_type, got.content))


def send_requests(service: Process, requests: Sequence[Sent]) -> None:
    """Each by a connection of its own, several at the same time."""
    with ThreadPoolExecutor(PEOPLE * 4) as pool:  # most of them wait
        answers = pool.map(lambda each: exchange(service.url, each), requests)
        for sent, answer in zip(requests, answers, strict=True):
            service.note("requests", sent.name, answer, is_http=sent.is_http)


def attack(service: Process, files: Sequence[tuple[str, bytes]]) -> float:
    """Sends the files, and returns how much memory grew from the first half to the second."""
    half = len(files) // 2
    held = []
    for part in (files[:half], files[half:]):
        with ThreadPoolExecutor(PEOPLE) as pool, httpx2.Client(timeout=60.0) as client:
            list(
                pool.map(
                    lambda some: send_files(service, some, client), [part[n::PEOPLE] for n in range(PEOPLE)]
                )
            )
        held.append(service.memory_mb())
    return held[1] / held[0] if held[0] else 1.0


def test_whatever_strangers_send_is_answered_clearly_and_ends_nothing(workshop: Workshop) -> None:
    with process(workshop) as service:
        chance = random.Random(1)
        attack(service, chance.sample(list(hostile_files(2 * HANDMADE, seed=1)), SAMPLE))
        some = chance.sample(list(hostile_requests(GOOD)), SAMPLE)
        send_requests(service, [*some, *mangled_requests(GOOD, 20, seed=1)])
        service.require_good()
        assert service.memory_mb("VmHWM") < MOST_MEMORY_MB


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_thousands_of_hostile_uploads_are_answered_clearly_and_memory_stays_flat(
    workshop: Workshop, say: Callable[[str], None]
) -> None:
    with process(workshop) as service:
        attack(service, list(hostile_files(600, seed=10)))  # so that what is made once is there
        growth = attack(service, list(hostile_files(5_000, seed=11)))
        requests = [*hostile_requests(GOOD), *mangled_requests(GOOD, 1_000, seed=10)]
        send_requests(service, requests)
        service.require_good()
        peak = service.memory_mb("VmHWM")
        memory = f"memory × {growth:.3f}, peak {peak:.0f} MB"
        say(f"hostile uploads: {service.sent} sent, {service.told()}; {memory}.")
        assert growth < MOST_GROWTH and peak < MOST_MEMORY_MB
