"""The main index: every kind behind the seam, and what an engine that does wrong can do no harm with."""

import re
import threading
import time
from pathlib import Path

import faiss
import numpy as np
import pytest

from gallery.errors import CorruptGallery, InvalidIndex
from gallery.index.building import build_index
from gallery.index.exact_index import ExactIndex
from gallery.index.faiss_engine import FaissEngine
from gallery.index.gpu_index import GpuIndex
from gallery.index.kinds import FLAT_NUMBERS, IndexWish, designs, made_by
from gallery.index.main_index import CombinedIndex, Effort, MainIndex
from gallery.segments.embeddings import Embeddings, Part
from gallery.vector_index import VectorIndex
from tests.gallery.index_conformance import DIMENSION, VectorIndexConformance, exact, unit

MANY = 3000
IDS = np.random.default_rng(5).permutation(10 * MANY)[:MANY].astype(np.int64) + 2**40
EMBEDDINGS = unit(MANY, seed=6)


MADE: dict[tuple[object, ...], VectorIndex] = {}


def built(folder: Path, embeddings: Embeddings, kind: str, **options: object) -> VectorIndex:
    """As a build opens it: what was written is mapped again."""
    made = build_index(folder, embeddings, IndexWish(kind)).built
    if made is None:
        return ExactIndex(embeddings.dimension, embeddings.parts)
    assert made.kind != "flat"
    return MainIndex(embeddings, FaissEngine.open(folder), made.effort, **options)


class MainIndexConformance(VectorIndexConformance):
    minimal_recall = 0.97
    kind: str

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self, parts) -> VectorIndex:
        """The last part was added since the main index was built."""
        known = (self.kind, *(ids.tobytes() for ids, _ in parts))
        if known not in MADE:
            parts = [Part(*each) for each in parts]
            embeddings = Embeddings(DIMENSION, parts[:-1])
            main = built(self.folder / "index", embeddings, self.kind, rows_per_root=0)
            MADE[known] = CombinedIndex([main, ExactIndex(DIMENSION, parts[-1:])])
        return MADE[known]


class TestIvfPq(MainIndexConformance):
    kind = "ivf-pq"


class TestIvfSq(MainIndexConformance):
    kind = "ivf-sq"


class TestHnsw(MainIndexConformance):
    kind = "hnsw"


class TestGpuIndex(VectorIndexConformance):
    """Over an index on the CPU that, like one on a GPU, is never asked with a filter."""

    def make(self, parts) -> VectorIndex:
        parts = [Part(*each) for each in parts]
        flat = DeafIndex(DIMENSION)
        return GpuIndex(Embeddings(DIMENSION, parts), ExactIndex(DIMENSION, parts), index=flat)


class DeafIndex:
    """Knows no filter, as FAISS's indexes on a GPU, and does not bear two that ask at once."""

    def __init__(self, dimension: int) -> None:
        self._index = faiss.IndexFlatL2(dimension)
        self._asked = threading.Lock()
        self.add = self._index.add

    def search(self, queries: np.ndarray, count: int) -> object:
        assert self._asked.acquire(blocking=False), "two at once"
        time.sleep(1e-4)
        try:
            return self._index.search(queries, count)
        finally:
            self._asked.release()


class TestFactory(MainIndexConformance):
    kind = "PCA8,IVF4,PQ4x4fs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("indexes")


@pytest.fixture(scope="module")
def embeddings() -> Embeddings:
    return Embeddings(DIMENSION, [Part(IDS[:1000], EMBEDDINGS[:1000]), Part(IDS[1000:], EMBEDDINGS[1000:])])


@pytest.fixture(scope="module")
def index(folder: Path, embeddings: Embeddings) -> VectorIndex:
    return built(folder / "ivf", embeddings, "ivf-pq", rows_per_root=0)


def share_found(index: VectorIndex, allowed: np.ndarray) -> float:
    chosen = np.isin(IDS, allowed)
    hits = 0
    for query in unit(40, seed=7):
        found = index.search(query, count=10, allowed=allowed).content_ids
        assert set(found.tolist()) <= set(allowed.tolist())
        assert len(found) == 10
        hits += len(set(found.tolist()) & set(exact(query, IDS[chosen], EMBEDDINGS[chosen], 10)[0].tolist()))
    return hits / 400


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2, 0.05, 0.01])
def test_filters_of_any_share_are_answered_with_the_wanted_recall(index: VectorIndex, share: float) -> None:
    allowed = np.random.default_rng(8).choice(IDS, int(share * MANY), replace=False)
    assert share_found(index, allowed) >= 0.98


