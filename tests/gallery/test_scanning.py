"""Which files a scan finds, what it calls them, and when it refuses to say that there are none."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from gallery.errors import SourceUnavailable
from gallery.sources.roots import distinct, is_below, root_uri
from gallery.sources.scanning import ScannedFile, checksum, scan
from gallery.sources.source import UnlistedFolder


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(*roots: Path) -> list[str]:
    return [found.relative for found in scan(roots)]


def test_files_are_found_recursively_in_an_order_that_only_names_decide(tmp_path: Path) -> None:
    touch(*(tmp_path / name for name in ("b/2.jpg", "a.jpg", "b/1.jpg", "b/c/3.png", "B/4.txt")))
    assert names(tmp_path) == ["B/4.txt", "a.jpg", "b/1.jpg", "b/2.jpg", "b/c/3.png"]


def test_a_file_is_named_by_its_absolute_path_and_labelled_by_its_folder(tmp_path: Path) -> None:
    touch(tmp_path / "red" / "a.jpg", tmp_path / "b.jpg")
    in_root, in_folder = scan([tmp_path])
    path = tmp_path / "red" / "a.jpg"
    assert in_folder == ScannedFile(path, tmp_path, str(path), "red/a.jpg", "red")
    assert in_root.label == tmp_path.name


def test_hidden_files_and_folders_are_left_out_but_not_a_hidden_root(tmp_path: Path) -> None:
    root = tmp_path / ".pictures"
    touch(root / "a.jpg", root / ".b.jpg", root / ".git" / "c.jpg")
    assert names(root) == ["a.jpg"]


def test_a_root_may_be_a_single_file(tmp_path: Path) -> None:
    touch(tmp_path / "red" / "a.jpg", tmp_path / "red" / "b.jpg")
    (found,) = scan([tmp_path / "red" / "a.jpg"])
    assert (found.relative, found.label, found.uri) == ("a.jpg", "red", str(tmp_path / "red" / "a.jpg"))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_overlapping_roots_give_each_file_once(tmp_path: Path, order: Sequence[int]) -> None:
    touch(tmp_path / "red" / "a.jpg", tmp_path / "b.jpg")
    roots = [tmp_path, tmp_path / "red", tmp_path / "red" / "a.jpg"]
    assert names(*(roots[each] for each in order)) == ["b.jpg", "red/a.jpg"]


def test_a_root_that_is_a_link_into_another_root_gives_nothing_twice(tmp_path: Path) -> None:
    touch(tmp_path / "real" / "red" / "a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "red")
    assert [found.uri for found in scan([tmp_path / "link", tmp_path / "real"])] == [
        str(tmp_path / "real" / "red" / "a.jpg")
    ]


def test_a_place_is_named_as_the_caller_named_it(tmp_path: Path) -> None:
    touch(tmp_path / "real" / "a.jpg")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (found,) = scan([tmp_path / "real" / ".." / "link"])
    assert found.uri == str(tmp_path / "link" / "a.jpg")
    assert found.uri.startswith(root_uri(tmp_path / "real" / ".." / "link"))


def test_links_are_followed(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "a.jpg")
    root = tmp_path / "root"
    root.mkdir()
    (root / "file.jpg").symlink_to(tmp_path / "elsewhere" / "a.jpg")
    (root / "folder").symlink_to(tmp_path / "elsewhere")
    assert names(root) == ["file.jpg", "folder/a.jpg"]


def test_loops_of_links_end(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.jpg", tmp_path / "b" / "2.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    (tmp_path / "b" / "other").symlink_to(tmp_path / "a")
    found = names(tmp_path)
    assert {"a/1.jpg", "b/2.jpg", "b/other/1.jpg"} <= set(found)
    assert len(found) < 10


def test_what_is_neither_file_nor_folder_is_given_so_that_it_can_be_reported(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert names(tmp_path) == ["broken.jpg", "pipe.jpg"]


def test_a_name_that_is_not_utf8_is_shown_and_can_still_be_opened(tmp_path: Path) -> None:
    touch(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9/\xff.jpg")))
    (found,) = scan([tmp_path])
    assert (found.relative, found.label) == ("caf\\xe9/\\xff.jpg", "caf\\xe9")
    assert found.path.read_bytes() == b"x"
    found.uri.encode()


def test_a_missing_root_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg")
    with pytest.raises(
        SourceUnavailable, match=r"nowhere does not exist or cannot be reached; name a folder"
    ):
        list(scan([tmp_path, tmp_path / "nowhere"]))


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder of this name can be listed, whoever asks."""
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)


@pytest.mark.usefixtures("secret")
def test_a_folder_that_cannot_be_listed_is_never_taken_for_empty(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.jpg", tmp_path / "secret" / "2.jpg")
    with pytest.raises(SourceUnavailable, match=r"secret .*cannot be listed \(Permission denied\)\.$"):
        names(tmp_path)
    with pytest.raises(SourceUnavailable, match=r"secret cannot be listed: Permission denied\.$"):
        names(tmp_path / "secret")


@pytest.mark.usefixtures("secret")
def test_a_folder_that_cannot_be_listed_stops_nothing_where_it_is_told_to(tmp_path: Path) -> None:
    touch(tmp_path / "a" / "1.jpg", tmp_path / "secret" / "2.jpg", tmp_path / "z" / "3.jpg")
    left_out: list[UnlistedFolder] = []
    found = [file.relative for file in scan([tmp_path], leave_out=left_out.append)]
    assert found == ["a/1.jpg", "z/3.jpg"]
    reason = "it cannot be listed (Permission denied)"
    assert left_out == [UnlistedFolder(str(tmp_path / "secret"), reason)]


def test_a_recorded_root_may_be_gone_where_that_is_meant(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert distinct([tmp_path, gone / "a"], recorded=[gone / "a"], allow_empty=True) == [tmp_path]
    assert distinct([gone], recorded=[gone], allow_empty=True) == [gone]
    with pytest.raises(SourceUnavailable, match=r"gone does not exist .* index it with --allow-empty"):
        distinct([gone], recorded=[gone])
    with pytest.raises(SourceUnavailable, match="name a folder of images"):
        distinct([gone / "b"], recorded=[gone], allow_empty=True)


def test_no_root_is_no_file() -> None:
    assert list(scan([])) == []


def test_below_is_decided_by_folders_and_not_by_letters() -> None:
    assert is_below("/r/a", "/r")
    assert is_below("/r", "/r")
    assert is_below("/r/a", "/")
    assert not is_below("/r2/a", "/r")


def test_a_checksum_is_the_sha256_of_the_bytes() -> None:
    assert checksum(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
