"""A migrated database, a home, and a toy encoder's checkpoint: everything but the pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery.database import open_engine
from gallery.galleries import Galleries
from indexer.encoders import EncoderChoice
from tests.homes import database_of
from tests.toys import mean_colour_checkpoint


@pytest.fixture(scope="session")
def toy_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mean_colour_checkpoint(tmp_path_factory.mktemp("toy") / "mean-colour")


@pytest.fixture
def toy(toy_checkpoint: Path) -> EncoderChoice:
    return EncoderChoice(checkpoint=toy_checkpoint, device="cpu")


@pytest.fixture
def new_galleries(make_home: Callable[[str], Path]) -> Iterator[Callable[[str], Galleries]]:
    """Galleries of a home of their own, by its name."""
    engines = []

    def make(name: str) -> Galleries:
        home = make_home(name)
        engines.append(open_engine(database_of(home)))
        return Galleries(home, engines[-1])

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def galleries(new_galleries: Callable[[str], Galleries]) -> Galleries:
    return new_galleries("home")
