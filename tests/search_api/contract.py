"""What the description of the API promises, and a service that is asked for all of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gallery.access.key import Scope
from gallery.access.keys import Keys
from gallery.settings import UploadSettings
from gallery.sources.allowed import AllowedSources
from search_api.app import create_app
from search_api.routes.managing import Managing
from search_api.settings import ServiceSettings
from tests.search_api.conftest import COLOURS, Workshop
from tests.search_api.serving import served
from tests.toys import mean_colour_checkpoint, plain, png

UNLIMITED = {
    "requests_per_minute": 0,
    "searches_per_minute": 0,
    "failures_per_minute": 0,
    "open_requests_per_minute": 0,
}
NOT_SAID = [positive_data_acceptance]
"""A schema cannot say that one of three fields is needed, or which names there are: 422 says so."""
ANSWERS = 200, 300
WELL_KNOWN = {"name": "default", "gallery": "default", "encoder": "toy", "scorer": "distance"}
IMAGES = "image_id", "query", "query_image_id", "wanted_image_id", "a_image_id", "b_image_id"
PICTURES = "image", "a", "b", "files", "file"
CHOICES = (
    "image_id",
    "image_url",
    "query_id",
    "queries",
    "a_image_id",
    "b_image_id",
    "a_query_id",
    "b_query_id",
)


@dataclass
class Asked:
    """What came of asking: the statuses of each operation, and what was promised and not held."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    broken: dict[tuple[str, str, str], str] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return sum(sum(each.values()) for each in self.statuses.values())

    def answered(self, operation: str) -> bool:
        """Whether anything that was asked of it was not refused."""
        return any(ANSWERS[0] <= status < ANSWERS[1] for status in self.statuses[operation])


@dataclass
class Contract:
    """A running service, and its description of itself."""

    url: str
    schema: Any
    key: str

    def operations(self) -> Iterator[APIOperation]:  # type: ignore[type-arg]
        for found in self.schema.get_all_operations():
            yield found.ok()

    def ask(self, examples: int, *, seed_of: int, headers: Mapping[str, str]) -> Asked:
        """Asks every operation for what its description allows, and for what it does not."""
        asked = Asked()
        for operation in self.operations():
            asked.statuses[operation.label] = Counter()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                if mode is GenerationMode.NEGATIVE and not takes_anything(operation):
                    continue
                self._ask(operation, mode, examples, seed_of, headers, asked)
        return asked

    def _ask(
        self,
        operation: APIOperation,  # type: ignore[type-arg]
        mode: GenerationMode,
        examples: int,
        seed_of: int,
        headers: Mapping[str, str],
        asked: Asked,
    ) -> None:
        @seed(seed_of)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), chance=st.randoms(use_true_random=False))
        def asks(case: Case, chance: random.Random) -> None:
            if mode is GenerationMode.POSITIVE:
                lead_further(case, chance)
            answer = case.call(base_url=self.url, headers=dict(headers))
            asked.statuses[operation.label][answer.status_code] += 1
            try:
                case.validate_response(answer, headers=dict(headers), excluded_checks=NOT_SAID)
            except schemathesis.errors.FailureGroup as group:
                for each in group.exceptions:
                    told = f"{each}\n{case.as_curl_command(dict(headers))}\n{answer.text[:500]}"
                    asked.broken.setdefault((operation.label, type(each).__name__, str(each)[:80]), told)

        asks()


def takes_anything(operation: APIOperation) -> bool:  # type: ignore[type-arg]
    """Whether there is anything that may be said wrongly."""
    return bool(operation.body or operation.query or operation.path_parameters or operation.headers)


def lead_further(case: Case, chance: random.Random) -> None:
    """Names what there is, mostly, and sends real pictures: else every question would end as not found."""
    for place in (case.path_parameters, case.query, case.body):
        if not isinstance(place, dict):
            continue
        for name in CHOICES if place is case.body else ():
            if name in place and chance.random() < 0.7:
                place.pop(name)
        for name in list(place):
            optional = place is not case.path_parameters and name not in (
                *PICTURES,
                "says",
                "wanted_image_id",
            )
            if optional and name not in IMAGES and chance.random() < 0.5:
                place.pop(name)
            elif name in WELL_KNOWN and isinstance(place[name], str) and chance.random() < 0.7:
                place[name] = WELL_KNOWN[name]
            elif name in IMAGES and chance.random() < 0.7:
                place[name] = chance.randint(1, len(COLOURS))
            elif name in PICTURES and chance.random() < 0.8:
                picture = png(plain(chance.choice(["red", "blue", "white"])))
                place[name] = [picture] if isinstance(place[name], list) else picture
        # what was left out may have been needed; then it is one more question that is refused


@contextmanager
def contract(workshop: Workshop, scope: Scope = "admin") -> Iterator[Contract]:
    """A service that may be managed, over a gallery, and a key for it."""
    workshop.publish()
    mean_colour_checkpoint(workshop.root / "encoders" / "toy", name="toy")
    allowed = AllowedSources([str(workshop.root / "pictures")])
    managing = Managing(workshop.galleries, allowed, UploadSettings(), encoders=workshop.root / "encoders")
    engine = workshop.galleries.engine
    app: FastAPI = create_app(
        workshop.searcher(),
        service=ServiceSettings.model_validate(UNLIMITED),
        keys=engine,
        managing=managing,
    )
    key = Keys(engine).create("contract", scope=scope)[1].text
    with served(app) as url:
        yield Contract(url, schemathesis.openapi.from_url(f"{url}/openapi.json"), key)
