"""Comparisons by an encoder: of a gallery, or one that belongs to none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gallery.builds.build import Build
from search_api.answers import responses
from search_api.errors import InvalidQuestion
from search_api.evidence.accounts import NO_EXTRAS, Extras, accounts
from search_api.evidence.explaining import Judging
from search_api.evidence.hiding import Hide, HidingTrials
from search_api.evidence.overlays import OverlayPainter
from search_api.loaded.builds import OpenBuilds
from search_api.loaded.checkpoints import Checkpoint
from search_api.matches.comparing import compare_each
from search_api.queries.fetching import QueryFetcher
from search_api.queries.reading import SubjectReader
from search_api.queries.subjects import Asked, Several, Subject, Upload
from search_api.schemas.base import ExplainedScore, FittedOn, ScorerName
from search_api.schemas.search import CompareResponse
from search_api.stopwatch import Stopwatch
from siamese.encoder import Encoder


class Comparer:
    """Judges one query with each of some images. Safe for many threads."""

    def __init__(
        self,
        builds: OpenBuilds,
        reader: SubjectReader,
        trials: HidingTrials,
        painter: OverlayPainter,
        fetcher: QueryFetcher,
    ) -> None:
        self._builds = builds
        self._reader = reader
        self._trials = trials
        self._painter = painter
        self._fetcher = fetcher

    def compare(
        self,
        query: Asked,
        matched: Asked,
        *,
        gallery: str | None = None,
        scorer: ScorerName = "distance",
        calibration: FittedOn = "pair",
        of: ExplainedScore | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> CompareResponse:
        """How near two pictures are by the gallery's encoder, and why; equal bytes are at distance 0.

        `calibration` says what distances mean: among balanced pairs, or among those that a search shows.
        What is tested by hiding regions looks at both pictures again.
        Raises UnreadableImage, ImageNotFound, NoSuchHead, InvalidQuestion and what choosing a gallery raises.
        """
        with self._builds.lend(gallery) as (build, checkpoint):
            judging = Judging.by(checkpoint, calibration, scorer, of, usual=build.manifest.usual)
            return self._each(query, [matched], build, judging, extras)[0]

    def compare_each(
        self,
        query: Asked,
        images: Sequence[Asked],
        *,
        gallery: str | None = None,
        scorer: ScorerName = "distance",
        of: ExplainedScore | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> list[CompareResponse]:
        """The same for one query with each of the images, in their order; no content is embedded twice."""
        with self._builds.lend(gallery) as (build, checkpoint):
            judging = Judging.by(checkpoint, "pair", scorer, of, usual=build.manifest.usual)
            return self._each(query, images, build, judging, extras)

    def compare_each_by(
        self,
        encoder: Encoder,
        query: Upload,
        images: Sequence[Upload],
        *,
        scorer: ScorerName = "distance",
        of: ExplainedScore | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> list[CompareResponse]:
        """The same by an encoder that belongs to no gallery."""
        judging = Judging.by(Checkpoint.of(encoder), "pair", scorer, of)
        return self._each_by(encoder, query, images, judging, extras)

    def _each(
        self, query: Asked, images: Sequence[Asked], build: Build, judging: Judging, extras: Extras
    ) -> list[CompareResponse]:
        """By the encoder of the build; raises InvalidQuestion for several pictures on one side."""
        if any(isinstance(each, Several) for each in (query, *images)):
            raise InvalidQuestion("A comparison takes one picture on either side: leave out the others.")
        preprocessing = judging.checkpoint.record.preprocessing
        clock = Stopwatch()
        query, *images = (self._fetcher.given(each, clock) for each in (query, *images))
        hide = self._trials.each(extras.hiding, query, build)
        return compare_each(
            query,
            images,
            embed=lambda asked, clock: self._reader.subject(asked, build, preprocessing, clock),
            answer=partial(self._compared, judging, extras, build, hide),
        )

    def _each_by(
        self, encoder: Encoder, query: Upload, images: Sequence[Upload], judging: Judging, extras: Extras
    ) -> list[CompareResponse]:
        """By an encoder that belongs to no gallery."""
        hide = self._trials.each(extras.hiding, query, encoder)
        return compare_each(
            query,
            images,
            embed=lambda asked, clock: self._reader.embedded(asked, encoder, clock),
            answer=partial(self._compared, judging, extras, None, hide),
        )

    def _compared(
        self,
        judging: Judging,
        extras: Extras,
        build: Build | None,
        hide: Hide,
        image: Asked,
        asked: Subject,
        other: Subject,
        clock: Stopwatch,
    ) -> CompareResponse:
        with clock.stage("explain"):
            scored = judging.scorer.scored(asked.embedding, other.embedding[None])
            told = accounts(asked, [other], scored, judging, extras)
        hides = hide(image, judging, scored[0], told[0].evidence)
        told = [hides.added_to(told[0])]
        account = self._painter.drawn(asked, [other], told, judging.checkpoint.record.preprocessing, build)[0]
        return responses.compare_response(asked, other, scored[0], account, judging, build, clock, hides)
