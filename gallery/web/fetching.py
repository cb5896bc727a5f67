"""Fetching files from the web, so that no list of URLs can reach what only this machine can reach.

Of every request, that of each redirect too, the name is resolved once, every address that it has must be
public, and the connection goes to one of these very addresses: a name that answers differently when it is
asked again (DNS rebinding) gains nothing. Certificates are verified for the name. No proxy, cookie or
password of the environment is used.
"""

import copy
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import TypeVar

import httpcore2

from gallery.errors import FetchRefused
from gallery.settings import FetchingSettings
from gallery.web.pinned import Deadline, PinnedBackend
from gallery.web.urls import WebUrl, redirected, web_url

USER_AGENT = "whyalike"
REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_GZIP = zlib.MAX_WBITS | 16
_PLAIN = {"", "identity"}
_ETAG, _MODIFIED = "etag:", "modified:"

_LENGTH = re.compile(r"[0-9]{1,18}")

Headers = dict[bytes | str, bytes | str]
Resolve = Callable[[str, int], Sequence[str]]
Follow = Callable[[str], bool]
"""Whether a redirect may lead to this URL."""
T = TypeVar("T")


def anywhere(url: str) -> bool:
    """Every redirect may be followed, as far as addresses go."""
    return True


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the system's resolver gives them; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes of a file, and what names this version of it (None where the server does not say)."""

    data: bytes
    version: str | None


@dataclass(frozen=True, slots=True)
class Announced:
    """What a server says of a file before it sends it, None where it does not: its version, its bytes."""

    version: str | None
    size: int | None


class Fetcher:
    """Fetches files by http and https, from many threads; close it when done.

    `resolve` and `clock` (seconds) come from outside so that tests decide them.
    """

    def __init__(
        self,
        settings: FetchingSettings,
        *,
        resolve: Resolve = resolve,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._deadline = Deadline(clock)
        backend = PinnedBackend(resolve, settings.networks, self._deadline)
        self._pool = httpcore2.ConnectionPool(network_backend=backend, max_keepalive_connections=8)
        self._may_lead_to: Follow = anywhere

    def within(self, follow: Follow) -> "Fetcher":
        """The same, with the same connections, where redirects lead to nothing but what this says."""
        bound = copy.copy(self)
        bound._may_lead_to = follow
        return bound

    def fetch(self, url: str, *, max_bytes: int) -> Fetched:
        """The file at this URL.

        Raises FetchRefused, with the reason in one sentence and without the URL's query.
        """
        return self._follow(url, "GET", lambda at, response: _fetched(at, response, max_bytes))

    def announced(self, url: str) -> Announced:
        """What names the version of the file now, without fetching it; raises FetchRefused."""
        return self._follow(url, "HEAD", _announced)

    def close(self) -> None:
        """Closes the connections that are kept."""
        self._pool.close()

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.close()

    def _follow(self, url: str, method: str, answer: Callable[[WebUrl, httpcore2.Response], T]) -> T:
        if not self._settings.allowed:
            raise FetchRefused(
                "URLs are not fetched unless it is allowed: set WHYALIKE_FETCHING__ALLOWED=true."
            )
        asked = following = web_url(url)
        with self._deadline.within(self._settings.total_seconds):
            for _ in range(self._settings.max_redirects + 1):
                found = self._ask(following, method, answer)
                if not isinstance(found, WebUrl):
                    return found
                if not self._may_lead_to(found.text):
                    raise FetchRefused(
                        f"{asked.shown} leads to {found.shown}, where nothing may be imported from."
                    )
                following = found
        raise FetchRefused(f"{asked.shown} leads on more than {self._settings.max_redirects} times.")

    def _ask(
        self,
        url: WebUrl,
        method: str,
        answer: Callable[[WebUrl, httpcore2.Response], T],
    ) -> T | WebUrl:
        timeout = {
            "connect": self._settings.connect_seconds,
            "read": self._settings.read_seconds,
            "write": self._settings.read_seconds,
            "pool": self._settings.total_seconds,
        }
        headers: Headers = {
            "Host": url.host_header,
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "identity",
        }
        target = httpcore2.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target)
        try:
            with self._pool.stream(
                method, target, headers=headers, extensions={"timeout": timeout}
            ) as response:
                location = _headers(response).get("location")
                if response.status in REDIRECTS and location is not None:
                    return redirected(url, location)
                return answer(url, response)
        except httpcore2.TimeoutException as error:
            raise FetchRefused(f"{url.shown} did not answer in time.") from error
        except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            raise FetchRefused(f"{url.shown} cannot be fetched ({_told(error)}).") from error


def _fetched(url: WebUrl, response: httpcore2.Response, max_bytes: int) -> Fetched:
    headers = _headers(response)
    size = _announced(url, response).size
    if size is not None and size > max_bytes:
        raise _too_large(url, max_bytes)
    return Fetched(_body(url, response, headers.get("content-encoding", ""), max_bytes), _version(headers))


def _announced(url: WebUrl, response: httpcore2.Response) -> Announced:
    headers = _headers(response)
    if response.status != HTTPStatus.OK:
        raise FetchRefused(f"{url.shown} answers with status {response.status}.")
    length = headers.get("content-length", "")
    return Announced(_version(headers), int(length) if _LENGTH.fullmatch(length) else None)


def _headers(response: httpcore2.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _body(url: WebUrl, response: httpcore2.Response, encoding: str, max_bytes: int) -> bytes:
    """The bytes, of a compressed answer those that were compressed; never more than `max_bytes` are held."""
    chunks = _plain(url, response.iter_stream(), encoding.strip().lower(), max_bytes)
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > max_bytes:
            raise _too_large(url, max_bytes)
    return bytes(data)


def _plain(url: WebUrl, chunks: Iterator[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    if encoding in _PLAIN:
        yield from chunks
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise FetchRefused(
            f"{url.shown} comes compressed by {encoding[:40]!r}, though that was not asked for."
        )
    inflating = zlib.decompressobj(_GZIP)
    try:
        for chunk in chunks:
            yield inflating.decompress(chunk, max_bytes + 1)
            if inflating.unconsumed_tail:
                raise _too_large(url, max_bytes)
            if inflating.eof:
                return  # it would hold whatever still comes
    except zlib.error as error:
        raise FetchRefused(f"{url.shown} comes compressed and broken.") from error
    raise FetchRefused(f"{url.shown} ends too early.")


def _version(headers: dict[str, str]) -> str | None:
    if "etag" in headers:
        return _ETAG + headers["etag"]
    return _MODIFIED + headers["last-modified"] if "last-modified" in headers else None


def _too_large(url: WebUrl, max_bytes: int) -> FetchRefused:
    return FetchRefused(f"{url.shown} is larger than the {max_bytes:,} bytes that are allowed.")


def _told(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
