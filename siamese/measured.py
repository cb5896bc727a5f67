"""What an evaluation measured, as plain values, one noun each."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from siamese.calibration import FittedOn, Verdict
from siamese.intervals import Interval

ThresholdSource = Literal["checkpoint", "other half of the query images"]


class Measure(BaseModel, frozen=True):
    """A figure with its 95 % interval; one that means nothing on this data is None, and `reason` says why."""

    value: float | None = None
    interval: Interval | None = None
    reason: str | None = None


class RetrievalMeasures(BaseModel, frozen=True):
    """Means over the query images that have something to find; all in [0, 1].

    R@k: one of the k nearest has the query's label. P@k: the share of them that have. MAP@R: the precision
    at each rank where one is found, averaged over the R that could be.
    """

    queries: int
    recall_at_1: Measure
    recall_at_5: Measure
    recall_at_10: Measure
    precision_at_5: Measure
    precision_at_10: Measure
    map_at_r: Measure


class VerificationMeasures(BaseModel, frozen=True):
    """How well a scorer tells balanced pairs of a query and a reference apart; all in [0, 1].

    `accuracy` is at the threshold (a distance, or a probability of 0.5 for a head), `accuracy_at_half` at
    the similarity of 0.5 that the paper fixes. EER: the rate at which false matches and false non-matches
    are equally frequent; `fnmr_at_fmr_1` the share of same pairs missed where 1 % of different ones pass.
    """

    same_pairs: int
    different_pairs: int
    auc: Measure
    accuracy: Measure
    accuracy_at_half: Measure | None = None
    eer: Measure
    fnmr_at_fmr_1: Measure


class CalibrationMeasures(BaseModel, frozen=True):
    """Whether a probability can be taken at its word, on pairs of one kind.

    `ece` is the expected calibration error in 15 equal-width bins, `ece_floor` the mean ECE of a perfectly
    calibrated score with these probabilities; `brier` and `nll` (nats) are means over the pairs. `fitted_on`
    says what the probability was fitted on; `k` how many matches of each query are judged, for shown pairs.
    """

    pairs: int
    same_pairs: int
    k: int | None = None
    fitted_on: FittedOn | Literal["pair head"] | None
    ece: Measure
    ece_floor: float | None = None
    brier: Measure
    nll: Measure


class PairHeadMeasures(BaseModel, frozen=True):
    """The pair head on the very pairs that the distance was judged on; `auc_gain` is its lead in AUC."""

    verification: VerificationMeasures
    auc_gain: Measure
    pair: CalibrationMeasures
    shown: CalibrationMeasures


class ClassHeadMeasures(BaseModel, frozen=True):
    """The share of queries whose label the class head names first, of those whose label it knows."""

    queries: int
    unknown_label: int
    accuracy: Measure


class LabelMeasures(BaseModel, frozen=True):
    """One label's queries that have something to find, how many references there are, and means over them."""

    label: str
    queries: int
    references: int
    recall_at_1: float | None
    precision_at_10: float | None
    map_at_r: float | None


class Confusion(BaseModel, frozen=True):
    """So many queries of one label that have something to find are nearest to an image of this label."""

    label: str
    nearest: str
    queries: int


class JudgedPair(BaseModel, frozen=True):
    """A query and one of its shown matches by their uris, and what is said of them."""

    query: str
    query_label: str
    matched: str
    matched_label: str
    distance: float
    probability: float | None
    verdict: Verdict | None


class Hardest(BaseModel, frozen=True):
    """The most confidently wrong among shown pairs: taken for same, and taken for different."""

    taken_for_same: tuple[JudgedPair, ...]
    taken_for_different: tuple[JudgedPair, ...]
