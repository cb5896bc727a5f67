"""`whyalike serve` with its worker, over a gallery of drawn pictures, as processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from gallery.database import open_engine
from gallery.galleries import Galleries
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from siamese import checkpoint
from siamese.bodies import build_body
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing
from tests.homes import database_of
from tests.search_api.load.asking import GALLERY
from tests.search_api.load.drawn import write_drawn
from tests.search_api.serving import served_alone
from tests.toys import UNFITTED

IMAGE_SIDE = 64
CHANNELS = 128
DIMENSION = 64


@dataclass(frozen=True, slots=True)
class Running:
    """Where it answers, and the process whose children the workers are."""

    url: str
    pid: int


def make_gallery(home: Path, pictures: Path, count: int) -> None:
    """So many drawn pictures, published, and two encoders that other galleries may choose."""
    for seed, name in enumerate(("drawn-a", "drawn-b")):
        _write_encoder(home / "encoders" / name, name, seed)
    write_drawn(pictures / "core", range(count))
    engine = open_engine(database_of(home))
    choice = EncoderChoice(checkpoint=home / "encoders" / "drawn-a", device="cpu")
    index(Galleries(home, engine), GALLERY, [pictures / "core"], choice)
    engine.dispose()


@contextmanager
def running(home: Path, pictures: Path) -> Iterator[Running]:
    """The service until the block ends; what it logs is in `log` of the home."""
    settings = {
        "WHYALIKE_HOME": str(home),
        "WHYALIKE_DATABASE_URL": database_of(home),
        "WHYALIKE_JOBS__IMPORT_SOURCES": str(pictures),
        "WHYALIKE_JOBS__POLL_SECONDS": "0.1",
    }
    with served_alone(home, settings) as (url, pid):
        yield Running(url, pid)


def _write_encoder(path: Path, name: str, seed: int) -> None:
    """A small network with weights drawn by this seed: it was taught nothing, and tells pictures apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = EncoderNetwork(build_body("small", weights="none"), nn.Linear(CHANNELS, DIMENSION))
    nn.init.zeros_(network.linear.bias)  # which all pictures have in common
    preprocessing = Preprocessing.model_validate(
        {"image_size": IMAGE_SIDE, "fit": "crop", "mean": (0.5,) * 3, "std": (0.25,) * 3}
    )
    record = checkpoint.describe(network, name=name, preprocessing=preprocessing, calibration=UNFITTED)
    checkpoint.save(path, network, record)
