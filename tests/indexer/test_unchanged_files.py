"""What has not changed is not read again; what changed, or was asked for, is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gallery.galleries import Galleries
from gallery.sources.scanning import ScannedFile
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.rehearsal import rehearse
from indexer.report import IndexingReport
from tests.toys import mean_colour_checkpoint, noise, plain, png, write_folder

LONG_AGO_NS = 10**18


@pytest.fixture
def root(tmp_path: Path) -> Path:
    pictures = write_folder(tmp_path / "root", {f"a/{n}.png": noise(n, size=(20, 30)) for n in range(4)})
    (pictures / "a/broken.png").write_bytes(b"broken")
    return aged(pictures)


def aged(root: Path) -> Path:
    """The root, its files changed long ago."""
    for path in root.rglob("*.png"):
        os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    return root


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read."""
    names: list[str] = []
    original: Callable[..., bytes] = ScannedFile.read

    def noted(self: ScannedFile, *, most: int) -> bytes:
        names.append(self.path.name)
        return original(self, most=most)

    monkeypatch.setattr(ScannedFile, "read", noted)
    return names


def indexed(galleries: Galleries, root: Path, toy: EncoderChoice, **options: bool) -> IndexingReport:
    return index(galleries, "g", [root], toy, IndexingOptions(**options))


def test_a_second_run_reads_nothing_and_reports_the_same(
    galleries: Galleries, root: Path, toy: EncoderChoice, read: list[str]
) -> None:
    first = indexed(galleries, root, toy)
    assert len(set(read)) == 5
    read.clear()
    second = indexed(galleries, root, toy)
    assert read == []
    assert (second.published, second.unchanged, second.unreadable) == (False, 4, first.unreadable)


def test_a_file_of_another_time_or_size_is_read_and_its_time_is_remembered(
    galleries: Galleries, root: Path, toy: EncoderChoice, read: list[str]
) -> None:
    indexed(galleries, root, toy)
    os.utime(root / "a/1.png", ns=(LONG_AGO_NS, LONG_AGO_NS + 5))
    (root / "a/2.png").write_bytes(png(plain("red")))
    os.utime(root / "a/2.png", ns=(LONG_AGO_NS, LONG_AGO_NS))
    read.clear()
    report = indexed(galleries, root, toy)
    assert sorted(read) == ["1.png", "2.png"]
    assert (report.unchanged, report.changed, report.embedded) == (3, 1, 1)
    read.clear()
    assert not indexed(galleries, root, toy).published
    assert read == []


def test_a_file_that_was_written_just_now_is_not_trusted(
    galleries: Galleries, root: Path, toy: EncoderChoice, read: list[str]
) -> None:
    (root / "a/3.png").write_bytes(png(noise(7, size=(20, 30))))
    for _ in range(2):
        indexed(galleries, root, toy)
    assert read.count("3.png") == 2
    assert read.count("1.png") == 1


def test_rehash_reads_everything_and_finds_a_change_that_time_and_size_hide(
    galleries: Galleries, root: Path, toy: EncoderChoice, read: list[str]
) -> None:
    indexed(galleries, root, toy)
    data = bytearray((root / "a/1.png").read_bytes())
    data[-6] ^= 1  # in the checksum of the last chunk, which nobody needs
    (root / "a/1.png").write_bytes(bytes(data))
    aged(root)
    assert indexed(galleries, root, toy).unchanged == 4
    read.clear()
    report = indexed(galleries, root, toy, rehash=True)
    assert len(read) == 5
    assert report.changed + report.removed == 1


def test_what_could_not_be_read_is_tried_again_only_where_that_is_asked_for(
    galleries: Galleries, root: Path, toy: EncoderChoice, read: list[str]
) -> None:
    indexed(galleries, root, toy)
    read.clear()
    indexed(galleries, root, toy, retry_failed=True)
    assert read == ["broken.png"]


def test_another_encoder_reads_everything_again(
    galleries: Galleries, root: Path, toy: EncoderChoice, read: list[str], tmp_path: Path
) -> None:
    indexed(galleries, root, toy)
    read.clear()
    other = mean_colour_checkpoint(tmp_path / "other", bias=(0.1, 0.0, 0.0))
    report = indexed(galleries, root, EncoderChoice(checkpoint=other, refit=True, device="cpu"))
    assert len(set(read)) == 5
    assert (report.embedded, report.unchanged) == (4, 4)


def test_a_file_at_another_uri_is_read_to_know_it_again_and_not_embedded(
    galleries: Galleries, root: Path, toy: EncoderChoice, read: list[str]
) -> None:
    indexed(galleries, root, toy)
    (root / "a").rename(root / "b")
    read.clear()
    report = indexed(galleries, root, toy)
    assert (report.moved, report.relabelled, report.embedded) == (4, 4, 0)
    assert len(read) == 5


# What a run would do.


def test_a_dry_run_tells_what_a_run_does_and_writes_nothing(
    galleries: Galleries, root: Path, toy: EncoderChoice, tmp_path: Path
) -> None:
    indexed(galleries, root, toy)
    (root / "a/0.png").rename(root / "a/moved.png")
    (root / "a/1.png").unlink()
    (root / "a/2.png").write_bytes(png(plain("red")))
    (root / "a/new.png").write_bytes(png(plain("blue")))
    before = {path: path.read_bytes() for path in tmp_path.rglob("segments/**/*") if path.is_file()}
    told = rehearse(galleries, "g", [root], toy)
    again = rehearse(galleries, "g", [root], toy)
    assert told == again
    assert {path: path.read_bytes() for path in tmp_path.rglob("segments/**/*") if path.is_file()} == before
    assert galleries.published_build("g") == told.build == 1

    report = indexed(galleries, root, toy)

    names = ("added", "changed", "moved", "relabelled", "removed", "unchanged")
    assert [getattr(told.changes, name) for name in names] == [getattr(report, name) for name in names]
    assert told.changes.to_embed == report.embedded == 2
    assert rehearse(galleries, "g", [root], toy).changes.to_embed == 0


def test_a_dry_run_of_a_new_gallery_makes_none(galleries: Galleries, root: Path, toy: EncoderChoice) -> None:
    (root / "a/copy.png").write_bytes((root / "a/1.png").read_bytes())
    told = rehearse(galleries, "g", [root], toy)
    assert galleries.names() == []
    assert (told.build, told.changes.added, told.changes.to_embed) == (None, 6, 5)


def test_a_dry_run_says_what_another_encoder_would_embed(
    galleries: Galleries, root: Path, toy: EncoderChoice, tmp_path: Path
) -> None:
    indexed(galleries, root, toy)
    other = mean_colour_checkpoint(tmp_path / "other", bias=(0.1, 0.0, 0.0))
    told = rehearse(galleries, "g", [root], EncoderChoice(checkpoint=other, refit=True, device="cpu"))
    assert (told.changes.to_embed, told.changes.unchanged) == (4, 4)
