"""Everything that the gallery refuses, each in one sentence that names the value and what would be right.

GalleryError
├── InvalidGalleryName     the name cannot be a folder's name
├── GalleryNotFound        no gallery of this name
│   └── GalleryDoomed      it is being deleted
├── WriteToDoomed          what is to be written would be lost with a gallery that is being deleted
├── NothingPublished       the gallery exists, but no build of it was ever published
├── BuildNotFound          the gallery never had this build, or keeps it no longer
├── AlreadyPublished       going back to the state that is published, or with no build to go back to
├── ImageNotFound          the build has no such image
├── EncoderMismatch        a query embedded by another encoder than the build's
├── GalleryLocked          somebody else is writing this gallery
├── NoSuccessor            a swap is asked about, and none was started
├── SwapRefused            a swap that cannot be: to the gallery's own encoder, or beside another swap
├── GalleryExists          a gallery is to be made under a name that another one has
├── CorruptBackup          a backup is incomplete, was changed, or is of another version
├── GalleryInUse           somebody reads the gallery that is to be deleted
├── SourceUnavailable      a source is missing, unreadable, or suddenly empty
├── InvalidSource          a source is of no kind that can be read, or a row of it says nothing sensible
├── RemovalNotFound        no such image is removed, so that nothing is taken back
├── OriginalDeleted        a removal cannot be taken back: the file was deleted with it
├── OriginalUnavailable    the bytes of an image cannot be read where they lie
│   └── FetchRefused       a URL is not fetched, or its server did not give a file
├── InvalidFilter          a condition on metadata is not understood, or names a column that nobody has
├── InvalidJudgement       a word on a pair that is none
├── JudgementNotFound      the gallery has no such judgement
├── QueryNotFound          a kept query is over, was forgotten, or never was
├── QueriesFull            as many queries are kept as may be
├── NothingToCluster       too few different images to be parted
├── InvalidIndex           an index is asked for that cannot be made
├── NotEmbedded            a place cannot be published: its content has no embedding by this encoder
├── JobNotFound            no job of this number, or one that ended too long ago
├── JobEnded               a job is to be cancelled that is done, or failed
├── JobTakenOver           another worker has taken the job, and whoever had it must let go
├── JobCancelled           whoever does the job is told that somebody cancelled it
├── SourceNotAllowed       a source lies outside of what the settings allow
├── UploadRefused          what was sent is no picture and no archive that is unpacked
├── UploadLimitExceeded    more files or bytes were sent than one upload may hold
├── NotUploaded            the original of an image is not the gallery's own, so it is not replaced
├── CorruptGallery         a file that a build names is missing or is not what was written
├── InvalidKey             a key cannot be made as it is asked for
├── KeyNotFound            no key of this id or name that is still in use
└── SchemaOutdated         the database's schema is not the one that this code was written for
"""


class GalleryError(Exception):
    """What the gallery refuses; the message is one sentence for people."""


class InvalidGalleryName(GalleryError):  # noqa: N818 - named after what it says, like the rest of the tree
    """The name cannot be a folder's name."""


class GalleryNotFound(GalleryError):  # noqa: N818
    """No gallery of this name."""


class GalleryDoomed(GalleryNotFound):
    """The gallery is being deleted, and shows nothing any more."""


class WriteToDoomed(GalleryError):  # noqa: N818
    """What is to be written would be lost: the gallery is being deleted."""


class NothingPublished(GalleryError):  # noqa: N818
    """The gallery exists, but no build of it was ever published."""


class BuildNotFound(GalleryError):  # noqa: N818
    """The gallery never had this build, or keeps it no longer."""


class AlreadyPublished(GalleryError):  # noqa: N818
    """Going back to the state that is published, or with no build to go back to."""


class ImageNotFound(GalleryError):  # noqa: N818
    """The build has no such image."""


class EncoderMismatch(GalleryError):  # noqa: N818
    """A query embedded by another encoder than the build's."""


