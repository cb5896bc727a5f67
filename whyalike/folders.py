"""Label folders as samples: scanned and named by the gallery's rules, learned from by siamese."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.sources.scanning import ScannedFile, checksum, scan
from siamese.errors import UnreadableImage, UnusableData
from siamese.images import ImageLimits, read, why_none_is_a_picture
from siamese.progress import Progress
from siamese.samples import Sample
from siamese.threads import in_threads

READ_AHEAD = 64
"""Files read before they are asked for: enough for the threads, little enough for memory."""


@dataclass(frozen=True, slots=True)
class LabelledFolder:
    """What lies below a folder; the label of a file is the name of the folder that it lies in."""

    path: Path
    samples: tuple[Sample, ...]
    unreadable: tuple[tuple[str, str], ...]
    """The uri and the reason of every file whose bytes could not be read."""


def read_folder(folder: Path, *, limits: ImageLimits, progress: Progress) -> LabelledFolder:
    """The samples below a folder, in the order of their names; whether all are pictures is seen later.

    Raises SourceUnavailable, and UnusableData where not one is.
    """
    found = read_files(
        list(scan([folder])), limits=limits, progress=progress, description=f"reading {folder}"
    )
    samples = tuple(each for each in found if isinstance(each, Sample))
    unreadable = tuple(each for each in found if not isinstance(each, Sample))
    reasons = why_none_is_a_picture((each.path for each in samples), limits=limits)
    if reasons is not None:
        raise _nothing_below(folder, [*((path.name, reason) for path, reason in reasons), *unreadable])
    return LabelledFolder(folder, samples, unreadable)


def require_two_labels(samples: Sequence[Sample]) -> None:
    """Raises UnusableData where everything has one label, so that whatever is found would be right."""
    labels = {sample.label for sample in samples}
    if len(labels) == 1:
        raise UnusableData(
            f"every image has the label {labels.pop()!r}, so whatever is found would be right; "
            "at least two labels are needed, a folder of images for each"
        )


def read_files(
    files: Sequence[ScannedFile], *, limits: ImageLimits, progress: Progress, description: str = "reading"
) -> list[Sample | tuple[str, str]]:
    """Each file as a sample, or its name and the reason why its bytes cannot be read, in the order given."""
    named = in_threads(lambda file: _sample(file, limits), files, ahead=READ_AHEAD)
    return list(progress.track(named, description=description, total=len(files)))


def _nothing_below(folder: Path, unreadable: Sequence[tuple[str, str]]) -> UnusableData:
    if not unreadable:
        return UnusableData(f"there is no file below {folder}; a folder of images for each label is needed")
    name, reason = unreadable[0]
    return UnusableData(
        f"none of the {len(unreadable)} files below {folder} can be read as a picture "
        f"({name}, for one: {reason}); a folder of images for each label is needed"
    )


def _sample(file: ScannedFile, limits: ImageLimits) -> Sample | tuple[str, str]:
    """The file as a sample, or its name and the reason why not."""
    try:
        content = checksum(read(file.path, limits=limits))
    except UnreadableImage as error:
        return file.relative, error.reason
    return Sample(path=file.path, uri=file.relative, label=file.label, checksum=content)
