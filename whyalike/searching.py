"""The searcher of the command line, as the settings want it."""

from functools import partial

from search_api.search import Searcher
from siamese.encoder import Encoder
from whyalike.home import open_galleries
from whyalike.settings import Settings

UNLIMITED_K = 2**31 - 1
"""What one may ask of one's own machine."""


def open_searcher(settings: Settings, *, device: str | None = None) -> Searcher:
    """A searcher over the galleries of the home; raises DatabaseUnavailable."""
    load_encoder = partial(Encoder.load, device=device or settings.device)
    return Searcher(open_galleries(settings), settings=settings.search, load_encoder=load_encoder)


def open_local_searcher(settings: Settings, *, device: str | None = None) -> Searcher:
    """The same for the person at this machine: held to the limits of indexing, not of the service."""
    limits = settings.limits
    update = {
        "upload_max_bytes": limits.max_bytes,
        "upload_max_pixels": limits.max_pixels,
        "max_k": UNLIMITED_K,
    }
    search = settings.search.model_copy(update=update)
    return open_searcher(settings.model_copy(update={"search": search}), device=device)
