from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gallery.support import Trial


@pytest.fixture
def trial(make_home: Callable[[str], Path]) -> Trial:
    return Trial.at(make_home("home"))
