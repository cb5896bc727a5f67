"""What a person may set about the gallery: its sources, and how long its builds are kept."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gallery.web.addresses import Network, parse_networks


def _known_networks(text: str) -> str:
    parse_networks(text)
    return text


class FetchingSettings(BaseModel):
    """Whether files are fetched by http and https, and what that may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed: bool = Field(default=False, description="Fetch files by http and https at all.")
    allowed_networks: Annotated[str, AfterValidator(_known_networks)] = Field(
        default="",
        description="Networks, with commas between, that may be asked although they are not public.",
    )
    max_redirects: int = Field(default=5, ge=0, description="How often a URL may lead on to another one.")
    connect_seconds: float = Field(default=10.0, gt=0, description="Longest wait for a connection.")
    read_seconds: float = Field(default=20.0, gt=0, description="Longest wait for the next bytes.")
    total_seconds: float = Field(
        default=60.0, gt=0, description="Longest time of one file, redirects included."
    )

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks that are allowed although they are not public."""
        return parse_networks(self.allowed_networks)


class UploadSettings(BaseModel):
    """What one upload of originals may hold, when it is unpacked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_files: int = Field(default=10_000, ge=1, description="The most pictures of one upload.")
    max_file_bytes: int = Field(default=64 * 2**20, ge=1, description="The most bytes of one picture.")
    max_total_bytes: int = Field(
        default=2 * 2**30, ge=1, description="The most bytes of one upload, as it is sent and unpacked."
    )


class IndexSettings(BaseModel):
    """Which main index a gallery gets; see docs/index-engines.md."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(
        default="auto",
        min_length=1,
        description="auto, flat, hnsw, ivf-sq, ivf-pq, or a FAISS factory string.",
    )
    recall: float = Field(
        default=0.99, gt=0, le=1, description="Share of the ten nearest that a search is to find."
    )
    memory_mib: int | None = Field(
        default=None, ge=0, description="The most MiB that the main index may take; by default any."
    )
    device: Literal["cpu", "gpu"] = Field(
        default="cpu", description="Where searches without a filter run; gpu needs the extra gpu."
    )


class GallerySettings(BaseModel):
    """How galleries are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kept_builds: int = Field(
        default=3,
        ge=1,
        description="Builds that are kept, the published one included; older ones go at the next run, "
        "unless somebody reads them.",
    )
    index: IndexSettings = Field(default_factory=IndexSettings)
    uploads: UploadSettings = Field(default_factory=UploadSettings)
