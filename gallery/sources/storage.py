"""Storage that fsspec reads: which of it is allowed, and how its errors are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec

from gallery.errors import InvalidSource, OriginalUnavailable
from gallery.web.urls import shown

PROTOCOLS = {
    "memory": None,
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
}
"""Storage that may be named, and the package that reads it.

fsspec knows many more. Some of them reach into the network of this machine, run through other protocols
("simplecache::http://…") or through programs, so that only these are taken.
"""

CHAIN = "::"


def protocol_of(uri: str) -> str | None:
    """The part before ://, None where there is none."""
    protocol, colon, _ = uri.partition("://")
    return protocol.lower() if colon else None


def file_system(uri: str) -> tuple[Any, str]:
    """The file system that a uri names, and the path in it.

    Raises InvalidSource for storage that is not read, or not without a package that is missing.
    """
    protocol = protocol_of(uri)
    if protocol not in PROTOCOLS or CHAIN in uri:
        known = ", ".join(sorted({"file", "http", "https", *PROTOCOLS}))
        raise InvalidSource(f"{shown(uri)} is in no storage that is read; {known} are.")
    try:
        storage, path = fsspec.core.url_to_fs(uri)
    except ImportError:
        raise InvalidSource(
            f"{shown(uri)} needs the package {PROTOCOLS[protocol]}; install it beside whyalike."
        ) from None
    return storage, path


@contextmanager
def reading(uri: str) -> Iterator[None]:
    """Whatever a file system raises in the block becomes OriginalUnavailable, in one sentence."""
    try:
        yield
    except (InvalidSource, OriginalUnavailable):
        raise
    except FileNotFoundError as error:
        raise OriginalUnavailable(f"{shown(uri)} is not there.") from error
    except Exception as error:  # each storage has errors of its own
        told = " ".join(str(error).split())[:200] or type(error).__name__
        raise OriginalUnavailable(f"{shown(uri)} cannot be read ({told}).") from error


def version_of(details: dict[str, Any]) -> str | None:
    """What names this version of a file, of what its file system tells of it."""
    for key in ("ETag", "etag", "generation", "mtime", "LastModified", "last_modified", "updated", "created"):
        if details.get(key):
            return f"{details.get('size')}:{details[key]}"
    return None
