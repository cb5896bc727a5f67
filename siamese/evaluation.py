"""Evaluation: how well distances find images of the same label, and tell pairs apart, as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from siamese.calibration import Calibration, fit_calibration
from siamese.embedded_samples import EmbeddedSamples, embed_samples, pair_distances, pairs_between
from siamese.encoder import Encoder
from siamese.errors import CheckpointError, UnusableData
from siamese.images import DEFAULT_LIMITS, ImageLimits
from siamese.pairs import Pairs
from siamese.progress import Progress
from siamese.protocols import Protocol, ProtocolKind, choose_protocol
from siamese.retrieval import Ranked, Verification, auc_interval, mean_interval, rank
from siamese.samples import Sample
from siamese.splits import Split

SEED = 0
NO_PAIRS = "no query has both a reference of its own label and one of another label"
NOTHING_TO_FIND = "no query has a reference of its own label, apart from its own content"

ThresholdSource = Literal["checkpoint", "other half of the query images"]


class Evaluation(BaseModel, frozen=True):
    """What was measured; a number that means nothing on this data is None, and `reasons` says why.

    All rates are in [0, 1]. Recall and MAP@R are means over the query images that have something to find.
    `pair_auc` and `pair_accuracy` judge pairs of a query and a reference; `pair_auc_of_queries` judges pairs
    of two queries, so that on a held-out part neither image was trained on. `intervals` are 95 % bootstrap
    intervals over query images.
    """

    protocol: ProtocolKind
    statement: str
    pair_auc: float | None
    pair_accuracy: float | None
    pair_threshold: float | None
    threshold_from: ThresholdSource | None
    pair_auc_of_queries: float | None
    recall_at_1: float | None
    recall_at_5: float | None
    map_at_r: float | None
    intervals: dict[str, tuple[float, float] | None]
    sizes: dict[str, int]
    reasons: dict[str, str]
    unreadable: tuple[tuple[str, str], ...]


def evaluate_encoder(
    encoder: Encoder,
    samples: Sequence[Sample],
    *,
    queries: Sequence[Sample] | None = None,
    seed: int = SEED,
    limits: ImageLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Evaluation:
    """Choose the protocol, embed its images and measure.

    Raises UnusableData where nothing is left to compare, and CheckpointError for a damaged split.
    """
    protocol = choose_protocol(samples, queries=queries, split=_recorded_split(encoder))

    def embed(part: Sequence[Sample], description: str) -> EmbeddedSamples:
        return embed_samples(encoder, part, limits=limits, progress=progress, description=description)

    asking = embed(protocol.queries, "embedding queries")
    alone = protocol.kind == "leave-one-out"
    answering = asking if alone else embed(protocol.references, "embedding references")
    return evaluate(asking, answering, protocol=protocol, calibration=encoder.calibration, seed=seed)


def evaluate(
    queries: EmbeddedSamples,
    references: EmbeddedSamples,
    *,
    protocol: Protocol,
    calibration: Calibration,
    seed: int = SEED,
) -> Evaluation:
    """Measure embedded queries against embedded references; no image ever meets its own content.

    The threshold is the calibration's. Where nothing was fitted, it is fitted on the pairs of one half of the
    query images and judged on those of the other, both ways: these are two, and `pair_threshold` is None.

    Raises UnusableData where no query or no reference could be read.
    """
    if not queries.samples or not references.samples:
        raise UnusableData("none of the query images, or none of the references, could be read")
    ranked = rank(
        queries.embeddings,
        references.embeddings,
        labels=(queries.labels, references.labels),
        checksums=(queries.checksums, references.checksums),
    )
    pairs = pairs_between(queries, references, seed=seed)
    lengths = pair_distances(pairs, queries, references)
    among = pairs_between(queries, queries, seed=seed)
    alone = protocol.kind == "leave-one-out"
    judged = _judged(pairs, lengths, calibration, alone=alone, seed=seed)
    verification = Verification.of(lengths, pairs.same)
    unreadable = dict.fromkeys((*queries.unreadable, *references.unreadable))
    return Evaluation(
        protocol=protocol.kind,
        statement=protocol.statement,
        pair_auc=verification.auc(),
        pair_accuracy=judged.accuracy,
        pair_threshold=judged.threshold,
        threshold_from=judged.source,
        pair_auc_of_queries=Verification.of(pair_distances(among, queries, queries), among.same).auc(),
        recall_at_1=_mean(ranked.recall_at(1)),
        recall_at_5=_mean(ranked.recall_at(5)),
        map_at_r=_mean(ranked.map_at_r()),
        intervals={
            "pair_auc": auc_interval(verification, pairs.queries, seed=seed),
            "recall_at_1": mean_interval(ranked.recall_at(1), seed=seed),
            "recall_at_5": mean_interval(ranked.recall_at(5), seed=seed),
            "map_at_r": mean_interval(ranked.map_at_r(), seed=seed),
        },
        sizes=_sizes(queries, references, ranked, pairs) | protocol.sizes | {"unreadable": len(unreadable)},
        reasons=_reasons(ranked, pairs, among, judged),
        unreadable=tuple((one.sample.uri, one.reason) for one in unreadable),
    )


def _recorded_split(encoder: Encoder) -> Split | None:
    try:
        return None if encoder.record.split is None else Split.model_validate(encoder.record.split)
    except ValidationError as error:
        raise CheckpointError(f"the split that the checkpoint {encoder.name} recorded is damaged") from error


@dataclass(frozen=True, slots=True)
class _Judged:
    """The share of right verdicts, the threshold and where it came from; or the reason why there are none."""

    accuracy: float | None = None
    threshold: float | None = None
    source: ThresholdSource | None = None
    reason: str | None = None


def _judged(
    pairs: Pairs, lengths: NDArray[np.float64], calibration: Calibration, *, alone: bool, seed: int
) -> _Judged:
    """Verdicts on the pairs, by the calibration's threshold or by one from the other half of the images.

    Where the queries are the references too (`alone`), that is fitted on pairs with both images in that half.
    """
    if not len(pairs):
        return _Judged(reason=NO_PAIRS)
    if calibration.threshold is not None:
        right = (lengths <= calibration.threshold) == pairs.same
        return _Judged(float(right.mean()), calibration.threshold, "checkpoint")
    ends = [pairs.queries, pairs.references] if alone else [pairs.queries]
    images = np.random.default_rng(seed).permutation(np.unique(np.concatenate(ends)))
    first = np.stack([np.isin(end, images[: len(images) // 2]) for end in ends])
    fitted = [fit_calibration(lengths[half], pairs.same[half]) for half in (first.all(0), ~first.any(0))]
    thresholds = [half.threshold for half in fitted if half.threshold is not None]
    if len(thresholds) < 2:
        why = next(half.reason for half in fitted if half.threshold is None)
        return _Judged(reason=f"no threshold could be fitted: {why}")
    right = (lengths <= np.where(first[0], thresholds[1], thresholds[0])) == pairs.same
    return _Judged(float(right.mean()), None, "other half of the query images")


def _reasons(ranked: Ranked, pairs: Pairs, among: Pairs, judged: _Judged) -> dict[str, str]:
    reasons: dict[str, str] = {}
    if not (ranked.relevant > 0).any():
        reasons |= dict.fromkeys(("recall_at_1", "recall_at_5", "map_at_r"), NOTHING_TO_FIND)
    if not len(pairs):
        reasons["pair_auc"] = NO_PAIRS
    if not len(among):
        reasons["pair_auc_of_queries"] = "no query has both a query of its own label and one of another label"
    if judged.reason is not None:
        reasons["pair_accuracy"] = judged.reason
    return reasons


def _sizes(
    queries: EmbeddedSamples, references: EmbeddedSamples, ranked: Ranked, pairs: Pairs
) -> dict[str, int]:
    return {
        "queries": len(queries.samples),
        "references": len(references.samples),
        "labels": len({*queries.labels.tolist(), *references.labels.tolist()}),
        "queries_without_match": int((ranked.relevant == 0).sum()),
        "same_pairs": int(pairs.same.sum()),
        "different_pairs": int((~pairs.same).sum()),
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None
