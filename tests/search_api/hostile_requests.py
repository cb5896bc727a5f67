"""Requests that mean harm before any picture is looked at: broken forms, wrong lengths, slow bodies."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

PATIENCE_S = 20.0
BOUNDARY = b"frontier"
PATHS = b"/v1/search", b"/v1/compare", b"/v1/search/batch", b"/v1/why-not", b"/v1/galleries/hostile/uploads"
FIELD = {PATHS[0]: b"image", PATHS[1]: b"a", PATHS[2]: b"image", PATHS[3]: b"image", PATHS[4]: b"files"}
STEP_S = 0.15
"""Between two pieces of a body that drips."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes as they go over the wire, in pieces with a pause between them.

    `is_http` unless the server in front of the service refuses it by itself, in plain text; `ends` where
    whoever sends it goes away before the answer.
    """

    name: str
    pieces: tuple[bytes, ...]
    is_http: bool = True
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where the connection ended without an answer."""

    status: int
    media_type: str
    body: bytes


def hostile_requests(picture: bytes) -> Iterator[Sent]:
    """Every one of them, to each place that takes pictures."""
    for path in PATHS:
        for name, pieces in forms(FIELD[path], picture):
            yield Sent(f"{name} {path.decode()}", (_request(path, pieces),))
        yield from wrong_lengths(path, picture)
        yield from slow_bodies(path, picture)
        yield from odd_heads(path, picture)


