"""What can go wrong when evidence is computed or drawn.

ExplainError
├── MapMismatch       two arrays of local embeddings that cannot be compared
├── NotFinite         local embeddings, or maps, that hold NaN or infinity
└── NothingToDraw     a picture, a figure or a curve without anything in it
"""


class ExplainError(Exception):
    """Base of every error that this package raises on purpose."""


class MapMismatch(ExplainError):  # noqa: N818 - named after what it says, like the rest of the tree
    """Local embeddings whose shapes do not belong together."""


class NotFinite(ExplainError):  # noqa: N818
    """Local embeddings, or the maps made from them, hold NaN or infinity."""


class NothingToDraw(ExplainError):  # noqa: N818
    """A picture, a figure or a curve without anything in it."""
