"""What a segment takes, and that it is never written twice."""

import gc
from pathlib import Path

import faiss
import numpy as np
import pytest

from gallery.errors import CorruptGallery
from gallery.files import UNFINISHED
from gallery.local_storage import LocalStorage
from gallery.manifest import FileClaims, SegmentClaims
from gallery.segments.damage import damaged, is_intact
from gallery.segments.local_embeddings import storage_of
from gallery.segments.segment import EmbeddedContent, Segment, write_segment
from gallery.sources.scanning import checksum
from tests.gallery.support import embedded

UNIT = np.array([0.6, 0.8], np.float32)
LOCAL = np.ones((1, 2, 2), np.float32)


def content(**changes: object) -> EmbeddedContent:
    fields = {
        "checksum": checksum(b""),
        "width": 1,
        "height": 1,
        "embedding": UNIT,
        "local_embeddings": LOCAL,
        "thumbnail": b"j",
    }
    return EmbeddedContent(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"width": 0}, "at least one pixel, not 0 × 1"),
        ({"embedding": UNIT * 2}, "has length 1, not 2.0"),
        ({"embedding": UNIT * np.nan}, "has length 1, not nan"),
        ({"embedding": np.array([1, 0, 0], np.float32)}, "belongs to local embeddings"),
        ({"local_embeddings": LOCAL[0]}, "belongs to local embeddings"),
        ({"detail": np.zeros((2, 1), np.uint8)}, r"like the grid \(1, 2\), not \(2, 1\)"),
    ],
)
def test_a_content_proves_what_it_is(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        content(**changes)


def test_contents_by_two_encoders_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="all of them by one encoder"):
        write_segment(tmp_path / "s", [content(), embedded(b"a")], [1, 2])
    with pytest.raises(ValueError, match="at least one content"):
        write_segment(tmp_path / "s", [], [])


@pytest.mark.parametrize("storage", ["int8", "float16", "none"])
def test_local_embeddings_that_are_no_numbers_leave_no_segment(tmp_path: Path, storage: LocalStorage) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        write_segment(tmp_path / "s", [content(local_embeddings=LOCAL * np.inf)], [1], storage=storage)
    assert not (tmp_path / "s").exists()
    assert all(path.name.startswith(UNFINISHED) for path in tmp_path.iterdir())


def test_a_segment_is_never_written_again(tmp_path: Path) -> None:
    files = write_segment(tmp_path / "s", [content()], [1])
    with pytest.raises(FileExistsError, match="is never written again"):
        write_segment(tmp_path / "s", [content(thumbnail=b"other")], [1])
    assert is_intact(tmp_path / "s", files)
    assert list(damaged(tmp_path / "s", files, quick=False)) == []


def test_an_opened_segment_holds_no_file_open(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("only Linux says what is open")
    contents = [embedded(bytes([number])) for number in range(3)]
    files = write_segment(tmp_path / "s", contents, [1, 2, 3])
    gc.collect()  # what other tests left open
    before = len(list(descriptors.iterdir()))
    segment = Segment(tmp_path / "s", SegmentClaims(id=1, name="s", rows=3, files=files))
    assert segment.embeddings([2, 0]).tolist() == [contents[each].embedding.tolist() for each in (2, 0)]
    assert segment.embeddings([]).shape == (0, 5)
    assert segment.thumbnail(1) == b"JPEG of \x01"
    assert len(list(descriptors.iterdir())) == before
    with pytest.raises(IndexError, match="has 3 rows, and no row 3"):
        segment.embeddings([3])


def test_detail_is_given_back_as_it_was_and_is_none_where_it_was_not_kept(tmp_path: Path) -> None:
    flat, lively = np.zeros((1, 2), np.uint8), np.array([[3, 128]], np.uint8)
    contents = [content(detail=flat), content(checksum=checksum(b"a"), detail=lively)]
    files = write_segment(tmp_path / "s", contents, [1, 2])
    segment = Segment(tmp_path / "s", SegmentClaims(id=1, name="s", rows=2, files=files))
    detail = segment.cell_detail([1, 0])
    assert detail is not None and detail.tolist() == [lively.tolist(), flat.tolist()]

    files = write_segment(tmp_path / "old", [content()], [1])
    old = Segment(tmp_path / "old", SegmentClaims(id=2, name="old", rows=1, files=files))
    assert old.cell_detail([0]) is None


@pytest.mark.parametrize(("storage", "off_by"), [("int8", 0.5 / 127), ("float16", 2**-11), ("none", None)])
def test_a_segment_knows_by_its_files_how_it_keeps_local_embeddings(
    tmp_path: Path, storage: LocalStorage, off_by: float | None
) -> None:
    contents = [embedded(bytes([number])) for number in range(3)]
    files = write_segment(tmp_path / "s", contents, [1, 2, 3], storage=storage)
    segment = Segment(tmp_path / "s", SegmentClaims(id=1, name="s", rows=3, files=files))
    assert storage_of(files) == storage
    found = segment.local_embeddings([2, 0])
    assert (found is None) == (off_by is None)
    if found is not None and off_by is not None:
        expected = np.stack([contents[each].local_embeddings for each in (2, 0)])
        assert np.abs(found - expected).max() <= 1.01 * off_by * np.abs(expected).max()


def test_a_missing_file_is_noticed(tmp_path: Path) -> None:
    files = write_segment(tmp_path / "s", [content()], [1])
    (tmp_path / "s" / "scales.npy").unlink()
    assert not is_intact(tmp_path / "s", files)
    assert list(damaged(tmp_path / "s", files, quick=False)) == [
        (tmp_path / "s" / "scales.npy", "is missing")
    ]


def test_a_segment_of_old_with_an_index_of_its_own_is_read(tmp_path: Path) -> None:
    contents = [embedded(bytes([number])) for number in range(3)]
    files = write_segment(tmp_path / "s", contents, [7, 5, 2**40])
    ids = faiss.IndexIDMap(faiss.IndexFlatL2(5))
    ids.add_with_ids(np.stack([each.embedding for each in contents]), np.array([7, 5, 2**40]))
    faiss.write_index(ids, str(tmp_path / "s" / "index.faiss"))
    (tmp_path / "s" / "content_ids.npy").unlink()
    claims = FileClaims(bytes=(tmp_path / "s" / "index.faiss").stat().st_size, sha256="")
    files = {"index.faiss": claims, **{n: c for n, c in files.items() if n != "content_ids.npy"}}
    part = Segment(tmp_path / "s", SegmentClaims(id=1, name="s", rows=3, files=files)).part
    assert part.content_ids.tolist() == [7, 5, 2**40]
    assert (part.embeddings == np.stack([each.embedding for each in contents])).all()
    (tmp_path / "s" / "index.faiss").write_bytes(b"nonsense".ljust(claims.bytes))
    with pytest.raises(CorruptGallery, match=r"index.faiss cannot be opened as an index"):
        _ = Segment(tmp_path / "s", SegmentClaims(id=1, name="s", rows=3, files=files)).part
