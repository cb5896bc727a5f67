"""A service behind a real server, in a thread of this process or as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import uvicorn
from fastapi import FastAPI

PATIENCE_S = 60.0
ENDING_S = 60.0
FINISHING_S = 15
"""For searches that are under way when a service ends."""
ROOT = Path(__file__).parents[2]
OF_EACH_PROCESS = {"WHYALIKE_SERVE__DRAIN_SECONDS": "0", "WHYALIKE_DEVICE": "cpu"}


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of the app, until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=FINISHING_S)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@contextmanager
def served_alone(folder: Path, settings: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The address and the process of `whyalike serve` until the block ends; the folder gets its `log`."""
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **own, **OF_EACH_PROCESS, **settings}
    command = [sys.executable, "-m", "whyalike", "serve", "--port", "0"]
    with (folder / "log").open("w") as log:
        serving = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, cwd=folder)
        try:
            assert serving.stderr is not None
            first = next(line for line in serving.stderr if "http://" in line)
            url = re.findall(r"http://[^ ]+", first)[0].rstrip(".")
            with ThreadPoolExecutor(1) as reading:
                reading.submit(lambda: [log.write(line) for line in serving.stderr or ()])
                try:
                    yield url, serving.pid
                    assert serving.poll() is None, "it has died"
                finally:
                    serving.send_signal(signal.SIGINT)
                    serving.wait(ENDING_S)
        finally:
            serving.kill()


def until(holds, patience_s: float = PATIENCE_S) -> None:  # type: ignore[no-untyped-def]
    """Waits until it holds."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.005)


def gauge(url: str, name: str) -> float:
    """A number of the metrics; 0 where nothing was counted yet."""
    lines = httpx2.get(f"{url}/metrics", timeout=PATIENCE_S).text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name + " ")), 0.0)
