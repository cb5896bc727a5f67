"""Which images of a gallery are re-scored: what the index proposes, narrowed to labels."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from gallery.builds.build import Build
from search_api.errors import InvalidQuestion, UnknownLabel
from search_api.loaded.checkpoints import Checkpoint
from search_api.queries.subjects import Subject
from search_api.schemas.base import Prefilter
from search_api.schemas.search import PrefilterSchema
from search_api.scoring import Scorer
from search_api.settings import UNLIMITED, SearchSettings


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The labels that are looked among (None: all images), and the prefilter that said so, if any did."""

    labels: Collection[str] | None
    prefilter: PrefilterSchema | None = None


def narrow(
    asked: Subject,
    build: Build,
    checkpoint: Checkpoint,
    *,
    labels: Collection[str] | None,
    prefilter: Prefilter | None,
) -> Narrowed:
    """The labels asked for, or the one that the class head gives the query.

    Raises UnknownLabel for a label that no image has, InvalidQuestion for both at once, NoSuchHead.
    """
    if prefilter is None:
        return Narrowed(_known(labels, build))
    if labels is not None:
        raise InvalidQuestion("A label or the prefilter narrows a search, not both: leave out one of them.")
    found = checkpoint.prefilter(asked.embedding)
    if found.label not in build.labels():
        raise UnknownLabel(found.label, build.gallery, predicted=True)
    return Narrowed([found.label], found)


def how_many(k: int, wanted: int | None, scorer: Scorer, settings: SearchSettings) -> int:
    """How many candidates are asked of the index for k matches; raises InvalidQuestion."""
    if wanted is None:
        least = settings.candidates if scorer.reorders else 0
        return max(math.ceil(k * settings.oversampling), least)
    if not k <= wanted <= settings.max_candidates:
        limited = settings.max_candidates < UNLIMITED
        most = f", and at most {settings.max_candidates}" if limited else ""
        raise InvalidQuestion(
            f"The candidates must be at least the {k} matches that are asked for{most}, "
            f"but they are {wanted}."
        )
    return wanted


def _known(labels: Collection[str] | None, build: Build) -> Collection[str] | None:
    known = build.labels() if labels is not None else {}
    for label in labels or ():
        if label not in known:
            raise UnknownLabel(label, build.gallery)
    return labels
