"""The straight line of a search, in plain Python: decode, embed, search, rescore, explain.

`Searcher` is what the service and the command line ask; it may be used from many threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from gallery.builds.build import Build
from gallery.filters.conditions import Where
from gallery.galleries import Galleries
from gallery.settings import FetchingSettings
from search_api import answers
from search_api.accounts import NO_EXTRAS, Extras, accounts
from search_api.builds import OpenBuilds
from search_api.checkpoints import Checkpoint
from search_api.comparing import compare_each
from search_api.encoders import LoadedEncoders
from search_api.errors import InvalidQuestion
from search_api.explaining import Judging
from search_api.fetching import QueryFetcher
from search_api.hiding import Hide, HidingTrials
from search_api.metrics import Metrics
from search_api.overlays import OverlayPainter
from search_api.ranking import Ranking, Wish, candidates_wanted, rank
from search_api.readiness import reasons_not_ready
from search_api.reading import SubjectReader
from search_api.schemas import CompareResponse, SearchResponse
from search_api.schemas_base import ExplainedScore, FittedOn, Prefilter, ScorerName
from search_api.schemas_why_not import WhyNotResponse
from search_api.settings import SearchSettings
from search_api.stopwatch import Stopwatch
from search_api.subjects import Asked, Several, Subject, Upload
from search_api.watch import Watch
from search_api.why_not import Question, why_not
from siamese.encoder import Encoder


class Searcher:
    """Answers queries from the published galleries; a newer build is noticed at the next question.

    With a `build` from the one of this number that a gallery keeps.
    """

    def __init__(
        self,
        galleries: Galleries,
        *,
        build: int | None = None,
        settings: SearchSettings | None = None,
        load_encoder: Callable[[Path], Encoder] = Encoder.load,
        fetching: FetchingSettings | None = None,
    ) -> None:
        """`fetching` says how queries by URL are fetched, where the settings allow them."""
        self.galleries = galleries
        self.settings = settings or SearchSettings()
        self.metrics = Metrics()
        self.builds = OpenBuilds(galleries, build=build, observe=self.metrics.opened)
        self.decoding = threading.BoundedSemaphore(self.settings.decoding_slots)
        self._encoders = LoadedEncoders(
            load_encoder,
            kept=self.settings.encoders_kept,
            slots=self.settings.embedding_slots,
            observe=self.metrics.batch,
        )
        self.reader = SubjectReader(self._encoders, self.decoding, self.settings)
        self.trials = HidingTrials(self._encoders, self.decoding, self.settings)
        self.watch = Watch(self.builds, share=self.settings.watch_share)
        self._fetcher = QueryFetcher(self.settings, fetching or FetchingSettings())
        self._painter = OverlayPainter(self.decoding, self.settings)

    def search(
        self,
        query: Asked,
        *,
        gallery: str | None = None,
        k: int | None = None,
        labels: Collection[str] | None = None,
        where: Where = (),
        prefilter: Prefilter | None = None,
        scorer: ScorerName = "distance",
        candidates: int | None = None,
        same_only: bool = False,
        of: ExplainedScore | None = None,
        extras: Extras = NO_EXTRAS,
    ) -> SearchResponse:
        """The k images of the gallery nearest to the query, each with its evidence and reason, and the
        `extras` asked for.

        `labels` leaves only images that have one of them, `where` those that satisfy its conditions,
        `prefilter` those of the label that the class head gives the query. So many `candidates` are re-scored
        by the `scorer`, whose own number is explained unless another is asked for. `same_only` leaves out
        matches whose verdict is “different”. An image of the gallery finds itself at distance 0.
        Raises UnreadableImage, ImageNotFound, InvalidQuestion, InvalidFilter, UnknownLabel, NoSuchHead, and
        what choosing a gallery raises.
        """
        clock = Stopwatch()
        k = self._checked(self.settings.default_k if k is None else k, extras)
        wish = Wish(k, labels, where, prefilter, candidates, same_only)
        query = self._given(query, extras, clock)
        with self.builds.lend(gallery) as (build, checkpoint):
            judging = Judging.by(checkpoint, "shown", scorer, of)
            judging = judging.of_several() if isinstance(query, Several) else judging
            asked, ranking = self._ranked(query, build, judging, wish, clock)
            self.watch.saw(build, asked.embedding)
            with clock.stage("explain"):
                images = build.images([each.image_id for each in ranking.shown])
                matched = self.reader.subjects_of(images, ranking.embeddings_of(ranking.shown), build)
                scored = [each.scored for each in ranking.shown]
                told = accounts(asked, matched, scored, judging, extras)
            told = self._painter.drawn(asked, matched, told, checkpoint.record.preprocessing, build)
        found = zip(ranking.shown, matched, told, strict=True)
        schemas = [answers.match_schema(*each) for each in found]
        return answers.search_response(asked, build, judging, ranking.prefilter, schemas, clock)

    def why_not(
        self,
        query: Asked,
        wanted: int | str,
        *,
        gallery: str | None = None,
        wish: Wish | None = None,
        scorer: ScorerName = "distance",
    ) -> WhyNotResponse:
        """Why the same search would not return this image, named by its id or its uri, or that it would.

        Raises what `search` raises, but ImageNotFound for the query alone.
        """
        wish = wish or Wish(self.settings.default_k)
        self._checked(wish.k, NO_EXTRAS)
        clock = Stopwatch()
        query = self._given(query, NO_EXTRAS, clock)
        with self.builds.lend(gallery) as (build, checkpoint):
            judging = Judging.by(checkpoint, "shown", scorer, None)
            judging = judging.of_several() if isinstance(query, Several) else judging
            asked, ranking = self._ranked(query, build, judging, wish, clock)
            return why_not(Question(asked, build, judging, wish, ranking), build.fate(wanted))

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
        with self.builds.lend(gallery) as (build, checkpoint):
            judging = Judging.by(checkpoint, calibration, scorer, of)
            return self._compare_each(query, [matched], build, judging, extras)[0]

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
        with self.builds.lend(gallery) as (build, checkpoint):
            judging = Judging.by(checkpoint, "pair", scorer, of)
            return self._compare_each(query, images, build, judging, extras)

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
        return compare_each(
            query,
            images,
            embed=lambda asked, clock: self.reader.embedded(asked, encoder, clock),
            answer=partial(
                self._compared, judging, extras, None, self.trials.each(extras.hiding, query, encoder)
            ),
        )

    def reasons_not_ready(self) -> list[str]:
        """Why searches cannot be answered now, a sentence each; opens what a search would need to open."""
        return reasons_not_ready(self.galleries, self.builds, self._encoders)

    def close(self) -> None:
        """Closes the builds that are open."""
        self.watch.close()
        self._fetcher.close()
        self.builds.close()

    def _checked(self, k: int, extras: Extras) -> int:
        if not 1 <= k <= self.settings.max_k:
            raise InvalidQuestion(f"k must lie between 1 and {self.settings.max_k}, but it is {k}.")
        if extras.overlays and k > self.settings.max_drawn:
            raise InvalidQuestion(
                f"One answer holds overlays of at most {self.settings.max_drawn} matches, but k is {k}; "
                "ask for fewer, or for those of one match at /v1/images/{image_id}/overlay?query={image_id}."
            )
        return k

    def _given(self, query: Asked, extras: Extras, clock: Stopwatch) -> Asked:
        if isinstance(query, Several):
            if len(query.queries) > self.settings.max_queries:
                raise InvalidQuestion(
                    f"One search asks with at most {self.settings.max_queries} pictures together, "
                    f"not {len(query.queries)}."
                )
            if extras.correspondences:
                raise InvalidQuestion(
                    "Which spot answers which is told of one picture: leave out correspondences."
                )
        return self._fetcher.given(query, clock)

    def _ranked(
        self, query: Asked, build: Build, judging: Judging, wish: Wish, clock: Stopwatch
    ) -> tuple[Subject, Ranking]:
        count = candidates_wanted(wish, judging, self.settings)
        asked = self.reader.subject(query, build, judging.checkpoint.record.preprocessing, clock)
        return asked, rank(asked, build, judging, wish, clock, count=count)

    def _compare_each(
        self, query: Asked, images: Sequence[Asked], build: Build, judging: Judging, extras: Extras
    ) -> list[CompareResponse]:
        if any(isinstance(each, Several) for each in (query, *images)):
            raise InvalidQuestion("A comparison takes one picture on either side: leave out the others.")
        preprocessing = judging.checkpoint.record.preprocessing
        fetching = Stopwatch()
        query, *images = (self._fetcher.given(each, fetching) for each in (query, *images))
        hide = self.trials.each(extras.hiding, query, build)
        return compare_each(
            query,
            images,
            embed=lambda asked, clock: self.reader.subject(asked, build, preprocessing, clock),
            answer=partial(self._compared, judging, extras, build, hide),
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
        return answers.compare_response(asked, other, scored[0], account, judging, build, clock, hides)
