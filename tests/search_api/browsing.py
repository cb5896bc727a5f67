"""A real browser, where there is one: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import base64
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.toys import png

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = Path(__file__).parents[2] / ".axe" / "axe.min.js"
"""Deque's accessibility checks, fetched by `make axe`."""
PATIENCE_MS = 30_000
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

SHOW_FILE = """([kind, name, type, text]) => {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type }));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, ...options })
    : new DragEvent(kind, { dataTransfer: data, ...options });
  document.body.dispatchEvent(event);
}"""


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium, or a skip that says what is missing."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright (extra dev) is not installed")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed on this system")
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found)
        yield made
        made.close()


def as_file(picture: Image.Image, name: str = "query.png") -> dict[str, Any]:
    """The picture as Playwright puts it into a file input."""
    return {"name": name, "mimeType": "image/png", "buffer": png(picture)}


def show_file(
    page: Any, kind: str, data: bytes, *, name: str = "query.png", media: str = "image/png"
) -> None:
    """A file comes over the page or is let go there ("dragover", "drop"), or is pasted ("paste")."""
    page.evaluate(SHOW_FILE, [kind, name, media, base64.b64encode(data).decode()])


def until(page: Any, holds: str) -> None:
    """Waits until the expression holds; Playwright's own way is what the page's policy forbids."""
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(holds):
        assert time.monotonic() < deadline, f"it never came to hold: {holds}"
        page.wait_for_timeout(30)
