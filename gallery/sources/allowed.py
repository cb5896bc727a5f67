"""Which sources may be named from outside: what lies below folders and URLs that the settings list."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import SourceNotAllowed
from gallery.sources.kinds import is_local
from gallery.web.urls import shown


@dataclass(frozen=True, slots=True)
class AllowedSources:
    """Folders of this machine and prefixes of URLs; none of them allows nothing."""

    places: Sequence[str]

    @classmethod
    def listed(cls, text: str) -> "AllowedSources":
        """What stands in a setting, with commas between."""
        return cls([each.strip() for each in text.split(",") if each.strip()])

    def __contains__(self, uri: str) -> bool:
        """Whether a path, links and dots resolved, or a URL lies below one of them."""
        if is_local(uri):
            path = Path(uri).resolve()
            folders = (Path(each).resolve() for each in self.places if is_local(each))
            return any(path.is_relative_to(folder) for folder in folders)
        if any(part in {"..", "."} for part in uri.split("/")):
            return False
        return any(_is_below_url(uri, each) for each in self.places if not is_local(each))

    def require(self, uri: str) -> None:
        """Raise SourceNotAllowed where it does not."""
        if uri not in self:
            listed = ", ".join(map(shown, self.places)) or "none yet"
            raise SourceNotAllowed(
                f"{shown(uri)} lies in no place that pictures may be imported from ({listed}); the setting "
                "WHYALIKE_JOBS__IMPORT_SOURCES lists those."
            )


def _is_below_url(uri: str, prefix: str) -> bool:
    return uri == prefix or uri.startswith(prefix.rstrip("/") + "/")
