"""A URL of the web as it is asked and as it is shown: no password in it, no secret in what is told of it."""

import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from gallery.errors import FetchRefused

SCHEMES = {"http": 80, "https": 443}
"""What may be fetched, and the port where the URL names none."""

MAX_CHARACTERS = 8192
"""Longer ones are refused by most servers."""

_HOST = re.compile(r"[A-Za-z0-9._:%-]+")
_SAFE = "/%:@!$&'()*+,;=~-._?"


@dataclass(frozen=True, slots=True)
class WebUrl:
    """Where one request goes: host in ASCII, target with its query, nothing else that a server could use."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def text(self) -> str:
        """The whole URL, which may hold a secret."""
        return f"{self.scheme}://{self.host_header}{self.target}"

    @property
    def shown(self) -> str:
        """The URL as messages tell it: its query, which may sign it, is left out."""
        path, asks, _ = self.text.partition("?")
        return f"{path}{'?…' if asks else ''}"

    @property
    def host_header(self) -> str:
        """What the header Host says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == SCHEMES[self.scheme] else f"{host}:{self.port}"


def is_web(uri: str) -> bool:
    """Whether the uri begins like one of http or https."""
    return uri.partition(":")[0].lower() in SCHEMES and "://" in uri


def web_url(text: str) -> WebUrl:
    """The parts of a URL that a request needs.

    Raises FetchRefused for another scheme than http and https, a name or password in it, and what is no URL.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
        host = _ascii(parts.hostname or "")
    except ValueError as error:
        raise FetchRefused(f"{_without_secrets(text)} is no URL ({error}).") from None
    if parts.scheme not in SCHEMES:
        raise FetchRefused(f"{_without_secrets(text)} is not fetched: only http and https are.")
    if parts.username is not None or parts.password is not None:
        raise FetchRefused(
            f"{_without_secrets(text)} names a user or a password, which the gallery would keep and show; "
            "leave them out, or take a URL that is signed."
        )
    if not _HOST.fullmatch(host) or len(text) > MAX_CHARACTERS:
        raise FetchRefused(f"{_without_secrets(text)} is no URL of a file.")
    target = quote(parts.path or "/", safe=_SAFE) + (
        f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    )
    return WebUrl(parts.scheme, host, port or SCHEMES[parts.scheme], target)


def redirected(url: WebUrl, location: str) -> WebUrl:
    """Where a redirect leads; raises FetchRefused for what `web_url` refuses and for leaving https."""
    following = web_url(joined(url.text, location))
    if url.scheme == "https" and following.scheme != "https":
        raise FetchRefused(f"{url.shown} leads from https to http.")
    return following


def joined(base: str, reference: str) -> str:
    """What the reference means where `base` is read; raises FetchRefused for what means nothing."""
    try:
        return urljoin(base, reference)
    except ValueError as error:
        raise FetchRefused(f"{_without_secrets(reference)} is no URL ({error}).") from None


def shown(uri: str) -> str:
    """Any uri as messages tell it: of one of the web, neither its query nor a password in it."""
    return _without_secrets(uri) if "://" in uri else uri


def _ascii(host: str) -> str:
    """The host as the name system asks for it; raises ValueError (UnicodeError is one)."""
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _without_secrets(text: str) -> str:
    scheme, colon, rest = text.partition("://")
    if not colon:
        return text.partition("?")[0][:200]
    path, asks, _ = rest.partition("?")
    host, slash, behind = path.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{behind}{'?…' if asks else ''}"[:200]
