"""Labelled images together with their embeddings: what an evaluation works on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from siamese.encoder import Encoder
from siamese.errors import UnreadableImage, ZeroEmbedding
from siamese.images import DEFAULT_LIMITS, ImageLimits
from siamese.pairs import Pairs, draw_pairs
from siamese.preparing import Prepared
from siamese.progress import Progress, Silent
from siamese.retrieval import distances
from siamese.samples import Sample, UnreadableSample, image_of
from siamese.threads import in_threads
from siamese.units import apart

BATCH_SIZE = 32


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedSamples:
    """Samples and their unit embeddings (n, D) float32, in one order; `unreadable` has none.

    `units` has the units of contents (checksums), where they are known.
    """

    samples: tuple[Sample, ...]
    embeddings: NDArray[np.float32]
    unreadable: tuple[UnreadableSample, ...] = field(default=())
    units: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.samples) != len(self.embeddings):
            raise ValueError(f"{len(self.samples)} samples, but {len(self.embeddings)} embeddings")

    @property
    def labels(self) -> NDArray[np.str_]:
        """(n,) what each shows."""
        return np.array([sample.label for sample in self.samples], np.str_)

    @property
    def checksums(self) -> NDArray[np.str_]:
        """(n,) whose content each is."""
        return np.array([sample.checksum for sample in self.samples], np.str_)

    @property
    def apart(self) -> NDArray[np.str_]:
        """(n,) whose unit each is, or whose content: no two of one name are judged against each other."""
        return apart(self.samples, self.units)


def embed_samples(
    encoder: Encoder,
    samples: Sequence[Sample],
    *,
    limits: ImageLimits = DEFAULT_LIMITS,
    batch_size: int = BATCH_SIZE,
    progress: Progress | None = None,
    description: str = "embedding",
) -> EmbeddedSamples:
    """Decode, prepare and embed the samples; what cannot be read or embedded is reported with its reason."""
    unreadable: list[UnreadableSample] = []
    kept: list[Sample] = []
    embeddings = [np.empty((0, encoder.dimension), np.float32)]

    def prepare(sample: Sample) -> Prepared | UnreadableSample:
        try:
            return encoder.prepare(image_of(sample, encoder.preprocessing, limits=limits))
        except UnreadableImage as error:
            return UnreadableSample(sample, error.reason)

    prepared = in_threads(prepare, samples, ahead=2 * batch_size)
    tracked = (progress or Silent()).track(
        zip(samples, prepared, strict=True), description=description, total=len(samples)
    )
    for batch in _batches(tracked, batch_size):
        readable = []
        for sample, result in batch:
            if isinstance(result, UnreadableSample):
                unreadable.append(result)
            else:
                readable.append((sample, result))
        embedded, without = encoder.embed_directed([one for _, one in readable])
        kept += [sample for at, (sample, _) in enumerate(readable) if at not in without]
        embeddings.append(embedded.embeddings)
        unreadable += [UnreadableSample(readable[at][0], str(ZeroEmbedding([at]))) for at in without]
    return EmbeddedSamples(tuple(kept), np.concatenate(embeddings), tuple(unreadable))


def pairs_between(queries: EmbeddedSamples, references: EmbeddedSamples, *, seed: int) -> Pairs:
    """Balanced pairs of a query and a reference, as `draw_pairs` draws them."""
    return draw_pairs(queries.labels, queries.apart, references.labels, references.apart, seed=seed)


def pair_distances(
    pairs: Pairs, queries: EmbeddedSamples, references: EmbeddedSamples
) -> NDArray[np.float64]:
    """The distance of each of the pairs: (n,)."""
    return distances(queries.embeddings[pairs.queries], references.embeddings[pairs.references])


def _batches(
    stream: Iterator[tuple[Sample, Prepared | UnreadableSample]], size: int
) -> Iterator[list[tuple[Sample, Prepared | UnreadableSample]]]:
    while batch := list(itertools.islice(stream, size)):
        yield batch
