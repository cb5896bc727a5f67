"""What a person may set about indexing."""

from pydantic import BaseModel, ConfigDict, Field

from gallery.local_storage import DEFAULT, LocalStorage
from siamese.threads import decoding_threads

# On 2,640 grocery photos (MobileNetV2, D = 128, mean of five draws) R@1 was 96.6, 96.6, 96.8, 96.8 for an
# encoder fitted to 512, 1,024, 2,048 and all of them; raw pooled features: 96.7.
FITTING_IMAGES = 2048


FEW_FILES = 32
"""Decoding these takes about as long as starting two processes, half a second."""


class IndexingSettings(BaseModel):
    """How a gallery is indexed; nothing here changes what an embedding is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decoding_threads: int = Field(
        default_factory=decoding_threads,
        ge=1,
        description="Threads that read, decode and prepare images; by default one for each core, at most 8.",
    )
    decoding_processes: int | None = Field(
        default=None,
        ge=0,
        description="Processes that decode images, so that a file that ends one costs only itself; with 0 "
        "the threads decode. By default one for each core, at most 8, and 0 for fewer than 32 files.",
    )
    batch_size: int = Field(default=32, ge=1, description="Images that are embedded at once.")
    segment_size: int = Field(
        default=2048, ge=1, description="Images after which what is embedded is made durable."
    )
    fitting_images: int = Field(
        default=FITTING_IMAGES,
        ge=2,
        description="Images, drawn at random, that an encoder without labels is fitted to.",
    )
    fitting_seed: int = Field(default=0, ge=0, description="Seed of that draw.")
    local_embeddings: LocalStorage = Field(
        default=DEFAULT,
        description="How a new gallery keeps local embeddings; with none, evidence is computed again.",
    )
    thumbnail_quality: int = Field(default=90, ge=1, le=95, description="JPEG quality of the thumbnails.")

    def processes_for(self, files: int) -> int:
        """How many processes decode so many files: a run of a few would be over before they have started."""
        if self.decoding_processes is not None:
            return self.decoding_processes
        return decoding_threads() if files >= FEW_FILES else 0


class JobSettings(BaseModel):
    """How jobs are done and kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: int = Field(
        default=1, ge=0, description="Worker processes that `whyalike serve` starts; 0 for none."
    )
    poll_seconds: float = Field(default=0.5, gt=0, description="How often an idle worker looks for a job.")
    kept_days: int = Field(default=30, ge=1, description="Days after which an ended job is forgotten.")
    import_sources: str = Field(
        default="",
        description="Folders and URLs, with commas between, below which imports over HTTP may name sources; "
        "none by default.",
    )
