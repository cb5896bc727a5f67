"""What hiding regions shows of one match: asked for by name, because it looks at the pictures again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import BoundedSemaphore

import numpy as np

from explain.evidence import Evidence
from explain.hidden_picture import hidden_picture
from explain.map_trial import ORDERS, STEPS, MapTrial, try_map
from explain.maps import Floats
from explain.perturbing import Hiding
from explain.reason_warnings import ReasonWarning
from explain.sights import Sight
from explain.what_if import Hidden, WhatIf, signed, what_if
from gallery.builds.build import Build
from search_api.errors import InvalidQuestion, TrialsBusy
from search_api.evidence.accounts import Account, HidingWanted
from search_api.evidence.explaining import Judging
from search_api.evidence.hiding_words import told, warning
from search_api.loaded.encoders import LoadedEncoders
from search_api.presence import require_somebody
from search_api.queries.pictures import data_uri, png, stored_image
from search_api.queries.subjects import Asked, Stored, Upload
from search_api.schemas.base import DrawnOn
from search_api.schemas.hiding import FaithfulnessSchema, LeftSchema, MapFaithfulnessSchema, WhatIfSchema
from search_api.scoring import EXPLAINS, Scored
from search_api.scoring import Floats as Embeddings
from search_api.settings import SearchSettings
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from siamese.preprocessing import Preprocessing
from siamese.scaled_image import ScaledImage

PATIENCE = 5.0
"""Seconds that a question waits for its trial: many that wait would keep searches from being answered."""


@dataclass(frozen=True, slots=True)
class Hides:
    """The answers to it; None where it was not asked."""

    what_if: WhatIfSchema | None = None
    faithfulness: FaithfulnessSchema | None = None

    def added_to(self, account: Account) -> Account:
        """The account whose reason is doubted where a map does no better than chance."""
        doubts = self.faithfulness.warnings if self.faithfulness else []
        warnings = (ReasonWarning(each.code, each.text) for each in doubts)
        reason = replace(account.reason, warnings=(*account.reason.warnings, *warnings))
        return replace(account, reason=reason)


@dataclass(frozen=True, slots=True)
class Again:
    """Both pictures of a judged pair, seen by the encoder once more, and what the query's was seen in."""

    query: Hiding
    matched: Hiding
    seen_in: DrawnOn
    judging: Judging
    scored: Scored

    def left(self, embeddings: Embeddings) -> list[Scored]:
        """The numbers with these embeddings (n, D) in place of the query's."""
        return self.judging.scorer.scored(self.matched.sight.embedding, embeddings)

    def number(self, embeddings: Embeddings, other: Embeddings) -> Floats:
        """The explained number with the other image (D,), turned so that it is greater for the verdict."""
        if self.judging.of == "pair-head":
            numbers = np.array([each.score for each in self.judging.scorer.scored(other, embeddings)])
        else:
            numbers = (embeddings @ other).astype(np.float64)
        return -numbers if self.scored.verdict == "different" else numbers


Hide = Callable[[Asked, Judging, Scored, Evidence], Hides]
"""Tests one compared image, which was judged so."""


class HidingTrials:
    """Looks at the pictures of judged pairs again: no more pairs at once than there are slots, and each
    batch of looks takes its slot anew, so that searches come in between, and is left undone where nobody
    waits for it.
    """

    def __init__(
        self, encoders: LoadedEncoders, decoding: BoundedSemaphore, settings: SearchSettings
    ) -> None:
        self._encoders = encoders
        self._decoding = decoding
        self._trials = BoundedSemaphore(settings.embedding_slots)
        self._limits = settings.upload_limits

    def each(self, wanted: HidingWanted, query: Asked, judge: Build | Encoder) -> Hide:
        """What answers for every image that is compared with the query, by a build's encoder or by this one.

        It raises InvalidQuestion where the evidence is not that of the verdict, TrialsBusy, UnreadableImage,
        ZeroEmbedding and Abandoned.
        """

        def hide(image: Asked, judging: Judging, scored: Scored, evidence: Evidence) -> Hides:
            if not wanted:
                return Hides()
            require_own_number(judging)
            with self._turn():
                return _hidden(wanted, self._again((query, image), judge, judging, scored), evidence)

        return hide

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._trials.acquire(timeout=PATIENCE):
            raise TrialsBusy
        try:
            require_somebody()
            yield
        finally:
            self._trials.release()

    def _again(
        self, pair: tuple[Asked, Asked], judge: Build | Encoder, judging: Judging, scored: Scored
    ) -> Again:
        build = judge if isinstance(judge, Build) else None
        encoder = judge if isinstance(judge, Encoder) else self._encoders.of(judge)
        (query, seen_in), (matched, _) = [self._sight(asked, build, encoder) for asked in pair]
        looks = self._encoders.in_turn(encoder)
        return Again(Hiding.of(looks, query), Hiding.of(looks, matched), seen_in, judging, scored)

    def _sight(self, asked: Asked, build: Build | None, encoder: Encoder) -> tuple[Sight, DrawnOn]:
        require_somebody()
        with self._decoding:
            image, seen_in = _image(asked, build, encoder.preprocessing, self._limits)
            prepared, seen = encoder.prepare(image), encoder.preprocessing.seen_pixels(*image.size)
            del image  # it may take much memory
        embedding, local_embeddings = self._encoders.embed(encoder, prepared)
        return Sight(prepared, seen, local_embeddings, embedding), seen_in


