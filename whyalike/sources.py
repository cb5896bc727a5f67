"""The sources that a person names, or those that a gallery remembers."""

from collections.abc import Sequence
from pathlib import Path

from gallery.galleries import Galleries
from gallery.sources.kinds import is_local, source_of
from indexer.sources import Named
from whyalike.errors import UsageError


def named_sources(galleries: Galleries, gallery: str, texts: Sequence[str]) -> list[Named]:
    """What these texts name or, without any, what the gallery is made of.

    Raises UsageError where that is nothing, and what `source_of` raises.
    """
    named: list[Named] = [_named(text) for text in texts] if texts else [*galleries.sources(gallery)]
    if not named:
        raise UsageError(f"the gallery {gallery!r} has no sources yet: name a folder of pictures")
    return named


def _named(text: str) -> Named:
    """A folder is its path as it was given, which need not be text."""
    source = source_of(text)
    return Path(text) if source.kind == "folder" and is_local(text) else source
