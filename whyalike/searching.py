"""The searcher of the command line, as the settings want it."""

from search_api.metrics import Metrics
from search_api.search import Searcher
from search_api.settings import UNLIMITED
from whyalike.computing import choose_computing
from whyalike.home import open_galleries
from whyalike.options import RuntimeChoice
from whyalike.settings import Settings


def open_searcher(
    settings: Settings,
    *,
    device: str | None = None,
    runtime: RuntimeChoice | None = None,
    build: int | None = None,
    metrics: Metrics | None = None,
) -> Searcher:
    """A searcher over the galleries of the home; of their published builds, or of those of this number.

    Raises DatabaseUnavailable, and UsageError and RuntimeUnavailable where the runtime cannot be had.
    """
    load = choose_computing(settings, device=device, runtime=runtime).load
    return Searcher(
        open_galleries(settings),
        build=build,
        settings=settings.search,
        load_encoder=load,
        fetching=settings.fetching,
        metrics=metrics,
    )


def open_local_searcher(
    settings: Settings,
    *,
    device: str | None = None,
    runtime: RuntimeChoice | None = None,
    build: int | None = None,
) -> Searcher:
    """The same for the person at this machine: held to the limits of indexing, not of the service."""
    limits = settings.limits
    update = {
        "upload_max_bytes": limits.max_bytes,
        "upload_max_pixels": limits.max_pixels,
        "max_k": UNLIMITED,
        "max_candidates": UNLIMITED,
        "watch_share": 0,
    }
    search = settings.search.model_copy(update=update)
    local = settings.model_copy(update={"search": search})
    return open_searcher(local, device=device, runtime=runtime, build=build)
