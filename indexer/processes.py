"""Decoding in processes of their own: a file that crashes a decoder, or never ends, costs only itself."""

import os
import queue
import signal
import subprocess
import sys
import threading
from types import TracebackType
from typing import IO

import numpy as np

from indexer.decoding import Decoded, Decoding
from indexer.decoding_worker import LENGTH, REPLY
from siamese.errors import UnreadableImage
from siamese.preparing import Prepared

MOST_SECONDS = 10.0
"""Of a process' own work on one file; the largest picture that is allowed takes about two."""

_PIPE_BYTES = 2**20
"""What a pipe holds where the system lets us say so: one prepared image without waiting in between."""


class DecodingProcesses:
    """Up to `count` processes, started as they are needed; for as many threads, each waits for its image."""

    def __init__(self, how: Decoding, *, count: int, most_seconds: float = MOST_SECONDS) -> None:
        self._how = how
        self._most_seconds = most_seconds
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)  # a process that may be started
        self._started: set[_Process] = set()
        self._over = False
        self._lock = threading.Lock()

    def __enter__(self) -> "DecodingProcesses":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._over = True  # a thread whose process ends now must not start another
            started, self._started = self._started, set()
        for process in started:
            process.end()

    def decoded(self, data: bytes) -> Decoded:
        """The image in the bytes, as `indexer.decoding.decoded` gives it; raises UnreadableImage.

        Where a process ends over them another one tries once more, so that a kill from outside (by a system
        that is short of memory, say) costs no file; only what takes too long is not begun again. After the
        `with` it raises RuntimeError: a thread that still waits must start no process that nobody would end.
        """
        try:
            return self._decoded(data)
        except _Died as died:
            if died.is_slow:
                raise UnreadableImage(died.reason) from died
        try:
            return self._decoded(data)
        except _Died as died:
            raise UnreadableImage(died.reason) from died

    def _decoded(self, data: bytes) -> Decoded:
        """By one process; raises UnreadableImage, and _Died if the process ends over them."""
        process = self._idle.get()
        try:
            process = process or self._start()
            return process.decoded(data)
        except _Died as died:
            with self._lock:
                self._started.discard(died.process)
            process = None
            raise
        finally:
            self._idle.put(process)

    def _start(self) -> "_Process":
        with self._lock:
            if self._over:
                raise RuntimeError("these decoding processes have been ended")
            process = _Process(self._how, self._most_seconds)
            self._started.add(process)
        return process


class _Died(Exception):  # noqa: N818 - what happened, told to the one who asked
    """The process has ended over a file."""

    def __init__(self, process: "_Process", reason: str, *, is_slow: bool) -> None:
        super().__init__(reason)
        self.process = process
        self.reason = reason
        self.is_slow = is_slow


class _Process:
    """One process; for one thread at a time."""

    def __init__(self, how: Decoding, most_seconds: float) -> None:
        self._grid = how.grid
        self._side = how.preprocessing.image_size
        self._most_seconds = most_seconds
        self._process = subprocess.Popen(
            [sys.executable, "-m", "indexer.decoding_worker", str(most_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            start_new_session=True,  # Ctrl-C is for whoever started it
        )
        assert self._process.stdin is not None and self._process.stdout is not None, "both are pipes"
        self._stdin: IO[bytes] = self._process.stdin
        self._stdout: IO[bytes] = self._process.stdout
        for pipe in (self._stdin, self._stdout):
            _widen(pipe)
        try:
            self._send(how.model_dump_json().encode())
        except OSError as error:
            raise self._died() from error

    def decoded(self, data: bytes) -> Decoded:
        """The image in the bytes; raises UnreadableImage, and _Died if the process ends over them."""
        try:
            self._send(data)
            is_image, width, height, length = REPLY.unpack(self._receive(REPLY.size))
            if not is_image:
                raise UnreadableImage(bytes(self._receive(length)).decode())
            tensor = np.empty((3, self._side, self._side), np.float32)
            seen, detail = np.empty(self._grid, np.bool_), np.empty(self._grid, np.uint8)
            for array in (tensor, seen, detail):
                self._fill(array.data.cast("B"))
            return Decoded(width, height, Prepared(tensor, seen, detail), bytes(self._receive(length)))
        except (OSError, ValueError) as error:  # it has ended, or its pipes were closed by who ended it
            raise self._died() from error

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()

    def _died(self) -> _Died:
        """Why it died, for the report of the file."""
        self.end_pipes()
        code = self._process.wait()
        if code == -getattr(signal, "SIGPROF", 0):
            return _Died(self, f"decoding it takes more than {self._most_seconds:g} s", is_slow=True)
        return _Died(self, f"decoding it ends the decoder ({_told(code)})", is_slow=False)

    def end_pipes(self) -> None:
        """Let go of the pipes; a process that still runs ends at that."""
        self._stdin.close()
        self._stdout.close()

    def _send(self, data: bytes) -> None:
        for part in (LENGTH.pack(len(data)), data):
            view = memoryview(part)
            while view:
                view = view[self._stdin.write(view) :]

    def _receive(self, length: int) -> bytearray:
        made = bytearray(length)
        self._fill(memoryview(made))
        return made

    def _fill(self, view: memoryview) -> None:
        while len(view):
            count = self._stdout.readinto(view)  # type: ignore[attr-defined]
            if not count:
                raise ConnectionError("the process has ended")
            view = view[count:]


def _told(code: int) -> str:
    """What an exit code says."""
    try:
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    except ValueError:
        return f"signal {-code}"


def _widen(pipe: IO[bytes]) -> None:
    try:
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (ImportError, AttributeError, OSError):
        return  # not Linux, or as much is not allowed: it is slower
