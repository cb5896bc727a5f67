"""What is in an uploaded archive: plain files at plain places, whatever its headers claim."""

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any

from gallery.errors import UploadRefused

TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
ZIP = ".zip"

MOST_HEADER_BYTES = 2**16
"""Of what a tar says of one member besides: names and times. Python reads it into memory as a whole."""

MOST_DIRECTORY_BYTES = 2**23
"""Of what a zip says of all its members, which Python reads into memory as a whole: 200 for each of the
40,000 members that an upload may have by default."""

_HEADERS = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"X"}
_FAULTS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
"""What Python's readers of archives raise for bytes that are none."""

_OF_OTHER_PROGRAMS = "__MACOSX"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive: its place there, and its bytes, to be read before the next one is asked for."""

    place: PurePosixPath
    stream: IO[bytes]


def is_archive(name: str) -> bool:
    """Whether it is named like an archive that is unpacked."""
    return name.lower().endswith((ZIP, *TARS))


Passed = Callable[[int], None]
"""Hears of every member, also of one that is left out, and how many bytes are read that are not given."""


def members(stream: IO[bytes], name: str, *, passed: Passed) -> Iterator[Member]:
    """The files of an archive of this name, in its order; hidden files and folders are left out.

    Whatever is read but not given is told to `passed` before it is read, which may refuse it.
    Raises UploadRefused for what is encrypted, would lie outside of it, or is a link; whatever else goes
    wrong with them, also while they are read, `refusing` makes a refusal of.
    """
    return _zipped(stream, passed) if name.lower().endswith(ZIP) else _tarred(stream, passed)


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Raises UploadRefused for what goes wrong while an archive is read that is none, or is cut off."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            raise  # of the disk that it is written to
        raise _no_archive(name, error) from error
    except _FAULTS as error:
        raise _no_archive(name, error) from error


def _no_archive(name: str, error: Exception) -> UploadRefused:
    return UploadRefused(
        f"{name!r} is no whole archive that can be unpacked ({error or type(error).__name__})."
    )


def _zipped(stream: IO[bytes], passed: Passed) -> Iterator[Member]:
    with zipfile.ZipFile(_Careful(stream)) as archive:
        for entry in archive.infolist():
            passed(0)  # what is left out is not even read
            place = _place(entry.filename)
            mode = entry.external_attr >> 16
            if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
                raise UploadRefused(f"{entry.filename!r} is a link or a device; send the picture itself.")
            if entry.flag_bits & 1:
                raise UploadRefused(f"{entry.filename!r} is encrypted; send it as it is.")
            if not entry.is_dir() and not _is_left_out(place):
                _require_name(place, entry.filename)
                with archive.open(entry) as opened:
                    yield Member(place, opened)


def _tarred(stream: IO[bytes], passed: Passed) -> Iterator[Member]:
    with tarfile.open(fileobj=stream, mode="r|*", tarinfo=_CarefulInfo) as archive:
        end = 0
        for entry in archive:
            archive.members.clear()  # type: ignore[attr-defined]  # else it holds all that it has read
            place = _place(entry.name)
            is_given = not entry.isdir() and not _is_left_out(place)
            start = entry.offset_data
            passed(start - end + (0 if is_given else max(0, entry.size)))
            end = start + max(0, entry.size)
            if entry.isdir():
                continue
            if not entry.isreg() or entry.issparse() or entry.size < 0:
                raise UploadRefused(f"{entry.name!r} is a link, a device or sparse; send the picture itself.")
            opened = archive.extractfile(entry)
            if opened is not None and is_given:
                _require_name(place, entry.name)
                yield Member(place, opened)


class _Careful:
    """A stream of which no more is read at once than the directory of a zip may have."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        """The next bytes; raises UploadRefused."""
        if size > MOST_DIRECTORY_BYTES:
            raise UploadRefused(
                f"The directory of a zip claims {size:,} bytes; at most {MOST_DIRECTORY_BYTES:,} are read."
            )
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _CarefulInfo(tarfile.TarInfo):
    """A member's header that refuses to take the memory that it claims."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_CarefulInfo":
        found = super().frombuf(buf, encoding, errors)
        if found.type in _HEADERS and found.size > MOST_HEADER_BYTES:
            raise UploadRefused(
                f"A member's header claims {found.size:,} bytes; at most {MOST_HEADER_BYTES:,} are read."
            )
        return found


def _place(name: str) -> PurePosixPath:
    place = PurePosixPath(name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or "\0" in name or (place.parts and ":" in place.parts[0]):
        raise UploadRefused(f"{name!r} would lie outside of the upload; archive a folder of pictures.")
    return place


def _require_name(place: PurePosixPath, name: str) -> None:
    if not place.parts:
        raise UploadRefused(f"{name!r} is no name of a file; archive a folder of pictures.")


def _is_left_out(place: PurePosixPath) -> bool:
    return any(part.startswith(".") or part == _OF_OTHER_PROGRAMS for part in place.parts)
