"""Fetching from the web: what is never reached, whatever a list, a name server or a redirect says."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.errors import FetchRefused
from gallery.settings import FetchingSettings
from gallery.sources.allowed import AllowedSources
from gallery.web.addresses import is_public
from gallery.web.fetching import Announced, Fetched, Fetcher
from gallery.web.urls import is_web, shown, web_url

MAX_BYTES = 1000
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """A real server on this machine; `asked` are the requests as (path, header Host)."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def url(self, path: str, host: str = "pictures.test") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.asked.append((self.path, self.headers["Host"]))
            made.headers.append(dict(self.headers))
            made.answers[self.path.partition("?")[0]](self)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    made = Server(running.server_port)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    running.shutdown()
    running.server_close()


def says(data: bytes, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(data)

    return answer


def leads_to(location: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", location)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def fetcher(
    *addresses: str, networks: str = "127.0.0.0/8", allowed: bool = True, seconds: float = 5.0
) -> Fetcher:
    """One whose names have these addresses, and that may ask this machine."""
    settings = FetchingSettings(
        allowed=allowed, allowed_networks=networks, total_seconds=seconds, read_seconds=seconds
    )
    return Fetcher(settings, resolve=lambda host, port: addresses or ("127.0.0.1",))


def fetch(url: str, *addresses: str, **options: object) -> Fetched | None:
    with fetcher(*addresses, **options) as each:  # type: ignore[arg-type]
        return each.fetch(url, max_bytes=MAX_BYTES)


def test_a_file_is_fetched_under_its_name_with_what_names_its_version(server: Server) -> None:
    server.answers["/a.png"] = says(b"picture", ETag='"v1"')
    assert fetch(server.url("/a.png?size=2")) == Fetched(b"picture", 'etag:"v1"')
    assert server.asked == [("/a.png?size=2", f"pictures.test:{server.port}")]


def test_a_server_that_sends_nothing_for_unchanged_though_nobody_asked_is_refused(server: Server) -> None:
    server.answers["/a.png"] = lambda request: (request.send_response(304), request.end_headers())[-1]
    with pytest.raises(FetchRefused, match="status 304"):
        fetch(server.url("/a.png"))


def test_nothing_is_fetched_unless_it_is_allowed(server: Server) -> None:
    with pytest.raises(FetchRefused, match="set WHYALIKE_FETCHING__ALLOWED=true"):
        fetch(server.url("/a.png"), allowed=False)
    assert server.asked == []


PRIVATE = [
    "127.0.0.1",
    "127.255.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "192.0.0.170",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%lo",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2001:0:7f00:1::",
    "100::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_that_is_not_public_is_asked(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(FetchRefused, match="no address of the public internet"):
        fetch("http://pictures.test/a.png", address, networks="")


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_no_more_public_in_ipv6(address: object) -> None:
    plain = ip_address(str(address))
    for carrier in ("::ffff:{}", "::{}", "64:ff9b::{}", "::ffff:0:{}"):
        assert is_public(ip_address(carrier.format(plain))) <= is_public(plain)


def test_one_private_address_among_public_ones_is_enough_to_refuse(server: Server) -> None:
    with pytest.raises(FetchRefused, match=r"at 10\.0\.0\.1"):
        fetch(server.url("/a.png"), "127.0.0.1", "10.0.0.1")
    assert server.asked == []


def test_a_numeric_host_is_checked_like_any_other() -> None:
    for host in ("127.0.0.1", "[::1]", "2130706433", "0x7f000001", "127.1", "localhost"):
        with Fetcher(FetchingSettings(allowed=True)) as each, pytest.raises(FetchRefused):
            each.fetch(f"http://{host}:1/", max_bytes=1)


def test_a_name_that_changes_its_address_is_connected_to_the_one_that_was_checked(server: Server) -> None:
    server.answers["/a.png"] = says(b"picture")
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    settings = FetchingSettings(allowed=True, allowed_networks="127.0.0.0/8")
    with Fetcher(settings, resolve=rebinding) as each:
        found = each.fetch(server.url("/a.png"), max_bytes=MAX_BYTES)
        assert found is not None and found.data == b"picture"
        assert asked == ["pictures.test"], "the name is resolved once"
    with Fetcher(settings, resolve=rebinding) as each, pytest.raises(FetchRefused, match=r"at 10\.0\.0\.1"):
        each.fetch(server.url("/a.png"), max_bytes=MAX_BYTES)


def test_every_redirect_is_checked(server: Server) -> None:
    server.answers["/a.png"] = leads_to(f"http://inside.test:{server.port}/secret")
    server.answers["/secret"] = says(b"secret")
    settings = FetchingSettings(allowed=True, allowed_networks="127.0.0.1/32")
    names = {"pictures.test": ["127.0.0.1"], "inside.test": ["127.0.0.2"]}
    refused = pytest.raises(FetchRefused, match=r"inside\.test is at 127\.0\.0\.2")
    with Fetcher(settings, resolve=lambda host, port: names[host]) as each, refused:
        each.fetch(server.url("/a.png"), max_bytes=MAX_BYTES)
    assert [path for path, _ in server.asked] == ["/a.png"]


def test_a_redirect_leads_to_nothing_but_what_may_be_named(server: Server) -> None:
    server.answers |= {"/open/a": leads_to("/open/b"), "/open/b": says(b"x"), "/open/c": leads_to("/shut/d")}
    server.answers |= {"/open/e": leads_to("/open/%2e%2e/shut/d"), "/shut/d": says(b"secret")}
    allowed = AllowedSources([server.url("/open")])
    with fetcher() as each:
        bound = each.within(allowed.__contains__)
        assert bound.fetch(server.url("/open/a"), max_bytes=MAX_BYTES).data == b"x"
        for path in ("/open/c", "/open/e"):
            with pytest.raises(FetchRefused, match="where nothing may be imported from"):
                bound.fetch(server.url(path), max_bytes=MAX_BYTES)
            with pytest.raises(FetchRefused, match="where nothing may be imported from"):
                bound.announced(server.url(path))
        assert each.fetch(server.url("/open/c"), max_bytes=MAX_BYTES).data == b"secret"
    assert [path for path, _ in server.asked].count("/shut/d") == 1


def test_redirects_are_followed_and_end(server: Server) -> None:
    server.answers |= {"/a": leads_to("/b"), "/b": leads_to("c"), "/c": says(b"picture")}
    found = fetch(server.url("/a"))
    assert found is not None and found.data == b"picture"
    server.answers["/a"] = leads_to("/a")
    with pytest.raises(FetchRefused, match="leads on more than 5 times"):
        fetch(server.url("/a"))


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://pictures.test/a", "gopher://x/", "http://u:p@pictures.test/", "//["],
)
def test_a_redirect_leads_to_nothing_but_the_web(server: Server, location: str) -> None:
    server.answers["/a"] = leads_to(location)
    with pytest.raises(FetchRefused):
        fetch(server.url("/a"))


def test_https_does_not_lead_to_http() -> None:
    from gallery.web.urls import redirected

    with pytest.raises(FetchRefused, match="from https to http"):
        redirected(web_url("https://pictures.test/a"), "http://pictures.test/a")


def unending(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    request.close_connection = True
    try:
        while True:
            request.wfile.write(b"x" * 4096)
    except OSError:
        pass


def dripping(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    try:
        while True:
            request.wfile.write(b"H")
            request.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


def test_no_more_bytes_are_held_than_are_allowed(server: Server) -> None:
    server.answers["/announced"] = says(b"x" * (MAX_BYTES + 1))
    server.answers["/unending"] = unending
    for path in ("/announced", "/unending"):
        with pytest.raises(FetchRefused, match="larger than the 1,000 bytes"):
            fetch(server.url(path))


def test_a_length_that_lies_is_no_way_around_the_limit(server: Server) -> None:
    server.answers["/short"] = says(b"x" * 5000, Content_Length="10")
    found = fetch(server.url("/short"))
    assert found is not None and found.data == b"x" * 10, "what follows belongs to no answer"
    server.answers["/long"] = lambda request: (
        says(b"x", Content_Length="500")(request),
        setattr(request, "close_connection", True),
    )[0]
    with pytest.raises(FetchRefused, match="cannot be fetched"):
        fetch(server.url("/long"))


def test_a_body_that_is_compressed_unasked_is_bounded_as_it_grows(server: Server) -> None:
    server.answers["/small"] = says(gzip.compress(b"picture"), Content_Encoding="gzip")
    server.answers["/bomb"] = says(gzip.compress(bytes(500_000)), Content_Encoding="gzip")
    server.answers["/cut"] = says(gzip.compress(b"picture")[:-4], Content_Encoding="gzip")
    server.answers["/odd"] = says(b"picture", Content_Encoding="br")
    found = fetch(server.url("/small"))
    assert found is not None and found.data == b"picture"
    assert server.headers[0]["Accept-Encoding"] == "identity"
    server.answers["/more"] = says(gzip.compress(b"picture") + bytes(500_000), Content_Encoding="gzip")
    with fetcher() as each:
        more = each.fetch(server.url("/more"), max_bytes=MAX_BYTES * MAX_BYTES)
    assert more is not None and more.data == b"picture"  # what follows is not held
    for path, reason in (("/bomb", "larger than"), ("/cut", "too early"), ("/odd", "compressed by 'br'")):
        with pytest.raises(FetchRefused, match=reason):
            fetch(server.url(path))


def test_a_server_that_drips_or_sleeps_is_left_in_time(server: Server) -> None:
    server.answers["/drip"] = dripping
    left = threading.Event()
    server.answers["/sleep"] = lambda request: left.wait(60) and None
    for path in ("/drip", "/sleep"):
        started = time.monotonic()
        with pytest.raises(FetchRefused, match="in time"):
            fetch(server.url(path), seconds=0.3)
        assert time.monotonic() - started < 10, "and not for ever, or until the server wakes up"
    left.set()


def test_an_error_of_the_server_is_a_reason_without_the_query(server: Server) -> None:
    server.answers["/a"] = lambda request: request.send_error(404)
    with pytest.raises(FetchRefused, match="answers with status 404") as refused:
        fetch(server.url("/a?signature=SECRET"))
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["http://user:SECRET@pictures.test/a", "https://SECRET@pictures.test/", "ftp://u:SECRET@x/?k=SECRET"],
)
def test_no_password_is_taken_or_told(url: str) -> None:
    with pytest.raises(FetchRefused) as refused:
        web_url(url)
    assert "SECRET" not in str(refused.value) and "SECRET" not in shown(url)


def test_only_uris_of_the_web_are_of_the_web() -> None:
    assert is_web("https://pictures.test/a") and is_web("HTTP://pictures.test")
    assert not any(is_web(uri) for uri in ("/a", "s3://a", "http:a", "httpx://a", "file:///http://"))


def test_names_and_paths_in_any_script_are_sent_in_ascii() -> None:
    url = web_url("https://bücher.test/Öl bild.png?q=ä&s=a%20b")
    assert (url.host, url.target) == ("xn--bcher-kva.test", "/%C3%96l%20bild.png?q=%C3%A4&s=a%20b")
    for odd in (
        "http://a/\r\nX: y",
        "http:///a",
        "http://",
        "http://a:99999/",
        "http://[::1/",
        "http://a b/",
    ):
        with contextlib.suppress(FetchRefused):
            assert not {"\r", "\n", " "} & {*web_url(odd).target, *web_url(odd).host}


@pytest.fixture
def certified(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that speaks TLS as pictures.test, with a certificate that is trusted."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not on this machine, which makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=pictures.test"
    named = ["-addext", "subjectAltName=DNS:pictures.test", "-keyout", key, "-out", certificate]
    subprocess.run([openssl, *made.split(), *named], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        secured = context.wrap_socket(listening, server_side=True)
        threading.Thread(target=_answer_over_tls, args=(secured,), daemon=True).start()
        yield listening.getsockname()[1] if listening.fileno() >= 0 else secured.getsockname()[1]
        secured.close()


def _answer_over_tls(listening: ssl.SSLSocket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except ssl.SSLError:
            continue  # the other side did not like the certificate
        except OSError:
            return
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\npicture")


def test_a_certificate_is_verified_for_the_name_and_not_for_the_address(certified: int) -> None:
    found = fetch(f"https://pictures.test:{certified}/a")
    assert found is not None and found.data == b"picture"
    with pytest.raises(FetchRefused, match="certificate"):
        fetch(f"https://other.test:{certified}/a")


def test_a_server_is_asked_for_the_version_without_the_file(server: Server) -> None:
    server.answers["/b.png"] = says(b"picture", ETag='"v1"')
    server.answers["/a.png"] = leads_to("/b.png")
    with fetcher() as each:
        assert each.announced(server.url("/a.png")) == Announced('etag:"v1"', 7)
    assert [request for request, _ in server.asked] == ["/a.png", "/b.png"]


def test_a_name_that_is_not_resolved_in_time_is_refused_in_time(server: Server) -> None:
    told = threading.Event()

    def slow(host: str, port: int) -> Sequence[str]:
        told.wait(30)
        return ["127.0.0.1"]

    settings = FetchingSettings(allowed=True, total_seconds=0.2)
    started = time.monotonic()
    with Fetcher(settings, resolve=slow) as each, pytest.raises(FetchRefused, match="did not answer in time"):
        each.fetch(server.url("/a.png"), max_bytes=MAX_BYTES)
    told.set()
    assert time.monotonic() - started < 10
