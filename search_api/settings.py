"""What the search needs to be told; a plain value that the command line fills in."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gallery.kept_queries import KeepingLimits
from siamese.images import ImageLimits
from siamese.threads import usable_cores

MEBIBYTE = 2**20
FORM_OVERHEAD_BYTES = 64 * 1024
"""What a multipart form may hold beside its pictures: boundaries, part headers, short fields."""
LEAST_AT_ONCE = 2
"""Searches, so that one is decoded while another is embedded."""
UNLIMITED = 2**31 - 1
"""What one may ask of one's own machine."""


class SearchSettings(BaseModel):
    """Limits and sizes of the search and of the service in front of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    oversampling: float = Field(
        default=2.0, ge=1.0, description="Candidates asked of the index for each match that is returned."
    )
    candidates: int = Field(
        default=50,
        ge=1,
        description="Candidates asked of the index, at least, where the scorer may put them in a new order.",
    )
    max_candidates: int = Field(
        default=1000, ge=1, description="The most candidates that one question may ask to be re-scored."
    )
    default_k: int = Field(default=10, ge=1, description="Matches returned where the question says nothing.")
    max_k: int = Field(default=100, ge=1, description="The most matches that one question may ask for.")
    upload_max_bytes: int = Field(
        default=32 * MEBIBYTE, ge=1, description="The most bytes of one uploaded picture, as it arrives."
    )
    upload_max_pixels: int = Field(
        default=50_000_000, ge=1, description="The most pixels of one uploaded picture, before it is decoded."
    )
    request_max_bytes: int = Field(
        default=64 * MEBIBYTE,
        ge=1,
        description="The most bytes of one request that asks with several pictures, as they arrive.",
    )
    max_queries: int = Field(
        default=8, ge=1, description="The most pictures that are asked with together in one search."
    )
    keep_max_seconds: float = Field(
        default=86_400.0, ge=1, description="The longest that an uploaded query is kept, where that is asked."
    )
    kept_queries: int = Field(default=1000, ge=0, description="The most queries that are kept at a time.")
    kept_max_bytes: int = Field(
        default=1024 * MEBIBYTE, ge=0, description="The most bytes of all queries that are kept."
    )
    max_batch: int = Field(default=32, ge=1, description="The most searches of one batch.")
    url_queries: bool = Field(
        default=False, description="Fetch the pictures that queries name by URL, under the rules of FETCHING."
    )
    encoders_kept: int = Field(default=4, ge=1, description="Loaded encoders that stay in memory.")
    embedding_slots: int = Field(
        default=1, ge=1, description="Pictures embedded at the same time; each uses every core it is given."
    )
    decoding_slots: int = Field(
        default=2,
        ge=1,
        description="Pictures decoded or drawn on at the same time; each may take much memory.",
    )
    watch_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="Share of the searches that are also asked exactly, to notice an index that finds less.",
    )
    max_drawn: int = Field(
        default=20, ge=1, description="The most matches that one answer holds painted overlays of."
    )
    allowed_hosts: str = Field(
        default="localhost",
        description="Names, with commas between, under which the service is asked; * for any. "
        "Numeric addresses are always answered to.",
    )
    overlay_max_side: int = Field(
        default=768, ge=64, description="Pixels of the longer side of an overlay or a picture that is sent."
    )

    @property
    def host_names(self) -> frozenset[str]:
        """The names that the service answers to."""
        return frozenset(name.strip() for name in self.allowed_hosts.split(",") if name.strip())

    @property
    def keeping(self) -> KeepingLimits:
        """How much is kept of what was sent."""
        return KeepingLimits(self.kept_queries, self.kept_max_bytes)

    @property
    def upload_limits(self) -> ImageLimits:
        """What a picture from outside may be."""
        return ImageLimits(max_bytes=self.upload_max_bytes, max_pixels=self.upload_max_pixels)


def searches_at_once() -> int:
    """As many as there are cores: more take turns at the interpreter, and all of them get slower."""
    return max(LEAST_AT_ONCE, usable_cores())


class ServiceSettings(BaseModel):
    """How the service is guarded, how much it takes on, and what it tells of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authentication: Literal["auto", "keys", "off"] = Field(
        default="auto",
        description="keys: every request needs one; off: none, only on this machine; auto: keys elsewhere.",
    )
    session_hours: float = Field(
        default=12.0, gt=0, description="Hours until a browser that showed a key must show it again."
    )
    requests_per_minute: int = Field(default=6000, ge=0, description="Requests of one key; 0 for any number.")
    searches_per_minute: int = Field(
        default=600, ge=0, description="Searches and comparisons of one key; 0 for any number."
    )
    failures_per_minute: int = Field(
        default=60, ge=0, description="Wrong keys from one address; 0 for any number."
    )
    open_requests_per_minute: int = Field(
        default=6000,
        ge=0,
        description="Requests from one address for what needs no key, but for probes; 0 for any number.",
    )
    searches_at_once: int = Field(
        default_factory=searches_at_once,
        ge=1,
        description="Searches and comparisons that are worked on; by default one for each core, at least 2.",
    )
    searches_waiting: int = Field(
        default=48, ge=0, description="Those that are sent or wait beside them; more are refused."
    )
    requests_at_once: int = Field(default=24, ge=1, description="Other requests that are worked on.")
    requests_waiting: int = Field(
        default=200, ge=0, description="Those that are sent or wait beside them; more are refused."
    )
    waiting_seconds: float = Field(
        default=5.0, gt=0, description="Longest wait for a place, after which a request is refused."
    )
    body_seconds: float = Field(default=60.0, gt=0, description="Longest time in which a body must arrive.")
    metrics: Literal["off", "read", "admin", "open"] = Field(
        default="read", description="Who may read /metrics: nobody, keys with this scope, everybody."
    )
    log_format: Literal["auto", "json", "plain"] = Field(
        default="auto", description="json: a line for each request; plain: for people; auto: by the terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged."
    )
    drain_seconds: float = Field(
        default=2.0, ge=0, description="From SIGTERM until connections are refused, while /readyz says so."
    )
    shutdown_seconds: float = Field(
        default=30.0, gt=0, description="Longest time that requests are given to end, after that."
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks, with commas between, whose X-Forwarded headers are believed.",
    )
    traces_endpoint: str | None = Field(
        default=None, description="OTLP over HTTP, such as http://collector:4318/v1/traces (extra otel)."
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: str) -> str:
        """Whoever is believed may say to be anybody: so that is never everybody."""
        for each in filter(None, map(str.strip, proxies.split(","))):
            try:
                network = ip_network(each, strict=False)
            except ValueError:
                raise ValueError(
                    f"{each!r} is no address and no network, such as 10.0.0.2 or 10.0.0.0/24"
                ) from None
            if network.prefixlen == 0:
                raise ValueError(f"{each!r} would believe everybody: name the addresses of the proxies")
        return proxies
