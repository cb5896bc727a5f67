"""The encoders that there are: those of galleries, and those in a folder that new ones may choose from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gallery.builds.planning import encoder_folders
from gallery.galleries import Galleries
from search_api.errors import EncoderNotFound
from siamese.checkpoint import CheckpointRecord, load_record
from siamese.errors import SiameseError
from siamese.fingerprint import short

MOST_LISTED = 1000
"""Folders that are looked into: nobody has as many checkpoints."""


@dataclass(slots=True)
class KnownEncoder:
    """An encoder, where its checkpoint lies, and the galleries whose published build it has embedded."""

    record: CheckpointRecord
    checkpoint: Path
    is_registered: bool
    galleries: list[str] = field(default_factory=list)

    @property
    def has_pair_head(self) -> bool:
        """Whether it judges pairs by a head of its own, too."""
        return self.record.heads is not None and self.record.heads.pair is not None

    @property
    def has_class_head(self) -> bool:
        """Whether it names labels."""
        return self.record.heads is not None and self.record.heads.classes is not None

    @property
    def bytes(self) -> int:
        """The size of its checkpoint."""
        return sum(path.stat().st_size for path in self.checkpoint.rglob("*") if path.is_file())


def known_encoders(galleries: Galleries, folder: Path | None) -> list[KnownEncoder]:
    """Every encoder once, by fingerprint, in the order of names; a checkpoint that cannot be read is none."""
    found: dict[str, KnownEncoder] = {}
    for checkpoint in _registered(folder):
        if record := _record(checkpoint):
            found.setdefault(record.fingerprint, KnownEncoder(record, checkpoint, True))
    for gallery, checkpoint in _of_galleries(galleries):
        if record := _record(checkpoint):
            known = found.setdefault(record.fingerprint, KnownEncoder(record, checkpoint, False))
            known.galleries.append(gallery)
    return sorted(found.values(), key=lambda each: (each.record.name, each.record.fingerprint))


def checkpoint_named(name: str, galleries: Galleries, folder: Path | None) -> Path:
    """The checkpoint of the encoder of this name or fingerprint; raises EncoderNotFound.

    Of several of one name none is meant.
    """
    known = known_encoders(galleries, folder)
    fitting = [each for each in known if name in {each.record.name, each.record.fingerprint}]
    if len(fitting) != 1:
        names = (
            ", ".join(f"{each.record.name} ({short(each.record.fingerprint)})" for each in known) or "none"
        )
        how_many = "several encoders" if fitting else "no encoder"
        raise EncoderNotFound(f"There is {how_many} {name!r}; known: {names}; a fingerprint names one.")
    return fitting[0].checkpoint


def _registered(folder: Path | None) -> Iterator[Path]:
    if folder is not None and folder.is_dir():
        yield from [each for each in sorted(folder.iterdir()) if each.is_dir()][:MOST_LISTED]


def _of_galleries(galleries: Galleries) -> Iterator[tuple[str, Path]]:
    for summary in galleries.published():
        site = galleries.site(summary.name)
        with site.engine.connect() as connection:
            yield summary.name, site.folder.encoder(next(encoder_folders(connection, site.gallery_id)))


def _record(checkpoint: Path) -> CheckpointRecord | None:
    try:
        return load_record(checkpoint)
    except (SiameseError, OSError):
        return None
