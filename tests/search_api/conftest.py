"""A real service over real galleries, embedded by the mean colour: every distance is mental arithmetic."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from gallery.database import open_engine
from gallery.galleries import Galleries
from gallery.index.kinds import IndexWish
from gallery.jobs.board import JobBoard
from gallery.local_storage import LocalStorage
from gallery.settings import FetchingSettings, UploadSettings
from gallery.sources.allowed import AllowedSources
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.performing import Performer
from indexer.settings import IndexingSettings, JobSettings
from indexer.worker import Worker
from search_api.app import create_app
from search_api.routes.managing import Managing
from search_api.search import Searcher
from search_api.settings import SearchSettings
from siamese.calibration import Calibration
from siamese.encoder import Encoder
from siamese.heads import Heads
from siamese.images import ImageLimits
from tests.toys import UNFITTED, mean_colour_checkpoint, mosaic, plain, put_heads, write_folder

HALF_RED = mosaic([["red", "blue"], ["red", "blue"]], cell=16)
COLOURS = {
    "red/red.png": plain("red"),
    "red/copy.png": plain("red"),
    "red/half.png": HALF_RED,
    "blue/blue.png": plain("blue"),
    "green/lime.png": plain("lime"),
}


@dataclass
class Workshop:
    """Makes galleries of plain colours below a folder, and services over them."""

    root: Path
    galleries: Galleries
    searchers: list[Searcher] = field(default_factory=list)

    def publish(
        self,
        name: str = "default",
        pictures: dict[str, Image.Image] = COLOURS,
        *,
        calibration: Calibration = UNFITTED,
        fit: str = "crop",
        bias: Sequence[float] = (0, 0, 0),
        heads: Heads | None = None,
        local_embeddings: LocalStorage | None = None,
    ) -> Path:
        """Index the pictures; the first time by a mean-colour encoder, later by the gallery's own."""
        folder = write_folder(self.root / "pictures" / name, pictures)
        first = name not in self.galleries.names()
        checkpoint = self.root / "checkpoints" / name
        if first:
            mean_colour_checkpoint(checkpoint, calibration=calibration, fit=fit, bias=bias)
            if heads:
                put_heads(checkpoint, heads)
        choice = EncoderChoice(checkpoint=checkpoint if first else None, device="cpu")
        index(
            self.galleries, name, [folder], choice, options=IndexingOptions(local_embeddings=local_embeddings)
        )
        return folder

    def searcher(self, *, fetching: FetchingSettings | None = None, **settings: object) -> Searcher:
        searcher = Searcher(
            self.galleries,
            settings=SearchSettings.model_validate(settings),
            load_encoder=partial(Encoder.load, device="cpu"),
            fetching=fetching,
        )
        self.searchers.append(searcher)
        return searcher

    def worker(self, *, allowed: Sequence[str] = ()) -> Worker:
        """Does the jobs that a service over these galleries is asked for."""
        performer = Performer(
            self.galleries,
            AllowedSources(allowed),
            settings=IndexingSettings(),
            limits=ImageLimits(),
            fetching=FetchingSettings(),
            wish=IndexWish(),
            device="cpu",
        )
        return Worker(JobBoard(self.galleries.engine), performer, JobSettings())

    def managed(self, *, allowed: Sequence[str] = (), uploads: UploadSettings | None = None) -> TestClient:
        """A client of a service that may be managed so; new galleries may choose the toy encoder."""
        mean_colour_checkpoint(self.root / "encoders" / "toy", name="toy")
        managing = Managing(
            self.galleries,
            AllowedSources(allowed),
            uploads or UploadSettings(),
            encoders=self.root / "encoders",
        )
        app = create_app(self.searcher(), managing=managing)
        return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)

    def service(self, **settings: object) -> FastAPI:
        return create_app(self.searcher(**settings))

    def client(self, **settings: object) -> TestClient:
        return TestClient(
            self.service(**settings), base_url="http://localhost", raise_server_exceptions=False
        )


@pytest.fixture
def workshop(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Workshop]:
    shutil.copy(migrated_sqlite, tmp_path / "records.db")
    engine = open_engine(f"sqlite:///{tmp_path}/records.db")
    made = Workshop(tmp_path, Galleries(tmp_path / "home", engine))
    yield made
    for searcher in made.searchers:
        searcher.close()
    engine.dispose()
