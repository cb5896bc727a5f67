"""A key is recognised, or counted as a guess: who guesses too often is answered late, a right key at once."""

from __future__ import annotations

from anyio import sleep

from gallery.access.key import Key
from search_api.edge.door import Door, Shown
from search_api.edge.rates import Rates
from search_api.errors import KeyRequired, TooManyRequests

SLOWED_S = 1.0
"""How much later each wrong key of an address that has guessed too often is answered."""


class Recognition:
    """Tells right keys from wrong ones.

    A right key is let in whatever came from its address before: many people ask through one, and a key of 256
    bits is not found by guessing. So guesses cost a look at the records each; what bounds them is that they
    are answered late.
    """

    def __init__(self, door: Door, rates: Rates) -> None:
        self._door = door
        self._rates = rates

    async def key_of(self, shown: Shown, address: str) -> Key:
        """The valid key that is shown; raises KeyRequired, and TooManyRequests after too many guesses."""
        if shown.is_nothing:
            raise KeyRequired(is_wrong=False)
        key = await self._door.who(shown)
        if key is not None:
            return key
        try:
            self._rates.count_failure(address)
        except TooManyRequests:
            await sleep(SLOWED_S)
            raise
        raise KeyRequired(is_wrong=True)
