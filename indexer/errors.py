"""Everything that the indexer refuses, each in one sentence that names the value and what would be right.

    IndexerError
    ├── EncoderRefused     the gallery's images were embedded by another encoder than the one asked for
    └── NothingToIndex     no file below the roots of a new gallery could be read as an image

A file that cannot be read is no error of a run: the report names it with its reason.
"""


class IndexerError(Exception):
    """What the indexer refuses; the message is one sentence for people."""


class EncoderRefused(IndexerError):
    """The gallery's images were embedded by another encoder than the one asked for."""


class NothingToIndex(IndexerError):
    """No file below the roots of a new gallery could be read as an image."""
