"""Random pairs of a folder and what an encoder says of them: each image is embedded once."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gallery.builds.build import Build
from gallery.sources.scanning import ScannedFile, scan
from search_api.answers.responses import encoder_schema
from search_api.loaded.checkpoints import Checkpoint
from search_api.schemas.base import Schema, ScorerName, Verdict
from search_api.schemas.encoder import CalibrationSchema, EncoderSchema
from search_api.scoring import Scorer
from siamese.embedded_samples import embed_samples
from siamese.encoder import Encoder
from siamese.errors import UnusableData
from siamese.images import ImageLimits
from siamese.progress import Progress, Silent
from siamese.random_pairs import PossiblePairs
from siamese.samples import Sample
from whyalike.folders import read_files

SPARE = 3
"""Pairs drawn for each one that is asked for: some images cannot be read, some have the same bytes."""

Place = tuple[int, int]


class PairedImage(Schema):
    """One image of a pair."""

    uri: str
    label: str | None = Field(description="The name of its folder; null where all images lie in one.")
    checksum: str
    path: Path = Field(exclude=True)


class SampledPair(Schema):
    """A pair, what the encoder says of it, and whether that is right."""

    first: PairedImage
    second: PairedImage
    same: bool | None = Field(description="Whether the labels are equal; null where there are none.")
    distance: float = Field(ge=0)
    score: float
    cosine: float
    similarity: float
    probability: float | None
    verdict: Verdict | None
    right: bool | None = Field(description="Null where there is no label or no verdict.")


class PairCounts(Schema):
    """How many pairs there are of each kind, how many could be checked, and how many of these are right."""

    pairs: int
    same: int
    different: int
    checked: int
    right: int


class SampledPairs(Schema):
    """Random pairs of a folder; in the same folder the same seed draws the same pairs."""

    folder: str
    seed: int
    gallery: str | None = Field(description="The gallery whose encoder judged; null for a checkpoint's.")
    build: int | None
    encoder: EncoderSchema
    scorer: ScorerName
    threshold: float | None
    calibration: CalibrationSchema
    counts: PairCounts
    pairs: list[SampledPair]
    unreadable: list[tuple[str, str]] = Field(description="Uri and reason of what was drawn and left out.")


def judge_sampled_pairs(
    encoder: Encoder,
    folder: Path,
    *,
    count: int,
    seed: int,
    scorer: ScorerName,
    build: Build | None,
    limits: ImageLimits,
    progress: Progress,
) -> SampledPairs:
    """`count` random pairs of images below the folder, half same and half different where labels allow it.

    The label of an image is the name of its folder; where all lie in one, nobody knows what is the same. No
    pair has the same content twice. `build` is the one whose encoder it is, if any.

    Raises SourceUnavailable, NoSuchHead, and UnusableData where there is no pair.
    """
    judge = Checkpoint.of(encoder).scorer(scorer, encoder.calibration)
    files = list(scan([folder]))
    images = _Images(encoder, files, limits, progress)
    places = _drawn(images, count=count, seed=seed)
    if not places:
        raise UnusableData(f"there are no two readable, different images below {folder} to make a pair of")
    pairs = [_judged(images, place, judge) for place in places]
    return SampledPairs(
        folder=str(folder),
        seed=seed,
        gallery=build.gallery if build else None,
        build=build.number if build else None,
        encoder=encoder_schema(encoder.record),
        scorer=scorer,
        threshold=judge.threshold,
        calibration=judge.calibration,
        counts=_counts(pairs),
        pairs=pairs,
        unreadable=images.unreadable,
    )


@dataclass(slots=True, eq=False)
class _Images:
    """The files of a folder, and the samples and embeddings of those that were asked for."""

    encoder: Encoder
    files: Sequence[ScannedFile]
    limits: ImageLimits
    progress: Progress
    embedded: dict[int, tuple[Sample, NDArray[np.float32]] | None] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    @property
    def labelled(self) -> bool:
        """Whether the folders tell images apart."""
        return len({file.label for file in self.files}) > 1

    def embed(self, positions: Iterable[int]) -> None:
        """Embed the images at these positions that have not been embedded yet."""
        new = sorted(set(positions) - set(self.embedded))
        read = read_files([self.files[at] for at in new], limits=self.limits, progress=Silent())
        samples = [each for each in read if isinstance(each, Sample)]
        self.unreadable += [each for each in read if not isinstance(each, Sample)]
        found = embed_samples(self.encoder, samples, limits=self.limits, progress=self.progress)
        self.unreadable += [(one.sample.uri, one.reason) for one in found.unreadable]
        by_uri = {sample.uri: (sample, found.embeddings[at]) for at, sample in enumerate(found.samples)}
        self.embedded |= {at: by_uri.get(self.files[at].relative) for at in new}

    def usable(self, place: Place) -> bool:
        """Whether both images of a pair were embedded, and their contents differ."""
        first, second = (self.embedded[at] for at in place)
        return first is not None and second is not None and first[0].checksum != second[0].checksum


def _drawn(images: _Images, *, count: int, seed: int) -> list[Place]:
    """Usable pairs in a random order."""
    if not images.labelled:
        anything = PossiblePairs.of_any(len(images.files))
        return _taken(images, anything.drawn(seed=seed, most=SPARE * count), count)
    labels = [file.label for file in images.files]
    alike, unlike = (
        PossiblePairs.of_labels(labels, same=same).drawn(seed=seed, most=SPARE * count)
        for same in (True, False)
    )
    same = _taken(images, alike, (count + 1) // 2)
    different = _taken(images, unlike, count - len(same))
    both = [*same, *different, *_taken(images, alike, count - len(same) - len(different))]
    random.Random(seed).shuffle(both)
    return both


def _taken(images: _Images, drawn: Iterator[Place], count: int) -> list[Place]:
    """The first `count` usable pairs, or all there are."""
    taken: list[Place] = []
    while len(taken) < count and (tried := list(islice(drawn, count - len(taken)))):
        images.embed(at for place in tried for at in place)
        taken += filter(images.usable, tried)
    return taken


def _judged(images: _Images, place: Place, judge: Scorer) -> SampledPair:
    first, second = (images.embedded[at] for at in place)
    assert first is not None and second is not None  # usable pairs alone are judged
    scored = judge.scored(first[1], second[1][None])[0]
    same = first[0].label == second[0].label if images.labelled else None
    known = same is not None and scored.verdict is not None
    return SampledPair(
        first=_paired(images, place[0], first[0]),
        second=_paired(images, place[1], second[0]),
        same=same,
        distance=scored.distance,
        score=scored.score,
        cosine=scored.cosine,
        similarity=scored.similarity,
        probability=scored.probability,
        verdict=scored.verdict,
        right=(scored.verdict == "same") == same if known else None,
    )


def _paired(images: _Images, at: int, sample: Sample) -> PairedImage:
    label = sample.label if images.labelled else None
    return PairedImage(uri=images.files[at].uri, label=label, checksum=sample.checksum, path=sample.path)


def _counts(pairs: Sequence[SampledPair]) -> PairCounts:
    return PairCounts(
        pairs=len(pairs),
        same=sum(pair.same is True for pair in pairs),
        different=sum(pair.same is False for pair in pairs),
        checked=sum(pair.right is not None for pair in pairs),
        right=sum(pair.right is True for pair in pairs),
    )
