from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.index.candidates import Candidate
from search_api.matches.rescoring import rescore
from search_api.scoring import DistanceScorer, Floats, Scored, distance
from tests.search_api.conftest import Workshop
from tests.toys import UNFITTED, fitted_at, plain


def units(seed: int, count: int, dimension: int = 8) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=(count, dimension))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 30))
def test_rescoring_permutes_and_never_invents(seed: int, count: int) -> None:
    (query,), exact = units(seed, 1), units(seed + 1, count)
    candidates = [Candidate(image_id, 0.5) for image_id in range(1, count + 1)]
    matches = rescore(query, candidates, exact, DistanceScorer(UNFITTED))
    assert sorted(match.image_id for match in matches) == [each.image_id for each in candidates]
    assert [match.rank for match in matches] == list(range(1, count + 1))
    distances = [match.scored.distance for match in matches]
    assert distances == sorted(distances)
    assert distances == sorted(distance(query, row) for row in exact)


def test_equal_distances_are_ordered_by_image_id() -> None:
    query, other = units(0, 2)
    candidates = [Candidate(image_id, 0.1) for image_id in (9, 3, 7)]
    matches = rescore(query, candidates, np.array([other, other, other]), DistanceScorer(UNFITTED))
    assert [match.image_id for match in matches] == [3, 7, 9]


def test_with_an_exact_index_and_the_plain_distance_rescoring_changes_nothing(workshop: Workshop) -> None:
    colours = np.random.default_rng(3).integers(30, 256, (40, 3))
    workshop.publish(pictures={f"{n}.png": plain(f"rgb{tuple(map(int, c))}") for n, c in enumerate(colours)})
    with workshop.searcher().builds.lend(None) as (build, checkpoint):
        for query in np.abs(units(7, 10, dimension=3)):
            candidates = build.search(query, count=len(build), fingerprint=build.fingerprint)
            exact = build.embeddings([each.image_id for each in candidates])
            scorer = DistanceScorer(checkpoint.record.calibration)
            matches = rescore(query, candidates, exact, scorer)
            assert [match.image_id for match in matches] == [each.image_id for each in candidates]
            found = [match.scored.distance for match in matches]
            assert found == pytest.approx([each.index_distance for each in candidates], abs=1e-3)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_distance_is_symmetric_bounded_and_zero_for_itself(seed: int) -> None:
    one, other = units(seed, 2)
    assert distance(one, other) == distance(other, one) <= 2
    assert distance(one, one) == 0
    assert distance(one, -one) == pytest.approx(2)


def test_the_verdict_turns_at_the_threshold() -> None:
    query = np.array([1, 0], np.float32)
    at_right_angle = np.array([0, 1], np.float32)
    (match,) = rescore(query, [Candidate(1, 0.0)], at_right_angle[None], DistanceScorer(fitted_at(2**0.5)))
    assert match.scored.verdict == "same"
    assert match.scored.probability == pytest.approx(0.5)


def test_a_distance_off_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="lies in"):
        Scored(2.5, 2.5, None, None)
