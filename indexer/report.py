"""What a run of the indexer returns: counts and reasons."""

from dataclasses import dataclass

from gallery.index.report import IndexReport
from gallery.local_storage import LocalStorage
from gallery.surveys.seen import Unreadable


@dataclass(frozen=True, slots=True)
class IndexingReport:
    """What became of every file, and what that took.

    `build` is the published build's number; `published` says whether this run made it or found that nothing
    had changed. Images are counted by place: `images` in the whole gallery, `added` to `unchanged` among the
    scanned roots as the gallery counts them. `duplicates` are images whose content another image has, too.
    `embedded` are contents that this run embedded, and `local_embeddings` is how the build keeps theirs;
    `index` is how the build is searched, None where somebody else was writing the gallery by then;
    `seconds` is the time of the whole run.
    """

    gallery: str
    build: int
    published: bool
    encoder_name: str
    fingerprint: str
    images: int
    added: int
    changed: int
    moved: int
    relabelled: int
    removed: int
    unchanged: int
    duplicates: int
    unreadable: tuple[Unreadable, ...]
    embedded: int
    local_embeddings: LocalStorage
    index: IndexReport | None
    seconds: float

    @property
    def images_per_second(self) -> float:
        """Contents embedded in a second of the whole run, 0 where none were."""
        return self.embedded / self.seconds if self.seconds > 0 else 0.0
