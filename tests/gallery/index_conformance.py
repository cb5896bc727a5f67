"""What every index engine is held to: subclass and say how to make one."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from gallery.vector_index import Nearest, VectorIndex

DIMENSION = 16


def unit(count: int, *, seed: int = 0) -> NDArray[np.float32]:
    numbers = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


def exact(
    query: NDArray[np.float32], ids: NDArray[np.int64], embeddings: NDArray[np.float32], count: int
) -> Nearest:
    distances = np.linalg.norm(embeddings - query, axis=1)
    order = np.lexsort((ids, distances))[:count]
    return Nearest(ids[order], distances[order])


class VectorIndexConformance:
    """An exact engine passes as it is; `minimal_recall` is for engines that are not."""

    minimal_recall = 1.0

    def make(self, parts: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> VectorIndex:
        """An index of these (ids, embeddings), added one part after the other."""
        raise NotImplementedError

    @pytest.fixture
    def ids(self) -> NDArray[np.int64]:
        return np.random.default_rng(1).permutation(5000)[:300].astype(np.int64) + 2**40

    @pytest.fixture
    def embeddings(self) -> NDArray[np.float32]:
        return unit(300)

    @pytest.fixture
    def index(self, ids: NDArray[np.int64], embeddings: NDArray[np.float32]) -> VectorIndex:
        return self.make(
            [(ids[start : start + 100], embeddings[start : start + 100]) for start in (0, 100, 200)]
        )

    def test_it_knows_how_many_it_holds(self, index: VectorIndex) -> None:
        assert len(index) == 300

    def test_the_nearest_come_first_with_their_euclidean_distances(self, index, ids, embeddings) -> None:
        hits = 0
        for query in unit(20, seed=2):
            found, wanted = index.search(query, count=10), exact(query, ids, embeddings, 10)
            hits += len(set(found.content_ids.tolist()) & set(wanted.content_ids.tolist()))
            assert (np.diff(found.distances) >= 0).all()
            if self.minimal_recall == 1.0:
                assert found.content_ids.tolist() == wanted.content_ids.tolist()
                np.testing.assert_allclose(found.distances, wanted.distances, atol=1e-5)
        assert hits >= 200 * self.minimal_recall

    def test_an_embedding_that_it_holds_is_found_at_distance_zero(self, index, ids, embeddings) -> None:
        for row in (0, 150, 299):
            found = index.search(embeddings[row], count=1)
            assert found.content_ids.tolist() == [ids[row]]
            assert found.distances.tolist() == [0.0]

    @pytest.mark.parametrize("share", [1.0, 0.5, 0.1, 0.01])
    def test_a_filter_never_leaks_and_never_under_returns(self, index, ids, embeddings, share: float) -> None:
        allowed = np.random.default_rng(3).choice(ids, size=int(share * 300), replace=False)
        chosen = np.isin(ids, allowed)
        for query in unit(10, seed=4):
            found = index.search(query, count=20, allowed=allowed)
            assert set(found.content_ids.tolist()) <= set(allowed.tolist())
            assert len(found.content_ids) == min(20, len(allowed))
            if self.minimal_recall == 1.0:
                wanted = exact(query, ids[chosen], embeddings[chosen], 20)
                assert found.content_ids.tolist() == wanted.content_ids.tolist()

    def test_a_filter_that_is_asked_with_again_answers_the_same(self, index: VectorIndex, ids) -> None:
        fixed = [np.sort(ids)[:150].copy(), np.sort(ids)[100:].copy()]
        for allowed in fixed:
            allowed.flags.writeable = False
        query = unit(1, seed=5)[0]
        first, second = (index.search(query, count=20, allowed=allowed) for allowed in fixed)
        for allowed, answer in zip(fixed * 2, [first, second] * 2, strict=True):
            again = index.search(query, count=20, allowed=allowed)
            assert again.content_ids.tolist() == answer.content_ids.tolist()
            assert np.isin(again.content_ids, allowed).all()

    def test_a_filter_that_allows_nothing_finds_nothing(self, index: VectorIndex) -> None:
        found = index.search(unit(1)[0], count=5, allowed=np.empty(0, np.int64))
        assert (len(found.content_ids), len(found.distances)) == (0, 0)

    def test_ids_that_it_does_not_hold_are_not_found(self, index: VectorIndex, ids) -> None:
        found = index.search(unit(1)[0], count=5, allowed=np.array([7, ids[0], 9]))
        assert found.content_ids.tolist() == [ids[0]]

    def test_it_gives_all_that_it_has_when_asked_for_more(self, index: VectorIndex, ids) -> None:
        found = index.search(unit(1)[0], count=1000)
        assert sorted(found.content_ids.tolist()) == sorted(ids.tolist())

    def test_one_that_is_empty_finds_nothing(self) -> None:
        index = self.make([])
        assert len(index) == 0
        assert len(index.search(unit(1)[0], count=5).content_ids) == 0

    def test_equal_distances_are_ordered_by_id(self) -> None:
        same = np.repeat(unit(1), 6, axis=0)
        index = self.make([(np.array([9, 3, 7]), same[:3]), (np.array([1, 8, 2]), same[3:])])
        assert index.search(same[0], count=6).content_ids.tolist() == [1, 2, 3, 7, 8, 9]

    def test_an_id_in_two_parts_is_found_once(self) -> None:
        index = self.make([(np.array([1, 2]), unit(2)), (np.array([2, 3]), unit(2)[::-1].copy())])
        found = index.search(unit(2)[1], count=10).content_ids.tolist()
        assert sorted(found) == [1, 2, 3]

    def test_many_threads_may_search_at_once(self, index, ids, embeddings) -> None:
        wrong: list[int] = []

        def search(thread: int) -> None:
            for row in range(thread, 300, 8):
                allowed = ids[row % 7 :: 7]
                if index.search(embeddings[row], count=1).content_ids[0] != ids[row]:
                    wrong.append(row)
                if index.search(embeddings[row], count=1, allowed=allowed).content_ids[0] != ids[row]:
                    wrong.append(row)

        threads = [threading.Thread(target=search, args=(thread,)) for thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_nonsense_is_refused(self, index: VectorIndex) -> None:
        with pytest.raises(ValueError, match="At least one must be asked for, not 0"):
            index.search(unit(1)[0], count=0)
        with pytest.raises(ValueError, match=r"holds 16 numbers each, not \(3,\)"):
            index.search(np.zeros(3, np.float32), count=1)
