"""What operators see: ids of requests, logs, metrics, traces, readiness."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text

from gallery.database import open_engine
from search_api.app import create_app
from search_api.edge.logs import OURS, JsonLines, write_logs
from search_api.edge.tracing import Spans, Untraced, open_tracing
from search_api.settings import ServiceSettings
from search_api.visits import REQUEST_ID
from tests.search_api.conftest import Workshop
from tests.search_api.test_service import RED, refused


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    workshop.publish()
    return workshop.client()


def test_a_request_keeps_the_id_that_it_came_with(client: TestClient) -> None:
    asked = "0af7651916cd43dd-8448.eb211_c80319c"
    response = client.get("/nowhere", headers={REQUEST_ID: asked})
    assert response.headers[REQUEST_ID] == asked == refused(response, 404, "about:blank")["request_id"]


@pytest.mark.parametrize(
    "odd", ["short", "x" * 65, "with space here", "<script>alert()", "sl/ash/es", "é" * 9]
)
def test_an_odd_id_is_replaced(client: TestClient, odd: str) -> None:
    given = client.get("/livez", headers={REQUEST_ID: odd.encode()}).headers[REQUEST_ID]
    assert given != odd and len(given) == 32


def test_every_answer_has_an_id_of_its_own_and_so_has_every_refusal(
    client: TestClient, workshop: Workshop
) -> None:
    answers = [
        client.get("/livez"),
        client.get("/livez"),
        client.put("/v1/search"),
        client.post("/v1/search"),
    ]
    ids = {each.headers[REQUEST_ID] for each in answers}
    assert len(ids) == 4
    for manifest in (workshop.root / "home").rglob("builds/*.json"):
        manifest.unlink()
    fault = workshop.client().post("/v1/search", files={"image": RED})
    assert refused(fault, 500, "internal-fault")["request_id"] == fault.headers[REQUEST_ID]
    assert refused(answers[3], 422, "invalid-question")["request_id"] == answers[3].headers[REQUEST_ID]


class Heard(logging.Handler):
    """What is logged, as JSON, formatted when it is said."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(JsonLines().format(record)))


@pytest.fixture
def heard() -> Iterator[Heard]:
    logger, handler = logging.getLogger("search_api"), Heard()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_each_request_leaves_one_line_without_what_was_asked(client: TestClient, heard: Heard) -> None:
    client.post("/v1/search", files={"image": ("my secret.png", RED[1])}, data={"k": "0"})
    (line,) = [each for each in heard.lines if each["logger"] == "search_api.edge.observing"]
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/search", 422)
    assert line["refusal"] == "invalid-request" and line["level"] == "info"
    assert isinstance(line["milliseconds"], float) and line["request_id"]
    assert "my secret" not in json.dumps(heard.lines)


def test_a_fault_is_logged_under_the_id_that_its_answer_names(
    client: TestClient, workshop: Workshop, heard: Heard
) -> None:
    for manifest in (workshop.root / "home").rglob("builds/*.json"):
        manifest.unlink()
    assert client.get("/readyz", headers={REQUEST_ID: "the-one-asked"}).status_code == 503
    fault = next(line for line in heard.lines if "exception" in line)
    assert fault["request_id"] == "the-one-asked" and "CorruptGallery" in fault["exception"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], _ = before
    root.setLevel(before[1])
    for name in ("search_api.edge.observing", "uvicorn", *OURS):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.usefixtures("logs_as_before")
def test_machines_are_told_in_json_and_a_person_in_words(client: TestClient) -> None:
    for stream, is_json in ((io.StringIO(), True), (Terminal(), False)):
        write_logs(ServiceSettings(), stream)
        client.get("/livez")
        logging.getLogger("gallery").warning("something is odd")
        lines = stream.getvalue().splitlines()
        ours = [line for line in lines if "something is odd" in line or "/livez" in line]
        if is_json:
            assert [json.loads(line)["level"] for line in ours if "odd" in line] == ["warning"]
            assert any(json.loads(line).get("route") == "/livez" for line in ours)
        else:
            assert [line for line in ours if "edge" not in line][-1] == "WARNING: something is odd"
            assert not any(line.startswith("INFO: GET /livez 200") for line in ours)


@pytest.mark.usefixtures("logs_as_before")
def test_at_the_lowest_level_others_tell_no_more_than_before() -> None:
    write_logs(ServiceSettings(log_level="debug"), io.StringIO())
    assert logging.getLogger("gallery.web").isEnabledFor(logging.DEBUG)
    for other in ("httpcore2", "python_multipart", "sqlalchemy.engine", "PIL"):  # contents, headers, URLs
        assert not logging.getLogger(other).isEnabledFor(logging.DEBUG), other
    write_logs(ServiceSettings(log_level="error"), io.StringIO())
    for each in ("gallery.web", "httpcore2"):
        assert not logging.getLogger(each).isEnabledFor(logging.WARNING)


def test_metrics_tell_routes_stages_batches_and_builds(client: TestClient) -> None:
    client.post("/v1/search", files={"image": ("new.png", RED[1] + b"tail")})
    client.get("/v1/galleries/made-up-by-a-stranger")
    client.get("/made/up/by/a/stranger")
    told = client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain")
    lines = dict(line.rsplit(" ", 1) for line in told.text.splitlines() if not line.startswith("#"))
    assert lines['whyalike_requests_total{method="POST",route="/v1/search",status="200"}'] == "1.0"
    assert lines['whyalike_requests_total{method="GET",route="/v1/galleries/{name}",status="404"}'] == "1.0"
    assert lines['whyalike_requests_total{method="GET",route="other",status="404"}'] == "1.0"
    assert lines['whyalike_refusals_total{reason="gallery-not-found"}'] == "1.0"
    for stage in ("decode", "embed", "search", "rescore", "explain"):
        assert float(lines[f'whyalike_stage_seconds_count{{stage="{stage}"}}']) >= 1
    assert lines["whyalike_embedding_batch_size_count"] == "1.0"
    assert lines['whyalike_builds_opened_total{gallery="default"}'] == "1.0"
    assert "stranger" not in told.text


def test_a_search_is_a_trace_with_a_span_for_each_stage(workshop: Workshop) -> None:
    workshop.publish()
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    client = TestClient(create_app(workshop.searcher(), tracing=Spans(provider)), base_url="http://localhost")
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    new = {"image": ("new.png", RED[1] + b"tail")}
    client.post("/v1/search", files=new, headers={"traceparent": f"00-{trace}-{parent}-01"})
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert {"search", "decode", "embed", "rescore", "explain"} <= set(spans)
    assert {f"{span.context.trace_id:032x}" for span in spans.values() if span.context} == {trace}
    told = " ".join(span.to_json() for span in spans.values())
    assert "/v1/search" in told and "new.png" not in told
    client.post("/v1/search", files={"image": ("patient.png", b"no picture")})
    told = " ".join(span.to_json() for span in exporter.get_finished_spans())
    assert "UnreadableImage" in told and "patient" not in told


def test_nothing_is_traced_unless_it_is_configured() -> None:
    assert isinstance(open_tracing(None), Untraced)


def test_a_database_of_another_schema_is_a_reason_not_to_be_ready(
    client: TestClient, workshop: Workshop
) -> None:
    assert client.get("/readyz").status_code == 200
    engine = open_engine(f"sqlite:///{workshop.root}/records.db")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ready = client.get("/readyz")
    assert ready.status_code == 503 and "whyalike migrate" in ready.json()["reasons"][0]