def _hidden(wanted: HidingWanted, again: Again, evidence: Evidence) -> Hides:
    return Hides(
        try_what_if(again, evidence, pictures=wanted.pictures) if wanted.what_if else None,
        try_faithfulness(again, evidence) if wanted.faithfulness else None,
    )


def require_own_number(judging: Judging) -> None:
    """Raises InvalidQuestion where the evidence is not that of the verdict."""
    if judging.of not in EXPLAINS[judging.scorer.name]:
        raise InvalidQuestion(
            f"What is hidden is what speaks for the verdict, and {judging.of} does not explain that of "
            f"{judging.scorer.name}: leave out “explained”, or choose the scorer that it belongs to."
        )


def try_what_if(again: Again, evidence: Evidence, *, pictures: bool) -> WhatIfSchema:
    """Hide in the query what speaks for the verdict; what it flips is the verdict on the pair as seen again,
    which may be another one than that on originals that are gone.
    """
    whole = again.left(again.query.sight.embedding[None])[0]

    def flips(embeddings: Embeddings) -> np.ndarray:
        return np.array([each.verdict != whole.verdict for each in again.left(embeddings)])

    found = what_if(again.query, evidence.query, flips if whole.verdict else None)
    parts = [found.everything, *([found.smallest] if found.smallest else [])]
    left = again.left(np.stack([each.embedding for each in parts]))
    schemas = [_left(part, scored) for part, scored in zip(parts, left, strict=True)]
    smallest = schemas[1] if found.smallest else None
    return WhatIfSchema(
        text=told(whole, schemas[0], smallest),
        seen_in=again.seen_in,
        hidden=schemas[0],
        flips=None if whole.verdict is None else schemas[0].verdict != whole.verdict,
        smallest=smallest,
        picture=_picture(found, again) if pictures else None,
    )


def try_faithfulness(again: Again, evidence: Evidence) -> FaithfulnessSchema:
    """Hide both pictures by their maps, from the middle, and in orders of chance."""
    query, matched = again.query, again.matched
    sides = ((query, evidence.query, matched), (matched, evidence.matched, query))
    trials = [
        try_map(hiding, signed(side), partial(again.number, other=other.sight.embedding))
        for hiding, side, other in sides
    ]
    doubted = [trial.by_chance for trial in trials]
    return FaithfulnessSchema(
        query=_areas(trials[0]),
        matched=_areas(trials[1]),
        steps=STEPS,
        random_orders=ORDERS,
        warnings=[warning(doubted)] if any(doubted) else [],
    )


def _image(
    asked: Asked, build: Build | None, preprocessing: Preprocessing, limits: ImageLimits
) -> tuple[ScaledImage, DrawnOn]:
    if isinstance(asked, Upload):
        return decode_for(asked.data, preprocessing, limits=limits), "upload"
    if not isinstance(asked, Stored):
        raise InvalidQuestion(
            "Whole pictures are tested by hiding regions: leave out the crop and what is masked."
        )
    assert build is not None  # only a build has stored images
    return stored_image(build.image(asked.image_id), build, preprocessing)


def _left(part: Hidden, scored: Scored) -> LeftSchema:
    return LeftSchema(
        area=part.area,
        distance=scored.distance,
        similarity=scored.similarity,
        probability=scored.probability,
        verdict=scored.verdict,
    )


def _picture(found: WhatIf, again: Again) -> str:
    shown = found.smallest or found.everything
    preprocessing = again.judging.checkpoint.record.preprocessing
    return data_uri(png(hidden_picture(shown.pixels, shown.mask, preprocessing)))


def _areas(trial: MapTrial) -> MapFaithfulnessSchema:
    def mean(values: Sequence[float]) -> float:
        return float(np.mean(values))

    return MapFaithfulnessSchema(
        deletion=trial.own.deletion,
        insertion=trial.own.insertion,
        centre_deletion=trial.centre.deletion,
        centre_insertion=trial.centre.insertion,
        random_deletion=mean([each.deletion for each in trial.chance]),
        random_insertion=mean([each.insertion for each in trial.chance]),
        beats_random=trial.beats,
    )
