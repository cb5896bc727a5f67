"""The weights of an encoder at another size of its square: finer maps from larger pictures."""

from __future__ import annotations

from dataclasses import replace

from siamese.calibration import Calibration
from siamese.checkpoint import describe
from siamese.encoder import Encoder
from siamese.heads import Heads, HeadsRecord
from siamese.preprocessing import Preprocessing


def resized(encoder: Encoder, image_size: int) -> Encoder:
    """An encoder of the same weights whose square has sides of `image_size` pixels; the same one if it has.

    Its grid, its embeddings and so its fingerprint are its own. What was fitted to distances at the old size
    is left out, with the reason: both calibrations and the pair head. The class head stays.
    Raises UnusableData where the body needs more pixels.
    """
    before = encoder.preprocessing.image_size
    if image_size == before:
        return encoder
    square = {**encoder.preprocessing.model_dump(), "image_size": image_size}
    unfitted = Calibration.unfitted(
        f"what was fitted at {before} pixels does not hold at {image_size}; calibrate the gallery"
    )
    record = describe(
        encoder.network,
        name=f"{encoder.name}-{image_size}px",
        preprocessing=Preprocessing.model_validate(square),
        calibration=unfitted,
        training=encoder.record.training,
        split=encoder.record.split,
        whitening=encoder.record.whitening,
    )
    heads = Heads(classes=encoder.heads.classes)
    described = encoder.record.heads and HeadsRecord.of(
        heads, reason=f"the pair head was fitted at {before} pixels and does not hold at {image_size}"
    )
    record = record.model_copy(update={"shown": unfitted, "heads": described})
    return replace(encoder, record=record, heads=heads, other_runtime=None)
