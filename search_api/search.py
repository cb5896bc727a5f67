"""The straight line of a search, in plain Python: decode, embed, search, rescore, explain.

`Searcher` is what the service and the command line ask; it may be used from many threads.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL.Image import Image

from explain.evidence import Evidence
from gallery.build import Build, Candidate
from gallery.galleries import Galleries
from gallery.scanning import checksum
from search_api import answers
from search_api.builds import OpenBuilds
from search_api.comparing import compare_each
from search_api.encoders import LoadedEncoders
from search_api.errors import InvalidQuestion, UnknownLabel
from search_api.explaining import compared, explained
from search_api.overlays import paint_pair, picture_of
from search_api.pictures import Picture, uploaded_picture
from search_api.rescoring import rescore
from search_api.schemas import CompareResponse, ExplainedScore, OverlaysSchema, SearchResponse
from search_api.settings import SearchSettings
from search_api.stopwatch import Stopwatch
from search_api.subjects import Asked, Stored, Subject, Upload, stored_subjects
from siamese.checkpoint import CheckpointRecord
from siamese.encoder import Encoder, Prepared
from siamese.errors import UnreadableImage
from siamese.images import decode
from siamese.preprocessing import Preprocessing

log = logging.getLogger(__name__)


class Searcher:
    """Answers queries from the published galleries; a newer build is noticed at the next question."""

    def __init__(
        self,
        galleries: Galleries,
        *,
        settings: SearchSettings | None = None,
        load_encoder: Callable[[Path], Encoder] = Encoder.load,
    ) -> None:
        self.galleries = galleries
        self.settings = settings or SearchSettings()
        self.builds = OpenBuilds(galleries)
        self.decoding = threading.BoundedSemaphore(self.settings.decoding_slots)
        self._encoders = LoadedEncoders(
            load_encoder, kept=self.settings.encoders_kept, slots=self.settings.embedding_slots
        )

    def search(
        self,
        query: Asked,
        *,
        gallery: str | None = None,
        k: int | None = None,
        labels: Collection[str] | None = None,
        of: ExplainedScore = "cosine",
        overlays: bool = False,
    ) -> SearchResponse:
        """The k images of the gallery nearest to the query, each with its evidence, and drawn if asked for.

        `labels` leaves only images that have one of them. An image of the gallery finds itself at distance 0.
        Raises UnreadableImage, ImageNotFound, InvalidQuestion, UnknownLabel, and what choosing a gallery
        raises.
        """
        clock = Stopwatch()
        k = self._checked(self.settings.default_k if k is None else k, overlays)
        with self.builds.lend(gallery) as (build, record):
            asked = self._subject(query, build, record, clock)
            with clock.stage("search"):
                candidates = self._candidates(asked, build, k, labels)
            with clock.stage("rescore"):
                exact = build.embeddings([each.image_id for each in candidates])
                matches = rescore(asked.embedding, candidates, exact, record.calibration)[:k]
            with clock.stage("explain"):
                matched = stored_subjects(build, [each.image_id for each in matches])
                scores = [each.scored for each in matches]
                evidence = explained(asked, matched, scores, record.calibration, of)
            nothing = [None] * len(matches)
            drawn = self._drawn(asked, matched, evidence, record, build) if overlays else nothing
        found = zip(matches, matched, evidence, drawn, strict=True)
        schemas = [answers.match_schema(*each) for each in found]
        return answers.search_response(asked, build, record, schemas, clock)

    def compare(
        self,
        query: Asked,
        matched: Asked,
        *,
        gallery: str | None = None,
        of: ExplainedScore = "cosine",
        overlays: bool = False,
    ) -> CompareResponse:
        """How near two pictures are by the gallery's encoder, and why; equal bytes are at distance 0.

        Raises UnreadableImage, ImageNotFound, and what choosing a gallery raises.
        """
        return self.compare_each(query, [matched], gallery=gallery, of=of, overlays=overlays)[0]

    def compare_each(
        self,
        query: Asked,
        images: Sequence[Asked],
        *,
        gallery: str | None = None,
        of: ExplainedScore = "cosine",
        overlays: bool = False,
    ) -> list[CompareResponse]:
        """The same for one query with each of the images, in their order; no content is embedded twice."""
        with self.builds.lend(gallery) as (build, record):
            return compare_each(
                query,
                images,
                embed=lambda asked, clock: self._subject(asked, build, record, clock),
                answer=partial(self._compared, of, overlays, record, build),
            )

    def compare_each_by(
        self,
        encoder: Encoder,
        query: Upload,
        images: Sequence[Upload],
        *,
        of: ExplainedScore = "cosine",
        overlays: bool = False,
    ) -> list[CompareResponse]:
        """The same by an encoder that belongs to no gallery."""
        return compare_each(
            query,
            images,
            embed=lambda asked, clock: self._embedded(asked, encoder, clock),
            answer=partial(self._compared, of, overlays, encoder.record, None),
        )

    def reasons_not_ready(self) -> list[str]:
        """Why searches cannot be answered now, a sentence each; opens what a search would need to open."""
        try:
            published = self.galleries.published()
        except Exception as error:
            log.exception("The records cannot be read")
            return [f"The records of the galleries cannot be read ({type(error).__name__})."]
        if not published:
            return ["No gallery is published yet."]
        return [reason for each in published if (reason := self._not_ready(each.name))]

    def close(self) -> None:
        """Closes the builds that are open."""
        self.builds.close()

    def _not_ready(self, gallery: str) -> str | None:
        try:
            with self.builds.lend(gallery) as (build, _):
                self._encoders.warm(build)
        except Exception as error:
            log.exception("The gallery %r cannot be opened", gallery)
            return f"The gallery “{gallery}” cannot be opened ({type(error).__name__}); the log says more."
        return None

    def _checked(self, k: int, overlays: bool) -> int:
        if not 1 <= k <= self.settings.max_k:
            raise InvalidQuestion(f"k must lie between 1 and {self.settings.max_k}, but it is {k}.")
        if overlays and k > self.settings.max_drawn:
            raise InvalidQuestion(
                f"One answer holds overlays of at most {self.settings.max_drawn} matches, but k is {k}; "
                "ask for fewer, or for those of one match at /v1/images/{image_id}/overlay?query={image_id}."
            )
        return k

    def _subject(self, asked: Asked, build: Build, record: CheckpointRecord, clock: Stopwatch) -> Subject:
        """The picture as the build's encoder sees it; content that the build holds has one embedding, its."""
        if isinstance(asked, Stored):
            return stored_subjects(build, [asked.image_id])[0]
        known = build.with_checksum(checksum(asked.data))
        if not known:
            return self._embedded(asked, self._encoders.of(build), clock)
        with clock.stage("decode"), self.decoding:
            shown = self._shown(self._decoded(asked), record.preprocessing)
        stored = stored_subjects(build, [known[0].image_id])[0]
        return replace(stored, uri=asked.uri, upload=shown, stored=None)

    def _embedded(self, upload: Upload, encoder: Encoder, clock: Stopwatch) -> Subject:
        with clock.stage("decode"), self.decoding:
            prepared, shown = self._prepared(upload, encoder)
        with clock.stage("embed"):
            embedding, local_embeddings = self._encoders.embed(encoder, prepared)
        name = checksum(upload.data)
        return Subject(name, upload.uri, encoder.fingerprint, embedding, local_embeddings, upload=shown)

    def _prepared(self, upload: Upload, encoder: Encoder) -> tuple[Prepared, Picture]:
        """What is embedded and what is drawn on; nothing else of an upload stays in memory."""
        image = self._decoded(upload)
        return encoder.prepare(image), self._shown(image, encoder.preprocessing)

    def _decoded(self, upload: Upload) -> Image:
        try:
            return decode(upload.data, limits=self.settings.upload_limits)
        except UnreadableImage as error:
            raise UnreadableImage(f"{upload.uri or 'the upload'}: {error.reason}") from error

    def _shown(self, image: Image, preprocessing: Preprocessing) -> Picture:
        return uploaded_picture(image, preprocessing, max_side=self.settings.overlay_max_side)

    def _candidates(
        self, asked: Subject, build: Build, k: int, labels: Collection[str] | None
    ) -> list[Candidate]:
        known = build.labels() if labels is not None else {}
        for label in labels or ():
            if label not in known:
                raise UnknownLabel(label, build.gallery)
        count = math.ceil(k * self.settings.oversampling)
        return build.search(asked.embedding, count=count, labels=labels, fingerprint=asked.fingerprint)

    def _compared(
        self,
        of: ExplainedScore,
        overlays: bool,
        record: CheckpointRecord,
        build: Build | None,
        asked: Subject,
        other: Subject,
        clock: Stopwatch,
    ) -> CompareResponse:
        with clock.stage("explain"):
            scored, evidence = compared(asked, other, record.calibration, of)
        drawn = self._drawn(asked, [other], [evidence], record, build)[0] if overlays else None
        return answers.compare_response(asked, other, scored, evidence, drawn, record, build, clock)

    def _drawn(
        self,
        asked: Subject,
        matched: Sequence[Subject],
        evidence: Sequence[Evidence],
        record: CheckpointRecord,
        build: Build | None,
    ) -> list[OverlaysSchema]:
        def picture(subject: Subject) -> Picture:
            side = self.settings.overlay_max_side
            return picture_of(subject, build, record.preprocessing, max_side=side)

        with self.decoding:
            query = picture(asked)
        drawn = []
        for each, why in zip(matched, evidence, strict=True):
            with self.decoding:  # taken anew for each, so that a long answer lets others in
                drawn.append(paint_pair(query, picture(each), why))
        return drawn
