"""A swap of encoders, for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from gallery.web.urls import shown
from siamese.fingerprint import short
from whyalike.console import out, say
from whyalike.tables import UNKNOWN, print_facts, print_rows, print_written

if TYPE_CHECKING:
    from gallery.manifest import Manifest
    from gallery.swaps.churn import Churn, Estimate, OfEncoder
    from indexer.backfill import BackfillReport

LACKING_SHOWN = 20
"""Contents named on the terminal; `--json` has all of them."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What took over: the build, its images, and its encoder; `unreadable` contents are not in it."""

    gallery: str
    build: int
    images: int
    unreadable: int
    encoder_name: str
    fingerprint: str

    @classmethod
    def of(cls, manifest: Manifest, *, unreadable: int) -> Activation:
        """What a manifest says of it."""
        encoder = manifest.encoder
        name, fingerprint = encoder.name, encoder.fingerprint
        return cls(manifest.gallery, manifest.build, manifest.images, unreadable, name, fingerprint)


def print_backfill(report: BackfillReport) -> None:
    """How far the successor is, and what it cannot embed."""
    successor = report.successor
    state = "not ready" if successor.lacking else "ready"
    out().print(Text(f"{report.gallery}: {successor.encoder_name} is {state} to take over"))
    print_facts(
        [
            ("embedded", f"{successor.embedded} of {successor.contents} contents"),
            *([("unreadable", str(successor.refused))] if successor.refused else []),
            ("in this run", f"{report.embedded} in {report.seconds:.1f} s"),
            ("encoder", f"{successor.encoder_name} ({short(successor.fingerprint)})"),
        ]
    )
    for each in report.lacking[:LACKING_SHOWN]:
        say(f"{'unreadable' if each.refused else 'lacking'}: {shown(each.uri)}: {each.reason}")
    if len(report.lacking) > LACKING_SHOWN:
        say(f"{len(report.lacking) - LACKING_SHOWN} more")


def print_churn(found: Churn, page: Path | None) -> None:
    """Both encoders beside each other."""
    out().print(
        Text(f"{found.gallery}: {found.queries} images asked of both encoders, {found.k} matches each")
    )
    headings = ("", "R@1 by label", "first match at 10 %", "50 %", "90 %", "encoder")
    print_rows(headings, [_cells("before", found.before), _cells("after", found.after)])
    print_facts(churn_facts(found))
    print_written(page, "pictures")


def churn_facts(found: Churn) -> list[tuple[str, str]]:
    """What stays, in numbers."""
    return [
        (f"overlap of the first {found.k}", estimate(found.overlap)),
        ("rank correlation", estimate(found.rank_correlation)),
        ("same first match", estimate(found.same_first)),
    ]


def estimate(value: Estimate | None) -> str:
    """A mean with its 95 % interval."""
    return UNKNOWN if value is None else f"{value.mean:.3f} ({value.low:.3f}–{value.high:.3f})"


def print_activation(activation: Activation) -> None:
    """What took over."""
    out().print(
        Text(f"{activation.gallery}: build {activation.build}, published, {activation.images} images")
    )
    facts = [("encoder", f"{activation.encoder_name} ({short(activation.fingerprint)})")]
    print_facts(facts + ([("unreadable", str(activation.unreadable))] if activation.unreadable else []))


def _cells(when: str, encoder: OfEncoder) -> tuple[str, ...]:
    return (
        when,
        estimate(encoder.recall_at_1),
        *(f"{distance:.3f}" for distance in encoder.nearest),
        f"{encoder.name} ({short(encoder.fingerprint)})",
    )
