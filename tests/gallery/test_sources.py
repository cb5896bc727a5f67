"""What tables, lists, shards and storage say of images, and how faulty ones are refused."""

from __future__ import annotations

import contextlib
import io
import json
import os
import tarfile
import tracemalloc
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.errors import FetchRefused, InvalidSource, OriginalUnavailable, SourceUnavailable
from gallery.settings import FetchingSettings
from gallery.sources.found import ListedFile
from gallery.sources.kinds import NamedSource, read_source, source_of
from gallery.sources.opening import LocalFile, RemoteFile, ShardMember, WebFile
from gallery.sources.references import referred
from gallery.sources.shards import read_shard
from gallery.web.fetching import Fetcher

LIMIT = 1000


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(FetchingSettings()) as each:
        yield each


@pytest.fixture
def memory() -> Iterator[Any]:
    storage = fsspec.filesystem("memory")
    storage.store.clear()
    yield storage
    storage.store.clear()


def found(text: str | Path) -> list[ListedFile]:
    with Fetcher(FetchingSettings()) as fetcher:
        return list(read_source(source_of(str(text)), fetcher))


def table(folder: Path, text: str, name: str = "images.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(text: str | Path) -> str:
    with pytest.raises(InvalidSource) as refused:
        found(text)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_row_of_a_table_is_an_image_with_label_group_and_attributes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"picture")
    path = table(tmp_path, "path,label,group,year,site\na.jpg,cat,g1,2020,north\n/b.jpg,,,,\n")
    first, second = found(path)
    assert (first.uri, first.at) == (str(tmp_path / "a.jpg"), LocalFile(str(tmp_path / "a.jpg")))
    assert (first.label, first.size) == ("cat", 7)
    assert first.attributes == {"group": "g1", "site": "north", "year": "2020"}
    assert (second.uri, second.label, second.attributes, second.size) == ("/b.jpg", None, {}, None)


def test_without_a_column_for_it_the_label_is_the_folder_as_in_a_scan(tmp_path: Path) -> None:
    (found_file,) = found(table(tmp_path, "path\ncats/a.jpg\n"))
    assert (found_file.uri, found_file.label) == (str(tmp_path / "cats" / "a.jpg"), "cats")


