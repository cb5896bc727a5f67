"""What a person may set: read from the environment (`WHYALIKE_…`), and only here."""

import difflib
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from gallery.settings import FetchingSettings, GallerySettings
from indexer.settings import IndexingSettings, JobSettings
from search_api.settings import SearchSettings, ServiceSettings
from siamese.images import ImageLimits
from whyalike.errors import BadSetting

PREFIX = "WHYALIKE_"
NESTING = "__"


def _default_home() -> Path:
    """The user's data folder for WhyAlike on this system."""
    return Path(platformdirs.user_data_dir("whyalike", appauthor=False))


class ServeSettings(ServiceSettings):
    """Where the service listens, and how it is guarded."""

    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every one.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 for any free one.")
    processes: int = Field(
        default=1,
        ge=1,
        description="Processes that answer on the port; as many as there are cores answer the most clients.",
    )
    connections: int = Field(
        default=512, ge=1, description="Connections at the same time; one more ends the longest idle one."
    )
    connection_seconds: float = Field(
        default=20.0,
        gt=0,
        description="Longest time in which a connection may bring no whole head of a request, or take "
        "nothing of an answer.",
    )


class Settings(BaseSettings):
    """Everything that the environment may say, with its default."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTING, env_ignore_empty=True, frozen=True, extra="forbid"
    )

    home: Annotated[Path, AfterValidator(lambda home: home.expanduser().absolute())] = Field(
        default_factory=_default_home, description="Folder under which everything is kept."
    )
    database_url: str | None = Field(
        default=None, description="SQLAlchemy URL of the records; by default SQLite in the home."
    )
    device: str = Field(default="auto", description="auto, cpu, cuda or cuda:1.")
    runtime: Literal["torch", "onnx"] = Field(default="torch", description="What computes encoders.")
    debug: bool = Field(default=False, description="Show the traceback of an error.")
    limits: ImageLimits = Field(default_factory=ImageLimits)
    gallery: GallerySettings = Field(default_factory=GallerySettings)
    fetching: FetchingSettings = Field(default_factory=FetchingSettings)
    indexing: IndexingSettings = Field(default_factory=IndexingSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    serve: ServeSettings = Field(default_factory=ServeSettings)

    @cached_property
    def database(self) -> str:
        """The URL of the records."""
        return self.database_url or f"sqlite:///{self.home / 'whyalike.db'}"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment asks for.

    Raises `BadSetting` where a `WHYALIKE_` variable names no setting or a value is not allowed.
    """
    known = set(variables())
    for name in environment:
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise BadSetting(
                f"{name} is no setting{_meant(name.upper(), known)}; docs/settings.md lists them."
            )
    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        name = PREFIX + NESTING.join(str(part) for part in fault["loc"]).upper()
        raise BadSetting(f"{name}={environment.get(name)!r}: {fault['msg']}.") from None


def variables(model: type[BaseModel] = Settings, prefix: str = PREFIX) -> Iterator[str]:
    """The names of all variables, nested ones with `__` between their parts."""
    for name, field in model.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            yield from variables(nested, f"{prefix}{name.upper()}{NESTING}")
        else:
            yield f"{prefix}{name.upper()}"


def _meant(name: str, known: set[str]) -> str:
    """The setting that was probably meant."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
