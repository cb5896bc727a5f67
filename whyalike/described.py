"""What the service says of its routes, with no gallery and no setting of this machine."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from gallery.database import open_engine
from gallery.galleries import Galleries
from migrations.schema import upgrade
from search_api.app import create_app
from search_api.search import Searcher


def described_api() -> str:
    """OpenAPI as JSON that a person can read and compare, without the version of what is installed."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'records.db'}"
        upgrade(url)
        engine = open_engine(url)
        try:
            described = create_app(Searcher(Galleries(Path(folder), engine))).openapi()
        finally:
            engine.dispose()
    described["info"]["version"] = "1"
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"
