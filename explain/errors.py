"""What can go wrong when evidence is computed or drawn.

ExplainError
├── MapMismatch       two arrays of local embeddings that cannot be compared
├── NotFinite         local embeddings, or maps, that hold NaN or infinity
└── NothingToDraw     a picture, a figure or a curve without anything in it
"""


class ExplainError(Exception):
    """Base of every error that this package raises on purpose."""


class MapMismatch(ExplainError):
    """Local embeddings whose shapes do not belong together."""


class NotFinite(ExplainError):
    """Local embeddings, or the maps made from them, hold NaN or infinity."""


class NothingToDraw(ExplainError):
    """A picture, a figure or a curve without anything in it."""
