"""A file as its source names it, before anybody has read it, and where its bytes lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine; `path` may hold bytes that are no UTF-8, as `os.fsdecode` gives them."""

    path: str


@dataclass(frozen=True, slots=True)
class ShardMember:
    """The bytes from `offset` to `offset + size` of an uncompressed tar file."""

    shard: "LocalFile | RemoteFile"
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file in storage that fsspec reads, such as s3://bucket/a.jpg."""

    url: str


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file that is fetched by http or https."""

    url: str


Location = LocalFile | ShardMember | RemoteFile | WebFile
"""Where bytes lie; a plain value, so that it travels to another process."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """What a source says of one file.

    `uri` names the place in the gallery. `version` is another text whenever the bytes may be others (None
    where only reading them tells), `size` is in bytes (None where it is not known). `attributes` are what a
    table says of it besides, by column.
    """

    uri: str
    location: Location
    label: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    version: str | None = None
