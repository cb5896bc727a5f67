"""What ties the images of folders together: near-duplicates by their pixels, groups by their paths."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gallery.near_duplicates import SIDE, near_duplicates
from siamese.errors import UnreadableImage, UnusableData
from siamese.images import ImageLimits, decode, read
from siamese.progress import Progress
from siamese.samples import Sample
from siamese.threads import in_threads
from whyalike.errors import UsageError

READ_AHEAD = 64
"""Thumbnails made before they are asked for: enough for the threads, little enough for memory."""


def near_duplicate_pairs(
    samples: Sequence[Sample], *, limits: ImageLimits, progress: Progress
) -> tuple[tuple[str, str], ...]:
    """The pairs of checksums whose pictures hold the same shot.

    Pictures that cannot be read, or are smaller than a thumbnail, are near-duplicates of nothing.
    """
    distinct = list({sample.checksum: sample for sample in samples}.values())
    made = in_threads(lambda sample: _thumbnail(sample, limits), distinct, ahead=READ_AHEAD)
    tracked = progress.track(made, description="looking for near-duplicates", total=len(distinct))
    found = [
        (sample.checksum, thumbnail)
        for sample, thumbnail in zip(distinct, tracked, strict=True)
        if thumbnail is not None
    ]
    if not found:
        return ()
    pairs = near_duplicates(np.stack([thumbnail for _, thumbnail in found]))
    return tuple((found[first][0], found[second][0]) for first, second in pairs)


def groups_of(samples: Sequence[Sample], *, pattern: str) -> dict[str, str]:
    """The group key of each uri that has one; raises what `group_keys` raises."""
    return group_keys((sample.uri for sample in samples), pattern)


def group_keys(uris: Iterable[str], pattern: str) -> dict[str, str]:
    """The key of each relative path that the regular expression is found in: its first group, or all of it.

    Raises UsageError for what is no regular expression, and UnusableData where it matches nothing, or makes
    one group of everything or of nothing. An empty key is none.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--group-by {pattern!r} is no regular expression: {error}") from None
    paths = sorted(set(uris))
    matches = {path: match for path in paths if (match := expression.search(path))}
    keys = {path: match[min(1, expression.groups)] for path, match in matches.items()}
    kept = {path: key for path, key in keys.items() if key}
    if not kept:
        raise UnusableData(
            f"--group-by '{pattern}' matches none of the {len(paths)} paths, such as {paths[0]!r}; "
            "it is searched in each path below the folder, so write one that every group's paths have"
        )
    if len(set(kept.values())) == 1:
        raise UnusableData(
            f"--group-by '{pattern}' gives all {len(kept)} paths that it matches the one key "
            f"{next(iter(kept.values()))!r}, so there is nothing to split"
        )
    if len(set(kept.values())) == len(kept):
        raise UnusableData(
            f"--group-by '{pattern}' gives each of the {len(kept)} paths that it matches its own key, "
            f"such as {next(iter(kept.values()))!r}, so it groups nothing"
        )
    return kept


def _thumbnail(sample: Sample, limits: ImageLimits) -> NDArray[np.uint8] | None:
    try:
        picture = decode(read(sample.path, limits=limits), limits=limits, draft=2 * SIDE)
    except UnreadableImage:
        return None  # training or evaluation will read it again, and say so
    if min(picture.size) < SIDE:
        return None
    return np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