@pytest.mark.parametrize("sign", [";", "\t", ","])
def test_the_sign_between_columns_is_the_one_in_the_header(tmp_path: Path, sign: str) -> None:
    text = "\ufeff" + sign.join(("uri", "label", "note")) + "\r\n" + sign.join(("a.jpg", "cat", '"x, y"'))
    (image,) = found(table(tmp_path, text))
    assert (image.label, image.attributes) == ("cat", {"note": "x, y"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty; its first line names the columns"),
        ("a.jpg,cat\nb.jpg,dog\n", "line 1: the header names no column path or uri"),
        ("path,uri\na,b\n", "line 1: the header names both path and uri"),
        ("path,year,year\na,1,2\n", "line 1: the header names the column 'year' twice"),
        ("path,\na,1\n", "line 1: a column's name has 1 to 100 characters"),
        ("path,year\na.jpg,1\nb.jpg\n", "line 3: it has 1 fields where the header has 2 columns"),
        ("path,year\na.jpg,1,2\n", "line 2: it has 3 fields"),
        ('path,note\na.jpg,"two\nlines"\n,x\n', "line 4, column path: it names no image"),
        ('path\n"a.jpg\n', "it is no CSV"),
        ("path\na\0.jpg\n", "line 2: it holds a NUL"),
        ("path\nsftp://host/a.jpg\n", "line 2, column path: sftp://host/a.jpg is in no storage that is read"),
        ("path\nsimplecache::http://10.0.0.1/a\n", "line 2, column path"),
        (
            "path\nhttp://u:p@host/a.jpg\n",
            "line 2, column path: http://host/a.jpg names a user or a password",
        ),
    ],
)
def test_a_faulty_table_is_refused_with_line_and_column(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(table(tmp_path, text))


def test_a_table_that_is_no_utf8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "images.csv"
    path.write_bytes(b"path\na.jpg\ncaf\xe9.jpg\n")
    assert "line 3: byte 4 is no UTF-8" in refusal(path)


def test_parquet_says_the_same_as_csv_and_knows_types(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    from pyarrow import parquet

    columns = {
        "path": ["cats/a.jpg", "b.jpg"],
        "label": ["cat", None],
        "year": [2020, None],
        "score": [0.1, float("nan")],
        "sharp": [True, False],
        "taken": [date(2020, 1, 31), None],
        "boxes": [[1, 2], None],
    }
    path = tmp_path / "images.parquet"
    parquet.write_table(pyarrow.table(columns), path)
    first, second = found(path)
    assert first.label == "cat" and first.attributes == {
        "boxes": "[1, 2]",
        "score": "0.1",
        "sharp": "true",
        "taken": "2020-01-31",
        "year": "2020",
    }
    assert (second.label, second.attributes) == (None, {"sharp": "false"})
    path.write_bytes(b"PAR1 and then nothing")
    assert "is no parquet that can be read" in refusal(path)
    parquet.write_table(pyarrow.table({"path": ["a", None]}), path)
    assert "row 2, column path: it names no image" in refusal(path)


def test_a_list_names_an_image_a_line(tmp_path: Path) -> None:
    lines = (
        "# pictures\ncats/a.jpg\n\nhttps://pictures.test/b.jpg?s=1\nmemory://dogs/c.jpg\nfile:///d%20e.jpg\n"
    )
    local, web, remote, url = found(table(tmp_path, lines, "images.txt"))
    assert (local.uri, local.label) == (str(tmp_path / "cats" / "a.jpg"), "cats")
    assert (web.at, web.label) == (WebFile("https://pictures.test/b.jpg?s=1"), None)
    assert (remote.at, remote.label) == (RemoteFile("memory://dogs/c.jpg"), "dogs")
    assert url.at == LocalFile("/d e.jpg")
    assert "line 2: ftp://x is in no storage" in refusal(table(tmp_path, "a\nftp://x\n", "bad.txt"))


def shard(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    os.utime(path, (1e9, 1e9))  # a file that is too young has no version yet
    return path


def test_the_files_of_a_shard_that_share_a_name_are_one_image(tmp_path: Path) -> None:
    path = shard(
        tmp_path / "train-000.tar",
        {
            "x/1.jpg": b"one",
            "x/1.cls": b"cat\n",
            "x/1.txt": b"a cat",
            "x/1.json": json.dumps({"year": 2020, "label": "not this", "size": [1, 2]}).encode(),
            "2.seg.png": b"two",
            "2.json": b'{"label": "dog"}',
            "3.cls": b"nothing to see",
            "y/4.webp": b"four",
        },
    )
    one, two, four = found(path)
    assert (one.uri, one.label) == (f"{path}#x/1.jpg", "cat")
    assert one.attributes == {"size": "[1, 2]", "txt": "a cat", "year": "2020"}
    assert (two.uri, two.label, two.attributes) == (f"{path}#2.seg.png", "dog", {})
    assert (four.label, four.size) == ("y", 4)
    assert [each.read(most=LIMIT) for each in (one, two, four)] == [b"one", b"two", b"four"]
    assert len({each.version for each in (one, two, four)}) == 3


def test_what_is_no_plain_file_in_a_shard_is_left_out(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"{kind!r}.jpg")
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    assert found(tmp_path / "a.tar") == []


@pytest.mark.parametrize("name", ["a.tar.gz", "b.TGZ", "s3://bucket/c.tar.zst"])
def test_a_compressed_shard_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(InvalidSource, match="is a compressed shard; unpack it"):
        source_of(name)


@pytest.mark.parametrize("data", [b"no tar", b"\x1f\x8b compressed", b"x" * 1024])
def test_what_is_no_shard_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(data)
    assert "is no uncompressed tar file, or is cut off" in refusal(tmp_path / "a.tar")


def test_a_shard_that_is_cut_off_or_says_nonsense_is_refused(tmp_path: Path) -> None:
    whole = shard(tmp_path / "a.tar", {"1.jpg": b"x" * 5000, "2.jpg": b"y" * 5000}).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:6500])
    with pytest.raises((InvalidSource, OriginalUnavailable)):
        for each in found(tmp_path / "cut.tar"):
            each.read(most=10_000)


@pytest.mark.parametrize(
    ("member", "data", "told"),
    [
        ("2.json", b"[1]", "2.json: it is no JSON object, but list"),
        ("2.json", b"{", "2.json: it is no JSON ("),
        ("2.json", b"[" * 100_000, "2.json: it is no JSON ("),
        (
            "2.json",
            json.dumps({f"c{each}": each for each in range(101)}).encode(),
            "2.json: it says 101 things",
        ),
        ("2.txt", b"a" * (2**20 + 1), "2.txt has 1,048,577 bytes; a text has at most 1,048,576"),
    ],
)
def test_nonsense_that_is_said_of_a_picture_costs_that_picture_alone(
    tmp_path: Path, member: str, data: bytes, told: str
) -> None:
    members = {"1.jpg": b"one", "1.cls": b"cat", "2.jpg": b"two", member: data, "3.jpg": b"three"}
    one, two, three = found(shard(tmp_path / "a.tar", members))
    assert (one.read(most=LIMIT), one.label, three.read(most=LIMIT)) == (b"one", "cat", b"three")
    with pytest.raises(OriginalUnavailable) as refused:
        two.read(most=LIMIT)
    assert told in str(refused.value)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"x", b"g"])
