"""Groups of images as people and programs read them: near-duplicates and clusters as CSV and as a page."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from explain.evaluation_page import EvaluationPage, PairCard, PairCards, Picture, Section, evaluation_page
from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from siamese.images import decode
from whyalike.console import out, printable
from whyalike.tables import print_rows, print_written

PICTURES_SHOWN = 8
"""Pictures of one group on a page: enough to see what it holds."""

GROUPS_PRINTED = 20

CSV_COLUMNS = ("uri", "label", "image_id", "distance")

GROUPS_SHOWN = 100
"""Groups on a page, which holds each picture as some kilobytes of text."""


@dataclass(frozen=True, slots=True)
class GroupedImage:
    """An image in a group, and how far it is from the image that stands for the group."""

    image_id: int
    uri: str
    label: str | None
    checksum: str
    width: int
    height: int
    distance: float

    @classmethod
    def of(cls, image: GalleryImage, distance: float) -> "GroupedImage":
        """An image of a gallery at this distance."""
        size = (image.width, image.height)
        return cls(image.image_id, image.uri, image.label, image.checksum, *size, round(distance, 6))


def print_groups(
    groups: Sequence[tuple[str, Sequence[GroupedImage]]],
    summary: str,
    csv: Path | None,
    page: Path | None,
    *,
    name: str = "group",
) -> None:
    """The first groups, each by its heading and the image that stands for it, and where the rest is.

    A group is called by `name`.
    """
    rows = [
        (str(number), heading, str(len(images)), images[0].uri)
        for number, (heading, images) in enumerate(groups[:GROUPS_PRINTED], start=1)
    ]
    if rows:
        print_rows((name, "labels", "images", "first"), rows)
    out().print(Text(printable(summary), "dim"))
    if len(groups) > len(rows):
        out().print(Text(f"the first {len(rows)} of {len(groups)} {name}s; --csv writes all of them", "dim"))
    for written, what in ((csv, f"all {name}s"), (page, "pictures")):
        print_written(written, what)


def write_groups_csv(path: Path, groups: Iterable[Sequence[GroupedImage]], *, name: str = "group") -> None:
    """One row for each image, with the number of its group, from 1, in the column `name`.

    It is a table that can be indexed: the number is an attribute then.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([name, *CSV_COLUMNS])
        for number, group in enumerate(groups, start=1):
            writer.writerows([number, *(getattr(image, column) for column in CSV_COLUMNS)] for image in group)


def write_groups_page(
    path: Path, build: Build, groups: Sequence[tuple[str, Sequence[GroupedImage]]], *, title: str, told: str
) -> None:
    """A page of the first pictures of the first groups, each group under its heading."""
    shown = groups[:GROUPS_SHOWN]
    left = len(groups) - len(shown)
    note = f" The first {len(shown)} of {len(groups)} are shown." if left else ""
    cards = tuple(_card(build, heading, images) for heading, images in shown)
    page = EvaluationPage(
        title=title,
        subtitle=f"Gallery {build.gallery}, build {build.number}, {len(build)} images",
        protocol=told + note,
        sections=(Section("Groups", (), (PairCards("", cards),)),),
        footer=f"Encoder {build.encoder_name}.",
        kind="Groups",
    )
    path.write_text(evaluation_page(page), encoding="utf-8")


def _card(build: Build, heading: str, images: Sequence[GroupedImage]) -> PairCard:
    facts = (("images", str(len(images))), ("farthest", f"{max(each.distance for each in images):.3f}"))
    return PairCard(heading, facts, tuple(_picture(build, each) for each in images[:PICTURES_SHOWN]))


def _picture(build: Build, image: GroupedImage) -> Picture:
    name = Path(image.uri).name
    caption = " · ".join(part for part in (image.label, f"distance {image.distance:.3f}", name) if part)
    return Picture(decode(build.thumbnail(image.image_id)), name, caption)
