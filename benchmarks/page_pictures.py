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
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, Route, sync_playwright

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
                    stem = given.out / f"{scheme}-{size}"
                    take(Session(page, given.url, given.query, stem, given.gallery))
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


@dataclass(frozen=True, slots=True)
class Session:
    """One page of one kind, the pictures that it is asked with, and where pictures of it are written."""

    page: Page
    url: str
    query: Path
    stem: Path
    gallery: str

    @property
    def second(self) -> Path:
        """Another picture beside the query."""
        return sorted(each for each in self.query.parent.iterdir() if each.name != self.query.name)[0]

    def go(self, view: str, then: str) -> None:
        """To a view of the gallery, until something is there."""
        within = f"&gallery={quote(self.gallery)}" if self.gallery else ""
        self.page.goto(f"{self.url}/?view={view}{within}")
        self.page.wait_for_selector(then)
        self.page.wait_for_load_state("networkidle")

    def shot(self, name: str, *, full: bool = True) -> None:
        """A picture of what is there now."""
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=f"{self.stem}-{name}.png", full_page=full)

    def open_first(self) -> None:
        """The first match, once its evidence is painted."""
        self.page.click(".card .open")
        self.page.wait_for_selector("#why-pair:not(.waiting)")

    def close(self) -> None:
        """The match that is open."""
        self.page.click("#why [aria-label=Close]")
        self.page.wait_for_timeout(300)


def take(session: Session) -> None:
    """All views and states, in the order in which a person meets them."""
    take_search(session)
    take_several(session)
    take_map(session)
    take_galleries(session)
    take_comparison(session)
    take_states(session)


def take_search(session: Session) -> None:
    """Nothing asked yet, matches, and one of them."""
    page = session.page
    session.go("search", ".example img")
    session.shot("1-empty")
    page.set_input_files("#file", session.query)
    page.wait_for_selector(".card .numbers")
    page.wait_for_load_state("networkidle")
    session.shot("2-matches")
    session.open_first()
    session.shot("3-why", full=False)
    page.locator("#why .views label").nth(2).click()
    session.shot("4-lines", full=False)
    point(page)
    session.shot("5-spot", full=False)
    session.close()


def take_several(session: Session) -> None:
    """The same with two pictures more, as a link to share, and one of its matches."""
    page = session.page
    page.click(".card:nth-child(2) [title='More like this']")
    page.wait_for_selector("#others li")
    page.set_input_files("#add-one", session.second)
    page.wait_for_selector("#others li:nth-child(2)")
    page.select_option("#others li:nth-child(2) select", "-1")
    page.wait_for_load_state("networkidle")
    page.click("#share summary")
    page.click("#keep")
    page.wait_for_selector("#forget")
    session.shot("2b-several")
    page.click("#forget")
    session.open_first()
    session.shot("5b-several", full=False)
    session.close()


def take_map(session: Session) -> None:
    """All of it, and a cluster."""
    session.go("atlas", "#clusters button")
    session.shot("6-map", full=False)
    session.page.click("#clusters li:nth-child(2) button")
    session.page.wait_for_load_state("networkidle")
    session.shot("7-cluster")


def take_galleries(session: Session) -> None:
    """Their list, and images that are about to be removed; none is."""
    page = session.page
    session.go("places", "#galleries-list .place")
    session.shot("8-galleries")
    page.click("#galleries-list .place:last-child [aria-label^='Its images']")
    page.wait_for_selector("#images-list li")
    page.wait_for_load_state("networkidle")
    page.click("#images-list li:nth-child(2) label")
    page.click("#remove")
    session.shot("8b-images", full=False)


def take_comparison(session: Session) -> None:
    """Of the query and the picture beside it."""
    page = session.page
    session.go("compare", "#choose-a")
    page.set_input_files("#choose-a", session.query)
    page.set_input_files("#choose-b", session.second)
    page.wait_for_selector("#compare-pair .heat:not([hidden])")
    session.shot("9-compare")


def take_states(session: Session) -> None:
    """What stands where matches would: a refusal, nothing found, and waiting."""
    page = session.page
    session.go("search&image=999999999", ".refused")
    session.shot("refused")
    session.go("search&max_distance=0.05&min_probability=0.99", ".example img")
    page.route("**/v1/search", emptied)
    page.click(".example")
    page.wait_for_selector("#state .state:has-text('Nothing was found')")
    session.shot("nothing")
    page.unroute("**/v1/search")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/search", hold)
    page.set_input_files("#file", session.second)
    session.shot("waiting", full=False)
    for each in held:
        each.abort()


def emptied(route: Route) -> None:
    """What the service answers, but that it found nothing; an upload does not pass through here."""
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "matches": []})


def point(page: Page) -> None:
    """At a spot of the query, which stays chosen."""
    frame = page.locator("#why .query .frame")
    box = frame.bounding_box()
    assert box is not None
    frame.click(position={"x": box["width"] * PLACE[0], "y": box["height"] * PLACE[1]})


if __name__ == "__main__":
    main()
