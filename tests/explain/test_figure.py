from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from explain import colours
from explain.captions import balance_numbers, captions, explained_numbers
from explain.errors import NothingToDraw
from explain.evidence import explain
from explain.figure import FACTUAL_AT, HEADER, MATCH_AT, ROW, TILE, pair_figure, search_figure
from explain.panels import Shown, ShownMatch, tile
from explain.scores import AUTOGRAD, COSINE, DISTANCE, ClassScore, PairHeadLogit, Score
from explain.standings import Standing
from explain.typography import broken
from siamese.preprocessing import Preprocessing

LOGIT = PairHeadLogit(-np.ones(8, np.float32), np.ones(8, np.float32), 0.5)
ROSE = ClassScore("rose", np.linspace(-1, 1, 8, dtype=np.float32), 0.1)


def shown(
    colour: str = "gray", *, size: tuple[int, int] = (40, 30), name: str = "a.png", label: str | None = "a"
) -> Shown:
    return Shown(Image.new("RGB", size, colour), Preprocessing().placement(*size), name, label)


def match(rank: int, picture: Shown, *, of: Score = COSINE, verdict: str | None = "same") -> ShownMatch:
    rng = np.random.default_rng(rank)
    query, matched = rng.normal(0.3, 1, (2, 4, 4, 8)).astype(np.float32)
    evidence = explain(query, matched, of=of, threshold=0.9, verdict=verdict)
    return ShownMatch(picture, rank, 0.5, 0.5, None if verdict is None else 0.9, verdict, evidence)


