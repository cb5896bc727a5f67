"""From where bytes lie to the bytes."""

from dataclasses import dataclass
from functools import lru_cache

from gallery.errors import OriginalUnavailable
from gallery.settings import FetchingSettings
from gallery.sources.storage import file_system, reading
from gallery.web.fetching import Fetcher, Follow, anywhere

FETCHERS_KEPT = 4
"""Settings whose connections are kept, for a process that asks by one of them at a time."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine; `path` may hold bytes that are no UTF-8, as `os.fsdecode` gives them."""

    path: str


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in storage that fsspec reads, such as s3://bucket/a.jpg."""

    url: str


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file that is fetched by http or https."""

    url: str


@dataclass(frozen=True, slots=True)
class ShardMember:
    """The bytes from `offset` to `offset + size` of an uncompressed tar file."""

    shard: LocalFile | RemoteFile
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Faulty:
    """A file of which its source says what cannot be true, so that nobody knows what to make of its bytes."""

    reason: str


BytesAt = LocalFile | ShardMember | RemoteFile | WebFile | Faulty
"""Where bytes lie."""


def opened_bytes(at: BytesAt, fetching: FetchingSettings, *, most: int, follow: Follow = anywhere) -> bytes:
    """The bytes that lie there, one more than `most` of a file that is larger; redirects as `follow` says.

    Safe to call from many threads. Raises OriginalUnavailable (of which FetchRefused is one).
    """
    match at:
        case WebFile(url):
            return fetcher(fetching).within(follow).fetch(url, max_bytes=most).data
        case LocalFile(path):
            return _read_local(path, 0, most + 1)
        case RemoteFile(url):
            return _read_remote(url, 0, most + 1)
        case ShardMember(shard, offset, size):
            return _read_member(shard, offset, min(size, most + 1))
        case Faulty(reason):
            raise OriginalUnavailable(reason)


@lru_cache(maxsize=FETCHERS_KEPT)
def fetcher(settings: FetchingSettings) -> Fetcher:
    """The fetcher of this process for these settings."""
    return Fetcher(settings)


def _read_member(shard: LocalFile | RemoteFile, offset: int, wanted: int) -> bytes:
    match shard:
        case LocalFile(path):
            data = _read_local(path, offset, wanted)
        case RemoteFile(url):
            data = _read_remote(url, offset, wanted)
    if len(data) < wanted:
        raise OriginalUnavailable("the shard ends before this file does")
    return data


def _read_local(path: str, offset: int, most: int) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - `Path` refuses some names that the system has
            file.seek(offset)
            return file.read(most)
    except FileNotFoundError as error:
        raise OriginalUnavailable("the file is not there") from error
    except (OSError, ValueError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise OriginalUnavailable(f"the file cannot be read ({told})") from error


def _read_remote(url: str, offset: int, most: int) -> bytes:
    storage, path = file_system(url)
    with reading(url):
        data: bytes = storage.cat_file(path, start=offset, end=offset + most)
    return data
