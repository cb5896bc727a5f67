"""Files that mean harm, among good ones: each is read or reported, in bounded time and memory."""

from __future__ import annotations

import io
import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gallery.galleries import Galleries
from gallery.scanning import scan
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.reading import Reader, UnreadFile
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from tests.indexer.hostile import handmade, hostile_files
from tests.toys import noise, write_folder

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
"""Pillow and numpy warn of what such files hold."""

LONGEST_READ_S = 10.0
"""CPU seconds that one file may take: decoding, preparing and thumbnail."""

MOST_MEMORY_MB = 1_000
"""Memory that reading any of the files may add: three times the largest picture that is allowed."""

GOOD = 5


def write_hostile(root: Path, count: int, *, seed: int) -> Path:
    """`count` hostile files, with good ones scattered among them."""
    write_folder(root, {f"{n * 999:05}-good.png": noise(n) for n in range(GOOD)})
    for name, data in hostile_files(count, seed=seed):
        (root / name).write_bytes(data)
    return root


def read_all(root: Path, checkpoint: Path, report: Connection) -> None:
    """Read every file as a run does; sends the slowest one, odd reasons, and the memory that it took."""
    resource = pytest.importorskip("resource")
    reader = Reader(
        Encoder.load(checkpoint, device="cpu"), known=(), limits=ImageLimits(), thumbnail_quality=90
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    slowest, odd = (0.0, ""), []
    for file in scan([root]):
        started = time.process_time()
        read = reader.read(file)
        slowest = max(slowest, (time.process_time() - started, file.relative))
        if isinstance(read, UnreadFile) and read.reason.startswith("it cannot be read ("):
            odd.append((file.relative, read.reason))
    report.send((slowest, odd, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024))


def require_bounded(root: Path, checkpoint: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    reading = multiprocessing.get_context("spawn").Process(target=read_all, args=(root, checkpoint, theirs))
    reading.start()
    theirs.close()
    slowest, odd, memory_mb = ours.recv()  # EOFError if a file has crashed the process
    reading.join()
    assert slowest[0] < LONGEST_READ_S, slowest
    assert odd == []
    assert memory_mb < MOST_MEMORY_MB


def require_each_read_or_reported(root: Path, galleries: Galleries, toy: EncoderChoice) -> None:
    report = index(galleries, "trial", [root], toy)

    assert report.images + len(report.unreadable) == sum(1 for _ in scan([root]))
    assert not [each.uri for each in report.unreadable if "good" in each.uri]
    build = galleries.open("trial")
    query = np.eye(build.dimension, dtype=np.float32)[0]
    found = build.search(query, count=len(build), fingerprint=build.fingerprint)
    for candidate in found:
        assert np.isfinite(build.local_embeddings([candidate.image_id])).all()
        with Image.open(io.BytesIO(build.thumbnail(candidate.image_id))) as stored:
            stored.load()
    assert not index(galleries, "trial", [root], toy).published


def test_every_hand_made_file_is_read_in_bounded_time_and_memory(
    tmp_path: Path, toy_checkpoint: Path
) -> None:
    require_bounded(write_hostile(tmp_path / "hostile", len(handmade()), seed=0), toy_checkpoint)


def test_hostile_files_never_stop_a_run_and_each_is_read_or_reported(
    galleries: Galleries, tmp_path: Path, toy: EncoderChoice
) -> None:
    root = write_hostile(tmp_path / "hostile", len(handmade()) + 250, seed=1)
    require_each_read_or_reported(root, galleries, toy)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_hostile_files_never_stop_a_run_and_each_is_read_or_reported(
    galleries: Galleries,
    tmp_path: Path,
    toy: EncoderChoice,
    toy_checkpoint: Path,
    seed: int,
) -> None:
    root = write_hostile(tmp_path / "hostile", 2_500, seed=100 + seed)
    require_bounded(root, toy_checkpoint)
    require_each_read_or_reported(root, galleries, toy)
