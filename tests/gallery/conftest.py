import shutil
from pathlib import Path

import pytest

from migrations import schema
from tests.gallery.support import Trial


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "records.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def trial(tmp_path: Path, migrated: Path) -> Trial:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated, home / "records.db")
    return Trial.at(home)
