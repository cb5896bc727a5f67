"""What changes for those who search when another encoder takes over: the same images asked of both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage

MARGIN = 1.96
"""Standard errors on either side of a mean that are its 95 % interval."""

QUANTILES = (0.1, 0.5, 0.9)

EXAMPLES = 12
"""Queries whose matches change most, to be looked at."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over queries and its 95 % interval, from `low` to `high`; `margin` is half of its width."""

    mean: float
    margin: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OfEncoder:
    """What one encoder finds: how often the first match has the query's label, and how far away it is.

    `recall_at_1` is null where no query has a label that another image has, too; `nearest` are the distances
    at the quantiles 10, 50 and 90 %.
    """

    name: str
    fingerprint: str
    recall_at_1: Estimate | None
    nearest: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A query whose matches change: the share that stays, and the first matches of both, nearest first."""

    query: int
    overlap: float
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Churn:
    """Both encoders beside each other, over `queries` images drawn from the gallery.

    `overlap` is the share of the first `k` matches that stay among them; `rank_correlation` is Spearman's, of
    the ranks in either list, one that is missing in a list being k + 1; `same_first` is the share of queries
    whose first match stays.
    """

    gallery: str
    k: int
    queries: int
    seed: int
    before: OfEncoder
    after: OfEncoder
    overlap: Estimate
    rank_correlation: Estimate
    same_first: Estimate
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The matches of a query, without the query's own content."""

    image_ids: tuple[int, ...]
    first_distance: float


def churn(before: Build, after: Build, *, queries: int, k: int, seed: int) -> Churn:
    """Ask both for the `k` nearest of `queries` images, drawn with the seed from those that both have.

    The query's own content is left out of its matches. ValueError if there are fewer than two images.
    """
    drawn = _drawn(before, after, queries, seed)
    if not drawn:
        raise ValueError("Two encoders are compared by at least two images that both have embedded.")
    asked = [(_ask(before, image, k), _ask(after, image, k)) for image in drawn]
    overlaps = [len({*old.image_ids} & {*new.image_ids}) / k_of(old, k) for old, new in asked]
    examples = np.argsort(overlaps, kind="stable")[:EXAMPLES].tolist()
    return Churn(
        gallery=before.gallery,
        k=k,
        queries=len(drawn),
        seed=seed,
        before=_of_encoder(before, drawn, [old for old, _ in asked]),
        after=_of_encoder(after, drawn, [new for _, new in asked]),
        overlap=_estimate(overlaps),
        rank_correlation=_estimate(
            (_spearman(old.image_ids, new.image_ids, k) for old, new in asked), least=-1.0
        ),
        same_first=_share(old.image_ids[:1] == new.image_ids[:1] for old, new in asked),
        examples=tuple(
            Example(drawn[at].image_id, overlaps[at], asked[at][0].image_ids, asked[at][1].image_ids)
            for at in examples
        ),
    )


def k_of(asked: _Asked, k: int) -> int:
    """How many matches there can be in common."""
    return max(1, min(k, len(asked.image_ids)))


def _drawn(before: Build, after: Build, queries: int, seed: int) -> list[GalleryImage]:
    """Images of different contents."""
    first = {image.checksum: image.image_id for image in reversed(list(before))}
    ids = np.random.default_rng(seed).permutation(sorted(first.values())).tolist()
    held = after.holds(ids) if len(ids) > 1 else []
    return before.images(held[:queries])


def _ask(build: Build, query: GalleryImage, k: int) -> _Asked:
    embedding = build.embeddings([query.image_id])[0]
    own = {image.image_id for image in build.with_checksum(query.checksum)}
    found = build.search(embedding, count=k + len(own), fingerprint=build.fingerprint)
    others = [each for each in found if each.image_id not in own][:k]
    nearest = others[0].index_distance if others else float("nan")
    return _Asked(tuple(each.image_id for each in others), nearest)


def _of_encoder(build: Build, queries: Sequence[GalleryImage], asked: Sequence[_Asked]) -> OfEncoder:
    distances = [each.first_distance for each in asked if each.image_ids]
    return OfEncoder(
        build.encoder_name,
        build.fingerprint,
        _recall(build, queries, asked),
        tuple(np.quantile(distances, QUANTILES).round(6).tolist()),
    )


def _recall(build: Build, queries: Sequence[GalleryImage], asked: Sequence[_Asked]) -> Estimate | None:
    """Over queries with a label that another image has, too."""
    shared = {label for label, count in build.labels().items() if count > 1}
    labelled = [
        (query, each.image_ids[0])
        for query, each in zip(queries, asked, strict=True)
        if query.label in shared and each.image_ids
    ]
    if not labelled:
        return None
    found = build.images([image_id for _, image_id in labelled])
    return _share(query.label == image.label for (query, _), image in zip(labelled, found, strict=True))


def _spearman(old: Sequence[int], new: Sequence[int], k: int) -> float:
    """The correlation of the ranks of all that either list has; 1 where both are the same."""
    both = sorted({*old, *new})
    ranks = np.array([_ranks(each, both, k) for each in (old, new)])
    if len(both) < 2 or (ranks[0] == ranks[1]).all():
        return 1.0
    if not ranks.std(axis=1).all():
        return 0.0  # one of them found nothing
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(matches: Sequence[int], both: Sequence[int], k: int) -> NDArray[np.float64]:
    at = {image_id: rank for rank, image_id in enumerate(matches, start=1)}
    return np.array([at.get(image_id, k + 1) for image_id in both], np.float64)


def _share(values: Iterable[bool]) -> Estimate:
    """The share that is true, with Wilson's interval (1927), which has a width where all are alike, too."""
    found = np.array(list(values), np.float64)
    share, doubt = float(found.mean()), MARGIN**2 / len(found)
    middle = (share + doubt / 2) / (1 + doubt)
    half = float(np.sqrt(doubt * (share * (1 - share) + doubt / 4))) / (1 + doubt)
    return _between(share, middle - half, middle + half)


def _estimate(values: Iterable[float], *, least: float = 0.0) -> Estimate:
    """The mean of values from `least` to 1, and the normal interval as far as values go."""
    found = np.array(list(values))
    spread = found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else 0.0
    mean = float(found.mean())
    return _between(mean, max(least, mean - MARGIN * spread), min(1.0, mean + MARGIN * spread))


def _between(mean: float, low: float, high: float) -> Estimate:
    return Estimate(*(round(float(each), 6) for each in (mean, (high - low) / 2, low, high)))
