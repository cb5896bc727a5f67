"""Galleries and their builds, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from siamese.fingerprint import short
from whyalike.console import out
from whyalike.index_facts import index_facts
from whyalike.tables import UNKNOWN, in_bytes, print_facts, print_rows

if TYPE_CHECKING:
    from gallery.backups.backup import BackupReport
    from gallery.backups.restoration import RestoreReport
    from gallery.builds.compaction import CompactionReport
    from gallery.builds.history import BuildAccount, History, KeptBuild
    from gallery.builds.rollback import RollbackReport
    from gallery.erasure import ErasureReport

LABELS_SHOWN = 20
"""Labels named on the terminal; `--json` has all of them."""


def print_history(history: History) -> None:
    """A gallery and the builds that it keeps."""
    out().print(Text(f"{history.name}: {len(history.builds)} builds, {in_bytes(history.bytes)} of segments"))
    print_facts([("source", uri) for uri in history.sources] + [("unreadable", str(history.unreadable))])
    headings = (
        "build",
        "published",
        "images",
        "contents",
        "labels",
        "tombstones",
        "segments",
        "bytes",
        "read",
        "encoder",
    )
    print_rows(headings, [_build_cells(each) for each in history.builds])


def print_build(account: BuildAccount) -> None:
    """What one build shows."""
    build = account.build
    state = "published" if build.published else "kept"
    out().print(Text(f"{account.gallery}: build {build.build}, {state}, {build.images} images"))
    print_facts(
        [
            ("published", f"{build.published_at:%Y-%m-%d %H:%M}"),
            ("encoder", f"{build.encoder_name} ({short(build.fingerprint)})"),
            ("contents", f"{build.contents}, and {build.tombstones} tombstones"),
            ("segments", f"{build.segments}, {in_bytes(build.bytes)}"),
            ("local embeddings", build.local_embeddings),
            ("labels", _label_words(account.labels)),
        ]
    )
    if account.images is not None:
        rows = [(str(each.image_id), each.label or UNKNOWN, each.uri) for each in account.images]
        print_rows(("image", "label", "place"), rows)


def print_rollback(report: RollbackReport) -> None:
    """What going back did."""
    out().print(
        Text(f"{report.gallery}: build {report.build}, published, has the state of build {report.state_of}")
    )
    print_facts(
        [
            ("images", str(report.images)),
            ("returned", str(report.returned)),
            ("withdrawn", str(report.withdrawn)),
            ("encoder", f"{report.encoder_name} ({short(report.fingerprint)})"),
        ]
    )


def print_compaction(report: CompactionReport) -> None:
    """What compacting did."""
    did = f"{report.folded} segments became {report.made}" if report.folded else "nothing to fold"
    out().print(Text(f"{report.gallery}: build {report.build}, published; {did}"))
    print_facts(
        [
            ("copied", f"{report.copied} contents"),
            ("left behind", f"{report.tombstones} tombstones"),
            ("size", f"{in_bytes(report.bytes_before)} before, {in_bytes(report.bytes_after)} now"),
            *index_facts(report.index),
        ]
    )


def print_erasure(report: ErasureReport) -> None:
    """What was erased, and what is left and why."""
    out().print(Text(f"{report.gallery}: build {report.build}, published; {_erased(report)}"))
    facts = [("uploaded files", f"{report.originals} deleted")]
    if report.retired:
        facts.append(("builds let go of", ", ".join(map(str, report.retired))))
    if not report.is_complete:
        facts.append(("not erased", _what_is_left(report)))
    print_facts([*facts, *index_facts(report.index)])


def print_backup(report: BackupReport) -> None:
    """What was written."""
    builds = ", ".join(map(str, report.builds))
    out().print(Text(f"{report.gallery}: builds {builds}, {report.images} images, in {report.path}"))
    print_facts([("files", str(report.files)), ("size", in_bytes(report.bytes))])


def print_restoration(report: RestoreReport) -> None:
    """What was restored."""
    out().print(Text(f"{report.gallery}: build {report.build}, published, {report.images} images"))
    ids = "as they were" if report.ids_kept else "others: some were taken"
    facts = [("builds", ", ".join(map(str, report.builds))), ("files", str(report.files)), ("ids", ids)]
    print_facts(facts)


def _erased(report: ErasureReport) -> str:
    if not report.contents:
        return "nothing to erase" if report.is_complete else "nothing is erased yet"
    return f"embeddings and thumbnails of {report.contents} images that are gone are erased"


def _what_is_left(report: ErasureReport) -> str:
    if not report.read:
        return f"{report.left}, embedded by another encoder: activate or abandon the swap, and erase again"
    what = report.left or "labels"
    builds = " and ".join(f"build {number}" for number in report.read)
    is_open = "is" if len(report.read) == 1 else "are"
    return f"{what}, in {builds}, which {is_open} open: a service lets go in a minute, erase again then"


def _build_cells(build: KeptBuild) -> tuple[str, ...]:
    return (
        f"{build.build}{' *' if build.published else ''}",
        f"{build.published_at:%Y-%m-%d %H:%M}",
        str(build.images),
        str(build.contents),
        str(build.labels),
        str(build.tombstones),
        str(build.segments),
        in_bytes(build.bytes),
        "yes" if build.is_read else "",
        f"{build.encoder_name} ({short(build.fingerprint)})",
    )


def _label_words(labels: dict[str, int]) -> str:
    shown = [f"{label} ({count})" for label, count in list(labels.items())[:LABELS_SHOWN]]
    more = len(labels) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else UNKNOWN
