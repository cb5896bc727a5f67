"""What orange and blue come to is told beside the number that they add up to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explain.balance import balance
from explain.evidence import Evidence, Side, explain
from explain.scores import COSINE, DISTANCE, ClassScore, PairHeadLogit
from tests.explain.local import Local, pairs

VERDICTS = st.sampled_from(["same", "different", None])
ROSE = ClassScore("rose", np.linspace(-1, 1, 8, dtype=np.float32), 0.1)
LOGIT = PairHeadLogit(-np.ones(8, np.float32), np.ones(8, np.float32), 0.5)


def drawn(of=COSINE, **told) -> Evidence:
    query, matched = np.random.default_rng(3).normal(0.3, 1, (2, 4, 4, 8)).astype(np.float32)
    return explain(query, matched, of=of, threshold=0.9, **told)


@given(pairs(), VERDICTS, st.sampled_from([None, 0.3]))
def test_what_one_part_adds_less_what_the_other_takes_is_the_margin(
    pair: tuple[Local, Local], verdict, usual
) -> None:
    evidence = explain(*pair, threshold=0.9, verdict=verdict, usual=usual)
    found = balance(evidence)
    if found is None:
        return
    sums = {"factual": found.factual, "counterfactual": found.counterfactual}
    adds = sums.pop(found.adds)
    margin = evidence.explained.value - evidence.explained.baseline
    assert adds - sums.popitem()[1] == pytest.approx(margin, abs=1e-4)
    if verdict is None:
        assert found.adds == "factual"


def test_for_different_blue_is_what_adds() -> None:
    found = {verdict: balance(drawn(verdict=verdict)) for verdict in ("same", "different")}
    same, different = found["same"], found["different"]
    assert same is not None and different is not None
    assert (same.adds, different.adds) == ("factual", "counterfactual")
    assert (same.factual, same.counterfactual) == (different.counterfactual, different.factual)


def test_of_maps_that_add_up_to_no_number_of_the_pair_nothing_is_told() -> None:
    assert balance(drawn(LOGIT, verdict="same")) is not None
    assert balance(drawn(DISTANCE, verdict="same")) is None
    assert balance(drawn(ROSE, verdict="same")) is None


def test_where_a_map_is_unknown_nothing_is_told() -> None:
    evidence = drawn(verdict="same")
    blank = Side(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32))
    assert balance(Evidence(evidence.query, blank, evidence.explained)) is None
