"""What a survey still believes of what was seen before."""

from collections.abc import Callable, Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trust:
    """Which of what was seen before is still believed.

    `embedded` gives those of some checksums that need not be embedded again; with `all_embedded` nobody asks
    it about images of the gallery. What could not be read is tried again with `retry_failed`; with `rehash`
    everything is read again.
    """

    embedded: Callable[[Collection[str]], Collection[str]]
    all_embedded: bool = False
    retry_failed: bool = False
    rehash: bool = False
