"""What looking at a gallery has proved, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from whyalike.console import out, printable
from whyalike.tables import UNKNOWN, in_bytes, print_facts

if TYPE_CHECKING:
    from gallery.proof.counting import Counts
    from gallery.proof.verification import Finding, Verification
    from whyalike.repairing import Repaired


def print_verification(found: Verification) -> None:
    """The counts, and one line for each finding."""
    faults = sum(finding.is_fault for finding in found.findings)
    state = "whole" if found.clean else f"{faults} fault{'' if faults == 1 else 's'}"
    out().print(Text(f"{found.gallery}: build {found.build}, {state}"))
    print_facts([*_equations(found.counts), *_looked_at(found)])
    print_findings(found.findings)


def print_repair(repaired: Repaired) -> None:
    """What was mended, and what is left."""
    mended = repaired.mended
    builds = ", ".join(map(str, mended.manifests)) or "none"
    embedded = 0 if repaired.indexed is None else repaired.indexed.embedded
    out().print(Text(f"{mended.gallery}: {len(mended.damaged)} damaged segments"))
    print_facts(
        [
            ("manifests written", f"of builds {builds}" if mended.manifests else builds),
            ("embedded again", f"{embedded} of {mended.to_embed}"),
        ]
    )
    if mended.indexes:
        out().print(Text(f"{len(mended.indexes)} damaged main indexes removed", "dim"))
    print_verification(repaired.left)


def print_findings(findings: tuple[Finding, ...]) -> None:
    """One line each, as wide as it is."""
    for finding in findings:
        kind = finding.code if finding.is_fault else f"{finding.code} (no fault)"
        out().print(Text(printable(f"{kind}: {finding.sentence}")), soft_wrap=True)


def _equations(counts: Counts) -> list[tuple[str, str]]:
    local = UNKNOWN if counts.local_embeddings is None else counts.local_embeddings
    return [
        ("files", f"{counts.files} = {counts.live} live + {counts.unreadable} unreadable"),
        (
            "contents",
            f"{counts.contents} = {counts.embeddings} embeddings = {local} local embeddings = "
            f"{counts.thumbnails} thumbnails",
        ),
        (
            "index entries",
            f"{counts.index_entries} = {counts.contents} contents + {counts.tombstones} tombstones",
        ),
    ]


def _looked_at(found: Verification) -> list[tuple[str, str]]:
    how = "sizes compared" if found.quick else f"{in_bytes(found.bytes)} compared with their checksums"
    facts = [
        ("builds", ", ".join(map(str, found.builds))),
        ("segments", f"{found.segments}, {found.files} files, {how}"),
    ]
    return facts if found.originals is None else [*facts, ("originals", f"{found.originals} read")]
