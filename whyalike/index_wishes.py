"""What the command line and the settings wish of a gallery's main index."""

from gallery.index.kinds import IndexWish
from gallery.settings import IndexSettings

MEBIBYTE = 2**20


def index_wish(
    settings: IndexSettings, *, kind: str | None, recall: float | None, memory_mib: int | None
) -> IndexWish:
    """The options that were given, and the settings for the others; raises InvalidIndex."""
    mebibytes = settings.memory_mib if memory_mib is None else memory_mib
    return IndexWish(
        settings.kind if kind is None else kind,
        settings.recall if recall is None else recall,
        None if mebibytes is None else mebibytes * MEBIBYTE,
    )
