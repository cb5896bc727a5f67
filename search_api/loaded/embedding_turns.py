"""Pictures that wait for an encoder at the same time are embedded together; nobody waits for company.

Whoever gets a slot takes along what waits for the same encoder, as much as it computes at once. An encoder
gives a picture the same bits alone and in a batch, so the answers do not tell who was in it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from search_api.errors import Abandoned
from search_api.loaded.slots import Slots
from search_api.presence import PRESENCE, Presence
from search_api.scoring import Floats
from siamese.encoder import Encoder
from siamese.errors import ZeroEmbedding
from siamese.preparing import Prepared

Pair = tuple[Floats, Floats]
"""The embedding (D,) and the local embeddings (h, w, D) of a picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A picture that waits for its encoder, and what will become of it."""

    encoder: Encoder
    prepared: Prepared
    outcome: Future[Pair] = field(default_factory=Future)
    presence: Presence | None = field(default_factory=PRESENCE.get)

    @property
    def is_for_nobody(self) -> bool:
        """Whether who asked with it has gone away while it waited."""
        return self.presence is not None and self.presence.has_ended


class EmbeddingTurns:
    """The pictures that wait for slots, in the order in which they came."""

    def __init__(self, slots: Slots, observe: Callable[[int], None]) -> None:
        """`observe` is told the size of each batch."""
        self._slots = slots
        self._observe = observe
        self._lock = threading.Lock()
        self._line: list[Waiting] = []

    def embed(self, encoder: Encoder, prepared: Prepared) -> Pair:
        """What the encoder says of one picture; raises ZeroEmbedding, OutOfMemory, Abandoned."""
        mine = Waiting(encoder, prepared)
        with self._lock:
            self._line.append(mine)
        while self._slots.take_unless(lambda: mine not in self._line):
            try:
                self._embed_first()
            finally:
                self._slots.give_back()
        return mine.outcome.result()

    def _embed_first(self) -> None:
        """Embeds those that have waited longest; each learns what became of its own picture."""
        batch = self._taken()
        if not batch:
            return
        self._observe(len(batch))
        try:
            _embed_together(batch)
        finally:
            for each in batch:
                if not each.outcome.done():  # this thread was interrupted
                    each.outcome.cancel()

    def _taken(self) -> list[Waiting]:
        """The first in the line, and those behind it that its encoder computes at the same time.

        What nobody waits for any more leaves the line.
        """
        with self._lock:
            for each in [each for each in self._line if each.is_for_nobody]:
                self._line.remove(each)
                each.outcome.set_exception(Abandoned())
            encoder = self._line[0].encoder if self._line else None
            batch = [each for each in self._line if each.encoder is encoder]
            batch = batch[: encoder.at_once] if encoder else []
            self._line = [each for each in self._line if each not in batch]
        return batch


def _embed_together(batch: Sequence[Waiting]) -> None:
    """A picture that cannot be embedded spoils only its own answer."""
    try:
        embedded, without = batch[0].encoder.embed_directed([each.prepared for each in batch])
    except Exception as error:  # noqa: BLE001 - told to whoever asked with the picture
        if len(batch) == 1:
            batch[0].outcome.set_exception(error)
            return
        for each in batch:
            _embed_together([each])
        return
    for position in without:
        batch[position].outcome.set_exception(ZeroEmbedding([0]))
    directed = [each for position, each in enumerate(batch) if position not in set(without)]
    pairs = zip(embedded.embeddings, embedded.local_embeddings, strict=True)
    for each, (embedding, local) in zip(directed, pairs, strict=True):
        each.outcome.set_result((np.asarray(embedding), np.asarray(local)))
