"""What a split came to, for people: its parts, and what ties their images together."""

from __future__ import annotations

from siamese.splits import PARTS, Split
from siamese.units import UnitCounts


def split_facts(split: Split) -> list[tuple[str, str]]:
    """Headings and what was found under them."""
    facts = [
        ("parts", ", ".join(f"{name} {len(split.files(name))}" for name in PARTS)),
        ("duplicates", str(len(split.duplicates))),
        ("conflicts", str(len(split.conflicts))),
    ]
    if split.pairs is not None:
        counts = split.pairs.model_dump()
        told = ", ".join(f"{name} {counts[name]}" for name in PARTS)
        facts.append(("pairs", f"{told}, left out between parts {split.pairs.lost}"))
    if split.counts is not None:
        facts.append(("near-duplicates", _near(split.counts)))
        if split.counts.groups is not None:
            facts.append(("groups", _groups(split.counts)))
    facts += [(f"{name} without", _tied(tied)) for name in PARTS if (tied := split.tied_to_later(name))]
    if split.held_out_labels:
        facts.append(("held-out labels", ", ".join(split.held_out_labels)))
    return facts


def _near(counts: UnitCounts) -> str:
    if counts.near_duplicates is None:
        return "not looked for"
    return f"{counts.near_duplicates} pairs, {counts.near_conflicts} of them under two labels"


def _groups(counts: UnitCounts) -> str:
    told = (
        f"{counts.groups}; {counts.joined_groups} of them joined to others by duplicates or near-duplicates"
    )
    told += f", {counts.mixed_groups} with several labels"
    return told + (f"; {counts.ungrouped} images are in no group" if counts.ungrouped else "")


def _tied(count: int) -> str:
    return f"{count} of its images, tied to images of a later part by bytes, near-duplicates or groups"
