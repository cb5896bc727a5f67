"""The encoders that are loaded: one for each fingerprint, the least recently used forgotten first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.builds.build import Build
from gallery.errors import EncoderMismatch
from search_api.loaded.embedding_turns import EmbeddingTurns
from search_api.loaded.slots import Slots
from search_api.presence import require_somebody
from search_api.scoring import Floats
from siamese.encoder import Embedded, Encoder
from siamese.fingerprint import short
from siamese.preparing import Prepared


@dataclass(frozen=True, slots=True, eq=False)
class InTurn:
    """An encoder that takes a slot anew for each batch, so that long work lets questions in between."""

    encoder: Encoder
    slots: Slots

    def embed_directed(self, prepared: Sequence[Prepared]) -> tuple[Embedded, list[int]]:
        """What the encoder says of the batch; raises Abandoned where nobody waits for it any more."""
        require_somebody()
        with self.slots:
            return self.encoder.embed_directed(prepared)


class LoadedEncoders:
    """Loads the encoder of a build once and shares it between threads."""

    def __init__(
        self,
        load: Callable[[Path], Encoder],
        *,
        kept: int,
        slots: int,
        observe: Callable[[int], None] = lambda size: None,
    ) -> None:
        """`observe` is told how many pictures were embedded together."""
        self._load = load
        self._kept = kept
        self._lock = threading.Lock()
        self._slots = Slots(slots)
        self._turns = EmbeddingTurns(self._slots, observe)
        self._encoders: OrderedDict[str, Encoder] = OrderedDict()

    def of(self, build: Build) -> Encoder:
        """The encoder that embedded the build; raises EncoderMismatch where its checkpoint is another's."""
        with self._lock:
            encoder = self._encoders.pop(build.fingerprint, None) or self._load(build.checkpoint)
            if encoder.fingerprint != build.fingerprint:
                raise EncoderMismatch(
                    f"The checkpoint of build {build.number} of {build.gallery!r} holds another encoder, "
                    f"{short(encoder.fingerprint)} where {short(build.fingerprint)} embedded the build."
                )
            self._encoders[build.fingerprint] = encoder
            while len(self._encoders) > self._kept:
                self._encoders.popitem(last=False)
            return encoder

    @property
    def fingerprints(self) -> frozenset[str]:
        """Of those that are in memory."""
        with self._lock:
            return frozenset(self._encoders)

    def warm(self, build: Build) -> None:
        """Loads the encoder of the build if there is room for one more; raises what `of` raises."""
        with self._lock:
            full = len(self._encoders) >= self._kept
        if not full:
            self.of(build)

    def in_turn(self, encoder: Encoder) -> InTurn:
        """The encoder for whoever embeds many batches in a row."""
        return InTurn(encoder, self._slots)

    def embed(self, encoder: Encoder, prepared: Prepared) -> tuple[Floats, Floats]:
        """The embedding (D,) and the local embeddings (h, w, D) of one picture.

        No more batches at once than there are slots, so that questions do not fight for the cores; those that
        wait at the same time are one batch. Raises Abandoned where nobody waits for it any more.
        """
        require_somebody()
        return self._turns.embed(encoder, prepared)

    def local_embeddings(self, encoder: Encoder, prepared: Sequence[Prepared]) -> Floats:
        """The local embeddings (n, h, w, D) of some pictures, as one of those that are embedded at once.

        Raises Abandoned where nobody waits for them any more.
        """
        require_somebody()
        with self._slots:
            return encoder.local_embeddings(prepared)
