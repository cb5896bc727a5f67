"""`whyalike serve`: the same search over HTTP."""

import socket
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from whyalike.options import Device, Runtime

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from gallery.galleries import Galleries
    from search_api.search import Searcher
    from whyalike.options import RuntimeChoice
    from whyalike.settings import Settings


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
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            min=1,
            help="Processes that answer on the port; by default WHYALIKE_SERVE__PROCESSES or 1.",
        ),
    ] = None,
    device: Device = None,
    runtime: Runtime = None,
) -> None:
    """Answer searches over HTTP, and on a page for people, until interrupted."""
    import os
    import sys

    from search_api.edge.logs import write_logs
    from whyalike.child_processes import started_workers
    from whyalike.errors import UsageError
    from whyalike.home import open_galleries
    from whyalike.settings import read_settings
    from whyalike.siblings import Inheritance, Siblings

    settings = read_settings()
    host = host or settings.serve.host
    options = [*(("--device", device) if device else ()), *(("--runtime", runtime.value) if runtime else ())]
    inherited = Inheritance.of(os.environ)
    if inherited is not None:
        searcher = _searcher(settings, device, runtime, counted=inherited.counted)
        inherited.end_with_parent()
        keys = _keys(settings, inherited.listening)
        _run(searcher, settings, host, inherited.listening, keys, shares_port=True)
        return
    count = processes or settings.serve.processes
    if count > 1 and os.name != "posix":
        raise UsageError("processes can share a port on Linux and macOS only: leave out --processes here")
    port = settings.serve.port if port is None else port
    if count == 1:
        searcher = _searcher(settings, device, runtime)  # what cannot be computed is told before all else
        with _listen(host, port) as listening:
            keys = _keys(settings, listening)
            _welcome(searcher.galleries, listening, keys)
            with started_workers(settings.jobs.workers, *options):
                _run(searcher, settings, host, listening, keys)
        return
    listening = _listen(host, port)
    _welcome(open_galleries(settings), listening, _keys(settings, listening))
    write_logs(settings.serve, sys.stderr)
    command = [sys.executable, "-m", "whyalike", "serve", "--host", host, *options]
    with started_workers(settings.jobs.workers, *options):
        raise typer.Exit(Siblings(count, listening, command, settings.serve).run())


def _searcher(
    settings: "Settings",
    device: str | None,
    runtime: "RuntimeChoice | None",
    *,
    counted: "Path | None" = None,
) -> "Searcher":
    """The searcher of this process, which counts in a folder that others count in, too, if there are any."""
    from search_api.metrics import Metrics
    from whyalike.allocation import share_arenas
    from whyalike.searching import open_searcher

    share_arenas()
    return open_searcher(settings, device=device, runtime=runtime, metrics=Metrics(counted))


def _run(
    searcher: "Searcher",
    settings: "Settings",
    host: str,
    listening: socket.socket,
    keys: "Engine | None",
    *,
    shares_port: bool = False,
) -> None:
    """Answer until this process is told to end."""
    import sys

    from search_api.app import create_app
    from search_api.edge.logs import write_logs
    from whyalike.serving import Server
    from whyalike.working import make_managing

    managing = make_managing(searcher.galleries, settings)
    app = create_app(searcher, hosts={host}, service=settings.serve, keys=keys, managing=managing)
    write_logs(settings.serve, sys.stderr)
    threading.Thread(target=_warm_up, args=(searcher,), daemon=True).start()
    Server(app, settings.serve, shares_port=shares_port).run(sockets=[listening])


def _keys(settings: "Settings", listening: socket.socket) -> "Engine | None":
    """The records of keys, where one must be shown; raises UsageError where keys are off and must not be."""
    from whyalike.home import open_records
    from whyalike.serving import asks_for_keys

    return open_records(settings) if asks_for_keys(settings.serve, listening) else None


def _welcome(galleries: "Galleries", listening: socket.socket, keys: "Engine | None") -> None:
    """Say where what is served, and whether nobody gets in yet."""
    from gallery.access.keys import Keys
    from whyalike.console import say

    say(f"{_what(galleries)} at {_url(listening)} (Ctrl-C ends it).")
    if keys is not None and not Keys(keys).all():
        say("There is no key yet, so nobody gets in: `whyalike keys create NAME` makes one.")


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


def _what(galleries: "Galleries") -> str:
    """What is served, or why there is nothing to serve yet."""
    published = [each.name for each in galleries.published()]
    if not published:
        return "No gallery is published yet (`whyalike index DATA` makes one); serving"
    return f"Serving {', '.join(published)}"
