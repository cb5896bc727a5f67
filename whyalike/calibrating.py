"""From a labelled gallery to what the distances in it mean, written into the gallery's own checkpoint."""

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from gallery.builds.build import Build
from gallery.builds.image import GalleryImage
from gallery.errors import EncoderMismatch
from gallery.galleries import Galleries
from search_api.schemas.encoder import EncoderSchema
from siamese.calibration import Calibration
from siamese.checkpoint import load_record, with_calibration
from siamese.embedded_samples import EmbeddedSamples
from siamese.errors import UnusableData
from siamese.fingerprint import short
from siamese.recalibration import Refitted, refit_pair, refit_shown
from siamese.samples import Sample, conflicting_checksums


class Change(BaseModel, frozen=True):
    """One calibration: what it was, what it is now, and the cross-validated error of such a fit.

    `refused` says why it stayed as it was; `ece` is None where there are too few pairs to cross-validate.
    """

    before: Calibration
    after: Calibration
    refused: str | None
    ece: float | None
    ece_floor: float | None


class CalibrationReport(BaseModel, frozen=True):
    """What was fitted on a gallery; `left_out` counts unlabelled images, copies and conflicts.

    `pair_head` says whether the checkpoint has one; its calibration is part of it and is never refitted.
    """

    gallery: str
    build: int
    encoder: EncoderSchema
    queries: int
    images: int
    labels: int
    left_out: int
    shown: Change
    pair: Change
    pair_head: bool


def calibrate_gallery(
    galleries: Galleries, name: str, *, ask: Callable[[Path], EmbeddedSamples] | None = None
) -> CalibrationReport:
    """Fit both calibrations on the labelled images of the published build, from its stored embeddings.

    `ask` gives labelled queries, embedded by the encoder of the checkpoint at a path, before the gallery is
    locked; without it every image asks the others.

    The gallery's copy of the checkpoint is replaced in one step, and neither fingerprint nor build changes.
    Where one of the two cannot be fitted, that one stays. Raises GalleryNotFound, NothingPublished,
    GalleryLocked, EncoderMismatch where another encoder's build was published while the queries were
    embedded, and UnusableData where labels are missing or nothing can be fitted.
    """
    fingerprint, asking = _asking(galleries, name, ask)
    with galleries.writer(name, create=False) as writer:
        build = galleries.open(name)
        try:
            if asking and build.fingerprint != fingerprint:
                raise EncoderMismatch(
                    f"the gallery {name!r} got another encoder while the queries were embedded, "
                    f"{short(build.fingerprint)} instead of {short(fingerprint)}; calibrate it again"
                )
            live = writer.live()
            images = _labelled(build, live)
            record = load_record(build.checkpoint)
            shown = _change(record.shown, refit_shown(images, asking=asking))
            pair = _change(record.calibration, refit_pair(images, asking=asking))
            if shown.refused and pair.refused:
                raise UnusableData(f"nothing could be fitted on the gallery {name!r}: {shown.refused}")
            with_calibration(build.checkpoint, pair.after, shown=shown.after)
        finally:
            build.close()
    return CalibrationReport(
        gallery=name,
        build=build.number,
        encoder=EncoderSchema(name=record.name, fingerprint=record.fingerprint),
        queries=len((asking or images).samples),
        images=len(images.samples),
        labels=len(set(images.labels.tolist())),
        left_out=len(live) - len(images.samples),
        shown=shown,
        pair=pair,
        pair_head=record.heads is not None and record.heads.pair is not None,
    )


def _asking(
    galleries: Galleries, name: str, ask: Callable[[Path], EmbeddedSamples] | None
) -> tuple[str, EmbeddedSamples | None]:
    """The fingerprint of the published build, and the queries by its encoder, if others ask."""
    build = galleries.open(name)
    try:
        return build.fingerprint, ask(build.checkpoint) if ask else None
    finally:
        build.close()


def _labelled(build: Build, live: list[GalleryImage]) -> EmbeddedSamples:
    """The first image of each labelled content that stands under one label, with its stored embedding."""
    samples = {
        image.image_id: Sample(Path(image.uri), image.uri, image.label, image.checksum)
        for image in live
        if image.label
    }
    conflicts = conflicting_checksums(samples.values())
    first: dict[str, int] = {}
    for image_id, sample in samples.items():
        if sample.checksum not in conflicts:
            first.setdefault(sample.checksum, image_id)
    labels = {samples[image_id].label for image_id in first.values()}
    if len(labels) < 2:
        raise UnusableData(
            f"the gallery {build.gallery!r} has {len(samples)} labelled images of {len(live)}, and "
            f"{len(labels)} labels; calibrating needs images in folders of at least two labels"
        )
    kept = tuple(first.values())
    return EmbeddedSamples(tuple(samples[each] for each in kept), build.embeddings(kept))


def _change(before: Calibration, refitted: Refitted) -> Change:
    after, reason = refitted.calibration, refitted.calibration.reason
    return Change(
        before=before,
        after=before if reason else after,
        refused=reason,
        ece=refitted.error,
        ece_floor=refitted.floor,
    )
