"""How a running service answers so many clients at once: searches a second, and how long each waits.

    whyalike serve &
    python benchmarks/service_load.py http://127.0.0.1:8000 PICTURES --clients 1 2 16 --seconds 10

Every picture of the folder is sent in turn, with a byte of its own behind it, so that it is content that no
gallery knows and must be embedded. The clients are threads of this process, which shares the machine with the
service.
"""

from __future__ import annotations

import argparse
import itertools
import os
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
import numpy as np


def main() -> None:
    """Print a line for each number of clients."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 2, 16])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--key", default=os.environ.get("WHYALIKE_KEY", ""))
    chosen = parser.parse_args()
    data = [path.read_bytes() for path in sorted(chosen.pictures.rglob("*")) if path.is_file()]
    headers = {"Authorization": f"Bearer {chosen.key}"} if chosen.key else {}
    load(chosen.url, headers, data, clients=1, seconds=2.0)
    for clients in chosen.clients:
        seconds, statuses = load(chosen.url, headers, data, clients=clients, seconds=chosen.seconds)
        p50, p99 = np.percentile(seconds, [50, 99]) * 1000
        answered = {str(status): count for status, count in sorted(statuses.items())}
        rate = statuses[200] / chosen.seconds
        print(f"{clients:3} clients  {rate:6.1f}/s  p50 {p50:6.0f} ms  p99 {p99:6.0f} ms  {answered}")
    for line in httpx2.get(f"{chosen.url}/metrics", headers=headers).text.splitlines():
        if line.startswith("whyalike_embedding_batch_size_") and "created" not in line:
            print(line)


def load(
    url: str, headers: dict[str, str], data: list[bytes], *, clients: int, seconds: float
) -> tuple[list[float], Counter[int]]:
    """How long each answer took in seconds, and how often each status was seen."""
    took: list[float] = []
    statuses: Counter[int] = Counter()
    number = itertools.count()
    ends = time.monotonic() + seconds

    def ask() -> None:
        with httpx2.Client(timeout=60, headers=headers) as client:
            while time.monotonic() < ends:
                own = next(number)
                picture = data[own % len(data)] + own.to_bytes(4, "big") + os.urandom(4)
                began = time.perf_counter()
                status = client.post(f"{url}/v1/search", files={"image": ("q.jpg", picture)}).status_code
                if status == 200:
                    took.append(time.perf_counter() - began)
                statuses[status] += 1

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took, statuses


if __name__ == "__main__":
    main()
