"""Files of this machine, as tables and lists name them."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gallery.sources.found import ListedFile
from gallery.sources.opening import LocalFile
from gallery.sources.roots import as_text
from gallery.sources.scanning import settled_version

FILE_SCHEME = "file"


def local_file(
    path: str, *, label: str | None = None, attributes: Mapping[str, str] | None = None
) -> ListedFile:
    """The file at this path, absolute or from the working folder, whether it is there or not."""
    absolute = os.path.abspath(path)  # noqa: PTH100 - `resolve` would follow links and rename the place
    size, version = size_and_version(absolute)
    return ListedFile(as_text(absolute), LocalFile(absolute), label, attributes or {}, size, version)


def size_and_version(path: str) -> tuple[int | None, str | None]:
    """Bytes, and the version as a scan of folders has it; None for what is no file or cannot be asked."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a million times, without making a Path each
    except (OSError, ValueError):
        return None, None
    if not stat.S_ISREG(status.st_mode):
        return None, None
    return status.st_size, settled_version(status)


def folder_name(path: str) -> str | None:
    """The name of the folder that a file lies in, which is its label where nobody says another."""
    return as_text(Path(path).parent.name) or None


def path_of_url(url: str) -> str:
    """The path that a file:// URL names."""
    return unquote(urlsplit(url).path)
