"""Which sources may be named from outside: what lies below folders and URLs that the settings list."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from gallery.errors import SourceNotAllowed
from gallery.sources.kinds import is_local
from gallery.web.urls import is_web, shown


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
            path = _resolved(uri)
            folders = (Path(each).resolve() for each in self.places if is_local(each))
            return path is not None and any(path.is_relative_to(folder) for folder in folders)
        if _may_lead_up(uri):
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


def _resolved(path: str) -> Path | None:
    """The path, links and dots resolved; None for what names nothing, or leads round for ever."""
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _may_lead_up(uri: str) -> bool:
    """Whether a server could take a part of the path for a way out of the folder before it.

    Of the web that includes dots and slashes that are encoded, however often: servers decode them.
    """
    path = uri
    if is_web(uri):
        path = _decoded(uri.partition("?")[0])
        if path.count("/") > uri.partition("?")[0].count("/") or "\\" in path:
            return True
    return any(part in {"..", "."} for part in path.split("/"))


def _decoded(text: str) -> str:
    while (plain := unquote(text)) != text:
        text = plain
    return text


def _is_below_url(uri: str, prefix: str) -> bool:
    return uri == prefix or uri.startswith(prefix.rstrip("/") + "/")
