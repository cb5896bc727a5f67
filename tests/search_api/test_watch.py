"""The watch: searches are compared with exact search beside the answers, and never in their way."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gallery.builds.probing import probe
from search_api.loaded import watch as watching
from search_api.loaded.watch import Watch
from search_api.queries.subjects import Upload
from tests.search_api.conftest import Workshop
from tests.toys import plain, png

SHADES = {f"{number}/{number}.png": plain(f"#{number:02x}80ff") for number in range(0, 240, 16)}
QUERY = Upload(png(plain("#0880ff")))


def test_every_search_of_a_share_of_one_is_compared_and_told_with_the_gallery(workshop: Workshop) -> None:
    workshop.publish(pictures=SHADES)
    client = workshop.client(watch_share=1)
    assert client.get("/v1/galleries/default").json()["watch"] is None
    assert client.post("/v1/search", files={"image": QUERY.data}).status_code == 200
    workshop.searchers[-1].watch.close()
    told = client.get("/v1/galleries/default").json()["watch"]
    assert (told["searches"], told["recall"], told["expected"], told["warnings"]) == (1, 1.0, None, [])


def test_without_a_share_nothing_is_compared(workshop: Workshop) -> None:
    workshop.publish(pictures=SHADES)
    searcher = workshop.searcher(watch_share=0)
    searcher.search(QUERY)
    searcher.watch.close()
    with searcher.builds.lend(None) as (build, _):
        assert searcher.watch.drift(build) is None


def test_a_search_never_waits_for_a_comparison(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop.publish(pictures=SHADES)
    searcher = workshop.searcher()
    begun, go_on = threading.Event(), threading.Event()

    def slow(*arguments: object) -> object:
        begun.set()
        assert go_on.wait(30)
        return probe(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(watching, "probe", slow)
    watch = Watch(searcher.builds, share=1, draw=lambda: 0.5)
    with searcher.builds.lend(None) as (build, _):
        embedding = np.float32([0, 0, 1])
        first = watch.saw(build, embedding)
        assert begun.wait(30)
        assert watch.saw(build, embedding) is None
        go_on.set()
        assert first is not None
        first.result(30)
        found = watch.drift(build)
        assert found is not None and found.recall.queries == 1
    watch.close()


def test_builds_that_are_no_longer_searched_are_forgotten(workshop: Workshop) -> None:
    workshop.publish(pictures=SHADES)
    searcher = workshop.searcher()
    watch = Watch(searcher.builds, share=1, draw=lambda: 0.5)
    seen = []
    for extra in ({}, {"extra/1.png": plain("#012345")}):
        workshop.publish(pictures={**SHADES, **extra})
        with searcher.builds.lend(None) as (build, _):
            made = watch.saw(build, np.float32([0, 0, 1]))
            assert made is not None
            made.result(30)
            seen.append((build.gallery, build.number))
    assert list(watch._probes) == seen[-1:] and seen[0] != seen[1]
    watch.close()
