"""A home of its own for every test, and plain pictures that the toy encoder can tell apart."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.postgresql import copy_database, drop_database
from tests.toys import fitted_at, mean_colour_checkpoint, mosaic, write_folder
from whyalike.app import app
from whyalike.settings import variables

CORNERS = ("white", "black", "yellow", "cyan")

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no other setting of this machine."""
    for name in variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WHYALIKE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def each_database(home: Path, migrated: Path | str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The records in SQLite in the home, and in PostgreSQL."""
    if isinstance(migrated, Path):
        yield
        return
    url = copy_database(migrated, f"home_{uuid.uuid4().hex}")
    monkeypatch.setenv("WHYALIKE_DATABASE_URL", url)
    yield
    drop_database(url)


@pytest.fixture
def run() -> Run:
    """Runs the command line in this process."""
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four mostly red, four mostly green and four mostly blue pictures, in folders by colour."""
    mosaics = {
        f"{colour}/{corner}.png": mosaic([[colour, colour], [colour, corner]])
        for colour in ("red", "lime", "blue")
        for corner in CORNERS
    }
    return write_folder(tmp_path_factory.mktemp("pictures"), mosaics)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mean-colour encoder, with a threshold at 0.5."""
    folder = tmp_path_factory.mktemp("encoder") / "mean-colour"
    return mean_colour_checkpoint(folder, calibration=fitted_at(0.5))


@pytest.fixture
def gallery(run: Run, pictures: Path, checkpoint: Path) -> str:
    """The pictures, indexed."""
    result = run("index", pictures, "--gallery", "colours", "--checkpoint", checkpoint)
    assert result.exit_code == 0, result.stderr
    return "colours"