def test_filters_that_lie_far_from_the_query_are_answered_with_the_wanted_recall(index: VectorIndex) -> None:
    one_side = IDS[EMBEDDINGS[:, 0] > 0.3]
    assert share_found(index, one_side) >= 0.98


def test_distances_are_exact_whatever_the_engine_says(index: VectorIndex) -> None:
    query = unit(1, seed=9)[0]
    found = index.search(query, count=10)
    rows = [int(np.flatnonzero(each == IDS)[0]) for each in found.content_ids]
    np.testing.assert_allclose(found.distances, np.linalg.norm(EMBEDDINGS[rows] - query, axis=1), atol=1e-6)


class IgnoresFilters:
    """Like an index on a GPU: it answers as if there were no filter."""

    def __init__(self, engine: FaissEngine, *, says_that_it_filters: bool) -> None:
        self._engine = engine
        self.filters = says_that_it_filters
        self.most_probes = engine.most_probes

    def __len__(self) -> int:
        return len(self._engine)

    def propose(self, query, *, count, probes, allowed=None) -> np.ndarray:
        return self._engine.propose(query, count=count, probes=probes)


@pytest.mark.parametrize("says", [True, False])
def test_an_engine_that_ignores_filters_leaks_nothing_and_keeps_nothing_back(
    folder: Path, embeddings: Embeddings, index: VectorIndex, says: bool
) -> None:
    engine = IgnoresFilters(FaissEngine.open(folder / "ivf"), says_that_it_filters=says)
    deaf = MainIndex(embeddings, engine, Effort(8, 50), rows_per_root=0)
    for share in (0.9, 0.3, 0.01):
        allowed = np.random.default_rng(8).choice(IDS, int(share * MANY), replace=False)
        assert share_found(deaf, allowed) >= (0.98 if says else 1.0)


def test_an_engine_that_finds_too_few_is_helped_out(folder: Path, embeddings: Embeddings, index) -> None:
    lazy = MainIndex(embeddings, FaissEngine.open(folder / "ivf"), Effort(1, 10))
    found = lazy.search(unit(1)[0], count=300)
    assert len(found.content_ids) == 300


def test_a_content_in_several_segments_takes_nothing_from_the_answer() -> None:
    fivefold = Embeddings(DIMENSION, [Part(IDS[:200], EMBEDDINGS[:200])] * 5)
    flat = faiss.IndexFlatL2(DIMENSION)
    flat.add(fivefold.rows(np.arange(len(fivefold))))
    found = MainIndex(fivefold, FaissEngine(flat), Effort(1, 20)).search(EMBEDDINGS[0], count=10)
    np.testing.assert_array_equal(found.content_ids, exact(EMBEDDINGS[0], IDS[:200], EMBEDDINGS[:200], 10)[0])


def test_embeddings_that_are_no_more_are_not_found(folder: Path, embeddings: Embeddings, index) -> None:
    missing = np.arange(0, MANY, 3)
    left = MainIndex(embeddings, FaissEngine.open(folder / "ivf"), Effort(16, 100), missing=missing)
    assert len(left) == MANY - len(missing)
    gone = set(IDS[missing].tolist())
    for allowed in (None, IDS[:1500]):
        for query in unit(5, seed=3):
            found = left.search(query, count=50, allowed=allowed)
            assert len(found.content_ids) == 50
            assert not gone & set(found.content_ids.tolist())


def test_an_index_is_mapped_and_not_read(folder: Path, index: VectorIndex) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("only Linux says what is mapped")
    assert "lists.bin" in maps.read_text()


