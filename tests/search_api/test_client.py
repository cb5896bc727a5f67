"""The client: every operation by name, sync and async, refusals as errors that hold the problem."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from search_api.client import ApiError, AsyncClient, Client
from search_api.schemas.jobs import EncoderWishSchema
from tests.search_api.conftest import Workshop
from tests.search_api.test_imports import zipped
from tests.search_api.test_service import HALF, RED
from tests.toys import fitted_at, plain, png, write_folder
from whyalike.described import described_api

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "sqlalchemy", "faiss", "fastapi", "starlette", "uvicorn"}
PAGES = {"open_session", "close_session", "metrics"}
"""For browsers, and for whoever collects numbers."""


@pytest.fixture
def client(workshop: Workshop) -> Iterator[Client]:
    workshop.publish(calibration=fitted_at(1.0))
    root = write_folder(workshop.root / "data", {"white/white.png": plain("white")})
    with workshop.managed(allowed=[str(root)]) as http:
        yield Client(http=http)


def test_the_description_of_the_api_is_the_committed_one() -> None:
    told = "run `whyalike openapi --out docs/openapi.json`"
    assert (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8") == described_api(), told


def test_there_is_a_method_for_every_operation_in_both_clients() -> None:
    paths = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    operations = {each["operationId"] for path in paths.values() for each in path.values()} - PAGES
    assert operations <= set(dir(Client)) & set(dir(AsyncClient))
    assert Client.search.__doc__ == AsyncClient.search.__doc__


def test_the_client_loads_nothing_that_searches() -> None:
    code = "import sys, search_api.client; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not HEAVY & set(done.stdout.split())


def test_pictures_are_asked_with_as_bytes_paths_and_several_together(client: Client, tmp_path: Path) -> None:
    path = write_folder(tmp_path, {"red.png": plain("red")}) / "red.png"
    for picture in (RED[1], path, RED):
        answer = client.search(picture, k=3, label=["red"])
        assert [match.distance for match in answer.matches] == pytest.approx([0, 0, 0.7653669], abs=1e-6)
    queries = [{"upload": 0}, {"upload": 1, "weight": -0.5}]
    several = client.search(images=[RED, HALF], queries=queries)
    assert len(several.matches) == 5
    batch = client.search_batch([{"upload": 0, "k": 1}, {"image_id": 99}], [RED])
    assert batch.answers[0].search is not None and batch.answers[1].problem is not None
    half = next(each.image_id for each in answer.matches if (each.uri or "").endswith("half.png"))
    assert half is not None
    assert client.why_not(RED, wanted_image_id=half, k=1).outcome == "too-far"
    assert client.compare(RED, b_image_id=half).verdict == "same"
    assert client.get_image(half).label == "red"
    assert client.get_thumbnail(half)[:3] == client.get_picture(half)[:3] == b"\xff\xd8\xff"
    assert client.get_overlay(half, query=half)[:4] == b"\x89PNG"
    kept = client.search(RED, keep=60).query.query_id
    assert kept and client.compare(a_query_id=kept, b_image_id=half).verdict == "same"
    assert client.get_overlay(half, query_id=kept)[:4] == b"\x89PNG"
    assert client.get_kept_picture(kept)[:3] == b"\xff\xd8\xff" and client.forget_query(kept) == b""
    red = answer.matches[0].image_id
    parts = client.compare(RED, b_image_id=half, crop="0,0,0.5,1", masked=["0,0,0.5,0.5"])
    assert parts.query.crop is not None and client.get_map("default").images == 5
    judgement = client.judge("default", says="wrong", image_id=half, query_image_id=red)
    assert len(client.list_judgements("default").judgements) == 1
    assert client.revoke_judgement("default", judgement.judgement_id)


def test_a_refusal_is_an_error_that_holds_the_problem(client: Client) -> None:
    with pytest.raises(ApiError, match="no gallery 'nothing'") as refused:
        client.get_gallery("nothing")
    assert (refused.value.status, refused.value.kind) == (404, "gallery-not-found")
    assert refused.value.problem.request_id


def test_what_stands_between_and_refuses_is_told_as_well() -> None:
    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(502, text="<html>", headers={"retry-after": "7"})

    http = httpx2.Client(transport=httpx2.MockTransport(answer), base_url="http://proxy")
    with pytest.raises(ApiError, match="answers 502") as refused:
        Client(http=http).list_galleries()
    assert refused.value.retry_after == 7


def test_a_gallery_is_managed_from_the_beginning_to_its_end(client: Client, workshop: Workshop) -> None:
    worker = workshop.worker(allowed=[str(workshop.root / "data")])
    assert client.create_gallery("new").build is None
    toy = EncoderWishSchema(name="toy")
    job = client.import_sources("new", [str(workshop.root / "data")], label="mine", encoder=toy)
    worker.do_one()
    job = client.wait(job)
    assert (job.state, client.list_job_errors(job.id).errors) == ("done", [])
    assert client.get_job_errors_table(job.id) == b"uri,reason,checksum\r\n"
    client.upload("new", [RED, HALF], label="sent", attributes={"year": "2020"})
    client.add_image("new", ("lime.png", png(plain("lime"))), label="lime")
    assert worker.do_one() and worker.do_one()
    assert client.get_gallery("new").labels == {"lime": 1, "mine": 1, "sent": 2}
    (lime,) = client.list_images("new", label=["lime"]).images
    client.change_image("new", lime.image_id, label=None)
    client.replace_image("new", lime.image_id, png(plain("blue")))
    assert worker.do_one() and worker.do_one()
    (blue,) = client.list_images("new", where=["label missing"]).images
    client.delete_image("new", blue.image_id)
    assert len(client.list_images("new").images) == 3
    assert [each.image_id for each in client.list_removals("new").removals] == [blue.image_id]
    assert client.list_unreadable("new").files == []
    client.revoke_removal("new", blue.image_id)
    worker.do_one()
    assert len(client.list_images("new").images) == 4 and client.list_removals("new").removals == []
    oldest = client.list_builds("new").builds[-1].build
    client.wait(client.cancel_job(client.activate_build("new", oldest).id))
    assert [each.name for each in client.list_encoders().encoders] == ["toy"]
    deletion = client.delete_gallery("new", confirm="new")
    worker.do_one()
    assert client.wait(deletion).state == "done"
    assert [each.name for each in client.list_galleries().galleries] == ["default"]
    assert {each.state for each in client.list_jobs(gallery="new").jobs} == {"done", "cancelled"}
    assert client.livez().status == "live" and client.readyz().status == "ready"
    assert client.get_session().authentication == "off"


def test_the_same_is_awaited(workshop: Workshop) -> None:
    workshop.publish()
    app = workshop.managed().app

    async def ask() -> None:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            client = AsyncClient(http=http)
            answers = await asyncio.gather(*(client.search(RED, k=1) for _ in range(3)))
            assert {each.matches[0].distance for each in answers} == {0}
            with pytest.raises(ApiError):
                await client.get_job(7)

    asyncio.run(ask())


def test_the_example_in_the_docs_does_what_it_says(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    pictures = {f"tulip/{name}.png": png(plain(name)) for name in ("red", "lime", "blue")}
    (tmp_path / "tulips.zip").write_bytes(zipped(pictures))
    (tmp_path / "tulip.jpg").write_bytes(png(plain("red")))
    http, stop = workshop.managed(), threading.Event()
    monkeypatch.setattr("search_api.client.Client", lambda *_, **__: Client(http=http))
    monkeypatch.setattr("search_api.client.POLL_S", 0.05)
    monkeypatch.chdir(tmp_path)
    worker = threading.Thread(target=workshop.worker().run, args=(stop,))
    worker.start()
    try:
        exec(compile(example.replace('"flowers"', '"toy"'), "docs/api.md", "exec"), {})
    finally:
        stop.set()
        worker.join()
    said = capsys.readouterr().out.splitlines()
    assert (said[0], said[1].split()[:3]) == ("done 3", ["1", "tulip", "0.0"])
    assert said[-1].startswith("image-not-found Image ")
