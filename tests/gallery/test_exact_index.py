"""Exact search over segments' own embeddings, behind the seam."""

import gc
import tracemalloc
from pathlib import Path

import faiss
import numpy as np
import pytest

from gallery.errors import CorruptGallery
from gallery.index.exact_index import ExactIndex
from gallery.index.faiss_engine import FaissEngine
from gallery.index.main_index import Effort, MainIndex
from gallery.index.remembering import OfArrays, Remembered
from gallery.segments.arrays import LONG, StoredArray
from gallery.segments.embeddings import Embeddings, Part
from gallery.vector_index import VectorIndex
from tests.gallery.index_conformance import DIMENSION, VectorIndexConformance, unit


class TestExactIndex(VectorIndexConformance):
    def make(self, parts) -> VectorIndex:
        return ExactIndex(DIMENSION, [Part(ids, embeddings) for ids, embeddings in parts])


def mapped(folder: Path, count: int) -> Part:
    np.save(folder / "ids.npy", np.arange(count))
    np.save(folder / "embeddings.npy", unit(count))
    return Part(StoredArray(folder / "ids.npy").mapped(), StoredArray(folder / "embeddings.npy").mapped())


def test_embeddings_are_mapped_and_not_read_and_no_file_is_open(tmp_path: Path) -> None:
    maps, descriptors = Path("/proc/self/maps"), Path("/proc/self/fd")
    if not maps.exists():
        pytest.skip("only Linux says what is mapped")
    gc.collect()  # what other tests left open
    before = len(list(descriptors.iterdir()))
    index = ExactIndex(DIMENSION, [mapped(tmp_path, 1000)])
    assert "embeddings.npy" in maps.read_text()
    assert len(list(descriptors.iterdir())) == before
    for name in ("ids.npy", "embeddings.npy"):
        (tmp_path / name).unlink()
    assert index.search(unit(1000)[5], count=1).content_ids.tolist() == [5], "a reader keeps what it has open"
    del index
    gc.collect()
    assert "embeddings.npy" not in maps.read_text()


@pytest.mark.parametrize(("rows", "stays"), [(LONG, True), (LONG - 1, False)])
def test_a_long_array_stays_mapped_and_a_short_one_does_not(
    rows: int, *, stays: bool, tmp_path: Path
) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("only Linux says what is mapped")
    np.save(tmp_path / "scales.npy", np.arange(rows, dtype=np.float32))
    array = StoredArray(tmp_path / "scales.npy")
    assert array.rows([rows - 1, 0]).tolist() == [rows - 1, 0]
    assert (str(tmp_path / "scales.npy") in maps.read_text()) == stays
    del array
    gc.collect()
    assert str(tmp_path / "scales.npy") not in maps.read_text()


def test_what_is_mapped_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        mapped(tmp_path, 3).embeddings[0, 0] = 1


def test_a_mapped_file_that_was_cut_off_is_corrupt(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", unit(10))
    array = StoredArray(tmp_path / "a.npy")
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(data[:-1])
    with pytest.raises(CorruptGallery, match="cannot be opened as an array"):
        array.mapped()
    (tmp_path / "a.npy").unlink()
    with pytest.raises(CorruptGallery, match="cannot be opened as an array"):
        array.mapped()


def test_embeddings_of_another_dimension_are_corrupt() -> None:
    with pytest.raises(CorruptGallery, match="holds 16 numbers an embedding where its build says 5"):
        ExactIndex(5, [Part(np.arange(3), unit(3))])


def test_a_part_proves_that_it_has_an_id_for_each_row() -> None:
    with pytest.raises(ValueError, match=r"as many ids \(n,\), not \(3, 16\) and \(2,\)"):
        Part(np.arange(2), unit(3))


def test_positions_count_the_rows_of_all_parts_and_lead_back_to_ids_and_embeddings() -> None:
    rows = unit(9)
    embeddings = Embeddings(DIMENSION, [Part(np.array([40, 10, 30]), rows[:3]), Part(np.arange(6), rows[3:])])
    assert len(embeddings) == 9
    assert embeddings.positions(np.array([99, 30, 5, 40, 0])).tolist() == [0, 2, 3, 8]
    asked = np.array([8, 1, 0, 5, 1])
    assert embeddings.content_ids(asked).tolist() == [5, 10, 40, 2, 10]
    assert (embeddings.rows(asked) == rows[asked]).all()


def test_an_array_of_ids_is_known_again_only_if_it_cannot_change() -> None:
    remembered: OfArrays[str] = OfArrays(most_bytes=110)
    fixed = [np.arange(each) for each in range(3)]
    for each in fixed:
        each.flags.writeable = False
        remembered.keep(each, f"made of {len(each)}", size=40)
    assert [remembered.of(each) for each in fixed] == [None, "made of 1", "made of 2"]
    changing = np.arange(5)
    assert remembered.keep(changing, "made", size=5) == "made"
    assert remembered.of(changing) is None


def test_what_was_used_longest_ago_is_forgotten_first_and_the_newest_never() -> None:
    remembered: Remembered[str, int] = Remembered(most_bytes=10)
    for name, size in (("a", 4), ("b", 4), ("a", 5)):
        remembered.keep(name, size, size=size)
    assert (remembered.bytes, remembered.of("a"), remembered.of("b"), remembered.of("a")) == (9, 5, 4, 5)
    remembered.keep("c", 3, size=3)
    assert (remembered.of("b"), remembered.of("a"), remembered.of("c")) == (None, 5, 3)
    remembered.keep("whole", 99, size=99)
    assert (remembered.bytes, remembered.of("c"), remembered.of("whole")) == (99, None, 99)


def test_broad_filters_of_a_large_gallery_are_held_within_a_bound_on_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count = 20_000
    most_bytes = 4 * 17 * count  # of an allowed id: itself, its position, and a byte of a mask
    monkeypatch.setattr(OfArrays.__init__, "__defaults__", (most_bytes,))
    embeddings = Embeddings(DIMENSION, [Part(np.arange(count), unit(count))])
    lists = faiss.index_factory(DIMENSION, "IVF16,Flat")
    lists.train(unit(count))
    lists.add(unit(count))
    main = MainIndex(embeddings, FaissEngine(lists), Effort(4, 100), rows_per_root=1)
    indexes = (ExactIndex(DIMENSION, [Part(np.arange(count), unit(count))]), main)
    gc.collect()
    tracemalloc.start()
    for left_out in range(32):
        allowed = np.setdiff1d(np.arange(count), [left_out])
        allowed.flags.writeable = False
        for index in indexes:
            index.search(unit(count)[left_out], count=3, allowed=allowed)
    del allowed
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2.5 * most_bytes