@pytest.mark.parametrize("name", ["index.faiss", "lists.bin", "lists.npy"])
def test_an_index_with_a_file_cut_off_or_changed_is_corrupt(tmp_path: Path, name: str) -> None:
    embeddings = Embeddings(DIMENSION, [Part(np.arange(200), unit(200))])
    build_index(tmp_path / "i", embeddings, IndexWish("ivf-pq"))
    data = (tmp_path / "i" / name).read_bytes()
    (tmp_path / "i" / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(CorruptGallery, match="compact the gallery"):
        FaissEngine.open(tmp_path / "i")


def test_the_recall_is_measured_and_says_how_sure_it_is(tmp_path: Path, embeddings: Embeddings) -> None:
    choice = build_index(tmp_path / "i", embeddings, IndexWish("ivf-pq", recall=0.9))
    recall = choice.built.recall
    assert 0.9 <= recall.value <= 1.0
    assert recall.low < recall.value <= recall.high
    assert (recall.queries, recall.neighbours) == (1000, 10)
    assert choice.built.entries == MANY
    assert choice.built.bytes == sum(path.stat().st_size for path in (tmp_path / "i").iterdir())


@pytest.mark.parametrize(
    ("factory", "reason"),
    [
        ("PQ1x2", "its recall does not reach 1.0"),
        ("PQ1x12", "FAISS does not make it: .*Number of training points"),
    ],
)
def test_an_index_that_does_not_do_gives_way_to_a_stronger_one_and_leaves_nothing(
    tmp_path: Path, embeddings: Embeddings, factory: str, reason: str
) -> None:
    choice = build_index(tmp_path / "i", embeddings, IndexWish(factory, recall=1.0))
    assert choice.built is None
    assert [each.factory for each in choice.attempts] == [factory]
    assert re.fullmatch(reason + ".*", choice.attempts[0].reason)
    assert list(tmp_path.iterdir()) == []


def kinds(wish: IndexWish, count: int, dimension: int = 128) -> list[str]:
    return [each.kind for each in designs(wish, count=count, dimension=dimension)]


def test_the_kind_is_chosen_by_size_and_budget() -> None:
    assert kinds(IndexWish(), FLAT_NUMBERS // 128) == ["flat"]
    assert kinds(IndexWish(), 1_000_000) == ["ivf-pq", "ivf-sq", "hnsw", "flat"]
    assert kinds(IndexWish(memory=200 * 1_000_000), 1_000_000) == ["ivf-pq", "ivf-sq", "flat"]
    assert kinds(IndexWish(memory=56 * 1_000_000), 1_000_000) == ["ivf-pq", "flat"]
    assert kinds(IndexWish(memory=0), 1_000_000) == ["flat"]
    assert kinds(IndexWish("flat"), 1_000_000) == ["flat"]
    assert kinds(IndexWish("ivf-pq"), 1_000_000) == ["ivf-pq", "ivf-sq", "flat"]
    assert kinds(IndexWish("hnsw"), 10) == ["flat"]
    factory = next(designs(IndexWish(), count=1_000_000, dimension=128)).factory
    assert factory == "IVF4096,PQ64x4fsr"


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (lambda: IndexWish(recall=0.0), "lies above 0 and at most at 1, not at 0.0"),
        (lambda: IndexWish(recall=1.1), "not at 1.1"),
        (lambda: IndexWish(memory=-1), "so -1 are no budget"),
        (lambda: IndexWish("Nonsense").check(16), "'Nonsense' is neither one of auto, flat, hnsw"),
        (lambda: IndexWish("IVF4,PQ5").check(16), "'IVF4,PQ5' is neither"),
        (lambda: IndexWish("IDMap,Flat").check(16), "which the gallery does itself"),
        (lambda: IndexWish("IVF4,PQ8,RFlat").check(16), "which the gallery does itself"),
    ],
)
def test_an_index_that_cannot_be_made_is_refused(wish, reason: str) -> None:
    with pytest.raises(InvalidIndex, match=reason):
        wish()


def test_an_effort_looks_at_something() -> None:
    with pytest.raises(ValueError, match="looks at something, not at 0 and 5"):
        Effort(0, 5)


def test_an_engine_of_other_embeddings_is_refused(embeddings: Embeddings) -> None:
    index = made_by("Flat", DIMENSION)
    index.add(unit(3))
    with pytest.raises(ValueError, match="The engine holds 3 of 3000 embeddings"):
        MainIndex(embeddings, FaissEngine(index), Effort(1, 1))
