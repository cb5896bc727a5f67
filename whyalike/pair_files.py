"""Pairs that people judged, as a CSV file with the header first,second,same."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.sources.scanning import ScannedFile
from siamese.errors import UnusableData
from siamese.files import write_durably
from siamese.images import ImageLimits
from siamese.labelled_pairs import LabelledPairs
from siamese.progress import Progress
from siamese.samples import Sample
from whyalike.folders import read_files

COLUMNS = ("first", "second", "same")
SAID = {"1": True, "true": True, "same": True, "0": False, "false": False, "different": False}
"""What may stand under `same`, in letters of any case."""

Row = tuple[str, str, bool]


@dataclass(frozen=True, slots=True)
class PairFile:
    """The usable pairs of a file, and the uri and the reason of every image whose bytes cannot be read."""

    labelled: LabelledPairs
    unreadable: tuple[tuple[str, str], ...]


def read_pair_file(path: Path, root: Path, *, limits: ImageLimits, progress: Progress) -> PairFile:
    """The pairs of images below the root; a path that is not absolute is one below it.

    Whether the images are pictures is seen later. Raises OSError, and UnusableData where the file is no table
    of pairs, names images that do not exist, or has no pairs of both kinds.
    """
    rows = _rows(path)
    names = list(dict.fromkeys(name for first, second, _ in rows for name in (first, second)))
    files = [_file(root, name) for name in names]
    _refuse_missing(path, root, files)
    found = read_files(files, limits=limits, progress=progress, description=f"reading {root}")
    samples = {name: each for name, each in zip(names, found, strict=True) if isinstance(each, Sample)}
    readable = [row for row in rows if row[0] in samples and row[1] in samples]
    labelled = LabelledPairs.of((samples[first], samples[second], same) for first, second, same in readable)
    if not labelled.pairs.of_both_kinds:
        raise UnusableData(
            f"{path} has {int(labelled.pairs.same.sum())} same and {int((~labelled.pairs.same).sum())} "
            "different pairs of readable images; learning needs both kinds"
        )
    return PairFile(labelled, tuple(each for each in found if not isinstance(each, Sample)))


def write_pair_file(path: Path, rows: Iterable[Row]) -> None:
    """Writes pairs of paths, below a folder or absolute, as `read_pair_file` reads them, whole or not at all.

    Raises OSError.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    writer.writerows((first, second, int(same)) for first, second, same in rows)
    write_durably(path, table.getvalue().encode())


def _rows(path: Path) -> list[Row]:
    """The rows of the table; raises UnusableData with the line of the first that is none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            _refuse_other_columns(path, table.fieldnames or ())
            return [_row(path, table.line_num, row) for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnusableData(f"{path} is no CSV file in UTF-8: {error}") from None


def _row(path: Path, line: int, row: dict[str, str | None]) -> Row:
    first, second, said = ((row[column] or "").strip() for column in COLUMNS)
    if not first or not second:
        raise UnusableData(f"{path}, line {line}: a pair needs two paths, under first and second")
    if said.lower() not in SAID:
        raise UnusableData(f"{path}, line {line}: same is {said!r}, and must be one of {', '.join(SAID)}")
    return first, second, SAID[said.lower()]


def _refuse_other_columns(path: Path, found: Sequence[str]) -> None:
    missing = [column for column in COLUMNS if column not in found]
    if missing:
        raise UnusableData(
            f"{path} has no column {', '.join(missing)}: its first line must be {','.join(COLUMNS)}, "
            f"and is {','.join(found) or 'empty'}"
        )


def _refuse_missing(path: Path, root: Path, files: Sequence[ScannedFile]) -> None:
    missing = [file for file in files if not file.path.exists()]
    if missing:
        raise UnusableData(
            f"{len(missing)} of the {len(files)} images that {path} names do not exist, such as "
            f"{missing[0].path}; their paths must be absolute or below {root}"
        )


def _file(root: Path, name: str) -> ScannedFile:
    """An image below the root, or anywhere. Its label is its folder, and nothing is learned from it."""
    path = root.absolute() / name
    below = path.is_relative_to(root.absolute())
    relative = path.relative_to(root.absolute()) if below else path
    return ScannedFile(path, root, str(path), relative.as_posix(), path.parent.name or "/")
