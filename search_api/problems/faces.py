"""The one table that gives every error of WhyAlike its HTTP face."""

from __future__ import annotations

from http import HTTPStatus

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from gallery import errors as of_gallery
from search_api.errors import (
    Abandoned,
    AmbiguousGallery,
    CursorGone,
    EncoderNotFound,
    FetchesBusy,
    ForeignOrigin,
    InvalidCursor,
    InvalidQuestion,
    KeyRequired,
    NoSuchHead,
    Overloaded,
    PictureUnavailable,
    ScopeMissing,
    ShuttingDown,
    SlowBody,
    TooManyRequests,
    TrialsBusy,
    UnknownHost,
    UnknownLabel,
    UploadTooLarge,
)
from search_api.problems.face import Face
from search_api.problems.managed_faces import MANAGED
from siamese import errors as of_siamese

INTERNAL_FAULT = Face(
    HTTPStatus.INTERNAL_SERVER_ERROR, "internal-fault", "A fault of the service", is_fault=True
)
INVALID_REQUEST = Face(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "The request is not understood")
RECORDS_UNAVAILABLE = Face(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "records-unavailable",
    "The records cannot be read at the moment",
    is_fault=True,
)

FACES: dict[type[Exception], Face] = {
    CursorGone: Face(HTTPStatus.GONE, "cursor-gone", "The pages of this answer are gone"),
    InvalidCursor: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-cursor", "The cursor leads nowhere"),
    Abandoned: Face(HTTPStatus.REQUEST_TIMEOUT, "abandoned", "Nobody waits for this"),
    AmbiguousGallery: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "ambiguous-gallery", "Which gallery is meant?"),
    EncoderNotFound: Face(HTTPStatus.NOT_FOUND, "encoder-not-found", "No such encoder"),
    FetchesBusy: Face(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "fetches-busy",
        "Other pictures are being fetched; ask again in a while",
    ),
    ForeignOrigin: Face(HTTPStatus.FORBIDDEN, "foreign-origin", "Another page sent this"),
    InvalidQuestion: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-question", "This cannot be answered"),
    KeyRequired: Face(HTTPStatus.UNAUTHORIZED, "key-required", "A valid key is needed"),
    NoSuchHead: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "no-such-head", "The encoder has no such head"),
    Overloaded: Face(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", "The service has too much to do"),
    PictureUnavailable: Face(HTTPStatus.NOT_FOUND, "picture-unavailable", "The picture is gone"),
    ScopeMissing: Face(HTTPStatus.FORBIDDEN, "scope-missing", "The key is not good for this"),
    ShuttingDown: Face(HTTPStatus.SERVICE_UNAVAILABLE, "shutting-down", "The service is shutting down"),
    SlowBody: Face(HTTPStatus.REQUEST_TIMEOUT, "slow-body", "The request took too long to arrive"),
    TooManyRequests: Face(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "Too many requests"),
    TrialsBusy: Face(
        HTTPStatus.SERVICE_UNAVAILABLE, "trials-busy", "Other pairs are being tested; ask again in a while"
    ),
    UnknownHost: Face(HTTPStatus.MISDIRECTED_REQUEST, "unknown-host", "Not a name of this service"),
    UnknownLabel: Face(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown-label", "No such label"),
    UploadTooLarge: Face(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "upload-too-large", "The upload is too large"),
    of_gallery.InvalidGalleryName: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-gallery-name", "Not a name of a gallery"
    ),
    of_gallery.InvalidFilter: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-filter", "The condition cannot be answered"
    ),
    of_gallery.FetchRefused: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "fetch-refused", "The picture is not fetched"
    ),
    of_gallery.InvalidJudgement: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-judgement", "Not a judgement on a pair"
    ),
    of_gallery.JudgementNotFound: Face(HTTPStatus.NOT_FOUND, "judgement-not-found", "No such judgement"),
    of_gallery.QueryNotFound: Face(HTTPStatus.NOT_FOUND, "query-not-found", "No such kept query"),
    of_gallery.QueriesFull: Face(
        HTTPStatus.SERVICE_UNAVAILABLE, "queries-full", "No more queries can be kept at the moment"
    ),
    of_gallery.GalleryNotFound: Face(HTTPStatus.NOT_FOUND, "gallery-not-found", "No such gallery"),
    of_gallery.NothingPublished: Face(HTTPStatus.NOT_FOUND, "nothing-published", "Nothing is published yet"),
    of_gallery.BuildNotFound: Face(HTTPStatus.NOT_FOUND, "build-not-found", "No such build"),
    of_gallery.ImageNotFound: Face(HTTPStatus.NOT_FOUND, "image-not-found", "No such image"),
    of_gallery.EncoderMismatch: Face(
        HTTPStatus.CONFLICT, "encoder-mismatch", "The encoder is not the one of the gallery"
    ),
    of_siamese.UnreadableImage: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable-image", "The picture cannot be read"
    ),
    of_siamese.ZeroEmbedding: Face(
        HTTPStatus.UNPROCESSABLE_ENTITY, "zero-embedding", "The picture has nothing to compare"
    ),
    of_siamese.OutOfMemory: Face(
        HTTPStatus.SERVICE_UNAVAILABLE, "out-of-memory", "The device has no memory left", is_fault=True
    ),
    **MANAGED,
    OperationalError: RECORDS_UNAVAILABLE,
    NoConnection: RECORDS_UNAVAILABLE,
}


def face_of(error: BaseException) -> Face:
    """How the error looks; one that the table does not hold is a fault of the service."""
    faces = (FACES[kind] for kind in type(error).__mro__ if kind in FACES)
    return next(faces, INTERNAL_FAULT)
