from __future__ import annotations

from html.parser import HTMLParser

import pytest
from PIL import Image

from explain.evaluation_page import (
    EvaluationPage,
    PairCard,
    PairCards,
    Picture,
    Plot,
    Section,
    Stat,
    Stats,
    Table,
    evaluation_page,
)

HOSTILE = '<script>alert("x")</script> & "co"'
VOID = {"meta", "img", "link", "br", "hr", "input"}


class Read(HTMLParser):
    """Reads a page and proves that its elements are closed in order, and that each id is there once."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.images_without_words = 0
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.references += [value for name, value in attrs if name in {"src", "href", "xlink:href"} and value]
        self.images_without_words += tag == "img" and not given.get("alt")
        self.images_without_words += tag == "svg" and not (
            given.get("aria-label") or given.get("aria-hidden")
        )

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def whole() -> EvaluationPage:
    """A page with every kind of block, and a label in it that wants to be a script."""
    picture = Picture(Image.new("RGB", (20, 10), "red"), f"The query, {HOSTILE}", HOSTILE)
    blocks = (
        Stats((Stat("R@1", "93 %", "91 % to 95 %", HOSTILE),)),
        Plot('<svg role="img" aria-label="a plot"><path d="M0 0"/></svg>', HOSTILE, ((
            '<svg aria-hidden="true"></svg>', HOSTILE),), wide=True),
        Plot('<svg role="img" aria-label="a plot"></svg>', "caption"),
        Table(HOSTILE, ("label", "n"), ((HOSTILE, "1"), ("b", "2"))),
        Table("folded", ("label",), (("a",),), folded=True),
        PairCards("Taken for same", (PairCard(HOSTILE, (("distance", HOSTILE),), (picture, picture)),)),
    )  # fmt: skip
    sections = (Section("First", (HOSTILE,), blocks), Section(HOSTILE, (), ()))
    return EvaluationPage(HOSTILE, "subtitle", "protocol", sections, "footer")


def test_the_page_is_whole_and_each_id_is_there_once() -> None:
    text = evaluation_page(whole())
    read = Read(text)
    assert text.startswith("<!doctype html>") and '<html lang="en">' in text
    assert len(read.ids) == len(set(read.ids))
    assert {reference[1:] for reference in read.references if reference.startswith("#")} <= set(read.ids)


def test_the_page_asks_nothing_of_the_network() -> None:
    read = Read(evaluation_page(whole()))
    assert {reference.split(":")[0][:1] for reference in read.references} == {"#", "d"}
    assert all(reference.startswith(("#", "data:image/")) for reference in read.references)
    assert not {"script", "link", "iframe"} & set(read.tags)
    assert "@import" not in evaluation_page(whole()) and "url(http" not in evaluation_page(whole())


def test_what_a_label_says_is_text_and_never_markup() -> None:
    text = evaluation_page(whole())
    assert "<script" not in text and text.count("&lt;script&gt;") >= 10


def test_every_picture_and_plot_has_words_in_its_place() -> None:
    assert Read(evaluation_page(whole())).images_without_words == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_knows_day_and_night(scheme: str) -> None:
    text = evaluation_page(whole())
    assert f"{scheme}" in text[text.index("color-scheme") :][:60]
    assert "prefers-color-scheme: dark" in text
