"""What calibrating a gallery came to, for people."""

from siamese.calibration import Calibration
from siamese.fingerprint import short
from whyalike.calibrating import CalibrationReport, Change
from whyalike.tables import UNKNOWN, print_facts, print_rows

HEADINGS = ("fitted on", "pairs", "same up to", "balanced accuracy", "ECE (floor)", "before")


def print_calibration(report: CalibrationReport) -> None:
    """Both calibrations as they are now and as they were, and what they stand on.

    The threshold of shown pairs is not where the balanced accuracy is best, so only the other's is told.
    """
    print_rows(HEADINGS, [_cells("shown", report.shown), _cells("pair", report.pair)])
    stands_on = f"{report.queries} queries among {report.images} images of {report.labels} labels"
    facts = [
        ("gallery", f"{report.gallery}, build {report.build}"),
        ("encoder", f"{report.encoder.name} ({short(report.encoder.fingerprint)})"),
        ("measured on", f"{stands_on}, {report.left_out} left out" if report.left_out else stands_on),
    ]
    refused = [(name, change.refused) for name, change in (("shown", report.shown), ("pair", report.pair))]
    facts += [(f"{name} stays", reason) for name, reason in refused if reason]
    if report.pair_head:
        facts.append(("pair head", "as trained"))
    print_facts(facts)


def _cells(name: str, change: Change) -> tuple[str, ...]:
    after = change.after
    error = UNKNOWN if change.ece is None else f"{change.ece:.4f} ({change.ece_floor:.4f})"
    told = name == "pair" and after.balanced_accuracy is not None
    accuracy = f"{after.balanced_accuracy:.4f}" if told else UNKNOWN
    return name, str(after.pairs), _told(after), accuracy, error, _told(change.before)


def _told(calibration: Calibration) -> str:
    """The threshold, or that there is none."""
    return UNKNOWN if calibration.threshold is None else f"distance {calibration.threshold:.3f}"
