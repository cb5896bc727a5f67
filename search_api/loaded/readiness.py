"""Whether searches can be answered: the records can be read, and each gallery opened with its encoder."""

from __future__ import annotations

import logging

from gallery.errors import SchemaOutdated
from gallery.galleries import Galleries
from search_api.loaded.builds import OpenBuilds
from search_api.loaded.encoders import LoadedEncoders

log = logging.getLogger(__name__)


def reasons_not_ready(galleries: Galleries, builds: OpenBuilds, encoders: LoadedEncoders) -> list[str]:
    """Why searches cannot be answered now, a sentence each; opens what a search would need to open."""
    try:
        galleries.require_schema()
        published = galleries.published()
    except SchemaOutdated:
        log.exception("The records have another schema")
        return ["The database does not have the schema of this version; run `whyalike migrate`."]
    except Exception as error:
        log.exception("The records cannot be read")
        return [f"The records of the galleries cannot be read ({type(error).__name__})."]
    builds.let_go_of_all_but({each.name for each in published})
    if not published:
        return ["No gallery is published yet."]
    return [reason for each in published if (reason := _not_ready(each.name, builds, encoders))]


def _not_ready(gallery: str, builds: OpenBuilds, encoders: LoadedEncoders) -> str | None:
    try:
        with builds.lend(gallery) as (build, _):
            encoders.warm(build)
    except Exception as error:
        log.exception("The gallery %r cannot be opened", gallery)
        return f"The gallery “{gallery}” cannot be opened ({type(error).__name__}); the log says more."
    return None
