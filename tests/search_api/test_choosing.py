"""Which of the matches are shown: bars, groups, contents once, pages; several searches at once."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gallery.sources.kinds import source_of
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from search_api.errors import CursorGone, InvalidCursor, InvalidQuestion
from search_api.matches.choosing import Choice
from search_api.matches.cursors import Cursor
from search_api.queries.subjects import Upload
from search_api.schemas.search import SearchResponse
from search_api.search import Searcher
from siamese.heads import Heads
from tests.search_api.conftest import HALF_RED, Workshop
from tests.toys import BLUE_PAIRS, fitted_at, mean_colour_checkpoint, mosaic, plain, png, write_folder

RED = Upload(png(plain("red")), "red.png")
BLUE = Upload(png(plain("blue")), "blue.png")


def reddish(blue: int) -> Image.Image:
    """Nearly red: the more blue, the farther from it."""
    return plain(f"rgb(255, 0, {blue})")


MANY = {
    **{f"red/{blue:02}.png": reddish(blue) for blue in range(12)},
    **{f"pink/{blue:02}.png": reddish(100 + blue) for blue in range(3)},
    "blue/blue.png": plain("blue"),
    "green/lime.png": plain("lime"),
}


def named(answer: SearchResponse) -> list[str]:
    return ["/".join(Path(each.uri or "").parts[-2:]) for each in answer.matches]


def pages(searcher: Searcher, query: Upload, *, k: int, **choice: Any) -> list[SearchResponse]:
    """All pages of a search."""
    found = [searcher.search(query, k=k, choice=Choice(**choice))]
    while cursor := found[-1].next_cursor:
        found.append(searcher.search(query, k=k, choice=Choice(**choice, after=Cursor.parse(cursor))))
    return found


def test_matches_beyond_a_distance_or_below_a_probability_are_left_out(workshop: Workshop) -> None:
    """At 0.5 the probability is one half, and the nearest that is farther is the picture of both halves."""
    workshop.publish(calibration=fitted_at(0.5))
    searcher = workshop.searcher()
    near = searcher.search(RED, choice=Choice(max_distance=0.77))
    assert named(near) == ["red/copy.png", "red/red.png", "red/half.png"]
    assert near.total is None and near.next_cursor is None
    likely = searcher.search(RED, choice=Choice(min_probability=0.5))
    assert named(likely) == ["red/copy.png", "red/red.png"]
    assert all(each.probability is not None and each.probability >= 0.5 for each in likely.matches)


def test_a_probability_cannot_be_asked_for_where_nothing_is_calibrated(workshop: Workshop) -> None:
    workshop.publish()
    with pytest.raises(InvalidQuestion, match="a toy was fitted on no pairs"):
        workshop.searcher().search(RED, choice=Choice(min_probability=0.5))
    response = workshop.client().post(
        "/v1/search", files={"image": ("red.png", RED.data)}, data={"min_probability": 0.5}
    )
    assert response.status_code == 422 and "whyalike calibrate" in response.json()["detail"]


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"min_probability": 1.5}, "between 0 and 1"),
        ({"max_distance": -1.0}, "between 0 and 2"),
        ({"group_size": 2}, "Nothing is grouped"),
        ({"group_by": "label", "group_size": 21}, "1 to 20"),
        ({"group_by": "label", "fold": True}, "Group or fold"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(wrong: dict[str, Any], refusal: str) -> None:
    with pytest.raises(InvalidQuestion, match=refusal):
        Choice(**wrong)


def test_the_best_of_each_label_is_shown_however_many_images_the_nearest_has(workshop: Workshop) -> None:
    workshop.publish(pictures=MANY)
    answer = workshop.searcher().search(RED, k=3, choice=Choice(group_by="label", group_size=3))
    assert named(answer) == ["red/00.png", "pink/00.png", "blue/blue.png"]
    assert [each.group.name for each in answer.matches if each.group] == ["red", "pink", "blue"]
    assert [each.group.images for each in answer.matches if each.group] == [12, 3, 1]
    assert [each.rank for each in answer.matches] == [1, 2, 3]
    red, pink, blue = (each.group for each in answer.matches if each.group)
    assert [Path(each.uri).name for each in red.members] == ["01.png", "02.png"]
    assert [Path(each.uri).name for each in pink.members] == ["01.png", "02.png"]
    assert blue.members == []
    assert answer.total == 4 and answer.next_cursor is not None


def test_groups_are_made_among_what_the_filters_let_through(workshop: Workshop) -> None:
    workshop.publish(pictures=MANY)
    choice = Choice(group_by="label", group_size=2)
    answer = workshop.searcher().search(RED, k=2, labels=["pink", "green"], choice=choice)
    assert named(answer) == ["pink/00.png", "green/lime.png"]
    assert answer.total == 2 and answer.next_cursor is None


def test_an_attribute_groups_and_images_without_it_are_in_no_group(workshop: Workshop) -> None:
    folder = write_folder(workshop.root / "pictures/shop", MANY)
    table = folder / "table.csv"
    rows = [f"{name},{name.partition('/')[0]},{'' if 'lime' in name else name[-5]}" for name in MANY]
    table.write_text("\n".join(["path,label,last", *rows]))
    checkpoint = mean_colour_checkpoint(workshop.root / "checkpoint")
    choice = EncoderChoice(checkpoint=checkpoint, device="cpu")
    index(workshop.galleries, "shop", [source_of(str(table))], choice)
    answer = workshop.searcher().search(RED, k=20, choice=Choice(group_by="last"))
    told = [(each.group.name, each.group.images) for each in answer.matches if each.group]
    assert told == [("0", 3), ("1", 3), *((str(n), 2 if n == 2 else 1) for n in range(2, 10)), ("e", 1)]
    assert answer.total == 11


def test_a_content_is_told_once_with_its_places(workshop: Workshop) -> None:
    copies = {f"red/copy{n}.png": plain("red") for n in range(30)}
    workshop.publish(pictures={**copies, "blue/blue.png": plain("blue"), "red/half.png": HALF_RED})
    searcher = workshop.searcher()
    answer = searcher.search(RED, k=3, choice=Choice(fold=True))
    assert named(answer) == ["red/copy0.png", "red/half.png", "blue/blue.png"]
    first, half, _ = answer.matches
    assert first.copies == 30 and first.places is not None and len(first.places) == 20
    assert Path(first.places[0].uri).name == "copy1.png"
    assert half.copies == 1 and half.places is None
    assert answer.total == 3 and answer.next_cursor is None
    assert searcher.search(RED, k=3).total == 32


@pytest.mark.parametrize("choice", [{}, {"fold": True}, {"group_by": "label"}, {"max_distance": 0.6}])
def test_pages_hold_every_match_once_in_the_order_of_one_answer(
    workshop: Workshop, choice: dict[str, Any]
) -> None:
    workshop.publish(pictures={**MANY, "red/again.png": reddish(3)})
    searcher = workshop.searcher()
    whole = searcher.search(RED, k=100, choice=Choice(**choice))
    for k in (1, 2, 5):
        found = pages(searcher, RED, k=k, **choice)
        assert [each.image_id for page in found for each in page.matches] == [
            each.image_id for each in whole.matches
        ]
        ranks = [each.rank for page in found for each in page.matches]
        assert ranks == list(range(1, len(ranks) + 1))
        assert {page.total for page in found} == {whole.total}


def test_pages_by_the_pair_head_never_leave_its_candidates(workshop: Workshop) -> None:
    workshop.publish(pictures=MANY, heads=Heads(BLUE_PAIRS))
    searcher = workshop.searcher(candidates=8)
    first = searcher.search(RED, k=3, scorer="pair-head")
    assert first.next_cursor is not None
    seen = [each.image_id for each in first.matches]
    cursor: str | None = first.next_cursor
    while cursor:
        page = searcher.search(RED, k=3, scorer="pair-head", choice=Choice(after=Cursor.parse(cursor)))
        seen += [each.image_id for each in page.matches]
        cursor = page.next_cursor if page.matches else None
    assert len(seen) == len(set(seen)) == 8


def test_a_page_is_that_of_the_build_that_the_first_one_was_of(workshop: Workshop) -> None:
    workshop.publish(pictures=MANY)
    searcher = workshop.searcher()
    whole = [each.image_id for each in searcher.search(RED, k=100).matches]
    first = searcher.search(RED, k=5)
    workshop.publish(pictures={**MANY, "red/newer.png": reddish(2)})
    assert searcher.search(RED, k=5).build == 2
    second = searcher.search(RED, k=5, choice=Choice(after=Cursor.parse(first.next_cursor or "")))
    assert second.build == 1
    assert [each.image_id for each in (*first.matches, *second.matches)] == whole[:10]
    for shade in range(3):  # three builds are kept
        workshop.publish(pictures={f"newest/{shade}.png": reddish(200 + shade)})
    with pytest.raises(CursorGone, match="build 1"):
        searcher.search(RED, k=5, choice=Choice(after=Cursor.parse(first.next_cursor or "")))
    gone = workshop.client().post(
        "/v1/search", files={"image": ("red.png", RED.data)}, data={"cursor": first.next_cursor, "k": 5}
    )
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:whyalike:problem:cursor-gone")


def test_a_cursor_of_another_question_is_refused(workshop: Workshop) -> None:
    workshop.publish(pictures=MANY)
    searcher = workshop.searcher()
    after = Cursor.parse(searcher.search(RED, k=2).next_cursor or "")
    for query, options in (
        (BLUE, {}),
        (RED, {"labels": ["red"]}),
        (RED, {"same_only": True}),
        (RED, {"candidates": 7}),
    ):
        with pytest.raises((InvalidCursor, InvalidQuestion), match=r"another question|no verdicts"):
            searcher.search(query, k=2, choice=Choice(after=after), **options)
    with pytest.raises(InvalidCursor, match="names 'other'"):
        searcher.search(RED, k=2, gallery="other", choice=Choice(after=after))
    assert searcher.search(RED, k=9, choice=Choice(after=after)).matches[0].rank == 3


@given(st.text(max_size=60))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        Cursor.parse(text)


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_cursor_that_was_changed_is_refused(place: int, byte: int) -> None:
    cursor = Cursor("default", 7, "0" * 32, 10, (0.25, 17.0), ("a" * 12,))
    text = str(cursor)
    assert Cursor.parse(text) == cursor
    changed = text[: place % len(text)] + chr(byte) + text[place % len(text) + 1 :]
    if changed != text:
        with suppress(InvalidCursor):
            assert Cursor.parse(changed) == cursor  # the last letter of base64 has bits that say nothing


@pytest.mark.parametrize(
    "forged",
    [
        ["default", 2**70, "0", 1, [0.5, 1.0], ""],
        ["default", 1, "0", -1, [0.5, 1.0], ""],
        ["default", 1, "0", 1, ["near", 1.0], ""],
        ["default", 1, "0", 1, 5, ""],
        [None, 1, "0", 1, [0.5], ""],
        {"default": 1},
        [1],
    ],
)
def test_a_cursor_that_was_made_up_with_a_right_checksum_is_refused(forged: object) -> None:
    data = json.dumps(forged).encode()
    check = hashlib.sha256(b"whyalike cursor" + data).digest()[:8]
    with pytest.raises(InvalidCursor):
        Cursor.parse(base64.urlsafe_b64encode(check + data).decode())


def test_a_cursor_nested_without_end_is_refused() -> None:
    data = b"[" * 10_000
    check = hashlib.sha256(b"whyalike cursor" + data).digest()[:8]
    with pytest.raises(InvalidCursor):
        Cursor.parse(base64.urlsafe_b64encode(check + data).decode())


def test_nobody_pages_through_all_of_a_gallery(workshop: Workshop) -> None:
    workshop.publish()
    after = Cursor("default", 1, "0" * 32, 999, (0.0, 1.0))
    with pytest.raises(InvalidQuestion, match="at most 1000 matches"):
        workshop.searcher().search(RED, choice=Choice(after=after))


def test_an_answer_says_whether_its_search_was_exhaustive(workshop: Workshop) -> None:
    workshop.publish()
    answer = workshop.searcher().search(RED)
    assert answer.exhaustive and answer.index == "flat" and answer.total == 5


def test_a_batch_answers_each_search_as_alone_and_tells_each_fault_in_its_place(workshop: Workshop) -> None:
    workshop.publish(calibration=fitted_at(1.0))
    client = workshop.client(max_batch=5)
    files = [("image", ("red.png", RED.data)), ("image", ("words.png", b"words"))]
    mixed = png(mosaic([["red", "lime"]], cell=20))
    files.append(("image", ("mixed.png", mixed)))
    searches = [
        {"upload": 2, "k": 2},
        {"upload": 1},
        {"image_id": 4711},
        {"upload": 0, "crop": "0,0,0,1"},
        {"queries": [{"upload": 0}, {"upload": 2, "weight": 0.5}], "label": ["red"], "group_by": "label"},
    ]
    response = client.post("/v1/search/batch", files=files, data={"searches": json.dumps(searches)})
    assert response.status_code == 200
    answers = response.json()["answers"]
    assert ["problem" in each for each in answers] == [False, True, True, True, False]
    assert [each["problem"]["status"] for each in answers[1:4]] == [422, 404, 422]
    alone = client.post("/v1/search", files={"image": ("mixed.png", mixed)}, data={"k": 2}).json()
    assert answers[0]["search"]["matches"] == alone["matches"]
    assert answers[4]["search"]["matches"][0]["group"]["name"] == "red"


@pytest.mark.parametrize(
    ("searches", "refusal"),
    [
        ("[]", "between 1 and 5"),
        (json.dumps([{"image_id": 1}] * 6), "between 1 and 5"),
        ('[{"image_id": 1, "mood": 1}]', "searches.0.mood"),
        ("{}", "searches"),
    ],
)
def test_a_batch_that_is_none_is_refused(workshop: Workshop, searches: str, refusal: str) -> None:
    workshop.publish()
    response = workshop.client(max_batch=5).post("/v1/search/batch", data={"searches": searches})
    assert response.status_code == 422 and refusal in response.json()["detail"]


def test_over_http_groups_contents_and_pages_are_asked_for_in_the_form(workshop: Workshop) -> None:
    workshop.publish(pictures=MANY)
    client = workshop.client()

    def ask(**data: object) -> dict[str, Any]:
        response = client.post("/v1/search", files={"image": ("red.png", RED.data)}, data=data)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    first = ask(group_by="label", group_size=2, k=2)
    second = ask(group_by="label", group_size=2, k=2, cursor=first["next_cursor"])
    groups = [each["group"]["name"] for each in (*first["matches"], *second["matches"])]
    assert groups == ["red", "pink", "blue", "green"]
    assert "next_cursor" not in second
    assert ask(fold=True, max_distance=0.1)["matches"][0]["copies"] == 1
