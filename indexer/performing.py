"""What each kind of job does: the verbs that people have on the command line, asked for as a row."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gallery.builds.amending import publish_amendments
from gallery.builds.improvement import improve_index
from gallery.builds.rollback import roll_back
from gallery.errors import GalleryNotFound
from gallery.galleries import Galleries
from gallery.index.kinds import IndexWish
from gallery.jobs.job import Job
from gallery.jobs.requests import (
    REQUESTS,
    ActivateRequest,
    AmendRequest,
    DeleteRequest,
    EncoderWish,
    ImportRequest,
    JobRequest,
    UploadRequest,
)
from gallery.removals import remove_originals
from gallery.settings import FetchingSettings
from gallery.sources.allowed import AllowedSources
from gallery.sources.kinds import is_local, source_of
from gallery.surveys.seen import Unreadable
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.settings import IndexingSettings
from indexer.sources import Named
from siamese.images import ImageLimits
from siamese.onnx_runtime import Runtime
from siamese.progress import Progress


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job, as its row keeps it, and the files that could not be read."""

    outcome: dict[str, Any]
    errors: Sequence[Unreadable] = ()


@dataclass(frozen=True, slots=True)
class Performer:
    """Does jobs, as the settings of this process want indexing done."""

    galleries: Galleries
    allowed: AllowedSources
    settings: IndexingSettings
    limits: ImageLimits
    fetching: FetchingSettings
    wish: IndexWish
    device: str = "auto"
    runtime: Runtime = "torch"
    graphs: Path | None = None

    def perform(self, job: Job, progress: Progress) -> Result:
        """Do the job; raises what its verb raises, and whatever the progress does to end it."""
        request = REQUESTS[job.kind].model_validate(dict(job.request))
        return self._do(job.gallery, request, progress)

    def _do(self, gallery: str, request: JobRequest, progress: Progress) -> Result:
        match request:
            case ImportRequest():
                return self._import(gallery, request, progress)
            case UploadRequest():
                named = [self.galleries.site(gallery).folder.uploads]
                choice = self._choice(request.encoder, refit=False)
                return self._index(gallery, named, choice, self._options(gallery, progress))
            case AmendRequest():
                return self._amend(gallery)
            case ActivateRequest():
                return self._activate(gallery, request.build, progress.say)
            case DeleteRequest():
                self.galleries.delete(gallery)
                return Result({"gallery": gallery})
        raise ValueError(f"{request.kind!r} is no kind of job that this version knows.")

    def _import(self, gallery: str, request: ImportRequest, progress: Progress) -> Result:
        named = [self._named(text) for text in request.sources] or [*self.galleries.sources(gallery)]
        choice = self._choice(request.encoder, refit=request.refit)
        options = replace(
            self._options(gallery, progress),
            allow_empty=request.allow_empty,
            retry_failed=request.retry_failed,
            rehash=request.rehash,
        )
        return self._index(gallery, named, choice, options)

    def _named(self, text: str) -> Named:
        """The source, once more compared with what is allowed here."""
        self.allowed.require(text)
        source = source_of(text)
        return Path(text) if source.kind == "folder" and is_local(text) else source

    def _options(self, gallery: str, progress: Progress) -> IndexingOptions:
        return IndexingOptions(
            settings=self.settings,
            limits=self.limits,
            fetching=self.fetching,
            progress=progress,
            allowed=self._allowed_in(gallery),
            wish=self.wish,
            tell=progress.say,
        )

    def _index(
        self, gallery: str, named: Sequence[Named], choice: EncoderChoice, options: IndexingOptions
    ) -> Result:
        report = index(self.galleries, gallery, named, choice, options)
        outcome = asdict(replace(report, unreadable=()))
        return Result({**outcome, "unreadable": len(report.unreadable)}, report.unreadable)

    def _allowed_in(self, gallery: str) -> AllowedSources:
        """What may be named, and what the gallery was sent, which is one of its sources."""
        try:
            own = [str(self.galleries.site(gallery).folder.uploads)]
        except GalleryNotFound:
            own = []
        return AllowedSources([*self.allowed.places, *own])

    def _amend(self, gallery: str) -> Result:
        with self.galleries.tenure(gallery) as tenure:
            report = publish_amendments(tenure)
        remove_originals(self.galleries.site(gallery))
        return Result(asdict(report))

    def _activate(self, gallery: str, build: int, tell: Callable[[str], None]) -> Result:
        with self.galleries.tenure(gallery) as tenure:
            report = roll_back(tenure, build=build)
            improved = improve_index(tenure, self.wish, tell=tell)
        return Result(asdict(replace(report, build=improved.build)))

    def _choice(self, wish: EncoderWish, *, refit: bool) -> EncoderChoice:
        checkpoint = None if wish.checkpoint is None else Path(wish.checkpoint)
        return EncoderChoice(
            checkpoint, wish.body, wish.weights, refit, self.device, self.runtime, self.graphs
        )
