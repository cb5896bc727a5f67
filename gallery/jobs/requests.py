"""What can be asked for as a job, as it is kept in its row."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class JobRequest(BaseModel):
    """What one kind of job needs to know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str


class EncoderWish(BaseModel):
    """The encoder of a new gallery: a checkpoint's folder, or a body and weights that are fitted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: str | None = None
    body: str | None = None
    weights: str | None = None


class ImportRequest(JobRequest):
    """Make the files of these sources images of the gallery; without any those that it is made of."""

    kind: Literal["import"] = "import"
    sources: list[str] = Field(default=[])
    encoder: EncoderWish = EncoderWish()
    refit: bool = False
    allow_empty: bool = False
    retry_failed: bool = False
    rehash: bool = False


class UploadRequest(JobRequest):
    """Make what was uploaded images of the gallery: all that lies in its own folder of originals.

    `uri` is where a single picture lies.
    """

    kind: Literal["upload"] = "upload"
    files: int
    uri: str | None = None
    encoder: EncoderWish = EncoderWish()


class AmendRequest(JobRequest):
    """Publish what people have said of images since."""

    kind: Literal["amend"] = "amend"


class ActivateRequest(JobRequest):
    """Publish the state of an older build again."""

    kind: Literal["activate"] = "activate"
    build: int


class DeleteRequest(JobRequest):
    """Delete the gallery, once nobody reads it any more."""

    kind: Literal["delete"] = "delete"


REQUESTS: dict[str, type[JobRequest]] = {
    "import": ImportRequest,
    "upload": UploadRequest,
    "amend": AmendRequest,
    "activate": ActivateRequest,
    "delete": DeleteRequest,
}
