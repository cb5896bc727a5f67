"""Memory of a process of many threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from whyalike.allocation import ARENAS

COUNTED = """
import ctypes, re, sys, threading
from whyalike.allocation import share_arenas
if sys.argv[1] == "shared":
    share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
all_here = threading.Barrier(16)
def work():
    all_here.wait()
    libc.malloc(5000)
    all_here.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
for each in threads: each.start()
for each in threads: each.join()
stream = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, stream)
libc.fclose(stream)
print(len(re.findall("<heap nr", open(sys.argv[2]).read())))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas to share")
def test_sixteen_threads_share_two_arenas(tmp_path: object) -> None:
    def arenas(how: str) -> int:
        environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
        command = [sys.executable, "-c", COUNTED, how, f"{tmp_path}/told"]
        return int(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)

    assert arenas("shared") <= ARENAS < arenas("as it is")


def test_what_lives_when_a_process_settles_is_looked_through_no_more() -> None:
    script = (
        "import gc, torch\nfrom whyalike.allocation import settle\nsettle()\nprint(len(gc.get_objects()))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 1000
