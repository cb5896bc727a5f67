"""Evaluation: how well an encoder finds images of the same label, and tells pairs apart, as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel, ValidationError, computed_field

from siamese.calibration import Calibration
from siamese.checkpoint import NO_HEADS, NOT_SHOWN
from siamese.embedded_samples import EmbeddedSamples, embed_samples
from siamese.encoder import Encoder
from siamese.errors import CheckpointError
from siamese.findings import confusions, hardest, measure_labels
from siamese.heads import Heads
from siamese.images import DEFAULT_LIMITS, ImageLimits
from siamese.intervals import Interval
from siamese.measured import (
    CalibrationMeasures,
    ClassHeadMeasures,
    Confusion,
    Hardest,
    LabelMeasures,
    Measure,
    PairHeadMeasures,
    RetrievalMeasures,
    ThresholdSource,
    VerificationMeasures,
)
from siamese.measuring import (
    judge,
    measure_auc,
    measure_calibration,
    measure_class_head,
    measure_pair_head,
    measure_retrieval,
    measure_verification,
)
from siamese.progress import Progress
from siamese.protocols import ProtocolKind, choose_protocol
from siamese.samples import Sample
from siamese.splits import Split
from siamese.trial import SEED, Trial
from siamese.units import NO_FINDER, TiesFinder


class Calibrations(BaseModel, frozen=True):
    """Each calibration on pairs of its own kind."""

    pair: CalibrationMeasures
    shown: CalibrationMeasures


class Evaluation(BaseModel, frozen=True):
    """What was measured, and on what; a number that means nothing on this data is None with a reason.

    `verification` judges balanced pairs of a query and a reference, `pair_auc_of_queries` pairs of two
    queries, so that on a held-out part neither image was trained on. All intervals are 95 % bootstrap
    intervals over query images. The figures that people ask for first stand at the top level, too.
    """

    protocol: ProtocolKind
    statement: str
    retrieval: RetrievalMeasures
    verification: VerificationMeasures
    pair_threshold: float | None
    threshold_from: ThresholdSource | None
    among_queries: Measure
    calibration: Calibrations
    pair_head: PairHeadMeasures | None
    class_head: ClassHeadMeasures | None
    labels: tuple[LabelMeasures, ...]
    confusions: tuple[Confusion, ...]
    hardest: Hardest
    sizes: dict[str, int]
    unreadable: tuple[tuple[str, str], ...]

    @property
    def headline(self) -> dict[str, Measure]:
        """The figures that people ask for first, by the names that they have at the top level."""
        return {
            "recall_at_1": self.retrieval.recall_at_1,
            "recall_at_5": self.retrieval.recall_at_5,
            "map_at_r": self.retrieval.map_at_r,
            "pair_auc": self.verification.auc,
            "pair_accuracy": self.verification.accuracy,
            "pair_auc_of_queries": self.among_queries,
        }

    @computed_field  # type: ignore[prop-decorator]
    @property
    def pair_auc(self) -> float | None:
        """The area under the ROC curve of pairs of a query and a reference."""
        return self.verification.auc.value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def pair_accuracy(self) -> float | None:
        """The share of right verdicts on them."""
        return self.verification.accuracy.value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def pair_auc_of_queries(self) -> float | None:
        """The area under the ROC curve of pairs of two queries."""
        return self.among_queries.value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def recall_at_1(self) -> float | None:
        """The share of queries whose nearest match has their label."""
        return self.retrieval.recall_at_1.value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def recall_at_5(self) -> float | None:
        """The share of queries with their label among the five nearest."""
        return self.retrieval.recall_at_5.value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def map_at_r(self) -> float | None:
        """Mean average precision at R."""
        return self.retrieval.map_at_r.value

    @computed_field  # type: ignore[prop-decorator]
    @property
    def intervals(self) -> dict[str, Interval | None]:
        """Of the figures at the top level."""
        return {name: measure.interval for name, measure in self.headline.items()}

    @computed_field  # type: ignore[prop-decorator]
    @property
    def reasons(self) -> dict[str, str]:
        """Why a figure at the top level is None."""
        return {name: measure.reason for name, measure in self.headline.items() if measure.reason is not None}


def try_encoder(
    encoder: Encoder,
    samples: Sequence[Sample],
    *,
    queries: Sequence[Sample] | None = None,
    ties: TiesFinder = NO_FINDER,
    seed: int = SEED,
    limits: ImageLimits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Trial:
    """Choose the protocol and embed its images, ranked and paired for everything that is measured.

    Raises UnusableData where nothing is left to compare, and CheckpointError for a damaged split.
    """
    split = _recorded_split(encoder)
    protocol = choose_protocol(samples, queries=queries, split=split, ties=ties)

    def embed(part: Sequence[Sample], description: str) -> EmbeddedSamples:
        embedded = embed_samples(encoder, part, limits=limits, progress=progress, description=description)
        return replace(embedded, units=protocol.units)

    asking = embed(protocol.queries, "embedding queries")
    alone = protocol.kind == "leave-one-out"
    answering = asking if alone else embed(protocol.references, "embedding references")
    return Trial.of(asking, answering, protocol=protocol, seed=seed)


def evaluate(
    trial: Trial, *, calibration: Calibration, shown: Calibration = NOT_SHOWN, heads: Heads = NO_HEADS
) -> Evaluation:
    """Measure a trial: `calibration` judges its balanced pairs, `shown` what a search would show.

    Where the calibration was not fitted, a threshold is fitted on the pairs of one half of the query images
    and judged on those of the other, both ways: these are two, and `pair_threshold` is None.
    """
    judged = judge(trial.pairs, calibration, seed=trial.seed)
    unreadable = dict.fromkeys((*trial.queries.unreadable, *trial.references.unreadable))
    return Evaluation(
        protocol=trial.protocol.kind,
        statement=trial.protocol.statement,
        retrieval=measure_retrieval(trial),
        verification=measure_verification(trial.pairs, judged, trial.bootstrap),
        pair_threshold=judged.threshold,
        threshold_from=judged.source,
        among_queries=measure_auc(trial.among, trial.bootstrap),
        calibration=_calibrations(trial, calibration, shown),
        pair_head=measure_pair_head(trial, heads.pair) if heads.pair else None,
        class_head=measure_class_head(trial, heads.classes) if heads.classes else None,
        labels=measure_labels(trial),
        confusions=confusions(trial),
        hardest=hardest(trial, shown),
        sizes=_sizes(trial) | trial.protocol.sizes | {"unreadable": len(unreadable)},
        unreadable=tuple((one.sample.uri, one.reason) for one in unreadable),
    )


def _recorded_split(encoder: Encoder) -> Split | None:
    try:
        return None if encoder.record.split is None else Split.model_validate(encoder.record.split)
    except ValidationError as error:
        raise CheckpointError(f"the split that the checkpoint {encoder.name} recorded is damaged") from error


def _calibrations(trial: Trial, calibration: Calibration, shown: Calibration) -> Calibrations:
    pair, of_shown = (
        measure_calibration(
            scored,
            fitted.probabilities(scored.distances),
            trial,
            fitted_on=fitted.fitted_on,
            reason=fitted.reason,
        )
        for scored, fitted in ((trial.pairs, calibration), (trial.shown, shown))
    )
    return Calibrations(pair=pair, shown=of_shown)


def _sizes(trial: Trial) -> dict[str, int]:
    queries, references, same = trial.queries, trial.references, trial.pairs.same
    return {
        "queries": len(queries.samples),
        "references": len(references.samples),
        "labels": len({*queries.labels.tolist(), *references.labels.tolist()}),
        "queries_without_match": int((~trial.ranked.asked).sum()),
        "same_pairs": int(same.sum()),
        "different_pairs": int((~same).sum()),
    }
