"""A page of what a swap of encoders changes: the queries whose matches change most, by both encoders."""

from collections.abc import Sequence
from pathlib import Path

from explain.evaluation_page import (
    EvaluationPage,
    PairCard,
    PairCards,
    Picture,
    Section,
    Table,
    evaluation_page,
)
from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.swaps.churn import Churn, Example, OfEncoder
from siamese.fingerprint import short
from siamese.images import decode
from whyalike.swap_tables import churn_facts, estimate

SHOWN = 5
"""Matches of each encoder beside a query."""


def write_swap_page(path: Path, before: Build, after: Build, found: Churn) -> None:
    """Numbers of both encoders, and pictures of what each finds."""
    cards = tuple(_card(before, after, example) for example in found.examples)
    figures = Table(
        "Both encoders, asked with the same images of the gallery.",
        ("encoder", "R@1 by label", "first match, 10 %", "50 %", "90 %"),
        (_row("before", found.before), _row("after", found.after)),
    )
    stays = Table("What stays, with 95 % intervals.", ("", "mean over queries"), tuple(churn_facts(found)))
    page = EvaluationPage(
        title="What another encoder changes",
        subtitle=f"Gallery {found.gallery}, build {before.number}, {len(before)} images",
        protocol=f"{found.queries} images drawn with seed {found.seed}; their own content is left out of "
        f"their matches; {found.k} matches of each.",
        sections=(
            Section("Figures", (), (figures, stays)),
            Section(
                "Queries whose matches change most",
                (f"First the query, then the first {SHOWN} matches before, then those after.",),
                (PairCards("", cards),),
            ),
        ),
        footer=f"From {found.before.name} to {found.after.name}.",
        kind="Swap",
    )
    path.write_text(evaluation_page(page), encoding="utf-8")


def _row(when: str, encoder: OfEncoder) -> tuple[str, ...]:
    return (
        f"{when}: {encoder.name} ({short(encoder.fingerprint)})",
        estimate(encoder.recall_at_1),
        *(f"{distance:.3f}" for distance in encoder.nearest),
    )


def _card(before: Build, after: Build, example: Example) -> PairCard:
    query = before.image(example.query)
    pictures = (
        _picture(before, query, "query"),
        *_pictures(before, example.before[:SHOWN], "before"),
        *_pictures(after, example.after[:SHOWN], "after"),
    )
    return PairCard(Path(query.uri).name, (("stays", f"{example.overlap:.0%}"),), pictures)


def _pictures(build: Build, image_ids: Sequence[int], when: str) -> tuple[Picture, ...]:
    images = enumerate(build.images(image_ids), start=1)
    return tuple(_picture(build, image, f"{when} {rank}") for rank, image in images)


def _picture(build: Build, image: GalleryImage, role: str) -> Picture:
    caption = " · ".join(part for part in (role, image.label) if part)
    return Picture(decode(build.thumbnail(image.image_id)), Path(image.uri).name, caption)
