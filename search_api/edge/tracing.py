"""Spans for OpenTelemetry: one for each request and for each of its stages. Off unless configured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from starlette.datastructures import Headers

from search_api.errors import TracesUnavailable
from search_api.version import installed_version
from search_api.visits import Visit

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

SERVICE = "whyalike"


class Tracing(Protocol):
    """What is told of requests and stages while they last."""

    def request(self, visit: Visit, headers: Headers) -> AbstractContextManager[None]:
        """Around one request; what it came with says which trace it belongs to."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Around one stage of it."""

    def close(self) -> None:
        """Sends what is not yet sent."""


class Untraced:
    """Nothing is told."""

    def request(self, visit: Visit, headers: Headers) -> AbstractContextManager[None]:
        """Nothing around a request."""
        return nullcontext()

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Nothing around a stage."""
        return nullcontext()

    def close(self) -> None:
        """There is nothing to send."""


class Spans:
    """Requests and stages as spans of this provider. No picture, no key and no name of a file is in them."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE)

    @contextmanager
    def request(self, visit: Visit, headers: Headers) -> Iterator[None]:
        """A span of a server, the child of the one that `traceparent` names."""
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        with self._span(visit.destination.name, context=extract(dict(headers)), kind=SpanKind.SERVER) as span:
            span.set_attribute("http.route", visit.destination.path)
            span.set_attribute("whyalike.request_id", visit.request_id)
            try:
                yield
            finally:
                if visit.refusal:
                    span.set_attribute("whyalike.refusal", visit.refusal)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A span inside that of the request."""
        with self._span(name):
            yield

    def close(self) -> None:
        """Sends what is not yet sent."""
        self._provider.shutdown()

    @contextmanager
    def _span(self, name: str, **options: Any) -> Iterator[Span]:
        """A span that says that something was raised, and of which kind; its words may name a file."""
        with self._tracer.start_as_current_span(
            name, record_exception=False, set_status_on_exception=False, **options
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                raise


def open_tracing(endpoint: str | None) -> Tracing:
    """Spans that are sent to this address by OTLP over HTTP; none without one. Raises TracesUnavailable."""
    if not endpoint:
        return Untraced()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise TracesUnavailable(
            f"Traces need the package {error.name}: pip install 'whyalike[otel]', or set no traces_endpoint."
        ) from error
    about = {"service.name": SERVICE, "service.version": installed_version() or "0"}
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return Spans(provider)
