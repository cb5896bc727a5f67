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
