"""Files that are known without looking: a caller tells what lies where, and a survey learns it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gallery.difference import Place
from gallery.errors import OriginalUnavailable
from gallery.sources.roots import is_below
from gallery.sources.source import Kind, UnlistedFolder
from gallery.surveys.seen import Unreadable
from gallery.surveys.survey import Doubt, Survey


@dataclass(frozen=True, slots=True)
class ToldFile:
    """A file whose content, or why it has none, was told; a SourceFile without bytes."""

    uri: str
    label: str | None
    checksum: str | None
    reason: str | None
    size: int | None = None
    version: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def read(self, *, most: int) -> bytes:
        """Raises OriginalUnavailable: nobody has the bytes."""
        raise OriginalUnavailable(f"only its content is known, not the at most {most} bytes")


@dataclass(frozen=True, slots=True)
class ToldSource:
    """A root and the files below it, in the order of their uris."""

    uri: str
    told: Sequence[ToldFile]
    unlisted: Sequence[UnlistedFolder]
    is_listing: bool = False
    kind: Kind = "folder"

    def files(self, *, leave_out: Callable[[UnlistedFolder], None]) -> Iterator[ToldFile]:
        """The files."""
        for folder in self.unlisted:
            leave_out(folder)
        yield from self.told


def told_sources(
    places: Iterable[Place],
    unreadable: Iterable[Unreadable],
    unlisted: Sequence[UnlistedFolder],
    *,
    roots: Sequence[str],
) -> list[ToldSource]:
    """A source for each root; ValueError for a file below none of them, and for two at one uri."""
    files = [ToldFile(each.uri, each.label, each.checksum, None) for each in places]
    files += [ToldFile(each.uri, None, each.checksum, each.reason) for each in unreadable]
    files.sort(key=lambda file: file.uri)
    for file in files:
        if not any(is_below(file.uri, root) for root in roots):
            raise ValueError(f"{file.uri} lies below none of the scanned roots.")
    if len({file.uri for file in files}) < len(files):
        raise ValueError("Two files were found at one uri; a uri holds one content.")
    return [
        ToldSource(
            root,
            [file for file in files if is_below(file.uri, root)],
            [folder for folder in unlisted if is_below(folder.uri, root)],
        )
        for root in roots
    ]


def tell(survey: Survey) -> None:
    """Let the survey compare its sources, and learn what they tell."""
    for source in survey.sources:
        for each in survey.compare(source):
            if isinstance(each, Doubt):
                assert isinstance(each.file, ToldFile), "the sources tell what lies where"
                survey.learn(each, checksum=each.file.checksum, reason=each.file.reason)
