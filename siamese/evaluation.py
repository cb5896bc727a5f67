"""Evaluation: how well distances find images of the same label, and tell pairs apart, as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from siamese.calibration import Calibration, fit_calibration
from siamese.embedded_samples import EmbeddedSamples, embed_samples
from siamese.encoder import Encoder
from siamese.errors import UnusableData
from siamese.images import DEFAULT_LIMITS, ImageLimits
from siamese.pairs import Pairs, draw_pairs
from siamese.progress import Progress
from siamese.protocols import Protocol, ProtocolKind, choose_protocol
from siamese.retrieval import Ranked, Verification, auc_interval, distances, mean_interval, rank
from siamese.samples import Sample
from siamese.splits import Split

SEED = 0


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
    threshold_from: Literal["checkpoint", "other half of the query images"] | None
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

    Raises UnusableData where nothing is left to compare.
    """
    recorded = encoder.record.split
    split = None if recorded is None else Split.model_validate(recorded)
    protocol = choose_protocol(samples, queries=queries, split=split)

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
    query images and judged on those of the other, both ways.

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
    pairs, lengths = _scored_pairs(queries, references, seed=seed)
    among, lengths_among = _scored_pairs(queries, queries, seed=seed)
    accuracy, threshold, source, why = _accuracy(pairs, lengths, calibration, seed=seed)
    verification = Verification.of(lengths, pairs.same)
    unreadable = dict.fromkeys((*queries.unreadable, *references.unreadable))
    return Evaluation(
        protocol=protocol.kind,
        statement=protocol.statement,
        pair_auc=verification.auc(),
        pair_accuracy=accuracy,
        pair_threshold=threshold,
        threshold_from=source,
        pair_auc_of_queries=Verification.of(lengths_among, among.same).auc(),
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
        reasons=_reasons(ranked, pairs, among, why),
        unreadable=tuple((one.sample.uri, one.reason) for one in unreadable),
    )


def _scored_pairs(
    queries: EmbeddedSamples, references: EmbeddedSamples, *, seed: int
) -> tuple[Pairs, NDArray[np.float64]]:
    pairs = draw_pairs(queries.labels, queries.checksums, references.labels, references.checksums, seed=seed)
    return pairs, distances(queries.embeddings[pairs.queries], references.embeddings[pairs.references])


def _accuracy(
    pairs: Pairs, lengths: NDArray[np.float64], calibration: Calibration, *, seed: int
) -> tuple[
    float | None, float | None, Literal["checkpoint", "other half of the query images"] | None, str | None
]:
    """Share of right verdicts, the threshold, where that came from, and why there is none."""
    if not len(pairs):
        return None, None, None, NO_PAIRS
    if calibration.threshold is not None:
        right = (lengths <= calibration.threshold) == pairs.same
        return float(right.mean()), calibration.threshold, "checkpoint", None
    images = np.random.default_rng(seed).permutation(np.unique(pairs.queries))
    first = np.isin(pairs.queries, images[: len(images) // 2])
    fitted = [fit_calibration(lengths[half], pairs.same[half]) for half in (first, ~first)]
    thresholds = [half.threshold for half in fitted if half.threshold is not None]
    if len(thresholds) < 2:
        reason = next(half.reason for half in fitted if half.threshold is None)
        return None, None, None, f"no threshold could be fitted: {reason}"
    right = (lengths <= np.where(first, thresholds[1], thresholds[0])) == pairs.same
    return float(right.mean()), float(np.mean(thresholds)), "other half of the query images", None


NO_PAIRS = "no query has both a reference of its own label and one of another label"
NOTHING_TO_FIND = "no query has a reference of its own label, apart from its own content"


def _reasons(ranked: Ranked, pairs: Pairs, among: Pairs, why: str | None) -> dict[str, str]:
    reasons: dict[str, str] = {}
    if not (ranked.relevant > 0).any():
        reasons |= dict.fromkeys(("recall_at_1", "recall_at_5", "map_at_r"), NOTHING_TO_FIND)
    if not len(pairs):
        reasons["pair_auc"] = NO_PAIRS
    if not len(among):
        reasons["pair_auc_of_queries"] = "no query has both a query of its own label and one of another label"
    return reasons if why is None else {**reasons, "pair_accuracy": why}


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
