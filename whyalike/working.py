"""The worker and what may be managed over HTTP, as the settings want them."""

from __future__ import annotations

from gallery.galleries import Galleries
from gallery.jobs.board import JobBoard
from gallery.sources.allowed import AllowedSources
from indexer.performing import Performer
from indexer.worker import Worker
from search_api.routes.managing import Managing
from whyalike.computing import choose_computing
from whyalike.console import say
from whyalike.home import open_galleries
from whyalike.index_wishes import index_wish
from whyalike.options import RuntimeChoice
from whyalike.settings import Settings


def make_worker(
    settings: Settings, *, device: str | None = None, runtime: RuntimeChoice | None = None
) -> Worker:
    """A worker over the home's galleries; raises what opening them and choosing a runtime raise."""
    computing = choose_computing(settings, device=device, runtime=runtime)
    galleries = open_galleries(settings)
    performer = Performer(
        galleries,
        AllowedSources.listed(settings.jobs.import_sources),
        settings=settings.indexing,
        limits=settings.limits,
        fetching=settings.fetching,
        wish=index_wish(settings.gallery.index, kind=None, recall=None, memory_mib=None),
        device=computing.device,
        runtime=computing.runtime,
        graphs=computing.graphs,
    )
    return Worker(JobBoard(galleries.engine), performer, settings.jobs, tell=say)


def make_managing(galleries: Galleries, settings: Settings) -> Managing:
    """What may be managed over HTTP; new galleries may have the encoders in `encoders` of the home."""
    return Managing(
        galleries,
        allowed=AllowedSources.listed(settings.jobs.import_sources),
        uploads=settings.gallery.uploads,
        encoders=settings.home / "encoders",
    )
