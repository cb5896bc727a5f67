"""From options to a split: what ties the images together, and which part each of them is in."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from siamese.errors import UnusableData
from siamese.images import ImageLimits
from siamese.progress import Progress
from siamese.samples import Sample
from siamese.splits import PARTS, Part, Split, draw_labels, given_split, paper_split, stratified_split
from siamese.units import Ties, TiesFinder
from whyalike.errors import UsageError
from whyalike.folders import LabelledFolder
from whyalike.ties import groups_of, near_duplicate_pairs

PAPER = "paper"
NUMBER = re.compile(r"\d+|\d*\.\d+")
SEED = 42
SHARE = 0.1
FAR_LARGER = 2
"""Times its share that a part may have without a word: whole units seldom come out even."""
LEAST_LABELS = 2
"""Labels that are held out, and labels that are left: with one alone there is nothing to tell apart."""


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """What was chosen of a split; None where nothing was."""

    kind: str | None = None
    seed: int | None = None
    test_share: float | None = None
    validation_share: float | None = None
    hold_out_labels: str | None = None
    group_by: str | None = None
    near_duplicates: bool = True

    def of_the_draw(self) -> list[str]:
        """The options that were chosen of those that only a drawn split has."""
        names = ("seed", "test_share", "validation_share", "hold_out_labels")
        shown = {"seed": "--split-seed"}
        return [shown.get(n, f"--{n.replace('_', '-')}") for n in names if getattr(self, n) is not None]


def choose_split(
    folder: LabelledFolder,
    validating: LabelledFolder | None,
    wanted: SplitOptions,
    *,
    limits: ImageLimits,
    progress: Progress,
) -> Split:
    """The split of a folder, or the two folders as they were given; raises UsageError, UnusableData."""
    _refuse_contradictions(validating, wanted)
    samples = [*folder.samples, *(validating.samples if validating else ())]
    ties = ties_finder(
        group_by=wanted.group_by,
        near_duplicates=wanted.near_duplicates,
        limits=limits,
        progress=progress,
    ).find(samples)
    if validating is not None:
        split = given_split(folder.samples, validating.samples, ties=ties)
    elif wanted.kind == PAPER:
        split = paper_split(samples, ties=ties)
    else:
        split = _drawn(samples, wanted, ties)
    _refuse_untrained(split)
    return split


def share_notes(split: Split, wanted: SplitOptions) -> list[str]:
    """What is to be said of drawn parts that whole units made far larger than their shares."""
    if split.kind != "stratified":
        return []
    tested, validated = (
        SHARE if share is None else share for share in (wanted.test_share, wanted.validation_share)
    )
    shares: dict[Part, float] = {"test": 0.0 if split.held_out_labels else tested, "validation": validated}
    contents = Counter(file.label for part in PARTS for file in split.usable(part))
    notes = []
    for part, share in shares.items():
        asked = sum(max(1, round(count * share)) for count in contents.values())
        drawn = len(split.usable(part))
        if share and drawn > FAR_LARGER * asked:
            notes.append(
                f"the {part} part has {drawn} of {sum(contents.values())} images where about {asked} were "
                "asked for, because images that are tied together stay together, and these units are larger "
                "than that; a finer group key makes smaller ones"
            )
    return notes


def ties_finder(
    *, group_by: str | None, near_duplicates: bool, limits: ImageLimits, progress: Progress
) -> TiesFinder:
    """Looks for what was asked for; finding raises UsageError and UnusableData."""
    return TiesFinder(
        near_duplicates=partial(near_duplicate_pairs, limits=limits, progress=progress)
        if near_duplicates
        else None,
        groups=None if group_by is None else partial(groups_of, pattern=group_by),
    )


def named_labels(samples: Sequence[Sample], text: str, *, seed: int) -> tuple[str, ...]:
    """The labels to hold out: so many, such a share of all of them, or those with these names.

    Raises UsageError.
    """
    labels = sorted({sample.label for sample in samples})
    count = _count(text, len(labels))
    if count is None:
        names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
        unknown = [name for name in names if name not in labels]
        if unknown:
            raise UsageError(
                f"--hold-out-labels: no image has the label {unknown[0]!r}; there are {', '.join(labels)}"
            )
    else:
        names = draw_labels(samples, count=count, seed=seed)
    if not LEAST_LABELS <= len(names) <= len(labels) - LEAST_LABELS:
        raise UsageError(
            f"--hold-out-labels {text} holds {len(names)} of {len(labels)} labels out: "
            f"at least {LEAST_LABELS} must be held out and {LEAST_LABELS} be left to learn from"
        )
    return names


def _refuse_contradictions(validating: LabelledFolder | None, wanted: SplitOptions) -> None:
    drawn = wanted.of_the_draw()
    if validating is not None and (drawn or wanted.kind is not None):
        options = ", ".join((["--split"] if wanted.kind is not None else []) + drawn)
        raise UsageError(f"--val says what to validate with: leave out {options}")
    if wanted.kind == PAPER and drawn:
        raise UsageError(f"the paper's split is drawn already: leave out {', '.join(drawn)}")
    if wanted.hold_out_labels is not None and wanted.test_share is not None:
        raise UsageError("the labels that are held out are the test part: leave out --test-share")


def _drawn(samples: Sequence[Sample], wanted: SplitOptions, ties: Ties) -> Split:
    seed = SEED if wanted.seed is None else wanted.seed
    text = wanted.hold_out_labels
    test = SHARE if wanted.test_share is None else wanted.test_share
    split = stratified_split(
        samples,
        seed=seed,
        test=0.0 if text else test,
        validation=SHARE if wanted.validation_share is None else wanted.validation_share,
        held_out_labels=named_labels(samples, text, seed=seed) if text else (),
        ties=ties,
    )
    if (text or test > 0) and not split.usable("test"):
        raise UnusableData(
            f"nothing can be held out for testing: training keeps two images of every label, and the "
            f"{len(samples)} images are too few, or tied together in too large units, to spare any; "
            "add images, group by a finer key, or test on another folder with --test-share 0"
        )
    return split


def _refuse_untrained(split: Split) -> None:
    if not split.usable("train"):
        raise UnusableData(
            "no image is left to train on: each is a conflict, or tied by equal bytes, near-duplicates or "
            "groups to one that is validated or tested with"
        )


def _count(text: str, labels: int) -> int | None:
    """How many labels the text asks for, as a number or a share; None where it names them."""
    if not NUMBER.fullmatch(text):
        return None
    number = float(text)
    if 0 < number < 1:
        return round(number * labels)
    if number != int(number):
        raise UsageError(
            f"--hold-out-labels {text}: give a number of labels, a share between 0 and 1, or names"
        )
    return int(number)
