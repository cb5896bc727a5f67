"""Why an image was not returned: for every stage that can lose one, the stage that did, and its numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from gallery.builds.image import GalleryImage
from gallery.filters.conditions import parse_where
from gallery.vector_index import Nearest, VectorIndex
from indexer.indexing import index
from search_api.errors import InvalidQuestion
from search_api.matches.ranking import Wish
from search_api.queries.subjects import Upload
from search_api.schemas.why_not import WhyNotResponse
from search_api.search import Searcher
from siamese.heads import Heads
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import BLUE_PAIRS, colour_labels, fitted_at, plain, png

RED = Upload(png(plain("red")), "red.png")
HALF = Upload(png(HALF_RED), "half.png")
HEADS = Heads(BLUE_PAIRS, colour_labels())


class Forgetful:
    """An approximate index that never finds one of the contents."""

    def __init__(self, index: VectorIndex, lost: int) -> None:
        self._index = index
        self._lost = lost

    def __len__(self) -> int:
        return len(self._index)

    def search(
        self, embedding: NDArray[np.float32], *, count: int, allowed: NDArray[np.int64] | None = None
    ) -> Nearest:
        found = self._index.search(embedding, count=count + 1, allowed=allowed)
        kept = found.content_ids != self._lost
        return Nearest(found.content_ids[kept][:count], found.distances[kept][:count])


def asked(searcher: Searcher, name: str, query: Upload = RED, **wish: object) -> WhyNotResponse:
    """Why not the image of this name, below the folder of the workshop."""
    uri = next(each.uri for each in _images(searcher) if each.uri.endswith(name))
    return searcher.why_not(query, uri, wish=Wish(**{"k": 2, **wish}))  # type: ignore[arg-type]


def _images(searcher: Searcher) -> list[GalleryImage]:
    with searcher.builds.lend(None) as (build, _):
        return list(build)


def test_an_image_that_was_returned_is_said_to_be_so_with_its_rank(workshop: Workshop) -> None:
    workshop.publish()
    answer = asked(workshop.searcher(), "red/red.png")
    assert (answer.outcome, answer.rescoring and answer.rescoring.rank) == ("returned", 2)
    assert answer.reason == "It was returned: it is match 2."


def test_an_image_that_others_are_nearer_than_is_told_its_exact_rank(workshop: Workshop) -> None:
    workshop.publish()
    answer = asked(workshop.searcher(), "half.png", candidates=2)
    assert answer.outcome == "too-far"
    assert answer.index is not None and answer.rescoring is not None
    assert (answer.index.exact_rank, answer.index.candidates, answer.index.proposed) == (3, 2, False)
    assert answer.rescoring.distance == pytest.approx(math.sqrt(2 - math.sqrt(2)), abs=1e-6)
    assert (answer.rescoring.rank, answer.rescoring.k, answer.rescoring.last_score) == (None, 2, 0.0)


def test_an_image_among_the_candidates_but_behind_the_matches_is_too_far(workshop: Workshop) -> None:
    workshop.publish()
    answer = asked(workshop.searcher(), "half.png")
    assert (answer.outcome, answer.rescoring and answer.rescoring.rank) == ("too-far", 3)


def test_an_image_that_the_index_lost_is_told_from_one_that_is_far(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    with searcher.builds.lend(None) as (build, _):
        nearest = build._index.search(np.float32([1, 0, 0]), count=1)
        build._index = Forgetful(build._index, int(nearest.content_ids[0]))
    answer = asked(searcher, "red/red.png")
    assert answer.outcome == "lost-by-index"
    assert answer.index is not None
    assert (answer.index.exact_rank, answer.index.proposed) == (2, False)
    assert "gallery compact" in answer.reason


def test_an_image_that_a_filter_keeps_out_is_told_which(workshop: Workshop) -> None:
    workshop.publish()
    answer = asked(workshop.searcher(), "blue.png", labels=["red"], where=parse_where(["label != green"]))
    assert answer.outcome == "filtered"
    assert answer.filters is not None
    assert (answer.filters.passed, answer.filters.failed) == (False, ["label in (red)"])
    assert answer.index is None and answer.rescoring is not None


def test_an_image_that_the_scorer_put_behind_others_was_pushed_down(workshop: Workshop) -> None:
    workshop.publish(heads=HEADS)
    searcher = workshop.searcher()
    uri = next(each.uri for each in _images(searcher) if each.uri.endswith("half.png"))
    answer = searcher.why_not(HALF, uri, wish=Wish(k=1), scorer="pair-head")
    assert answer.outcome == "pushed-down"
    assert answer.index is not None and answer.rescoring is not None
    assert (answer.index.exact_rank, answer.rescoring.rank) == (1, 2)


def test_an_image_beyond_the_threshold_is_left_out_where_only_what_is_the_same_is_asked_for(
    workshop: Workshop,
) -> None:
    workshop.publish(calibration=fitted_at(0.5))
    searcher = workshop.searcher()
    found = searcher.search(RED, k=3, same_only=True)
    assert [match.verdict for match in found.matches] == ["same", "same"]
    answer = asked(searcher, "half.png", k=3, same_only=True)
    assert (answer.outcome, answer.rescoring and answer.rescoring.verdict) == ("different", "different")


def test_only_what_is_the_same_needs_verdicts(workshop: Workshop) -> None:
    workshop.publish()
    with pytest.raises(InvalidQuestion, match="no verdicts"):
        workshop.searcher().search(RED, same_only=True)


def test_an_image_that_was_removed_is_told_the_first_build_without_it(workshop: Workshop) -> None:
    folder = workshop.publish()
    searcher = workshop.searcher()
    gone = next(each for each in _images(searcher) if each.uri.endswith("lime.png"))
    (folder / "green" / "lime.png").unlink()
    index(workshop.galleries, "default", [folder])
    for named in (gone.uri, gone.image_id):
        answer = searcher.why_not(RED, named)
        assert answer.outcome == "tombstoned"
        assert "build 2 is the first without it" in answer.reason
    assert answer.filters is None and answer.index is None and answer.rescoring is None


def test_a_file_that_could_not_be_read_is_told_the_reason(workshop: Workshop) -> None:
    folder = workshop.publish()
    (folder / "red" / "broken.png").write_bytes(png(plain("red"))[:40])
    index(workshop.galleries, "default", [folder])
    answer = workshop.searcher().why_not(RED, str(folder / "red" / "broken.png"))
    assert answer.outcome == "unreadable"
    assert answer.reason.startswith("The file could not be read when it was indexed: ")


def test_what_was_never_indexed_is_said_to_be_so(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    assert searcher.why_not(RED, "/nowhere/at/all.png").outcome == "not-indexed"
    assert searcher.why_not(RED, 10**9).outcome == "not-indexed"


def test_the_service_asks_for_one_expected_image_and_answers_like_the_searcher(workshop: Workshop) -> None:
    workshop.publish()
    client: TestClient = workshop.client()
    picture = {"image": ("red.png", RED.data, "image/png")}
    refused = client.post("/v1/why-not", files=picture)
    assert refused.status_code == 422
    assert "wanted_image_id or wanted_uri" in refused.json()["detail"]
    answer = client.post("/v1/why-not", files=picture, data={"wanted_image_id": 1, "k": 1, "label": "blue"})
    assert answer.status_code == 200
    assert answer.json()["outcome"] in {"filtered", "returned"}
