"""What a figure says of its evidence: headings, legend and note, by the number that is explained."""

from __future__ import annotations

from dataclasses import dataclass

from explain.balance import balance
from explain.panels import ShownMatch
from explain.scores import AUTOGRAD

LEGEND = ("for the verdict (factual)", "against it (counterfactual)")
JUDGED = ("For the verdict", "Against the verdict")
UNJUDGED = ("For same", "Against same")

ADDS_UP = {
    "cosine": "On each picture, the sum for less the sum against is how far "
    "the cosine lies from its baseline.",
    "pair-head": "On each picture, the sum for less the sum against is how far "
    "the pair head's logit lies from 0.",
}
GRADIENT = "Grad-CAM of the distance: it says where, and its heat does not add up to a number."
FOREIGN = (
    "Grad-CAM by autograd, of a foreign network: it says where, and its heat does not add up to the {of}."
)
NO_VERDICT = "No verdict: read as same."
UNUSUAL = ("More alike than usual", "Less alike than usual")
UNUSUAL_LEGEND = ("more alike than usual (factual)", "less (counterfactual)")
OF_GALLERY = (
    "On each picture, the sums differ by how far the cosine lies from its baseline: half-way from random "
    "pairs of the gallery to nearest ones."
)
NOT_OWN = "The verdict is another scorer's."
NOT_ITS_VERDICT = "The verdict is another scorer's: read as same."
OWN_SCORE = "On each picture, the sums differ by its own score for {label}; they do not speak of the pair."


@dataclass(frozen=True, slots=True)
class Captions:
    """The words for the factual and the counterfactual map, above and in the legend, and a note on both."""

    headings: tuple[str, str]
    legend: tuple[str, str]
    note: str


def captions(match: ShownMatch) -> Captions:
    """Return what may truly be said of the evidence of a match."""
    explained = match.evidence.explained
    if explained.label is not None:
        return _of_label(explained.label)
    foreign = explained.method == AUTOGRAD
    note = FOREIGN.format(of=explained.of) if foreign else ADDS_UP.get(explained.of, GRADIENT)
    if match.verdict and match.explains_verdict:
        return Captions(JUDGED, LEGEND, note)
    if explained.baseline_from == "gallery":
        return Captions(UNUSUAL, UNUSUAL_LEGEND, f"{OF_GALLERY} {NOT_OWN}" if match.verdict else OF_GALLERY)
    legend = ("for same (factual)", "against it (counterfactual)")
    return Captions(UNJUDGED, legend, f"{note} {NOT_ITS_VERDICT if match.verdict else NO_VERDICT}")


def explained_numbers(match: ShownMatch) -> list[tuple[str, str]]:
    """Return the names and values of what the maps add up to; none where they do not."""
    explained = match.evidence.explained
    if explained.method == AUTOGRAD:
        return []
    value, baseline = f"{explained.value:.3f}", f"{explained.baseline:.3f}"
    if explained.query_value is not None:
        return [("query's class score", f"{explained.query_value:.3f}"), ("match's class score", value)]
    if explained.of == "pair-head":
        return [("pair head's logit", value)]
    return [(explained.of, value), ("its baseline", baseline)] if explained.of == "cosine" else []


def balance_numbers(match: ShownMatch) -> list[tuple[str, str]]:
    """Return what orange and blue come to, the one that raises the number first; none where they do not."""
    found = balance(match.evidence)
    if found is None:
        return []
    sums = {"orange": found.factual, "blue": found.counterfactual}
    adding, taking = ("orange", "blue") if found.adds == "factual" else ("blue", "orange")
    return [(f"{adding} adds", f"{sums[adding]:.3f}"), (f"{taking} takes", f"{sums[taking]:.3f}")]


def _of_label(label: str) -> Captions:
    headings = (f"Shows {label}", f"Speaks against {label}")
    return Captions(headings, (f"shows {label}", f"speaks against {label}"), OWN_SCORE.format(label=label))
