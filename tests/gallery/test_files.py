"""Files survive a power cut because of an order: content, its folder, the new name, the folder of that."""

from pathlib import Path

import pytest

from gallery import files
from gallery.files import UNFINISHED, make_folder, new_folder, remove, write_file


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is synchronised and renamed, in order, below the temporary folder."""
    done: list[str] = []

    def shown(path: Path) -> str:
        parts = path.relative_to(tmp_path).parts
        return "/".join("*" if part.startswith(UNFINISHED) else part for part in parts) or "."

    synchronise = files.synchronise
    rename, replace = Path.rename, Path.replace

    def synchronising(path: Path) -> None:
        done.append(f"sync {shown(path)}")
        synchronise(path)

    def renaming(path: Path, to: Path) -> Path:
        done.append(f"{shown(path)} becomes {shown(to)}")
        return rename(path, to)

    def replacing(path: Path, to: Path) -> Path:
        done.append(f"{shown(path)} becomes {shown(to)}")
        return replace(path, to)

    monkeypatch.setattr(files, "synchronise", synchronising)
    monkeypatch.setattr(Path, "rename", renaming)
    monkeypatch.setattr(Path, "replace", replacing)
    return done


def test_a_folder_gets_its_name_after_its_content_is_on_the_disk(tmp_path: Path, steps: list[str]) -> None:
    with new_folder(tmp_path / "segments" / "s") as unfinished:
        (unfinished / "inner").mkdir()
        (unfinished / "a").write_bytes(b"a")
        (unfinished / "inner" / "b").write_bytes(b"b")
        assert not (tmp_path / "segments" / "s").exists()
    assert steps == [
        "sync .",  # `segments` was made
        "sync segments/*/a",
        "sync segments/*/inner",
        "sync segments/*/inner/b",
        "sync segments/*",
        "segments/* becomes segments/s",
        "sync segments",
    ]
    assert (tmp_path / "segments" / "s" / "inner" / "b").read_bytes() == b"b"


def test_a_file_gets_its_name_after_its_content_is_on_the_disk(tmp_path: Path, steps: list[str]) -> None:
    write_file(tmp_path / "1.json", b"one")
    assert steps == ["sync *", "* becomes 1.json", "sync ."]
    write_file(tmp_path / "1.json", b"two")
    assert (tmp_path / "1.json").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["1.json"]


def test_every_folder_that_is_made_is_on_the_disk(tmp_path: Path, steps: list[str]) -> None:
    make_folder(tmp_path / "a" / "b" / "c")
    assert steps == ["sync .", "sync a", "sync a/b"]


def test_what_fails_half_way_never_gets_its_name(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "s") as unfinished:
        (unfinished / "a").write_bytes(b"a")
        raise ZeroDivisionError
    assert not (tmp_path / "s").exists()
    assert all(path.name.startswith(UNFINISHED) for path in tmp_path.iterdir())


def test_a_folder_that_is_removed_loses_its_name_before_its_content(tmp_path: Path, steps: list[str]) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a").write_bytes(b"a")
    remove(tmp_path / "s")
    remove(tmp_path / "not there")
    assert steps == ["s becomes *"]
    assert list(tmp_path.iterdir()) == []