def test_a_header_of_a_shard_is_never_read_beyond_what_one_may_have(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = kind, 2**33
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.truncate(2**33 + 1024)  # sparse: nothing of it is on the disk
    tracemalloc.start()
    assert "a header of 8,589,934,592 bytes, and 65,536 are allowed" in refusal(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_headers_for_all_members_of_a_shard_are_bounded_together(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for each in range(4):
            said = tarfile.TarInfo.create_pax_global_header({f"key {each}": "v" * 30_000})
            assert tar.fileobj is not None
            tar.fileobj.write(said)
            tar.offset += len(said)
            tar.addfile(tarfile.TarInfo(f"{each}.jpg"))
    assert "headers of more than 65,536 bytes for all members" in refusal(tmp_path / "a.tar")


def test_headers_that_lead_from_one_to_the_next_without_end_are_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 512
    (tmp_path / "a.tar").write_bytes((header.tobuf(tarfile.GNU_FORMAT) + b"n" * 512) * 2000)
    assert "is no uncompressed tar file" in refusal(tmp_path / "a.tar")


def test_what_no_database_keeps_is_no_name_in_a_shard(tmp_path: Path) -> None:
    told = {"1.jpg": b"x", "1.json": b'{"a\\u0000": 1, "\\ud800": 2, "year": 3}'}
    (image,) = found(shard(tmp_path / "a.tar", told))
    assert image.attributes == {"year": "3"}


def test_a_shard_whose_member_leads_back_is_refused(tmp_path: Path) -> None:
    data = bytearray(shard(tmp_path / "a.tar", {"1.jpg": b"x", "2.jpg": b"y", "3.jpg": b"z"}).read_bytes())
    header = data[1024:1536]
    header[124:136] = b"\xff" * 8 + (2**32 - 1024).to_bytes(4, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data[1024:1536] = header
    (tmp_path / "b.tar").write_bytes(data)
    assert "a size of -1024 bytes" in refusal(tmp_path / "b.tar")


@pytest.mark.parametrize("base", ["https://pictures.test/a.csv", "/tables/a.csv"])
def test_a_name_that_no_database_keeps_is_refused(base: str) -> None:
    with pytest.raises(InvalidSource, match="is no name"):
        referred("a\0.jpg", base=base)


def test_a_table_of_the_web_that_names_no_url_is_refused() -> None:
    with pytest.raises(FetchRefused, match="is no URL"):
        referred("//[", base="https://pictures.test/a.csv")


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    long = "long " * 40
    members = {f"{long}/1.jpg": b"x" * 700, f"{long}/1.json": b'{"year": 1}', "2.jpg": b"y", "2.cls": b"cat"}
    return shard(tmp_path_factory.mktemp("shards") / "a.tar", members).read_bytes()[:6144]


@given(
    st.lists(st.tuples(st.integers(0, 6143), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 6144),
)
def test_a_shard_with_other_bytes_is_read_or_refused(
    intact: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(intact)
    for at, byte in changes:
        data[at] = byte
    with contextlib.suppress(InvalidSource):
        list(read_shard(io.BytesIO(bytes(data[:length])), "/a.tar", LocalFile("/a.tar"), None))


def test_storage_is_read_by_file_folder_and_pattern(memory: Any, tmp_path: Path) -> None:
    for name in ("cats/1.jpg", "cats/2.png", "dogs/3.jpg", "dogs/.hidden.jpg"):
        memory.pipe(f"/pictures/{name}", name.encode())
    memory.pipe("/pictures/more/s.tar", shard(tmp_path / "s.tar", {"9.jpg": b"nine"}).read_bytes())
    below = found("memory://pictures")
    assert [(each.uri.removeprefix("memory://pictures/"), each.label) for each in below] == [
        ("cats/1.jpg", "cats"),
        ("cats/2.png", "cats"),
        ("dogs/3.jpg", "dogs"),
        ("more/s.tar#9.jpg", None),
    ]
    assert [each.uri for each in found("memory://pictures/*/*.png")] == ["memory://pictures/cats/2.png"]
    assert [each.uri for each in found("memory://pictures/cats/1.jpg")] == ["memory://pictures/cats/1.jpg"]
    assert below[0].read(most=LIMIT) == b"cats/1.jpg" and below[3].read(most=LIMIT) == b"nine"
    assert len({each.version for each in below}) == 4
    with pytest.raises(SourceUnavailable, match="no pattern that matches any"):
        found("memory://pictures/*.gif")


def test_a_folder_of_storage_that_cannot_be_listed_is_an_error_and_not_empty(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/pictures/cats/1.jpg", b"1")
    memory.pipe("/pictures/dogs/2.jpg", b"2")
    listed = type(memory).ls

    def refused(storage: Any, path: str, **options: Any) -> Any:
        if path.endswith("dogs"):
            raise PermissionError("forbidden")
        return listed(storage, path, **options)

    monkeypatch.setattr(type(memory), "ls", refused)
    for text in ("memory://pictures", "memory://pictures/**/*.jpg", "memory://pictures/*/*.jpg"):
        with pytest.raises(OriginalUnavailable, match="forbidden"):
            found(text)
    assert [each.uri for each in found("memory://pictures/c*/*.jpg")] == ["memory://pictures/cats/1.jpg"]


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "**",
        "**/*.jpg",
        "*/*.jpg",
        "a/**",
        "a/?.jpg",
        "[ab]/*",
        "a/*/c/*.jpg",
        "**/c/**",
        "a*/*",
        "b/**/1.jpg",
    ],
)
def test_a_pattern_matches_what_the_storage_itself_would_find_for_it(memory: Any, pattern: str) -> None:
    names = (
        "1.jpg",
        "a/1.jpg",
        "a/22.jpg",
        "a/b/c/1.jpg",
        "a/b/c/d/1.png",
        "ab/1.jpg",
        "b/1.jpg",
        "b/c/1.jpg",
    )
    for name in names:
        memory.pipe(f"/top/{name}", b"x")
    own = sorted(
        name for name, each in memory.glob(f"/top/{pattern}", detail=True).items() if each["type"] == "file"
    )
    assert sorted(each.uri for each in found(f"memory://top/{pattern}")) == [
        f"memory:/{each}" for each in own
    ]


def test_a_pattern_that_is_none_is_refused(memory: Any) -> None:
    with pytest.raises(OriginalUnavailable, match=r"can only be an entire path component"):
        found("memory://top/a**/x.jpg")


def test_a_table_elsewhere_names_what_lies_beside_it_and_nothing_of_this_machine(memory: Any) -> None:
    memory.pipe("/tables/a.csv", b"path,label\n../pictures/1.jpg,cat\n")
    (image,) = found("memory://tables/a.csv")
    assert (image.uri, image.label) == ("memory://pictures/1.jpg", "cat")
    for reference in ("/etc/passwd", "file:///etc/passwd"):
        memory.pipe("/tables/a.csv", f"path\n{reference}\n".encode())
        assert "may not name the file" in refusal("memory://tables/a.csv")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://pictures.test/a.jpg", "web"),
        ("https://pictures.test/list.txt?s=1", "list"),
        ("memory://a/b.csv", "table"),
        ("memory://a/b", "storage"),
        ("/a/b.tar", "shard"),
        ("/a/b.jpg", "folder"),
        ("file:///a/b", "folder"),
    ],
)
def test_a_source_is_what_its_name_says(text: str, kind: str) -> None:
    assert source_of(text).kind == kind


def test_a_folder_is_a_folder_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "images.csv").mkdir()
    assert source_of(str(tmp_path / "images.csv")) == NamedSource("folder", str(tmp_path / "images.csv"))


@pytest.mark.parametrize("text", ["sftp://host/a", "github://a", "zip::s3://a/b", "reference://x"])
def test_storage_that_is_not_read_is_no_source(text: str) -> None:
    with pytest.raises(InvalidSource, match=r"is in no storage that is read; .*s3"):
        source_of(text)


def test_storage_without_its_package_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "adlfs", None)
    with pytest.raises(InvalidSource, match="needs the package adlfs"):
        source_of("az://container/a")


def test_what_cannot_be_read_has_a_reason(memory: Any, tmp_path: Path) -> None:
    for at in (
        LocalFile(str(tmp_path / "nowhere")),
        LocalFile(str(tmp_path)),
        LocalFile("a\0b"),
        RemoteFile("memory://nowhere"),
        ShardMember(LocalFile(__file__), 10**9, 5),
        WebFile("https://pictures.test/a"),
    ):
        with pytest.raises(OriginalUnavailable, match=r"[^.]$"):
            ListedFile("uri", at).read(most=LIMIT)


def test_of_a_large_file_only_a_byte_more_than_allowed_is_read(memory: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    memory.pipe("/a", b"x" * 100)
    for at in (LocalFile(str(tmp_path / "a")), RemoteFile("memory://a")):
        assert len(ListedFile("uri", at).read(most=10)) == 11


def test_a_missing_table_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"nowhere\.csv cannot be read"):
        found(tmp_path / "nowhere.csv")
