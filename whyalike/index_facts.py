"""How a gallery is searched, in a line or two."""

from gallery.index.recall import Recall
from gallery.index.report import IndexReport
from whyalike.tables import in_bytes


def index_facts(report: IndexReport | None) -> list[tuple[str, str]]:
    """The kind of the index with its size and measured recall, and what was tried before it."""
    if report is None:
        return []
    tried = [("index, tried", f"{each.factory}: {each.reason}") for each in report.attempts]
    if report.recall is None:
        return [("index", "exact: every search looks at all embeddings and misses nothing"), *tried]
    size = f"{in_bytes(report.bytes)} for {report.entries} contents"
    return [("index", f"{report.kind}, {report.factory}, {size}"), ("recall", _told(report.recall)), *tried]


def _told(recall: Recall) -> str:
    bounds = f"{recall.low:.4f} to {recall.high:.4f}"
    return f"{recall.value:.4f} of the {recall.neighbours} nearest ({bounds}; {recall.queries} queries)"
