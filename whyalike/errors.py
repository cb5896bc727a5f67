"""What the command line refuses, and the exit code of everything that is foreseen in any package.

WhyAlikeError
├── UsageError           options that do not go together
│   └── BadSetting       a WHYALIKE_ variable that is no setting, or a value that is not allowed
├── DatabaseUnavailable  the database cannot be opened
├── DatabaseTooNew       the database has the schema of a newer version
├── DatabaseBusy         another process writes to the database for longer than we wait
├── NotConfirmed         what must be asked for, and nobody said yes
└── GoalMissed           the demo ran, and its figures are below what they must be
"""

from sqlalchemy.exc import OperationalError

from explain.errors import ExplainError
from gallery import errors as of_gallery
from indexer import errors as of_indexer
from search_api import errors as of_search
from siamese import errors as of_siamese

FAULT = 1
USAGE = 2
BAD_INPUT = 3
NOT_FOUND = 4
BUSY = 5


class WhyAlikeError(Exception):
    """What the command line refuses; the message is one sentence for people."""


class UsageError(WhyAlikeError):
    """Options that do not go together."""


class BadSetting(UsageError):  # noqa: N818 - named after what it says
    """A WHYALIKE_ variable that is no setting, or a value that is not allowed."""


class DatabaseUnavailable(WhyAlikeError):  # noqa: N818
    """The database cannot be opened."""


class DatabaseTooNew(WhyAlikeError):  # noqa: N818
    """The database has the schema of a newer version."""


class DatabaseBusy(WhyAlikeError):  # noqa: N818
    """Another process writes to the database for longer than we wait."""


class NotConfirmed(WhyAlikeError):  # noqa: N818
    """What must be asked for, and nobody said yes."""


class GoalMissed(WhyAlikeError):  # noqa: N818
    """The demo ran, and its figures are below what they must be."""


# The nearest class in an error's own line of descent decides.
EXIT_CODES: dict[type[BaseException], int] = {
    WhyAlikeError: FAULT,
    UsageError: USAGE,
    DatabaseUnavailable: NOT_FOUND,
    DatabaseTooNew: BAD_INPUT,
    DatabaseBusy: BUSY,
    OSError: FAULT,
    FileNotFoundError: NOT_FOUND,
    NotADirectoryError: NOT_FOUND,
    ExplainError: FAULT,
    of_siamese.SiameseError: BAD_INPUT,
    of_siamese.WeightsUnavailable: NOT_FOUND,
    of_siamese.CheckpointNotFound: NOT_FOUND,
    of_siamese.DeviceUnavailable: NOT_FOUND,
    of_siamese.RuntimeUnavailable: NOT_FOUND,
    of_siamese.RuntimeDiffers: FAULT,
    of_siamese.UnknownName: USAGE,
    of_siamese.OutOfMemory: FAULT,
    of_gallery.GalleryError: FAULT,
    of_gallery.InvalidGalleryName: USAGE,
    of_gallery.GalleryNotFound: NOT_FOUND,
    of_gallery.NothingPublished: NOT_FOUND,
    of_gallery.BuildNotFound: NOT_FOUND,
    of_gallery.AlreadyPublished: USAGE,
    of_gallery.ImageNotFound: NOT_FOUND,
    of_gallery.SourceUnavailable: NOT_FOUND,
    of_gallery.OriginalUnavailable: NOT_FOUND,
    of_gallery.FetchRefused: BAD_INPUT,
    of_gallery.InvalidSource: BAD_INPUT,
    of_gallery.InvalidFilter: USAGE,
    of_gallery.InvalidIndex: USAGE,
    of_gallery.InvalidJudgement: USAGE,
    of_gallery.JudgementNotFound: NOT_FOUND,
    of_gallery.QueryNotFound: NOT_FOUND,
    of_gallery.QueriesFull: BUSY,
    of_gallery.NothingToCluster: BAD_INPUT,
    of_gallery.EncoderMismatch: BAD_INPUT,
    of_gallery.GalleryLocked: BUSY,
    of_gallery.GalleryInUse: BUSY,
    of_gallery.GalleryExists: USAGE,
    of_gallery.NoSuccessor: NOT_FOUND,
    of_gallery.SwapRefused: USAGE,
    of_gallery.CorruptBackup: BAD_INPUT,
    of_gallery.InvalidKey: USAGE,
    of_gallery.KeyNotFound: NOT_FOUND,
    of_gallery.JobNotFound: NOT_FOUND,
    of_gallery.JobEnded: USAGE,
    of_gallery.SourceNotAllowed: USAGE,
    of_gallery.UploadRefused: BAD_INPUT,
    of_gallery.UploadLimitExceeded: BAD_INPUT,
    of_gallery.NotUploaded: USAGE,
    of_indexer.IndexerError: BAD_INPUT,
    of_search.SearchError: BAD_INPUT,
    of_search.AmbiguousGallery: USAGE,
    of_search.CursorGone: NOT_FOUND,
    of_search.InvalidCursor: USAGE,
    of_search.InvalidQuestion: USAGE,
    of_search.PictureUnavailable: NOT_FOUND,
    of_search.TracesUnavailable: NOT_FOUND,
    of_search.UnknownLabel: NOT_FOUND,
}


def is_locked(error: BaseException) -> bool:
    """Whether SQLite gave up waiting for another process that writes."""
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)


def is_foreseen(error: BaseException) -> bool:
    """Whether the error says by itself what is wrong."""
    return any(kind in EXIT_CODES for kind in type(error).__mro__)


def exit_code(error: BaseException) -> int:
    """The exit code of an error; 1 for one that nobody foresaw."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), FAULT)


def sentence(error: BaseException) -> str:
    """What went wrong in one sentence, or where to report what nobody foresaw."""
    if not is_foreseen(error):
        return (
            f"Error: an unforeseen {type(error).__name__}: {' '.join(str(error).split())}. "
            "Run the same command as `whyalike --debug …` and report what it prints to the project's issues."
        )
    text = _of_the_system(error) if isinstance(error, OSError) else str(error)
    return f"Error: {text}" if text.endswith((".", "!", "?")) else f"Error: {text}."


def _of_the_system(error: OSError) -> str:
    """The file and the reason, without the number."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason
