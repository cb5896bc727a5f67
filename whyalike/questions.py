"""What `search` asks with: a picture, a part of one, or several with weights."""

import re
from collections.abc import Sequence
from pathlib import Path

from gallery.web.urls import is_web
from search_api.queries.subjects import Asked, Linked, Part, Several, Stored, Upload, Weighted, Whole
from search_api.regions import Region, regions
from siamese.images import ImageLimits
from whyalike.errors import UsageError
from whyalike.pictures import upload

_WEIGHTED = re.compile(r"(?P<weight>[0-9]*\.?[0-9]+):(?P<image>.+)", re.DOTALL)


def question(
    image: str,
    *,
    crop: str | None,
    masked: Sequence[str] | None,
    plus: Sequence[str] | None,
    minus: Sequence[str] | None,
    limits: ImageLimits,
) -> Asked:
    """What these options ask with; crop and masked regions are those of the first image.

    An image is a file, the image_id of one in the gallery, or a URL. Raises FileNotFoundError,
    UnreadableImage and InvalidQuestion.
    """
    first = _part(_whole(image, limits), crop, masked)
    others = [(text, sign) for texts, sign in ((plus, 1.0), (minus, -1.0)) for text in texts or ()]
    if not others:
        return first
    return Several((Weighted(first), *(_weighted(text, sign, limits) for text, sign in others)))


def pictured(asked: Asked) -> Upload | Part:
    """The same where its picture is at hand, to be drawn on; raises UsageError where it is not."""
    if isinstance(asked, Upload) or (isinstance(asked, Part) and isinstance(asked.of, Upload)):
        return asked
    raise UsageError(
        "--evidence draws on one picture of this machine: ask with a file, without --plus and --minus"
    )


def _weighted(text: str, sign: float, limits: ImageLimits) -> Weighted:
    """`IMAGE`, or `WEIGHT:IMAGE` where there is no file of that whole name."""
    found = None if Path(text).exists() else _WEIGHTED.fullmatch(text)
    if found is None:
        return Weighted(_whole(text, limits), sign)
    return Weighted(_whole(found["image"], limits), sign * float(found["weight"]))


def _whole(text: str, limits: ImageLimits) -> Whole:
    if Path(text).exists() or not (text.isdecimal() or is_web(text)):
        return upload(Path(text), limits=limits)
    return Stored(int(text)) if text.isdecimal() else Linked(text)


def _part(whole: Whole, crop: str | None, masked: Sequence[str] | None) -> Whole | Part:
    if not (crop or masked):
        return whole
    return Part(whole, Region.parse(crop) if crop else None, regions(masked))
