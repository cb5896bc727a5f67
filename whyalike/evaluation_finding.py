"""The sections of an evaluation page about finding: what is taken for what, and where the embeddings lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from explain.evaluation_page import Block, Plot, Section, Table
from explain.map_plot import MappedLabel, map_plot, swatch
from explain.plots import confusion_plot
from siamese.embedding_map import embedding_map
from siamese.evaluation import Evaluation
from siamese.measured import Confusion, LabelMeasures
from siamese.trial import Trial
from whyalike.evaluation_words import UNKNOWN, percent

CONFUSIONS_LISTED = 20
MATRIX_LABELS = 24
"""Labels whose names and numbers can still be read in a matrix."""
NARROW = 8
"""Labels up to which the confusion matrix leaves room beside it."""
FOLDED_FROM = 12
"""Rows from which a table is folded at first."""


def finding_section(evaluation: Evaluation) -> Section:
    """What the nearest match is taken for: a matrix and a table of labels."""
    wrong = sorted((e for e in evaluation.confusions if e.label != e.nearest), key=lambda e: -e.queries)
    mistaken, asked = (sum(e.queries for e in some) for some in (wrong, evaluation.confusions))
    blocks: list[Block] = [_confusion_plot(evaluation, wrong)]
    if wrong:
        rows = tuple((f"{e.label} → {e.nearest}", str(e.queries)) for e in wrong[:CONFUSIONS_LISTED])
        caption = "Most frequent confusions (query → nearest match)"
        blocks.append(Table(caption, ("labels", "queries"), rows, folded=len(rows) > FOLDED_FROM))
    labels = tuple(_label_row(each) for each in evaluation.labels if each.queries)
    headings = ("label", "queries", "references", "R@1", "P@10", "MAP@R")
    blocks.append(Table("Label by label", headings, labels, folded=len(labels) > FOLDED_FROM))
    sentences = (f"{mistaken} of {asked} queries have a nearest match with another label.",)
    return Section("Finding", sentences, tuple(blocks))


def map_section(trial: Trial) -> Section:
    """The embeddings in two dimensions."""
    mapped = embedding_map(trial)
    is_query = np.arange(len(mapped.labels)) < mapped.queries
    labels = [
        MappedLabel(
            label,
            mapped.points[(mapped.labels == label) & is_query],
            mapped.points[(mapped.labels == label) & ~is_query],
            np.median(mapped.points[mapped.labels == label], axis=0),
        )
        for label in np.unique(mapped.labels).tolist()
    ]
    purity = (
        f"{percent(mapped.purity)} of these images" if mapped.purity is not None else "too few images to say"
    )
    alt = f"Map of {len(mapped.labels)} embeddings of {len(labels)} labels by {mapped.method}, numbered."
    references = len(mapped.labels) - mapped.queries
    beside = f" (strong) and {references} references (pale)" if references else ""
    plot = Plot(
        map_plot(labels, name="map", alt=alt),
        f"{mapped.method} of {mapped.queries} queries{beside}. Each number stands at its label's "
        "centre. Near is near; far apart says little.",
        legend=tuple((swatch(at), each.label) for at, each in enumerate(labels)),
        wide=True,
    )
    sentences = (
        f"Sorted into {mapped.clusters} clusters by k-means on the embeddings, as many as labels: {purity} "
        "lie in a cluster whose most frequent label is theirs (purity).",
    )
    return Section("The map", sentences, (plot,))


def _confusion_plot(evaluation: Evaluation, wrong: Sequence[Confusion]) -> Plot:
    """All labels, or those with most mistakes where there are more than can be read."""
    names = [each.label for each in evaluation.labels]
    caption = (
        "Rows are the labels of the queries, columns those of their nearest match; the stronger a cell, "
    )
    caption += "the larger its share of the row."
    if len(names) > MATRIX_LABELS:
        mistakes = Counter(dict.fromkeys(names, 0))
        for each in wrong:
            mistakes.update({each.label: each.queries, each.nearest: each.queries})
        most = {name for name, _ in mistakes.most_common(MATRIX_LABELS)}
        caption += f" Of {len(names)} labels the {MATRIX_LABELS} with most mistakes."
        names = [name for name in names if name in most]
    counts = np.zeros((len(names), len(names)), np.int64)
    for each in evaluation.confusions:
        if each.label in names and each.nearest in names:
            counts[names.index(each.label), names.index(each.nearest)] = each.queries
    alt = f"Confusion matrix of {len(names)} labels; its numbers are in the tables below."
    large = len(names) > NARROW
    return Plot(confusion_plot(names, counts, name="confusion", alt=alt), caption, wide=large, dense=large)


def _label_row(each: LabelMeasures) -> tuple[str, ...]:
    means = (each.recall_at_1, each.precision_at_10, each.map_at_r)
    told = (UNKNOWN if mean is None else percent(mean) for mean in means)
    return each.label, str(each.queries), str(each.references), *told
