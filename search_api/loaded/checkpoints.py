"""What a checkpoint says of its encoder, and lets pairs be judged and explained by, without the network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from explain.scores import SCORES, ClassScore, PairHeadLogit, Score
from search_api.errors import NoSuchHead
from search_api.schemas.base import ExplainedScore, ScorerName
from search_api.schemas.search import PrefilterSchema
from search_api.scoring import DistanceScorer, Floats, PairHeadScorer, Scorer
from siamese.calibration import Calibration
from siamese.checkpoint import CheckpointRecord, load_heads, load_record
from siamese.encoder import Encoder
from siamese.heads import ClassHead, Heads, PairHead


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The record of an encoder, and its heads."""

    record: CheckpointRecord
    heads: Heads

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """What lies in this folder; raises CheckpointNotFound, CheckpointError."""
        record = load_record(path)
        return cls(record, load_heads(path, record))

    @classmethod
    def of(cls, encoder: Encoder) -> Checkpoint:
        """What an encoder was loaded with."""
        return cls(encoder.record, encoder.heads)

    @property
    def scorers(self) -> list[ScorerName]:
        """The scorers that there are."""
        return ["distance", "pair-head"] if self.heads.pair else ["distance"]

    @property
    def pair_head(self) -> PairHead:
        """The pair head; raises NoSuchHead."""
        if self.heads.pair is None:
            reason = self.record.heads.reason if self.record.heads else None
            raise NoSuchHead(self.record.name, "pair head", reason)
        return self.heads.pair

    @property
    def class_head(self) -> ClassHead:
        """The class head; raises NoSuchHead."""
        if self.heads.classes is None:
            raise NoSuchHead(self.record.name, "class head")
        return self.heads.classes

    def scorer(self, name: ScorerName, distances: Calibration) -> Scorer:
        """The scorer of this name, `distances` saying what distances mean; raises NoSuchHead."""
        if name == "distance":
            return DistanceScorer(distances)
        head = self.pair_head
        assert self.record.heads is not None  # a checkpoint's heads are those that its record describes
        return PairHeadScorer(head, self.record.heads)

    def score(self, of: ExplainedScore, query: Floats) -> Score:
        """The number to be explained; of the class head, that of the label it gives the query (D,).

        Raises NoSuchHead.
        """
        if of == "pair-head":
            head = self.pair_head
            return PairHeadLogit(head.difference, head.product, head.bias)
        if of == "class":
            classes = self.class_head
            label, _ = classes.label_of(query)
            return ClassScore.against_others(
                label, labels=classes.labels, weight=classes.weight, bias=classes.bias
            )
        return SCORES[of]

    def prefilter(self, query: Floats) -> PrefilterSchema:
        """The label that the class head gives an embedding (D,); raises NoSuchHead."""
        label, probability = self.class_head.label_of(query)
        return PrefilterSchema(label=label, probability=probability)
