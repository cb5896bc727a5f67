"""What a build claims of itself, as one JSON file."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gallery.errors import CorruptGallery
from gallery.files import write_file
from gallery.local_storage import DEFAULT, LocalStorage

Cosine = Annotated[float, Field(ge=-1, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Claims(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileClaims(_Claims):
    """Size in bytes and SHA-256 of one file."""

    bytes: int
    sha256: str


class SegmentClaims(_Claims):
    """One segment: the id of its record, its folder's name, its rows, and its files by their names."""

    id: int
    name: str
    rows: int
    files: dict[str, FileClaims]


class EncoderClaims(_Claims):
    """The encoder that the build's embeddings are by; `folder` is its checkpoint below `encoders/`."""

    name: str
    fingerprint: str
    folder: str
    dimension: int
    grid: tuple[int, int]


class RecallClaims(_Claims):
    """The recall after re-scoring, measured when the index was built; see gallery/index/recall.py."""

    value: float
    low: float
    high: float
    queries: int
    neighbours: int
    reach: tuple[float, ...] = ()  # manifests of old do not say it


class CoveredSegment(_Claims):
    """A segment whose embeddings a main index holds, in this order."""

    id: int
    rows: int


class AttemptClaims(_Claims):
    """A kind of index that was built and not kept, and why."""

    kind: str
    factory: str
    reason: str


class MainIndexClaims(_Claims):
    """A main index: its folder's name and files, what it is and covers, and how far its searches look.

    `factory` is its FAISS string; `wanted` the recall that it was to reach. Of the kind flat there are no
    files: the segments that it covers are searched exactly because nothing else reached the recall.
    """

    id: int
    name: str
    kind: str
    factory: str
    entries: int
    wanted: float
    probes: int
    candidates: int
    recall: RecallClaims | None
    attempts: tuple[AttemptClaims, ...] = ()
    segments: tuple[CoveredSegment, ...]
    files: dict[str, FileClaims]


class IndexClaims(_Claims):
    """How candidates are found; `entries` counts the contents in it, tombstoned ones included.

    Segments that the `main` index does not cover are searched exactly, all of them where there is none.
    """

    kind: str = "flat"
    metric: Literal["euclidean"] = "euclidean"
    entries: int
    main: MainIndexClaims | None = None


class NearestClaims(_Claims):
    """How alike so many contents of the build are to the nearest other one, of all that it holds.

    A share of `shares[i]` of them has at most the cosine `cosines[i]`, both ascending, from none to all.
    """

    images: int = Field(ge=1)
    shares: tuple[Share, ...]
    cosines: tuple[Cosine, ...]

    @model_validator(mode="after")
    def _in_order(self) -> "NearestClaims":
        _require_quantiles(self.shares, self.cosines)
        return self


class UsualClaims(_Claims):
    """How alike two images of the build usually are, measured on all pairs of so many of its contents.

    `baseline` is the cosine that two of them usually do not exceed: half-way between the median of all pairs
    and that of each image with its nearest of these. A share of `shares[i]` of the pairs has at most the
    cosine `cosines[i]`, both ascending, from none to all. See gallery/usual.py.
    """

    images: int = Field(ge=2)
    baseline: Cosine
    shares: tuple[Share, ...]
    cosines: tuple[Cosine, ...]
    nearest: NearestClaims | None = None  # builds of before do not say it

    @model_validator(mode="after")
    def _in_order(self) -> "UsualClaims":
        _require_quantiles(self.shares, self.cosines)
        return self


class Manifest(_Claims):
    """A published build: live images, their distinct contents and labels, and the segments that hold them.

    `local_embeddings` is how all of these keep them, `usual` how alike two of its images usually are: None
    where they are too few, or nobody measured it yet.
    """

    format_version: Literal[1] = 1
    gallery: str
    build: int
    encoder: EncoderClaims
    images: int
    contents: int
    labels: int
    index: IndexClaims
    local_embeddings: LocalStorage = DEFAULT  # manifests of old do not say it
    usual: UsualClaims | None = None  # nor this
    segments: tuple[SegmentClaims, ...]


def write_manifest(path: Path, manifest: Manifest) -> str:
    """Write it durably; returns the SHA-256 of the file, which the build's record vouches for it with."""
    data = manifest.model_dump_json(indent=1).encode()
    write_file(path, data)
    return hashlib.sha256(data).hexdigest()


def read_manifest(path: Path, *, sha256: str) -> Manifest:
    """Read it back; raises CorruptGallery if it is missing or is not what was published."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorruptGallery(f"The manifest {path} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CorruptGallery(f"The manifest {path} is not the one that was published.")
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        raise CorruptGallery(
            f"The manifest {path} is of a format that this version does not know."
        ) from error


def _require_quantiles(shares: Sequence[float], cosines: Sequence[float]) -> None:
    """ValueError unless each share has its cosine, both ascend, and the shares go from none to all."""
    if len(shares) != len(cosines):
        raise ValueError(f"There are {len(shares)} shares and {len(cosines)} cosines: each has the other.")
    if [*shares[:1], *shares[-1:]] != [0, 1] or any(low >= high for low, high in pairwise(shares)):
        raise ValueError(f"Shares ascend from 0 to 1, but these are {list(shares)}.")
    if any(low > high for low, high in pairwise(cosines)):
        raise ValueError(f"Cosines ascend with their shares, but these are {list(cosines)}.")
