from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.gallery.killing import Homes, killed_homes
from tests.gallery.support import Trial


@pytest.fixture
def trial(make_home: Callable[[str], Path]) -> Trial:
    return Trial.at(make_home("home"))


@pytest.fixture
def homes(say: Callable[[str], None]) -> Homes:
    """Copies of homes in which an action was killed; see `killed_homes`."""
    return partial(killed_homes, say=say)
