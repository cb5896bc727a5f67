"""`whyalike serve` in a process of its own, for benchmarks that ask it."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from siamese.onnx_runtime import Runtime

STARTS_S = 120.0


@contextmanager
def served(home: Path, runtime: Runtime, *, processes: int = 1) -> Iterator[int]:
    """The port of a service of so many processes over this home, once one of them is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--processes", str(processes), "--runtime", runtime]
    command = [sys.executable, "-m", "whyalike", "serve", *options]
    unlimited = {"WHYALIKE_SERVE__SEARCHES_PER_MINUTE": "0", "WHYALIKE_SERVE__REQUESTS_PER_MINUTE": "0"}
    environment = {**os.environ, "WHYALIKE_HOME": str(home), **unlimited}
    log = (home / "served.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Return once the service is ready."""
    ends = time.monotonic() + STARTS_S
    while time.monotonic() < ends:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STARTS_S)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("the service did not become ready")
