"""`whyalike serve`: the same search over HTTP."""

import socket
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from whyalike.options import Device, Runtime

if TYPE_CHECKING:
    from search_api.search import Searcher


def serve(
    host: Annotated[
        str | None,
        typer.Option("--host", help="Address to listen on; by default WHYALIKE_SERVE__HOST or 127.0.0.1."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=0, max=65535, help="By default WHYALIKE_SERVE__PORT or 8000; 0: any free one."
        ),
    ] = None,
    device: Device = None,
    runtime: Runtime = None,
) -> None:
    """Answer searches over HTTP, and on a page for people, until interrupted."""
    import sys

    from gallery.access.keys import Keys
    from search_api.app import create_app
    from search_api.edge.logs import write_logs
    from whyalike.allocation import share_arenas
    from whyalike.console import say
    from whyalike.home import open_records
    from whyalike.searching import open_searcher
    from whyalike.serving import Server, asks_for_keys
    from whyalike.settings import read_settings
    from whyalike.working import make_managing, started_workers

    share_arenas()
    settings = read_settings()
    searcher = open_searcher(settings, device=device, runtime=runtime)
    host = host or settings.serve.host
    listening = _listen(host, settings.serve.port if port is None else port)
    keys = open_records(settings) if asks_for_keys(settings.serve, listening) else None
    managing = make_managing(searcher.galleries, settings)
    app = create_app(searcher, hosts={host}, service=settings.serve, keys=keys, managing=managing)
    say(f"{_what(searcher)} at {_url(listening)} (Ctrl-C ends it).")
    if keys is not None and not Keys(keys).all():
        say("There is no key yet, so nobody gets in: `whyalike keys create NAME` makes one.")
    write_logs(settings.serve, sys.stderr)
    options = [*(("--device", device) if device else ()), *(("--runtime", runtime.value) if runtime else ())]
    with started_workers(settings.jobs.workers, *options):
        threading.Thread(target=_warm_up, args=(searcher,), daemon=True).start()
        Server(app, settings.serve).run(sockets=[listening])


def _warm_up(searcher: "Searcher") -> None:
    """Open what a first search would wait for, beside the server, which answers that it lives meanwhile."""
    from whyalike.allocation import settle

    searcher.reasons_not_ready()
    settle()


def _listen(host: str, port: int) -> socket.socket:
    """A socket that is bound already, so that the address told is the true one; raises UsageError."""
    from whyalike.errors import UsageError

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"{host}:{port} cannot be listened on ({error.strerror or error}); "
            "choose others with --host and --port"
        ) from error
    # Connections inherit it. Without, an answer's body waits until its head is acknowledged, 40 ms later;
    # asyncio sets it for sockets that it has made itself.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _url(listening: socket.socket) -> str:
    """The address as a browser takes it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _what(searcher: "Searcher") -> str:
    """What is served, or why there is nothing to serve yet."""
    published = [each.name for each in searcher.galleries.published()]
    if not published:
        return "No gallery is published yet (`whyalike index DATA` makes one); serving"
    return f"Serving {', '.join(published)}"
