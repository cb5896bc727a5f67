"""From where bytes lie to the bytes."""

from dataclasses import dataclass
from types import TracebackType

from gallery.errors import OriginalUnavailable
from gallery.fetching import Fetcher
from gallery.settings import FetchingSettings
from gallery.sources.found import LocalFile, Location, RemoteFile, ShardMember, WebFile
from gallery.sources.storage import file_system, reading, version_of


@dataclass(frozen=True, slots=True)
class Opened:
    """The bytes of a file, and its version where only reading it tells."""

    data: bytes
    version: str | None = None


class Opener:
    """Reads whatever a source names, from many threads; close it when done."""

    def __init__(self, fetching: FetchingSettings | None = None, *, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher(fetching or FetchingSettings())

    def read(self, location: Location, *, max_bytes: int, version: str | None = None) -> Opened | None:
        """The bytes, one more than `max_bytes` of a file that is larger; None if it is still the `version`.

        Raises OriginalUnavailable (of which FetchRefused is one) and InvalidSource, each with its reason.
        """
        match location:
            case WebFile(url):
                fetched = self._fetcher.fetch(url, max_bytes=max_bytes, version=version)
                return None if fetched is None else Opened(fetched.data, fetched.version)
            case LocalFile(path):
                return Opened(_read_local(path, 0, max_bytes + 1))
            case RemoteFile(url):
                return _open_remote(url, max_bytes + 1, version)
            case ShardMember(shard, offset, size):
                return Opened(_read_member(shard, offset, size, max_bytes + 1))

    def close(self) -> None:
        """Closes the connections that are kept."""
        self._fetcher.close()

    def __enter__(self) -> "Opener":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.close()


def _read_member(shard: LocalFile | RemoteFile, offset: int, size: int, most: int) -> bytes:
    wanted = min(size, most)
    read = _read_local(shard.path, offset, wanted) if isinstance(shard, LocalFile) else None
    data = _read_remote(shard.url, offset, wanted) if isinstance(shard, RemoteFile) else read or b""
    if len(data) < wanted:
        raise OriginalUnavailable("The shard ends before this file does.")
    return data


def _read_local(path: str, offset: int, most: int) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - `Path` refuses some names that the system has
            file.seek(offset)
            return file.read(most)
    except FileNotFoundError as error:
        raise OriginalUnavailable("The file is not there.") from error
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise OriginalUnavailable(f"The file cannot be read ({told}).") from error


def _open_remote(url: str, most: int, version: str | None) -> Opened | None:
    storage, path = file_system(url)
    with reading(url):
        now = version_of(storage.info(path))
    return None if now is not None and now == version else Opened(_read_remote(url, 0, most), now)


def _read_remote(url: str, offset: int, most: int) -> bytes:
    storage, path = file_system(url)
    with reading(url):
        data: bytes = storage.cat_file(path, start=offset, end=offset + most)
    return data
