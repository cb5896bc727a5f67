"""Receiving uploads: each lies in a folder of its own below the gallery's, whole or not at all."""

import re
import time
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from gallery.amending import Said, say_of_uploads
from gallery.database import writing
from gallery.errors import UploadLimitExceeded, UploadRefused
from gallery.files import UNFINISHED, new_folder, remove, synchronise
from gallery.settings import UploadSettings
from gallery.site import Site
from gallery.uploads.archives import is_archive, members, refusing

ONE_STEP = 2**20
"""Bytes that are copied at a time."""

ABANDONED_SECONDS = 24 * 3600.0
"""After how long an upload that did not end never will: no request is given so long."""

MOST_NAME_BYTES = 200
"""Of a name on the disk: file systems take 255."""

MOST_PLACE_BYTES = 1024
"""Of a place in an archive: systems take paths of 4,096, and the gallery's own is before it."""

MEMBERS_A_FILE = 4
"""Members of archives for each picture of an upload: folders, and what systems hide beside it."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A picture or an archive of pictures as it was sent, under the name that it was sent by."""

    name: str
    stream: IO[bytes]


def receive(
    site: Site,
    sent: Iterable[SentFile],
    limits: UploadSettings,
    *,
    label: str | None,
    attributes: Mapping[str, str],
    said: Said,
) -> list[str]:
    """Keep what was sent as originals of the gallery, archives unpacked; returns their uris.

    Every one gets the label and the attributes; without a label those of an archive get the name of the
    folder that they lie in there. Raises UploadRefused and UploadLimitExceeded, and then nothing is kept.
    """
    _remove_abandoned(site.folder.uploads)
    final = site.folder.uploads / uuid.uuid4().hex
    labels: dict[str, str | None] = {}
    with _new_upload(final) as folder:
        for place, kept in _copied(sent, folder, _Room(limits)):
            named = _text(place.parent.name) if len(place.parts) > 1 else None
            labels[str(final / kept.relative_to(folder))] = label or named
        if not labels:
            raise UploadRefused("Nothing was sent: name at least one picture, or an archive that holds one.")
        say_of_uploads(site, labels, attributes, said)  # before they can be found: none is found without
    return list(labels)


def replace(site: Site, uri: str, sent: SentFile, limits: UploadSettings) -> None:
    """Put a picture in the place of an original of the gallery's own; raises what `receive` raises."""
    _remove_abandoned(site.folder.uploads)
    final = Path(uri)
    unfinished = site.folder.uploads / f"{UNFINISHED}{uuid.uuid4().hex}"
    try:
        _Room(limits).copy(sent.stream, unfinished, name=sent.name)
        synchronise(unfinished)
        with writing(site.engine):  # else a worker could delete it for what was removed from there
            unfinished.replace(final)
        synchronise(final.parent)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _new_upload(final: Path) -> Iterator[Path]:
    with new_folder(final) as folder:
        try:
            yield folder
        except BaseException:
            remove(folder)
            raise


def _remove_abandoned(uploads: Path) -> None:
    """Remove what services that were killed have left half received."""
    for folder in uploads.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):  # another upload has just become whole
            if time.time() - folder.stat().st_mtime > ABANDONED_SECONDS:
                remove(folder)


def _copied(sent: Iterable[SentFile], folder: Path, room: "_Room") -> Iterator[tuple[PurePosixPath, Path]]:
    for each in sent:
        with refusing(each.name):
            for place, stream in _pictures(each, room):
                kept = _made_room(folder, _clean(place), name=str(place))
                room.copy(stream, kept, name=str(place))
                yield place, kept


def _made_room(folder: Path, clean: Path, *, name: str) -> Path:
    """A free path for the file in the folder; raises UploadRefused for a place that no disk has."""
    if len(bytes(clean)) > MOST_PLACE_BYTES:
        raise UploadRefused(
            f"{name[:50]!r}… has more than {MOST_PLACE_BYTES:,} bytes; send pictures in fewer folders."
        )
    try:
        (folder / clean).parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UploadRefused(f"{name!r} lies in a folder that is a file in the same upload.") from None
    return _free(folder / clean)


class _Room:
    """How much of what the limits allow is left."""

    def __init__(self, limits: UploadSettings) -> None:
        self._limits = limits
        self._files = 0
        self._bytes = 0
        self._members = 0

    def pass_by(self, size: int) -> None:
        """Count a member of an archive, and bytes that are read without being kept."""
        self._members += 1
        self._bytes += size
        if self._members > self._limits.max_files * MEMBERS_A_FILE:
            raise UploadLimitExceeded(
                f"The archives of one upload hold at most {self._limits.max_files * MEMBERS_A_FILE:,} "
                "members, folders and hidden files too."
            )
        self._require_total()

    def copy(self, stream: IO[bytes], to: Path, *, name: str) -> None:
        """Write the stream into a new file; raises UploadLimitExceeded as soon as it is too long."""
        self._files += 1
        if self._files > self._limits.max_files:
            raise UploadLimitExceeded(f"One upload holds at most {self._limits.max_files:,} files.")
        size = 0
        with to.open("xb") as file:
            while block := stream.read(ONE_STEP):
                size += len(block)
                self._bytes += len(block)
                self._require_room(name, size)
                file.write(block)

    def _require_room(self, name: str, size: int) -> None:
        if size > self._limits.max_file_bytes:
            raise UploadLimitExceeded(
                f"{name!r} has more than {self._limits.max_file_bytes:,} bytes, the most of one picture."
            )
        self._require_total()

    def _require_total(self) -> None:
        if self._bytes > self._limits.max_total_bytes:
            raise UploadLimitExceeded(
                f"One upload holds at most {self._limits.max_total_bytes:,} bytes when it is unpacked."
            )


def _pictures(sent: SentFile, room: _Room) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    if is_archive(sent.name):
        yield from (
            (member.place, member.stream) for member in members(sent.stream, sent.name, passed=room.pass_by)
        )
    else:
        yield PurePosixPath(PurePosixPath(sent.name.replace("\\", "/")).name or "picture"), sent.stream


def _clean(place: PurePosixPath) -> Path:
    """The same place in names that every file system takes, none of them hidden."""
    return Path(*(_clean_name(part) for part in place.parts))


def _clean_name(name: str) -> str:
    plain = _UNPRINTABLE.sub("_", unicodedata.normalize("NFC", name)).strip(" .") or "picture"
    stem, dot, suffix = plain.rpartition(".")
    if len(plain.encode()) <= MOST_NAME_BYTES:
        return plain
    kept = (stem or plain).encode()[: MOST_NAME_BYTES - 20].decode(errors="ignore")
    return f"{kept}{dot}{suffix[:10]}" if stem else kept


def _free(path: Path) -> Path:
    """The path, or one beside it with a number where a file of this upload has it."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free


def _text(name: str) -> str | None:
    return _UNPRINTABLE.sub("_", name).strip() or None