def test_beside_a_gallery_the_words_are_of_what_is_usual() -> None:
    query, matched = np.random.default_rng(1).normal(0.3, 1, (2, 4, 4, 8)).astype(np.float32)
    one = replace(match(1, shown(), verdict=None), evidence=explain(query, matched, usual=0.2))
    said = captions(one)
    assert said.headings == ("More alike than usual", "Less alike than usual")
    assert said.note.endswith("half-way from random pairs of the gallery to nearest ones.")
    assert dict(explained_numbers(one))["its baseline"] == "0.200"
    (adds, orange), (takes, blue) = balance_numbers(one)
    assert (adds, takes) == ("orange adds", "blue takes")
    margin = one.evidence.explained.value - one.evidence.explained.baseline
    assert float(orange) - float(blue) == pytest.approx(margin, abs=0.002)
    drawn = [pair_figure(shown(), replace(one, standing=each), heading="") for each in (None, Standing(0.99))]
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize("count", [1, 10, 20])
def test_a_figure_has_a_row_for_every_match(count: int) -> None:
    figure = search_figure(shown(), [match(i + 1, shown()) for i in range(count)], heading="gallery")
    assert figure.mode == "RGB"
    assert figure.height == pytest.approx(HEADER + ROW * count, abs=40)
    pixels = np.asarray(figure)
    for row in range(count):
        assert (pixels[HEADER + ROW * row + TILE // 2, MATCH_AT + TILE // 2] == 128).all()


@pytest.mark.parametrize("of", [COSINE, DISTANCE, LOGIT, ROSE])
@pytest.mark.parametrize("verdict", ["same", "different", None])
def test_every_verdict_and_score_can_be_drawn(of: Score, verdict: str | None) -> None:
    one = match(1, shown(label=None), of=of, verdict=verdict)
    for figure in (
        search_figure(shown(label=None), [one], heading=""),
        pair_figure(shown(), one, heading="Zwei Blüten 花"),
    ):
        assert len(figure.getcolors(1 << 20) or []) > 100


@pytest.mark.parametrize(
    ("of", "heading", "in_note", "names"),
    [
        (COSINE, "For the verdict", "the cosine lies from its baseline", ["cosine", "its baseline"]),
        (DISTANCE, "For the verdict", "does not add up", []),
        (LOGIT, "For the verdict", "the pair head's logit lies from 0", ["pair head's logit"]),
        (ROSE, "Shows rose", "its own score for rose", ["query's class score", "match's class score"]),
    ],
)
def test_the_words_follow_what_is_explained(of: Score, heading: str, in_note: str, names: list[str]) -> None:
    one = match(1, shown(), of=of)
    said = captions(one)
    assert said.headings[0] == heading and in_note in said.note
    assert ("cosine" in said.note) == (of is COSINE)
    assert [name for name, _ in explained_numbers(one)] == names
    assert any("verdict" in words for words in (*said.headings, *said.legend)) == (of is not ROSE)


@pytest.mark.parametrize("of", [COSINE, DISTANCE])
def test_of_a_foreign_network_no_heat_is_said_to_add_up(of: Score) -> None:
    one = match(1, shown(), of=of, verdict=None)
    foreign = replace(one.evidence, explained=replace(one.evidence.explained, method=AUTOGRAD))
    said = captions(replace(one, evidence=foreign))
    assert (
        f"autograd, of a foreign network: it says where, and its heat does not add up to the {of.of}"
        in said.note
    )
    assert explained_numbers(replace(one, evidence=foreign)) == []


def test_both_images_own_numbers_are_told_of_a_label() -> None:
    one = match(1, shown(), of=ROSE)
    explained = one.evidence.explained
    numbers = [float(number) for _, number in explained_numbers(one)]
    assert numbers == pytest.approx([explained.query_value, explained.value], abs=1e-3)


@pytest.mark.parametrize(
    ("verdict", "own", "why"), [(None, True, "No verdict"), ("different", False, "another scorer's")]
)
@pytest.mark.parametrize("of", [COSINE, DISTANCE, LOGIT])
def test_evidence_of_no_verdict_is_said_to_be_read_as_same(
    of: Score, verdict: str | None, own: bool, why: str
) -> None:
    said = captions(replace(match(1, shown(), of=of, verdict=verdict), explains_verdict=own))
    assert said.headings == ("For same", "Against same") and why in said.note


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (2000, 3), (3, 2000), (300, 300)])
def test_pictures_of_any_shape_fit_their_tile(size: tuple[int, int]) -> None:
    square = tile(shown("red", size=size), TILE)
    assert square.size == (TILE, TILE)
    assert square.getpixel(((TILE - 1) // 2, (TILE - 1) // 2)) == (255, 0, 0)


def test_a_tiny_picture_is_enlarged_by_whole_crisp_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    picture = Shown(Image.fromarray(pixels), Preprocessing().placement(8, 8), "digit.png")
    drawn = {tuple(colour) for colour in np.asarray(tile(picture, 160)).reshape(-1, 3)}
    assert drawn == {tuple(colour) for colour in pixels.reshape(-1, 3)}


def test_heat_is_drawn_on_a_muted_picture_and_no_heat_on_the_picture_itself() -> None:
    grid = np.zeros((2, 2), np.float32)
    assert tile(shown("red"), TILE).getpixel((90, 90)) == (255, 0, 0)
    assert tile(shown("red"), TILE, scale=1.0, factual=grid).getpixel((90, 90)) != (255, 0, 0)


def test_names_too_long_or_in_other_scripts_do_not_run_into_the_next_column() -> None:
    names = ("x" * 300, "ж" * 300, "new\nline")
    for name in names:
        figure = search_figure(shown(name=name), [match(1, shown(name=name, label=name))], heading=name * 3)
        caption = np.asarray(figure)[HEADER + TILE + 1 : HEADER + TILE + 22, MATCH_AT + TILE : FACTUAL_AT]
        assert (caption == colours.PAPER).all()


def test_a_figure_without_a_match_is_refused() -> None:
    with pytest.raises(NothingToDraw):
        search_figure(shown(), [], heading="")


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(NothingToDraw, match=r"empty\.png"):
        Shown(Image.new("RGB", (0, 5)), Preprocessing().placement(1, 1), "empty.png")


def test_the_reason_is_written_in_every_figure() -> None:
    one = match(1, shown())
    why = replace(one, reason="What makes them alike lies mostly at the centre left of the query.")
    for figure in (
        lambda each: search_figure(shown(), [each], heading=""),
        lambda each: pair_figure(shown(), each, heading=""),
    ):
        assert (np.asarray(figure(why)) != np.asarray(figure(one))).any()


def test_a_long_reason_is_broken_between_words_and_none_of_it_is_lost() -> None:
    words = "seven words that fill more than one line"
    lines = broken(words, 14, 120, 3)
    assert " ".join(lines) == words and 1 < len(lines) <= 3
    assert broken(words, 14, 120, 1) == [words]
