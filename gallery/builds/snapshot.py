"""One state of a gallery's records, with builds that stay while it is looked at."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from gallery.builds.readers import Reading
from gallery.builds.retention import build_numbers
from gallery.site import Site


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a gallery is at one moment; `builds` ascend, the published one is the last."""

    site: Site
    connection: Connection
    builds: Sequence[int]


@contextmanager
def snapshot(site: Site) -> Iterator[Snapshot]:
    """The gallery as it is now, while others go on reading and writing it."""
    while True:
        with ExitStack() as held:
            with site.engine.connect() as connection:
                builds = list(build_numbers(connection, site.gallery_id))
            for build in builds:
                if (manifest := site.folder.manifest(build)).exists():
                    held.callback(Reading(manifest).end)
            connection = held.enter_context(site.engine.connect())
            if list(build_numbers(connection, site.gallery_id)) == builds:
                yield Snapshot(site, connection, builds)
                return
