"""A home of its own for every test, and plain pictures that the toy encoder can tell apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

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
