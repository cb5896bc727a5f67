"""Pictures of the page that people use, to be looked at: light and dark, on a desktop and on a phone.

    python benchmarks/page_pictures.py http://127.0.0.1:8000 QUERY.png OUT

asks a service that runs with the picture, opens what it finds, and writes a picture of every view and state
into OUT. Needs playwright (extra dev) and the system's Chromium.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 360, "height": 740}
SIZES = {"desktop": DESKTOP, "phone": PHONE}
PATIENCE_MS = 60_000
PLACE = (0.45, 0.4)
"""Of the query: the spot that is pointed at."""


def main() -> None:
    """Reads the arguments, and takes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("query", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--gallery", default="")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        for scheme in ("light", "dark"):
            for size in SIZES:
                with opened(browser, scheme, size) as page:
                    take(page, given.url, given.query, given.out / f"{scheme}-{size}", given.gallery)
        browser.close()


@contextmanager
def opened(browser: Browser, scheme: str, size: str) -> Iterator[Page]:
    """A page in these colours and of this size."""
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport=SIZES[size],  # type: ignore[arg-type]
        device_scale_factor=1 if size == "desktop" else 2,
        has_touch=size == "phone",
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


def take(page: Page, url: str, query: Path, stem: Path, gallery: str) -> None:
    """All views and states, in the order in which a person meets them."""

    second = sorted(each for each in query.parent.iterdir() if each.name != query.name)[0]

    def shot(name: str, *, full: bool = True) -> None:
        page.wait_for_timeout(300)
        page.screenshot(path=f"{stem}-{name}.png", full_page=full)

    within = f"&gallery={quote(gallery)}" if gallery else ""
    page.goto(f"{url}/?view=search{within}")
    page.wait_for_selector(".example img")
    shot("1-empty")
    page.set_input_files("#file", query)
    page.wait_for_selector(".card .numbers")
    page.wait_for_load_state("networkidle")
    shot("2-matches")
    page.click(".card .open")
    page.wait_for_selector(".heat:not([hidden])")
    shot("3-why", full=False)
    page.locator("#why .views label").nth(2).click()
    shot("4-lines", full=False)
    point(page)
    shot("5-spot", full=False)
    page.click("#why [aria-label=Close]")
    page.wait_for_timeout(300)
    page.goto(f"{url}/?view=atlas{within}")
    page.wait_for_selector("#clusters button")
    shot("6-map", full=False)
    page.click("#clusters li:nth-child(2) button")
    page.wait_for_load_state("networkidle")
    shot("7-cluster")
    page.goto(f"{url}/?view=places")
    page.wait_for_selector("#galleries-list .place")
    shot("8-galleries")
    page.goto(f"{url}/?view=compare{within}")
    page.set_input_files("#choose-a", query)
    page.set_input_files("#choose-b", second)
    page.wait_for_selector("#compare-pair .heat:not([hidden])")
    shot("9-compare")
    page.goto(f"{url}/?view=search&image=999999999{within}")
    page.wait_for_selector(".refused")
    shot("refused")


def point(page: Page) -> None:
    """At a spot of the query, which stays chosen."""
    frame = page.locator("#why .query .frame")
    box = frame.bounding_box()
    assert box is not None
    frame.click(position={"x": box["width"] * PLACE[0], "y": box["height"] * PLACE[1]})


if __name__ == "__main__":
    main()
