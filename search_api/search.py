"""The straight line of a search, in plain Python: decode, embed, search, rescore, explain.

`Searcher` is what the service and the command line ask; it may be used from many threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from gallery.builds.build import Build
from gallery.filters.conditions import Where
from gallery.galleries import Galleries
from gallery.settings import FetchingSettings
from search_api.answers import responses
from search_api.answers.each import answered_each
from search_api.answers.groups import Judged, beside, judgements_of
from search_api.asked_search import (
    AskedSearch,
    judging_of,
    lent,
    next_cursor,
    question_of,
    require_allowed,
    require_same_question,
)
from search_api.comparer import Comparer
from search_api.evidence.accounts import NO_EXTRAS, Extras, accounts, doubted
from search_api.evidence.explaining import Judging
from search_api.evidence.hiding import HidingTrials
from search_api.evidence.overlays import OverlayPainter
from search_api.loaded.builds import OpenBuilds
from search_api.loaded.encoders import LoadedEncoders
from search_api.loaded.readiness import reasons_not_ready
from search_api.loaded.watch import Watch
from search_api.matches.choosing import EVERYTHING, Choice
from search_api.matches.ranking import Ranking, Wish, candidates_wanted
from search_api.matches.rounds import rank
from search_api.metrics import Metrics
from search_api.queries.fetching import QueryFetcher
from search_api.queries.keeping import keep_uploads, told_with
from search_api.queries.reading import SubjectReader
from search_api.queries.subjects import Asked, Subject
from search_api.schemas.base import ExplainedScore, Prefilter, ScorerName
from search_api.schemas.search import SearchResponse
from search_api.schemas.why_not import WhyNotResponse
from search_api.settings import SearchSettings
from search_api.stopwatch import Stopwatch
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
        metrics: Metrics | None = None,
    ) -> None:
        """`fetching` says how queries by URL are fetched, where the settings allow them."""
        self.galleries = galleries
        self.settings = settings or SearchSettings()
        self.metrics = metrics or Metrics()
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
        self.kept = galleries.kept_queries(self.settings.keeping)
        self._fetcher = QueryFetcher(self.settings, fetching or FetchingSettings(), self.kept)
        self._painter = OverlayPainter(self.decoding, self.settings)
        self.comparer = Comparer(self.builds, self.reader, self.trials, self._painter, self._fetcher)

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
        choice: Choice = EVERYTHING,
    ) -> SearchResponse:
        """The k images of the gallery nearest to the query, each with its evidence and reason, and the
        `extras` asked for.

        `labels` leaves only images that have one of them, `where` those that satisfy its conditions,
        `prefilter` those of the label that the class head gives the query. So many `candidates` are re-scored
        by the `scorer`, whose own number is explained unless another is asked for. `same_only` leaves out
        matches whose verdict is “different”; `choice` says which of the others are shown, and how they are
        put together. An image of the gallery finds itself at distance 0.
        Raises UnreadableImage, ImageNotFound, InvalidQuestion, InvalidFilter, UnknownLabel, NoSuchHead,
        FetchRefused, InvalidCursor, CursorGone, and what choosing a gallery raises.
        """
        k = self.settings.default_k if k is None else k
        wish = Wish(k, labels, where, prefilter, candidates, same_only, choice)
        return self.ask(AskedSearch(query, wish, gallery, scorer, of, extras))

    def ask(self, asked: AskedSearch) -> SearchResponse:
        """The answer to one search; raises what `search` raises."""
        clock = Stopwatch()
        require_allowed(asked, self.settings)
        query = self._fetcher.given(asked.query, clock)
        with lent(self.builds, asked) as (build, checkpoint):
            judging = judging_of(query, build, checkpoint, asked)
            subject = self.reader.subject(query, build, checkpoint.record.preprocessing, clock)
            question = question_of(asked, subject)
            require_same_question(asked, question)
            judged = judgements_of(subject, build)
            ranking = self._ranked(subject, build, judging, asked.wish, clock, judged)
            self.watch.saw(build, subject.embedding)
            with clock.stage("explain"):
                images = build.images([each.image_id for each in ranking.shown])
                matched = self.reader.subjects_of(images, ranking.embeddings_of(ranking.shown), build)
                scored = [each.scored for each in ranking.shown]
                told = accounts(subject, matched, scored, judging, asked.extras)
                told = doubted(told, [each.rank for each in ranking.shown], scored)
                others = list(beside(ranking, asked.wish.choice, build, judged))
            told = self._painter.drawn(subject, matched, told, checkpoint.record.preprocessing, build)
        found = zip(ranking.shown, matched, told, others, strict=True)
        schemas = [responses.match_schema(*each) for each in found]
        cursor = next_cursor(ranking, asked, judging.scorer, build, question)
        answer = responses.search_response(subject, build, judging, ranking, schemas, cursor, clock)
        if asked.keep is None:
            return answer
        return told_with(answer, keep_uploads(asked.query, self.kept, seconds=asked.keep))

    def given(self, asked: Asked) -> Asked:
        """The same with every picture in it at hand; raises FetchRefused, FetchesBusy, QueryNotFound."""
        return self._fetcher.given(asked, Stopwatch())

    def ask_each(self, searches: Sequence[AskedSearch]) -> list[SearchResponse | Exception]:
        """The answer to each of the searches, in their order, or what was raised instead.

        Some are asked at once, so that pictures are embedded together; each answer is the same as alone.
        """
        slots = self.settings.decoding_slots + self.settings.embedding_slots
        return answered_each(self.ask, searches, threads=slots)

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
        asked, clock = AskedSearch(query, wish, gallery, scorer), Stopwatch()
        require_allowed(asked, self.settings)
        query = self._fetcher.given(query, clock)
        with lent(self.builds, asked) as (build, checkpoint):
            judging = judging_of(query, build, checkpoint, asked)
            subject = self.reader.subject(query, build, checkpoint.record.preprocessing, clock)
            judged = judgements_of(subject, build)
            ranking = self._ranked(subject, build, judging, wish, clock, judged)
            return why_not(Question(subject, build, judging, wish, ranking), build.fate(wanted))

    def loaded_fingerprints(self) -> frozenset[str]:
        """Of the encoders that are in memory."""
        return self._encoders.fingerprints

    def reasons_not_ready(self) -> list[str]:
        """Why searches cannot be answered now, a sentence each; opens what a search would need to open."""
        return reasons_not_ready(self.galleries, self.builds, self._encoders)

    def close(self) -> None:
        """Closes the builds that are open."""
        self.watch.close()
        self._fetcher.close()
        self.builds.close()

    def _ranked(
        self,
        subject: Subject,
        build: Build,
        judging: Judging,
        wish: Wish,
        clock: Stopwatch,
        judged: Judged,
    ) -> Ranking:
        count = candidates_wanted(wish, judging, self.settings)
        wrong = [checksum for checksum, each in judged.items() if not each.right]
        return rank(subject, build, judging, wish, clock, count=count, wrong=wrong)
