"""Files that mean harm, among good ones: each is read or reported, in bounded time and memory."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gallery.galleries import Galleries
from gallery.sources.scanning import scan
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.reading import Reader, UnreadFile
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from tests.indexer.bombs import bombs, largest_pictures
from tests.indexer.handmade import handmade
from tests.indexer.hostile import hostile_files, wellformed
from tests.toys import noise, write_folder

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
"""Pillow and numpy warn of what such files hold."""

LONGEST_READ_S = 10.0
"""CPU seconds that one file may take: decoding, preparing and thumbnail."""

MOST_MEMORY_MB = 1_000
"""Memory that reading any of the files may take at its peak: three times the largest picture allowed."""

LARGEST_MEMORY_MB = 2_000
"""The same for the largest ones: OpenJPEG takes 18 bytes a pixel, libwebp 15, libjpeg 11 for slow CMYK."""

GOOD = 5

OF_PLUGINS = {"HEIF"}
"""What Pillow reads once an extra is installed."""


HANDMADE = len(handmade()) + len(bombs())


def write_hostile(root: Path, count: int, *, seed: int) -> Path:
    """`count` hostile files and what is no file at all, with good ones scattered among them."""
    write_folder(root, {f"{n * 999:05}-good.png": noise(n) for n in range(GOOD)})
    for name, data in hostile_files(count, seed=seed):
        (root / name).write_bytes(data)
    write_no_files(root)
    return root


def write_no_files(root: Path) -> None:
    """Pipes, sockets, devices, links that lead nowhere or round, a file of 4 GB, names that are no text."""
    (root / "broken-link.jpg").symlink_to(root / "nowhere.jpg")
    (root / "round-link.jpg").symlink_to(root / "round-link.jpg")
    (root / "into-itself").symlink_to(root, target_is_directory=True)
    with (root / "sparse.tif").open("wb") as sparse:
        sparse.write(b"II*\0")
        sparse.truncate(2**32)
    if sys.platform == "win32":
        return
    os.mkfifo(root / "pipe.jpg")
    for device in ("zero", "random", "null", "tty"):
        (root / f"{device}.png").symlink_to(f"/dev/{device}")
    with socket.socket(socket.AF_UNIX) as bound, contextlib.chdir(root):
        bound.bind("socket.gif")  # a relative name, because an absolute one may be too long
    for name in (b"no-text-\xff\xfe.jpg", b"new\nline.png", b"\x1b[31m.gif"):
        (root / os.fsdecode(name)).write_bytes(b"no picture")


def memory_mb(kind: str) -> float:
    """What this process holds now (VmRSS), or has held at most (VmHWM); 0 where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    (held,) = [line for line in status.read_text().splitlines() if line.startswith(kind)]
    return int(held.split()[1]) / 1024


def forget_peak() -> None:
    """From now on VmHWM is the most since now; what loading the libraries took does not hide the rest."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def read_all(root: Path, checkpoint: Path, report: Connection) -> None:
    """Read every file as a run does; sends the slowest one, odd reasons, and the memory that it took."""
    reader = Reader(
        Encoder.load(checkpoint, device="cpu"), known=(), limits=ImageLimits(), thumbnail_quality=90
    )
    forget_peak()
    before = memory_mb("VmRSS")
    slowest, odd = (0.0, ""), []
    for file in scan([root]):
        started = time.process_time()
        read = reader.read(file)
        slowest = max(slowest, (time.process_time() - started, file.relative))
        if isinstance(read, UnreadFile) and read.reason.startswith("it cannot be read ("):
            odd.append((file.relative, read.reason))
    report.send((slowest, odd, memory_mb("VmHWM") - before))


def require_bounded(root: Path, checkpoint: Path, *, most_mb: float = MOST_MEMORY_MB) -> str:
    """Read everything in a process of its own; says what was the slowest, and the memory that it took."""
    ours, theirs = multiprocessing.Pipe()
    reading = multiprocessing.get_context("spawn").Process(target=read_all, args=(root, checkpoint, theirs))
    reading.start()
    theirs.close()
    slowest, odd, added_mb = ours.recv()  # EOFError if a file has crashed the process
    reading.join()
    assert slowest[0] < LONGEST_READ_S, slowest
    assert odd == []
    assert added_mb < most_mb
    return f"slowest {slowest[0]:.1f} s ({slowest[1]}), memory added {added_mb:.0f} MB"


def require_each_read_or_reported(root: Path, galleries: Galleries, toy: EncoderChoice) -> str:
    """Index everything; says how many were read, and how many reported."""
    report = index(galleries, "trial", [root], toy)

    assert report.images + len(report.unreadable) == sum(1 for _ in scan([root]))
    assert not [each.uri for each in report.unreadable if "good" in each.uri]
    assert not [each for each in report.unreadable if not each.reason.isprintable()]
    build = galleries.open("trial")
    query = np.eye(build.dimension, dtype=np.float32)[0]
    found = build.search(query, count=len(build), fingerprint=build.fingerprint)
    for candidate in found:
        assert np.isfinite(build.local_embeddings([candidate.image_id])).all()
        with Image.open(io.BytesIO(build.thumbnail(candidate.image_id))) as stored:
            stored.load()
    assert not index(galleries, "trial", [root], toy).published
    return f"{report.images} images, {len(report.unreadable)} reported"


def test_every_format_that_pillow_reads_is_tried() -> None:
    tried = set()
    for data in wellformed().values():
        with contextlib.suppress(OSError), Image.open(io.BytesIO(data)) as picture:
            tried.add(picture.format)
    assert {name.upper() for name in tried if name} >= set(Image.OPEN) - OF_PLUGINS


def test_every_hand_made_file_is_read_in_bounded_time_and_memory(
    tmp_path: Path, toy_checkpoint: Path
) -> None:
    require_bounded(write_hostile(tmp_path / "hostile", HANDMADE, seed=0), toy_checkpoint)


def test_hostile_files_never_stop_a_run_and_each_is_read_or_reported(
    galleries: Galleries, tmp_path: Path, toy: EncoderChoice
) -> None:
    root = write_hostile(tmp_path / "hostile", HANDMADE + 250, seed=1)
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
    say: Callable[[str], None],
) -> None:
    root = write_hostile(tmp_path / "hostile", 2_500, seed=100 + seed)
    bounds = require_bounded(root, toy_checkpoint)
    say(f"hostile files, seed {seed}: {require_each_read_or_reported(root, galleries, toy)}; {bounds}")


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_largest_pictures_that_are_allowed_take_bounded_time_and_memory(
    tmp_path: Path, toy_checkpoint: Path, say: Callable[[str], None]
) -> None:
    for name, data in largest_pictures().items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes(data)
        bounds = require_bounded(folder, toy_checkpoint, most_mb=LARGEST_MEMORY_MB)
        say(f"{name} of {len(data) / 2**20:.1f} MiB: {bounds}")
