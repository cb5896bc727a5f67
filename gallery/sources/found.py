"""A file as a table, a list, a shard or storage names it, and where its bytes lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gallery.errors import InvalidSource, OriginalUnavailable
from gallery.settings import FetchingSettings
from gallery.sources.opening import BytesAt, opened_bytes
from gallery.web.fetching import Follow, anywhere


@dataclass(frozen=True, slots=True)
class ListedFile:
    """What a source says of one file (a SourceFile); a plain value, so that it travels to another process.

    `uri` names the place in the gallery, `at` says where the bytes lie. `version` is another text whenever
    the bytes may be others (None where only reading them tells), `size` is in bytes (None where it is not
    known). `attributes` are what the source says of it besides its label. `follow` says where redirects lead.
    """

    uri: str
    at: BytesAt
    label: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    version: str | None = None
    fetching: FetchingSettings = field(default_factory=FetchingSettings, compare=False)
    follow: Follow = field(default=anywhere, compare=False)

    def read(self, *, most: int) -> bytes:
        """Its bytes, at most one more than `most`. Raises OriginalUnavailable with the reason."""
        try:
            return opened_bytes(self.at, self.fetching, most=most, follow=self.follow)
        except (OriginalUnavailable, InvalidSource) as error:
            raise OriginalUnavailable(str(error).removesuffix(".")) from error