def forms(field: bytes, picture: bytes) -> Iterator[tuple[str, bytes]]:
    """Bodies under the media type of a form."""
    good = part(field, picture)
    end = b"--" + BOUNDARY + b"--\r\n"
    yield "nothing", b""
    yield "no form", b"no form at all"
    yield "no end", good
    yield "cut in a header", good[: len(BOUNDARY) + 20]
    yield "cut in a picture", good[: len(good) // 2]
    yield "another boundary", good.replace(BOUNDARY, b"elsewhere") + end
    yield "nothing between boundaries", (b"--" + BOUNDARY + b"\r\n") * 500 + end
    yield "no name", part(None, picture) + end
    yield "empty name", part(b"", picture) + end
    yield "a name with NUL", part(field + b"\0", picture) + end
    yield "a name that is no text", part(b"\xff\xfe", picture) + end
    yield "a name of 60 kB", part(b"x" * 60_000, picture) + end
    yield "a file name of 60 kB", part(field, picture, filename=b"x" * 60_000) + end
    yield "a file name that leads out", part(field, b"none", filename=b"../../../../etc/passwd") + end
    yield "a file name with a line break", part(field, b"none", filename=b"a\r\nSet-Cookie: b=c\r\n") + end
    yield "a file name that is no text", part(field, b"none", filename=b"\xff\x00\xfe") + end
    yield "thousands of fields", part(b"k", b"1", filename=None) * 2_000 + end
    yield "thousands of files", part(field, b"x") * 1_500 + end
    yield "thousands of headers", part(field, picture, more=b"X-More: 1\r\n" * 5_000) + end
    yield "a header of 60 kB", part(field, picture, more=b"X-More: " + b"y" * 60_000 + b"\r\n") + end
    yield "a field for a picture", part(field, b"text", filename=None) + end
    yield "a picture for a field", good + part(b"k", picture) + end
    for name in (b"k", b"gallery", b"crop", b"where", b"queries", b"searches", b"attributes", b"cursor"):
        for said, text in TEXTS:
            yield f"{said} as {name.decode()}", good + part(name, text, filename=None) + end


TEXTS: tuple[tuple[str, bytes], ...] = (
    ("NUL", b"a\0b"),
    ("no text", b"\xff\xfe\xfd"),
    ("half a character", "\ud800".encode("utf-8", "surrogatepass")),
    ("a large number", b"9" * 5_000),
    ("no number", b"NaN"),
    ("infinity", b"1e999"),
    ("deep JSON", b"[" * 20_000),
    ("deep objects", b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    ("script", b"<script>alert(1)</script>"),
    ("a way out", b"../../../etc/passwd"),
    ("SQL", b"'; DROP TABLE images; --"),
    ("line breaks", b"a\r\nSet-Cookie: b=c\r\n\r\n"),
)


def wrong_lengths(path: bytes, picture: bytes) -> Iterator[Sent]:
    """Bodies that are longer or shorter than they say, and sizes that no number holds."""
    body = part(FIELD[path], picture) + b"--" + BOUNDARY + b"--\r\n"
    place = path.decode()
    yield Sent(f"shorter than it says, waiting {place}", (_head(path, len(body) + 100) + body,))
    yield Sent(f"shorter than it says, gone {place}", (_head(path, len(body) + 100) + body,), ends=True)
    yield Sent(f"longer than it says {place}", (_head(path, len(body) // 2) + body,))
    yield Sent(f"no length {place}", (_head(path, None) + body,))
    yield Sent(f"a length beyond all limits {place}", (_head(path, 10**15) + body[:100],))
    for name, length in (("negative", b"-1"), ("words", b"many"), ("endless", b"9" * 400)):
        head = _head(path, None, more=b"Content-Length: " + length + b"\r\n")
        yield Sent(f"a length that is {name} {place}", (head + body,), is_http=False)
    two = b"Content-Length: 5\r\nContent-Length: 6\r\n"
    yield Sent(f"two lengths {place}", (_head(path, None, more=two) + body,), is_http=False)
    both = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
    yield Sent(f"a length and chunks {place}", (_head(path, None, more=both) + body,), is_http=False)
    chunked = _head(path, None, more=b"Transfer-Encoding: chunked\r\n")
    yield Sent(f"chunks that are none {place}", (chunked + b"zz\r\n" + body,), is_http=False)
    yield Sent(f"a chunk without end {place}", (chunked + b"ffffffffffffff\r\n" + body,))
    pieces = b"".join(b"1\r\n" + bytes([each]) + b"\r\n" for each in body) + b"0\r\n\r\n"
    yield Sent(f"chunks of one byte {place}", (chunked + pieces,))


def slow_bodies(path: bytes, picture: bytes) -> Iterator[Sent]:
    """Bodies that begin and do not go on, or that drip."""
    body = part(FIELD[path], picture)
    place = path.decode()
    yield Sent(f"stands still {place}", (_head(path, 10_000) + body[:50],))
    drops = tuple(body[start : start + 3] for start in range(0, 90, 3))
    yield Sent(f"drips {place}", (_head(path, 10_000), *drops))


def odd_heads(path: bytes, picture: bytes) -> Iterator[Sent]:
    """Media types, encodings and methods that the place does not take."""
    body = part(FIELD[path], picture) + b"--" + BOUNDARY + b"--\r\n"
    place = path.decode()
    types = (
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=" + b"b" * 5_000,
        b"multipart/form-data; boundary=\xff\xfe",
        b"multipart/mixed; boundary=" + BOUNDARY,
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"image/png",
        b"text/plain; charset=utf-7",
        b"a" * 5_000,
    )
    for kind in types:
        yield Sent(f"under {kind[:40]!r} {place}", (_request(path, body, kind=kind),))
    for more in (b"Content-Encoding: gzip\r\n", b"Expect: 100-continue\r\n", b"Range: bytes=9-\r\n"):
        yield Sent(f"with {more!r} {place}", (_request(path, body, more=more),))
    for method in (b"PUT", b"GET", b"PATCH", b"TRACE", b"NONSENSE"):
        is_known = method != b"NONSENSE"
        yield Sent(f"by {method!r} {place}", (_request(path, body, method=method),), is_http=is_known)
    yield Sent(f"no protocol {place}", (b"\x16\x03\x01" + picture,), is_http=False)
    yield Sent(
        f"headers without end {place}", (_request(path, b"", more=b"X: y\r\n" * 20_000),), is_http=False
    )


def part(name: bytes | None, data: bytes, *, filename: bytes | None = b"a.png", more: bytes = b"") -> bytes:
    """One part of a form."""
    told = b"" if name is None else b'; name="' + name + b'"'
    file = b"" if filename is None else b'; filename="' + filename + b'"'
    head = b"Content-Disposition: form-data" + told + file + b"\r\n" + more
    return b"--" + BOUNDARY + b"\r\n" + head + b"\r\n" + data + b"\r\n"


def mangled(body: bytes, chance: random.Random) -> bytes:
    """A form of which some bytes are others, missing or there twice."""
    changed = bytearray(body)
    for _ in range(chance.choice([1, 2, 8])):
        start = chance.randrange(len(changed))
        kind = chance.randrange(3)
        if kind == 0:
            changed[start] = chance.randrange(256)
        elif kind == 1 and len(changed) > 100:
            del changed[start : start + chance.choice([1, 5, 40])]
        else:
            changed[start:start] = changed[start : start + chance.choice([1, 20, 200])]
    return bytes(changed)


def mangled_requests(picture: bytes, count: int, *, seed: int) -> Iterator[Sent]:
    """So many forms that were good before."""
    chance = random.Random(seed)
    for number in range(count):
        path = PATHS[number % len(PATHS)]
        fields = part(b"k", b"3", filename=None) + part(b"overlays", b"true", filename=None)
        body = fields + part(FIELD[path], picture) + b"--" + BOUNDARY + b"--\r\n"
        yield Sent(f"mangled {number} {path.decode()}", (_request(path, mangled(body, chance)),))


def exchange(url: str, sent: Sent, headers: Sequence[bytes] = ()) -> Answer:
    """Sends it and reads what comes back, until the connection ends."""
    where = urlsplit(url)
    received = b""
    with socket.create_connection((where.hostname, where.port), timeout=PATIENCE_S) as connection:
        with suppress(ConnectionError):  # refused before it was sent whole
            for piece in sent.pieces:
                connection.sendall(piece)
                if len(sent.pieces) > 1:
                    time.sleep(STEP_S)
        if sent.ends:
            return Answer(0, "", b"")
        with suppress(ConnectionError):
            while got := connection.recv(65_536):
                received += got
    return parsed(received)


def parsed(received: bytes) -> Answer:
    """The last answer in what came back: one that says “100 Continue” may come before it."""
    if received.startswith(b"HTTP/1.1 100 "):
        received = received.partition(b"\r\n\r\n")[2]
    head, _, body = received.partition(b"\r\n\r\n")
    if not head:
        return Answer(0, "", b"")
    lines = head.decode("latin-1").split("\r\n")
    named = dict(line.lower().split(": ", 1) for line in lines[1:])
    return Answer(int(lines[0].split()[1]), named.get("content-type", "").partition(";")[0], body)


def _request(
    path: bytes,
    body: bytes,
    *,
    kind: bytes = b"multipart/form-data; boundary=" + BOUNDARY,
    more: bytes = b"",
    method: bytes = b"POST",
) -> bytes:
    return _head(path, len(body), kind=kind, more=more, method=method) + body


def _head(
    path: bytes,
    length: int | None,
    *,
    kind: bytes = b"multipart/form-data; boundary=" + BOUNDARY,
    more: bytes = b"",
    method: bytes = b"POST",
) -> bytes:
    told = b"" if length is None else b"Content-Length: %d\r\n" % length
    line = method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    return line + b"Content-Type: " + kind + b"\r\n" + told + more + b"\r\n"
