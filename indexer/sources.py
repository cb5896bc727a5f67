"""Which roots a run covers: those that were named and, to choose the encoder anew, the gallery's others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.galleries import Galleries
from gallery.scanning import distinct, is_below, is_present, root_uri, scan
from gallery.seen import Unreadable
from indexer.errors import NothingToIndex
from siamese.images import ImageLimits, why_none_is_a_picture


@dataclass(frozen=True, slots=True)
class Sources:
    """Distinct roots; of those that are `gone` the gallery has images, and they are meant to end."""

    present: Sequence[Path]
    gone: Sequence[Path]

    @property
    def roots(self) -> list[Path]:
        """All of them."""
        return [*self.present, *self.gone]


def find_sources(
    galleries: Galleries, name: str, named: Sequence[Path], *, anew: bool, allow_empty: bool
) -> Sources:
    """The roots of this run; raises SourceUnavailable for a missing one.

    With `allow_empty` a missing one that the gallery was made of is accepted as gone. With `anew` all that
    the gallery was made of are roots: what is embedded in another way cannot stand beside the rest.
    """
    recorded = galleries.roots(name)
    others = [root for root in recorded if anew and not any(_is_below(root, each) for each in named)]
    roots = distinct([*named, *others], recorded=recorded, allow_empty=allow_empty)
    present = [root for root in roots if is_present(root)]
    return Sources(present, gone=[root for root in roots if root not in present])


def require_picture(roots: Sequence[Path], *, limits: ImageLimits) -> None:
    """Raises NothingToIndex where not one file below the roots is a picture; reads to the first that is."""
    files = (file.path for file in scan(roots, leave_out=lambda _: None))  # the run reports those
    reasons = why_none_is_a_picture(files, limits=limits)
    if reasons is not None:
        raise NothingToIndex(roots, [Unreadable(root_uri(path), None, reason) for path, reason in reasons])


def _is_below(root: Path, other: Path) -> bool:
    return is_below(root_uri(root), root_uri(other))
