"""Readers switch from build to build without a failed question, while older builds are retired."""

from __future__ import annotations

import threading

from gallery.builds.history import history
from gallery.builds.readers import is_read
from gallery.builds.rollback import roll_back
from gallery.database import open_engine
from gallery.galleries import Galleries
from gallery.settings import GallerySettings
from search_api.queries.subjects import Upload
from search_api.schemas.search import SearchResponse
from search_api.upkeep import Upkeep
from tests.search_api.conftest import Workshop
from tests.toys import plain, png

SHADES = ("gold", "navy", "teal", "olive")


def test_no_question_fails_while_builds_are_published_gone_back_from_and_retired(workshop: Workshop) -> None:
    engine = open_engine(f"sqlite:///{workshop.root}/records.db")
    workshop.galleries = Galleries(workshop.root / "home", engine, settings=GallerySettings(kept_builds=2))
    workshop.publish()
    searcher = workshop.searcher()
    query = Upload(png(plain("red")))
    answers: list[SearchResponse] = []
    faults: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                answers.append(searcher.search(query, gallery="default", k=3))
            except BaseException as fault:  # noqa: BLE001 - told to the test below
                faults.append(fault)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for shade in SHADES:
            workshop.publish(pictures={f"{shade}/{shade}.png": plain(shade)})
        with workshop.galleries.tenure("default") as tenure:
            roll_back(tenure)
        with workshop.galleries.writer("default"):
            pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == []
    assert {answer.matches[0].distance for answer in answers} == {0.0}
    last = searcher.search(query, gallery="default", k=1).build
    assert last == len(SHADES) + 2
    assert len({answer.build for answer in answers}) > 1
    with workshop.galleries.writer("default"):
        pass
    assert [each.build for each in history(workshop.galleries.site("default")).builds] == [last, last - 1]
    engine.dispose()


def test_a_build_that_was_replaced_is_let_go_of_though_nobody_asks_again(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    searcher.search(Upload(png(plain("red"))), gallery="default", k=1)
    workshop.publish(pictures={"gold/gold.png": plain("gold")})
    first, second = map(workshop.galleries.site("default").folder.manifest, (1, 2))
    assert is_read(first) and not is_read(second)
    searcher.builds.renew()
    assert is_read(second) and not is_read(first)
    searcher.close()


def test_what_one_work_of_the_upkeep_raises_keeps_no_other_from_being_done() -> None:
    done: list[str] = []
    works = {
        "first": lambda: done.append("first"),
        "broken": lambda: 1 / 0,
        "last": lambda: done.append("last"),
    }
    Upkeep(works).round()
    assert done == ["first", "last"]
