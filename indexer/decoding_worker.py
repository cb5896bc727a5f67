"""The program of a decoding process: images in bytes come in at stdin, decoded ones go out at stdout.

It loads no torch. Whatever a hostile file does to it, it does to this process alone, which is given up then.

In:   the length of a Decoding in JSON, and that; then again and again the length of a file, and its bytes.
Out:  for each file a Reply, then the tensor, the cells that are seen, their detail, and the thumbnail; or
      the reason why it cannot be read.
"""

import os
import signal
import struct
import sys
from io import FileIO
from typing import BinaryIO

import numpy as np

from indexer.decoding import Decoded, Decoding, decoded
from siamese.errors import UnreadableImage

LENGTH = struct.Struct("<Q")
REPLY = struct.Struct("<?IIQ")
"""Whether it is an image; its width and height; the bytes of its thumbnail, or of the reason."""

BYTES_PER_PIXEL = 24
"""Memory for a pixel of the largest picture: float32 in a few copies, as deep grey pictures take it."""
MEMORY_BESIDES = 2**30
"""Of libraries, and of the bytes of the largest file."""


def main() -> None:
    """Decode until nothing more comes in."""
    given, taken = sys.stdin.buffer, FileIO(os.dup(1), "wb")
    os.dup2(2, 1)  # what decoders print must not be taken for an image
    how = Decoding.model_validate_json(_read(given, LENGTH.unpack(_read(given, LENGTH.size))[0]))
    seconds = float(sys.argv[1])
    _limit_memory(how)
    while length := given.read(LENGTH.size):
        data = _read(given, LENGTH.unpack(length)[0])
        _limit_time(seconds)
        reply = _reply(data, how)
        _limit_time(0.0)
        for part in reply:
            _write(taken, part)


def _reply(data: bytes, how: Decoding) -> list[bytes | memoryview]:
    try:
        found = decoded(data, how)
    except UnreadableImage as error:
        return _refusal(error.reason)
    except Exception as error:  # noqa: BLE001 - one hostile file must not end a run of a million
        return _refusal(f"it cannot be read ({type(error).__name__}: {error})")
    return _image(found)


def _image(found: Decoded) -> list[bytes | memoryview]:
    head = REPLY.pack(True, found.width, found.height, len(found.thumbnail))
    prepared = found.prepared
    assert prepared.detail is not None, "`prepare` tells it"
    arrays = (prepared.tensor, prepared.seen, prepared.detail)
    return [head, *(np.ascontiguousarray(each).data.cast("B") for each in arrays), found.thumbnail]


def _refusal(reason: str) -> list[bytes | memoryview]:
    told = reason.encode(errors="backslashreplace")
    return [REPLY.pack(False, 0, 0, len(told)), told]


def _limit_time(seconds: float) -> None:
    """End this process after so many seconds of its own work from now, wherever it is; 0 for no limit."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory(how: Decoding) -> None:
    """Let what is too large fail as a MemoryError rather than take the machine's memory."""
    try:
        import resource
    except ImportError:
        return  # Windows
    most = how.limits.max_pixels * BYTES_PER_PIXEL + how.limits.max_bytes + MEMORY_BESIDES
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))


def _read(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise SystemExit(0)  # whoever asked is gone
    return data


def _write(stream: FileIO, part: bytes | memoryview) -> None:
    view = memoryview(part)
    while view:
        view = view[stream.write(view) or 0 :]


if __name__ == "__main__":
    main()
