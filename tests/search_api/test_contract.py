"""The description of the API is a promise: schemathesis asks every operation for everything, and all it is
answered is what the description says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery.database import open_engine
from gallery.galleries import Galleries
from tests.homes import database_of
from tests.search_api.conftest import Workshop
from tests.search_api.contract import Asked, contract
from tests.toys import plain, png

SAMPLE = 2
SOAK = 60
"""Questions of each operation and mode: those that the description allows, and those that it does not."""

REFUSED = {401, 403}
"""For want of a key, or as what another page sends: some of what is made up looks so."""


@pytest.fixture
def described(tmp_path: Path, make_home: Callable[[str], Path]) -> Iterator[Workshop]:
    """A workshop on either database: what one of them takes for text the other one may not."""
    home = make_home("home")
    engine = open_engine(database_of(home))
    made = Workshop(tmp_path, Galleries(home, engine))
    yield made
    for searcher in made.searchers:
        searcher.close()
    engine.dispose()


def require_kept(asked: Asked) -> None:
    """Nothing was answered but what is described."""
    assert not asked.broken, "\n\n".join(f"{where}: {told}" for where, told in asked.broken.items())


def test_whatever_is_asked_is_answered_as_the_description_says(described: Workshop) -> None:
    with contract(described) as service:
        require_kept(service.ask(SAMPLE, seed_of=1, headers={"Authorization": f"Bearer {service.key}"}))


def test_without_a_key_everything_is_refused_as_the_description_says(workshop: Workshop) -> None:
    with contract(workshop) as service:
        asked = service.ask(1, seed_of=2, headers={})
        require_kept(asked)
        for operation in service.operations():
            if operation.definition.raw.get("security"):
                assert set(asked.statuses[operation.label]) <= REFUSED, operation.label


NO_TEXTS = [
    "/v1/jobs?gallery=%00",
    "/v1/galleries/%00",
    "/v1/galleries/%00/builds",
    "/v1/galleries/%00/removals",
    "/v1/galleries/%00/map",
    "/v1/galleries/default/judgements?checksum=%00",
    "/v1/galleries/default/images?label=%00",
    "/v1/galleries/default/images?where=label%3Da%00",
    "/v1/galleries/default/images?where=%00%3Da",
    "/v1/images/1?gallery=%00",
]


@pytest.mark.on_both
def test_a_text_that_no_database_keeps_is_refused_wherever_it_stands(described: Workshop) -> None:
    described.publish()
    client, red = described.managed(), {"image": ("red.png", png(plain("red")))}
    assert client.get("/v1/jobs?gallery=%ED%A0%80").json()["jobs"] == [], "half a surrogate pair is read as ?"
    for answer in (
        *(client.get(path) for path in NO_TEXTS),
        client.post("/v1/search", files=red, data={"label": "a\0"}),
        client.post("/v1/search", files=red, data={"gallery": "\0"}),
        client.post("/v1/search", files=red, data={"group_by": "\0"}),
        client.post("/v1/compare", files={"a": red["image"], "b": red["image"]}, data={"gallery": "\0"}),
        client.post("/v1/galleries/default/images", files=red, data={"label": "\0"}),
        client.post("/v1/galleries/default/images", files=red, data={"attributes": '{"a": "\\u0000"}'}),
        client.post("/v1/galleries/default/uploads", files={"files": red["image"]}, data={"encoder": "\0"}),
        client.post("/v1/galleries/%00/uploads", files={"files": red["image"]}),
        client.post("/v1/galleries/%00/imports", json={}),
        client.post(
            "/v1/galleries/%00/judgements", json={"query_image_id": 1, "image_id": 1, "says": "right"}
        ),
        client.delete("/v1/galleries/%00/judgements/1"),
        client.delete("/v1/galleries/%00/removals/1"),
        client.delete("/v1/galleries/%00/images/1"),
        client.post("/v1/galleries/%00/builds/1/activate"),
        client.post("/v1/galleries", json={"name": "\0"}),
        client.delete("/v1/galleries/default", params={"confirm": "\0"}),
        client.delete("/v1/galleries/%00", params={"confirm": "\0"}),
    ):
        assert answer.status_code in {404, 422}, (answer.request.url, answer.text)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(3))
def test_however_much_is_asked_is_answered_as_the_description_says(
    described: Workshop, seed: int, say: Callable[[str], None]
) -> None:
    with contract(described) as service:
        asked = service.ask(SOAK, seed_of=100 + seed, headers={"Authorization": f"Bearer {service.key}"})
        require_kept(asked)
        never = [operation for operation in asked.statuses if not asked.answered(operation)]
        kind = described.galleries.engine.dialect.name
        say(f"contract, {kind}, seed {seed}: {asked.requests} requests; never anything but refused: {never}")