class GalleryLocked(GalleryError):  # noqa: N818
    """Somebody else is writing this gallery, or has taken it over from us."""


class NoSuccessor(GalleryError):  # noqa: N818
    """A swap is asked about, and none was started."""


class SwapRefused(GalleryError):  # noqa: N818
    """A swap that cannot be: to the gallery's own encoder, or beside another swap."""


class GalleryExists(GalleryError):  # noqa: N818
    """A gallery is to be made, of a backup or of nothing, under a name that another one has."""


class CorruptBackup(GalleryError):  # noqa: N818
    """A backup is incomplete, was changed, or is of another version."""


class GalleryInUse(GalleryError):  # noqa: N818
    """Somebody reads the gallery that is to be deleted."""


class SourceUnavailable(GalleryError):  # noqa: N818
    """A source is missing, unreadable, or suddenly empty."""


class InvalidSource(GalleryError):  # noqa: N818
    """A source is of no kind that can be read, or a row of it says nothing sensible."""


class RemovalNotFound(GalleryError):  # noqa: N818
    """No such image is removed, so that nothing can be taken back."""


class OriginalDeleted(GalleryError):  # noqa: N818
    """A removal cannot be taken back: the file was the gallery's own, and was deleted with it."""


class OriginalUnavailable(GalleryError):  # noqa: N818
    """The bytes of an image cannot be read where they lie."""


class FetchRefused(OriginalUnavailable):
    """A URL is not fetched, or its server did not give a file; the query of the URL is not in the message."""


class InvalidFilter(GalleryError):  # noqa: N818
    """A condition on metadata is not understood, or names a column that no image has."""


class InvalidJudgement(GalleryError):  # noqa: N818
    """A word on a pair that is none."""


class JudgementNotFound(GalleryError):  # noqa: N818
    """The gallery has no such judgement."""


class QueryNotFound(GalleryError):  # noqa: N818
    """A kept query is over, was forgotten, or never was; its id is in no message."""

    def __init__(self) -> None:
        super().__init__(
            "No query is kept under this query_id: it is over, was forgotten, or never was; send the picture."
        )


class QueriesFull(GalleryError):  # noqa: N818
    """As many queries are kept as may be."""


class NothingToCluster(GalleryError):  # noqa: N818
    """Too few different images to be parted."""


class InvalidIndex(GalleryError):  # noqa: N818
    """An index is asked for that cannot be made."""


class NotEmbedded(GalleryError):  # noqa: N818
    """A place cannot be published: its content has no embedding by this encoder."""


class JobNotFound(GalleryError):  # noqa: N818
    """No job of this number, or one that ended too long ago."""


class JobEnded(GalleryError):  # noqa: N818
    """A job is to be cancelled that is done, or failed."""


class JobTakenOver(GalleryError):  # noqa: N818
    """Another worker has taken the job, and whoever had it must let go."""


class JobCancelled(GalleryError):  # noqa: N818
    """Whoever does the job is told that somebody cancelled it."""


class SourceNotAllowed(GalleryError):  # noqa: N818
    """A source lies outside of what the settings allow."""


class UploadRefused(GalleryError):  # noqa: N818
    """What was sent is no picture and no archive that is unpacked."""


class UploadLimitExceeded(GalleryError):  # noqa: N818
    """More files or bytes were sent than one upload may hold."""


class NotUploaded(GalleryError):  # noqa: N818
    """The original of an image is not the gallery's own, so it is not replaced."""


class CorruptGallery(GalleryError):  # noqa: N818
    """A file that a build names is missing or is not what was written."""


class SchemaOutdated(GalleryError):  # noqa: N818
    """The database's schema is not the one that this code was written for."""


class InvalidKey(GalleryError):  # noqa: N818
    """A key cannot be made as it is asked for."""


class KeyNotFound(GalleryError):  # noqa: N818
    """No key of this id or name that is still in use, or several of this name."""
