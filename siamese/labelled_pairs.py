"""Pairs of images that somebody has judged: same or different, with no label of either image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from siamese.pairs import Pairs
from siamese.samples import Sample

Judged = tuple[Sample, Sample, bool]


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPairs:
    """Distinct contents, and pairs of their positions: each pair once, and never of a content with itself.

    The label of a sample is only where it lies; nothing is learned from it. `itself`, `contradicted` and
    `repeated` count the judgements that were left out: of one content twice, of a pair that was also judged
    the other way, of a pair that was judged the same way before.
    """

    samples: tuple[Sample, ...]
    pairs: Pairs
    itself: int = 0
    contradicted: int = 0
    repeated: int = 0

    def __post_init__(self) -> None:
        ends = np.sort(np.stack([self.pairs.queries, self.pairs.references]), axis=0)
        if len({sample.checksum for sample in self.samples}) != len(self.samples):
            raise ValueError("each content of labelled pairs is one sample")
        if (ends[0] == ends[1]).any() or np.unique(ends, axis=1).shape[1] != len(self.pairs):
            raise ValueError("labelled pairs are of two contents, and each pair is there once")

    @classmethod
    def of(cls, judgements: Iterable[Judged]) -> LabelledPairs:
        """What the judgements say where they agree; contents are told apart by their bytes."""
        judged: dict[tuple[str, str], list[bool]] = {}
        samples: dict[str, Sample] = {}
        itself = 0
        for first, second, same in judgements:
            if first.checksum == second.checksum:
                itself += 1
                continue
            names = [samples.setdefault(one.checksum, one).checksum for one in (first, second)]
            judged.setdefault((min(names), max(names)), []).append(same)
        agreed = {pair: said[0] for pair, said in judged.items() if len(set(said)) == 1}
        contradicted = sum(len(said) for pair, said in judged.items() if pair not in agreed)
        used = sorted({name for pair in agreed for name in pair}, key=lambda name: samples[name].uri)
        position = {name: at for at, name in enumerate(used)}
        return cls(
            tuple(samples[name] for name in used),
            Pairs.of((position[first], position[second], same) for (first, second), same in agreed.items()),
            itself=itself,
            contradicted=contradicted,
            repeated=sum(map(len, judged.values())) - contradicted - len(agreed),
        )

    @property
    def digest(self) -> str:
        """The SHA-256, in hexadecimal, of who is paired with whom and what was said of it."""
        digest = hashlib.sha256("".join(sample.checksum for sample in self.samples).encode())
        for column in (self.pairs.queries, self.pairs.references, self.pairs.same):
            digest.update(column.tobytes())
        return digest.hexdigest()

    def notes(self) -> list[str]:
        """What was left out, a sentence each."""
        reasons = (
            (self.itself, "of an image with itself or with its own bytes"),
            (self.contradicted, "that contradict another judgement of the same pair"),
            (self.repeated, "that repeat another judgement of the same pair"),
        )
        return [f"{count} pairs were left out {why}" for count, why in reasons if count]
