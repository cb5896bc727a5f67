"""FAISS behind the seam."""

from pathlib import Path

import numpy as np
import pytest

from gallery.errors import CorruptGallery
from gallery.index import FaissIndex, VectorIndex, write_index
from tests.gallery.index_conformance import DIMENSION, VectorIndexConformance, unit


class TestFaissIndex(VectorIndexConformance):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self, parts) -> VectorIndex:
        paths = []
        for number, (ids, embeddings) in enumerate(parts):
            paths.append(self.folder / f"{number}.faiss")
            write_index(paths[-1], ids, embeddings)
        return FaissIndex(DIMENSION, paths)


def test_an_index_is_mapped_and_not_read(tmp_path: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("only Linux says what is mapped")
    write_index(tmp_path / "mapped.faiss", np.arange(1000), unit(1000))
    index = FaissIndex(DIMENSION, [tmp_path / "mapped.faiss"])
    assert "mapped.faiss" in maps.read_text()
    (tmp_path / "mapped.faiss").unlink()
    assert index.search(unit(1000)[5], count=1).content_ids.tolist() == [5], "a reader keeps what it has open"


def test_a_file_that_is_no_index_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "bad.faiss").write_bytes(b"nonsense" * 100)
    with pytest.raises(CorruptGallery, match=r"bad.faiss cannot be opened as an index"):
        FaissIndex(DIMENSION, [tmp_path / "bad.faiss"])


def test_an_index_of_another_dimension_is_corrupt(tmp_path: Path) -> None:
    write_index(tmp_path / "other.faiss", np.arange(3), unit(3))
    with pytest.raises(CorruptGallery, match="holds 16 numbers an embedding where its build says 5"):
        FaissIndex(5, [tmp_path / "other.faiss"])
