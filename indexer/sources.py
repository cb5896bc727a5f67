"""Which sources a run covers: those that were named and, to choose the encoder anew, the gallery's others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from gallery.errors import OriginalUnavailable, SourceUnavailable
from gallery.galleries import Galleries
from gallery.local_storage import LocalStorage
from gallery.sources.allowed import AllowedSources
from gallery.sources.allowed_files import AllowedFolder
from gallery.sources.kinds import is_local
from gallery.sources.listing import Listing
from gallery.sources.roots import count_files, distinct, is_below, is_present, root_uri
from gallery.sources.scanning import FolderSource
from gallery.sources.source import NamedSource, Source, SourceFile
from gallery.surveys.seen import Unreadable
from indexer.errors import NothingToIndex
from indexer.options import IndexingOptions
from siamese.errors import UnreadableImage
from siamese.images import ImageLimits, decode

Named = Path | NamedSource
"""A folder or a file, or whatever else names files."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Distinct roots, and listings; of those that are `gone` the gallery has images, and they shall end.

    Where `allowed` is given, nothing is read from elsewhere.
    """

    present: Sequence[Path]
    gone: Sequence[Path]
    listings: Sequence[Listing] = ()
    allowed: AllowedSources | None = None

    @property
    def all(self) -> list[Source]:
        """All of them, as a survey asks them."""
        folders = [FolderSource(root) for root in (*self.present, *self.gone)]
        if self.allowed is None:
            return [*self.listings, *folders]
        return [*self.listings, *(AllowedFolder(each, self.allowed) for each in folders)]

    @property
    def uris(self) -> list[str]:
        """What they are called."""
        return [source.uri for source in self.all]

    def files(self) -> Iterator[SourceFile]:
        """What lies in them; folders that cannot be listed are left out, which the run itself reports."""
        return chain.from_iterable(source.files(leave_out=lambda _: None) for source in self.all)

    def count(self) -> int:
        """About how many files that are."""
        return count_files(self.present) + sum(len(listing) for listing in self.listings)


@dataclass(frozen=True, slots=True)
class Extent:
    """What a run covers, and how it keeps local embeddings."""

    sources: Sources
    storage: LocalStorage


def extent(
    galleries: Galleries,
    name: str,
    named: Sequence[Named],
    options: IndexingOptions,
    *,
    refit: bool,
) -> Extent:
    """What a run over the named sources covers; raises SourceUnavailable and SourceNotAllowed.

    Local embeddings are kept as the options say, by default as the gallery keeps them, or as the settings
    say for a new one.
    """
    kept = galleries.local_storage(name)
    storage = options.local_embeddings or kept or options.settings.local_embeddings
    sources = _sources(
        galleries,
        name,
        named,
        options,
        anew=refit or kept not in (None, storage),
    )
    if options.allowed is not None:
        for uri in sources.uris:
            options.allowed.require(uri)
    return Extent(sources, storage)


def require_picture(sources: Sources, *, limits: ImageLimits) -> None:
    """Raises NothingToIndex where not one file of the sources is a picture; reads to the first that is."""
    reasons: list[Unreadable] = []
    for file in sources.files():
        try:
            decode(file.read(most=limits.max_bytes), limits=limits)
        except (UnreadableImage, OriginalUnavailable) as error:
            reasons.append(Unreadable(file.uri, None, str(error)))
        else:
            return
    raise NothingToIndex(sources.uris, reasons)


def _sources(
    galleries: Galleries,
    name: str,
    named: Sequence[Named],
    options: IndexingOptions,
    *,
    anew: bool,
) -> Sources:
    """The sources of this run; raises SourceUnavailable for a missing one.

    With `allow_empty` a missing one that the gallery was made of is accepted as gone. With `anew` all that
    the gallery was made of are sources: what is embedded in another way cannot stand beside the rest.
    """
    folders = [each if isinstance(each, Path) else each.path for each in named if _is_folder(each)]
    recorded = galleries.roots(name)
    others = [root for root in recorded if anew and not any(_is_below(root, each) for each in folders)]
    roots = distinct([*folders, *others], recorded=recorded, allow_empty=options.allow_empty)
    present = [root for root in roots if is_present(root)]
    listings = _listings(galleries, name, named, options, anew=anew)
    return Sources(present, [root for root in roots if root not in present], listings, options.allowed)


def _listings(
    galleries: Galleries,
    name: str,
    named: Sequence[Named],
    options: IndexingOptions,
    *,
    anew: bool,
) -> list[Listing]:
    recorded = [each for each in galleries.sources(name) if each.kind != "folder"]
    wanted = {each.uri: each for each in named if not isinstance(each, Path) and not _is_folder(each)}
    wanted |= {each.uri: each for each in recorded if anew}
    return [
        Listing(
            each,
            options.fetching,
            is_gone=_is_gone(each, is_recorded=each in recorded, allow_empty=options.allow_empty),
            allowed=options.allowed,
        )
        for each in wanted.values()
    ]


def _is_gone(source: NamedSource, *, is_recorded: bool, allow_empty: bool) -> bool:
    if not is_local(source.uri) or source.path.exists():
        return False
    if is_recorded and allow_empty:
        return True
    way_out = "; index it with --allow-empty to end its images" if is_recorded else ""
    raise SourceUnavailable(f"{source.uri} does not exist or cannot be reached{way_out}.")


def _is_folder(source: Named) -> bool:
    return isinstance(source, Path) or source.kind == "folder"


def _is_below(root: Path, other: Path) -> bool:
    return is_below(root_uri(root), root_uri(other))
