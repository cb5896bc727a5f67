"""The faces of what is refused to those who manage galleries."""

from __future__ import annotations

from http import HTTPStatus

from gallery import errors as of_gallery
from search_api.problems.face import Face

_CONFLICT = HTTPStatus.CONFLICT
_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY

MANAGED: dict[type[Exception], Face] = {
    of_gallery.GalleryExists: Face(_CONFLICT, "gallery-exists", "There is such a gallery already"),
    of_gallery.GalleryLocked: Face(_CONFLICT, "gallery-locked", "The gallery is being written"),
    of_gallery.GalleryInUse: Face(_CONFLICT, "gallery-in-use", "The gallery is being read"),
    of_gallery.WriteToDoomed: Face(_CONFLICT, "gallery-doomed", "The gallery is being deleted"),
    of_gallery.RemovalNotFound: Face(HTTPStatus.NOT_FOUND, "removal-not-found", "No such image is removed"),
    of_gallery.OriginalDeleted: Face(_CONFLICT, "original-deleted", "Its file was deleted with it"),
    of_gallery.AlreadyPublished: Face(_CONFLICT, "already-published", "The build is the published one"),
    of_gallery.JobNotFound: Face(HTTPStatus.NOT_FOUND, "job-not-found", "No such job"),
    of_gallery.JobEnded: Face(_CONFLICT, "job-ended", "The job has ended"),
    of_gallery.SourceNotAllowed: Face(
        HTTPStatus.FORBIDDEN, "source-not-allowed", "Nothing is imported from there"
    ),
    of_gallery.InvalidSource: Face(_UNPROCESSABLE, "invalid-source", "Not a source"),
    of_gallery.UploadRefused: Face(_UNPROCESSABLE, "upload-refused", "The upload cannot be taken"),
    of_gallery.UploadLimitExceeded: Face(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "upload-too-large", "The upload is too large"
    ),
    of_gallery.NotUploaded: Face(_CONFLICT, "not-uploaded", "The original is not the gallery's own"),
}
