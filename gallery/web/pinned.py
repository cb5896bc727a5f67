"""Connections that go to the very address that was checked, and end when their time is over."""

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any

import httpcore2

from gallery.errors import FetchRefused
from gallery.web.addresses import Network, is_public, is_within, parse_address

Resolve = Callable[[str, int], Sequence[str]]


class Deadline:
    """Until when a thread's request may take, all that it waits for together."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """The block's requests, which this thread makes, end after so many seconds."""
        self._local.end = self._clock() + seconds
        try:
            yield
        finally:
            del self._local.end

    def left(self, timeout: float | None) -> float:
        """The seconds that one step may take: the timeout, or what is left; raises ReadTimeout at the end."""
        left = float(self._local.end - self._clock())
        if left <= 0:
            raise httpcore2.ReadTimeout("the time for the whole request is over")
        return left if timeout is None else min(timeout, left)


class PinnedBackend(httpcore2.NetworkBackend):
    """Resolves a name once for each connection, and connects to what it has checked."""

    def __init__(self, resolve: Resolve, allowed: Sequence[Network], deadline: Deadline) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to the first checked address that answers.

        Raises FetchRefused for a name with an address that is not public, and what httpcore2 raises.
        """
        failure: Exception | None = None
        for address in self._checked(host, port, timeout):
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.left(timeout), local_address, socket_options
                )
                return _TimedStream(stream, self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError(f"{host} has no address")

    def _checked(self, host: str, port: int, timeout: float | None) -> list[str]:
        try:
            found = [parse_address(each) for each in self._resolved(host, port, timeout)]
        except (OSError, ValueError) as error:
            raise httpcore2.ConnectError(f"{host} has no address that is known") from error
        for address in found:
            if not (is_public(address) or is_within(address, self._allowed)):
                raise FetchRefused(
                    f"{host} is at {address}, which is no address of the public internet; "
                    "WHYALIKE_FETCHING__ALLOWED_NETWORKS can name a network that may be asked all the same."
                )
        return [str(address) for address in found]

    def _resolved(self, host: str, port: int, timeout: float | None) -> Sequence[str]:
        """The name's addresses; the system's resolver knows no limit, so it is asked in a thread of its own.

        Raises ConnectTimeout where it takes longer than there is time, and what the resolver raises.
        """
        answer: Future[Sequence[str]] = Future()

        def ask() -> None:
            try:
                answer.set_result(self._resolve(host, port))
            except Exception as error:  # noqa: BLE001 - whoever waits raises it
                answer.set_exception(error)

        threading.Thread(target=ask, name=f"address of {host}", daemon=True).start()
        done, _ = wait([answer], timeout=self._deadline.left(timeout))
        if not done:
            raise httpcore2.ConnectTimeout(f"the address of {host} was not told in time")
        return answer.result()


class _TimedStream(httpcore2.NetworkStream):
    """A connection of which each step is bound by the deadline of the request that it serves."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._deadline.left(timeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
