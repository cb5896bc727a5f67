"""Imports over HTTP: what lies where the settings allow it, and what is sent, within limits; done as jobs."""

from __future__ import annotations

import csv
import io
import os
import stat
import struct
import tarfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from gallery.backups.backup import back_up
from gallery.files import UNFINISHED
from gallery.jobs.claim import Claim
from gallery.settings import UploadSettings
from gallery.sources.allowed import AllowedSources
from gallery.uploads.archives import MOST_DIRECTORY_BYTES
from indexer.pipeline import learn
from tests.children import children
from tests.gallery.support import Clock
from tests.search_api.conftest import Workshop
from tests.search_api.serving import PATIENCE_S
from tests.search_api.test_service import RED, refused
from tests.toys import plain, png, write_folder

PICTURES = {"red/red.png": plain("red"), "blue/blue.png": plain("blue")}


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(members: list[tarfile.TarInfo], content: bytes = b"", mode: Any = "w") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


def send(client: TestClient, name: str, data: bytes, **form: str) -> httpx2.Response:
    return client.post(
        "/v1/galleries/new/uploads", files={"files": (name, data)}, data={"encoder": "toy", **form}
    )


def labels(client: TestClient, gallery: str = "new") -> dict[str, int]:
    return dict(client.get(f"/v1/galleries/{gallery}").json()["labels"])


def test_a_new_gallery_is_imported_from_an_allowed_folder_with_a_chosen_encoder(workshop: Workshop) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    (root / "red" / "broken.png").write_bytes(b"no picture")
    client = workshop.managed(allowed=[str(root)])
    wanted = {"sources": [str(root)], "encoder": {"name": "toy"}}
    asked = client.post("/v1/galleries/new/imports", json=wanted)
    assert (asked.status_code, asked.json()["state"]) == (202, "queued")
    where = asked.headers["location"]
    assert client.get(where).json() == asked.json()

    assert workshop.worker(allowed=[str(root)]).do_one()

    job = client.get(where).json()
    assert (job["state"], job["reason"], job["errors"]) == ("done", None, 1)
    assert (job["outcome"]["added"], job["outcome"]["build"]) == (2, 1)
    assert job["progress"]["counts"] == {"embedded": 2, "unreadable": 1}
    (error,) = client.get(f"{where}/errors").json()["errors"]
    assert error["uri"].endswith("broken.png") and error["reason"]
    rows = list(csv.reader(io.StringIO(client.get(f"{where}/errors.csv").text)))
    assert rows == [["uri", "reason", "checksum"], [error["uri"], error["reason"], error["checksum"]]]
    assert labels(client) == {"red": 1, "blue": 1}
    (listed,) = client.get("/v1/jobs", params={"state": "done"}).json()["jobs"]
    assert listed["id"] == job["id"]
    refused(client.post(f"{where}/cancel"), 409, "job-ended")


@pytest.mark.parametrize(
    "source", ["/etc", "{root}/../outside", "{root}/link", "s3://bucket/a", "{root}-beside"]
)
def test_nothing_is_imported_from_outside_of_what_the_settings_allow(workshop: Workshop, source: str) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    write_folder(workshop.root / "outside", PICTURES)
    (root / "link").symlink_to(workshop.root / "outside")
    client = workshop.managed(allowed=[str(root)])
    wanted = {"sources": [source.format(root=root)], "encoder": {"name": "toy"}}
    told = refused(client.post("/v1/galleries/new/imports", json=wanted), 403, "source-not-allowed")
    assert "WHYALIKE_JOBS__IMPORT_SOURCES" in told["detail"]
    assert workshop.galleries.names() == []


def test_by_default_nothing_is_imported_from_anywhere(workshop: Workshop) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    response = workshop.client().post("/v1/galleries/new/imports", json={"sources": [str(root)]})
    refused(response, 403, "source-not-allowed")


def test_a_table_may_not_name_what_lies_outside(workshop: Workshop) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    outside = write_folder(workshop.root / "outside", PICTURES)
    (root / "table.csv").write_text(f"uri\n{outside}/red/red.png\n")
    client = workshop.managed(allowed=[str(root)])
    wanted = {"sources": [str(root / "table.csv")], "encoder": {"name": "toy"}}
    where = client.post("/v1/galleries/new/imports", json=wanted).headers["location"]
    workshop.worker(allowed=[str(root)]).do_one()
    job = client.get(where).json()
    assert job["state"] == "failed" and "outside/red/red.png lies in no place" in job["reason"]


def last_job(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/jobs").json()["jobs"][0]
    return found


def test_a_remembered_table_may_not_name_later_what_lies_outside(workshop: Workshop) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    outside = write_folder(workshop.root / "outside", {"red/secret.png": plain("yellow")})
    table = root / "table.csv"
    table.write_text("path\nred/red.png\n")
    client, worker = workshop.managed(allowed=[str(root)]), workshop.worker(allowed=[str(root)])
    wanted = {"sources": [str(table)], "encoder": {"name": "toy"}}
    client.post("/v1/galleries/new/imports", json=wanted)
    worker.do_one()
    table.write_text(f"path\n{outside}/red/secret.png\n")
    for sources in ([], [str(table)]):
        client.post("/v1/galleries/new/imports", json={"sources": sources})
        worker.do_one()
        job = last_job(client)
        assert job["state"] == "failed" and "secret.png lies in no place" in job["reason"]
    (image,) = client.get("/v1/galleries/new/images").json()["images"]
    assert image["uri"].endswith("red/red.png")


def test_a_remembered_source_that_is_allowed_no_more_is_not_read(workshop: Workshop) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    client = workshop.managed(allowed=[str(root)])
    wanted = {"sources": [str(root)], "encoder": {"name": "toy"}}
    client.post("/v1/galleries/new/imports", json=wanted)
    workshop.worker(allowed=[str(root)]).do_one()
    client.post("/v1/galleries/new/imports", json={})
    workshop.worker().do_one()
    assert "lies in no place" in last_job(client)["reason"]


def test_links_that_lead_out_of_an_allowed_folder_are_not_followed(workshop: Workshop) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    outside = write_folder(workshop.root / "outside", {"red/secret.png": plain("yellow")})
    (root / "red" / "link.png").symlink_to(outside / "red" / "secret.png")
    (root / "far").symlink_to(outside)
    (root / "near.png").symlink_to(root / "red" / "red.png")
    client = workshop.managed(allowed=[str(root)])
    wanted = {"sources": [str(root)], "encoder": {"name": "toy"}}
    where = client.post("/v1/galleries/new/imports", json=wanted).headers["location"]
    workshop.worker(allowed=[str(root)]).do_one()
    errors = client.get(f"{where}/errors").json()["errors"]
    assert [Path(each["uri"]).name for each in errors] == ["secret.png", "link.png"]
    assert all("where nothing may be imported from" in each["reason"] for each in errors)
    images = client.get("/v1/galleries/new/images").json()["images"]
    assert {Path(each["uri"]).name for each in images} == {"red.png", "blue.png", "near.png"}


def test_what_was_sent_stays_a_source_when_all_is_imported_again(workshop: Workshop) -> None:
    client, worker = workshop.managed(), workshop.worker()
    send(client, "red.png", png(plain("red")))
    worker.do_one()
    client.post("/v1/galleries/new/imports", json={"rehash": True})
    worker.do_one()
    assert (last_job(client)["state"], last_job(client)["outcome"]["images"]) == ("done", 1)


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/pics/../secret/",
        "https://a.example/pics/%2e%2E/secret/",
        "https://a.example/pics/%252e%252e/secret/",
        "https://a.example/pics/..%2fsecret/",
        "https://a.example/pics/..%5csecret/",
        "https://a.example/pics-beside/",
        "/data/a\0b",
        "/data/\ud800",
    ],
)
def test_no_name_leads_out_of_an_allowed_place(uri: str) -> None:
    assert uri not in AllowedSources(["https://a.example/pics", "/data"])


def test_a_signed_url_with_encoded_slashes_in_its_query_is_allowed() -> None:
    assert "https://a.example/pics/a%20b.png?by=x%2F..%2Fy" in AllowedSources(["https://a.example/pics/"])


@pytest.mark.parametrize(
    "wanted",
    [
        '{"sources": ["ROOT"], "encoder": {"body": "x\\ud800"}}',
        '{"sources": ["ROOT/a\\u0000b"]}',
        '{"sources": ["ROOT"], "attributes": {"x\\udfff": "y"}}',
    ],
)
def test_a_text_that_no_database_keeps_is_refused_and_asks_for_no_job(
    workshop: Workshop, wanted: str
) -> None:
    client = workshop.managed(allowed=[str(workshop.root)])
    body = wanted.replace("ROOT", str(workshop.root)).encode()
    headers = {"content-type": "application/json"}
    response = client.post("/v1/galleries/new/imports", content=body, headers=headers)
    assert response.status_code == 422 and "half a surrogate pair" in response.text
    assert client.get("/v1/jobs").json()["jobs"] == []


def test_a_label_of_an_import_holds_for_the_source_also_when_it_is_imported_again(workshop: Workshop) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    client, worker = workshop.managed(allowed=[str(root)]), workshop.worker(allowed=[str(root)])
    said = {"label": "flower", "attributes": {"year": "2020"}, "encoder": {"name": "toy"}}
    client.post("/v1/galleries/new/imports", json={"sources": [str(root)], **said})
    worker.do_one()
    assert labels(client) == {"flower": 2}
    write_folder(root, {"lime/lime.png": plain("lime")})
    client.post("/v1/galleries/new/imports", json={})
    worker.do_one()
    assert labels(client) == {"flower": 3}
    (year,) = client.get("/v1/galleries/new").json()["attributes"]
    assert (year["name"], year["images"]) == ("year", 3)


def test_what_an_import_does_not_say_anew_stays_as_it_was_said(workshop: Workshop) -> None:
    root = write_folder(workshop.root / "data", PICTURES)
    client, worker = workshop.managed(allowed=[str(root)]), workshop.worker(allowed=[str(root)])
    for said in (
        {"label": "flower", "encoder": {"name": "toy"}},
        {"attributes": {"year": "2020"}},
        {"attributes": {"place": "here"}},
    ):
        client.post("/v1/galleries/new/imports", json={"sources": [str(root)], **said})
        worker.do_one()
    told = client.get("/v1/galleries/new").json()
    assert told["labels"] == {"flower": 2}
    assert {each["name"] for each in told["attributes"]} == {"year", "place"}
    client.post("/v1/galleries/new/imports", json={"sources": [str(root)], "label": "tree"})
    worker.do_one()
    told = client.get("/v1/galleries/new").json()
    assert told["labels"] == {"tree": 2} and len(told["attributes"]) == 2


def test_pictures_that_are_sent_are_the_gallerys_own_and_go_with_it(workshop: Workshop) -> None:
    client = workshop.managed()
    files = [("files", RED), ("files", ("blue.png", png(plain("blue"))))]
    form = {"encoder": "toy", "label": "plain", "attributes": '{"year": "2020"}'}
    asked = client.post("/v1/galleries/new/uploads", files=files, data=form)
    assert (asked.status_code, asked.json()["request"]["files"]) == (202, 2)
    workshop.worker().do_one()
    match = client.post("/v1/search", files={"image": RED}).json()["matches"][0]
    assert (match["distance"], match["label"], match["attributes"]) == (0, "plain", {"year": "2020"})
    kept = Path(match["uri"])
    assert kept.is_relative_to(workshop.galleries.site("new").folder.uploads) and kept.name == "red.png"


def test_an_archive_is_unpacked_and_its_folders_are_labels(workshop: Workshop) -> None:
    client = workshop.managed()
    files = {"flowers/red/1.png": png(plain("red")), "flowers/blue/1.png": png(plain("blue"))}
    files |= {"top.png": png(plain("lime")), ".hidden/x.png": b"", "__MACOSX/red/._1.png": b"x"}
    assert send(client, "pictures.zip", zipped(files)).json()["request"]["files"] == 3
    member = tarfile.TarInfo("white/1.png")
    assert send(client, "pictures.tar.gz", tarred([member], png(plain("white")), "w:gz")).status_code == 202
    worker = workshop.worker()
    assert worker.do_one() and worker.do_one()
    assert labels(client) == {"red": 1, "blue": 1, "white": 1}
    assert client.get("/v1/galleries/new").json()["images"] == 4


def link() -> tarfile.TarInfo:
    member = tarfile.TarInfo("link.png")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


def zipped_link() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        entry = zipfile.ZipInfo("link.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return data.getvalue()


def tarred_bomb() -> bytes:
    """A header that claims a gigabyte of names, which Python would read into memory."""
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 2**30
    return member.tobuf() + b"\0" * 1024


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", zipped({"../../outside.png": b"x"})),
        ("a.zip", zipped({"/etc/outside.png": b"x"})),
        ("a.zip", zipped({"C:\\outside.png": b"x"})),
        ("a.tar", tarred([tarfile.TarInfo("../outside.png")], b"x")),
        ("a.tar", tarred([link()])),
        ("a.tar", tarred_bomb()),
        ("a.zip", zipped_link()),
        ("a.zip", b"no archive"),
        ("a.tgz", b"no archive"),
        ("a.tar", tarred([tarfile.TarInfo("cut.png")], b"x" * 5000)[:1024]),
        ("a.zip", zipped({})),
        ("a.zip", zipped({".": b"x"})),
        ("a.tar", tarred([tarfile.TarInfo(".")], b"x")),
        ("a.zip", zipped({"a": b"x", "a/b": b"y"})),
        ("a.tar", tarred([tarfile.TarInfo("a"), tarfile.TarInfo("a/b")], b"x")),
        ("a.zip", zipped({"a/" * 2500 + "x.jpg": b"x"})),
        ("a.zip", zipped({"/".join(["b" * 150] * 30) + "/x.jpg": b"x"})),
    ],
)
def test_an_archive_that_leads_elsewhere_or_is_none_is_refused_and_nothing_of_it_is_kept(
    workshop: Workshop, name: str, data: bytes
) -> None:
    client = workshop.managed()
    refused(send(client, name, data), 422, "upload-refused")
    assert [
        each for each in workshop.root.rglob("*") if "outside" in each.name or each.suffix == ".png"
    ] == []
    assert client.get("/v1/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.png": b"\0" * 2000}, "'a.png' has more than 1,000 bytes"),
        ({f"{n}.png": b"\0" * 900 for n in range(4)}, "at most 3,000 bytes when it is unpacked"),
        ({f"{n}.png": b"" for n in range(6)}, "at most 5 files"),
    ],
)
def test_a_bomb_is_refused_as_soon_as_it_grows_beyond_its_limits(
    workshop: Workshop, files: dict[str, bytes], said: str
) -> None:
    limits = UploadSettings(max_files=5, max_file_bytes=1000, max_total_bytes=3000)
    client = workshop.managed(uploads=limits)
    told = refused(send(client, "bomb.zip", zipped(files)), 413, "upload-too-large")
    assert said in told["detail"]
    assert list(workshop.root.rglob("*.png")) == [] and workshop.galleries.names() == []


def test_what_is_refused_leaves_no_gallery_behind(workshop: Workshop) -> None:
    client = workshop.managed()
    for refusal in (
        client.post("/v1/galleries/new/imports", json={"sources": []}),
        client.post("/v1/galleries/new/imports", json={"sources": [], "encoder": {"name": "none"}}),
        send(client, "a.zip", b"no archive"),
        send(client, "a.png", b"x", attributes="no object"),
    ):
        assert 400 <= refusal.status_code < 500
        assert workshop.galleries.names() == []
        assert list(workshop.root.rglob("uploads")) == []
    assert send(client, "a.png", png(plain("red"))).status_code == 202
    assert send(client, "a.zip", b"no archive").status_code == 422
    assert workshop.worker().do_one() and labels(client) == {}
    assert client.get("/v1/galleries/new").json()["images"] == 1, "what others sent stays"


def test_the_directory_of_a_zip_is_not_read_beyond_what_members_need(workshop: Workshop) -> None:
    claimed = MOST_DIRECTORY_BYTES + 1
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, claimed, 0, 0)
    told = refused(send(workshop.managed(), "a.zip", b"\0" * claimed + end), 422, "upload-refused")
    assert f"claims {claimed:,} bytes" in told["detail"]


def test_a_replacement_that_was_killed_is_in_no_backup_and_is_swept(workshop: Workshop) -> None:
    client = workshop.managed()
    send(client, "a.png", png(plain("red")))
    workshop.worker().do_one()
    site = workshop.galleries.site("new")
    killed = site.folder.uploads / f"{UNFINISHED}killed"
    (inside,) = site.folder.uploads.glob("*")
    for path in (killed, inside / f"{UNFINISHED}older"):
        path.write_bytes(b"half a picture")
    back_up(site, workshop.root / "b.tar", at=Clock()())
    with tarfile.open(workshop.root / "b.tar") as backup:
        assert [name for name in backup.getnames() if UNFINISHED in name] == []
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(killed, (long_ago, long_ago))
    (image,) = client.get("/v1/galleries/new/images").json()["images"]
    picture = {"image": ("b.png", png(plain("blue")))}
    assert client.put(f"/v1/galleries/new/images/{image['image_id']}", files=picture).status_code == 202
    assert not killed.exists() and Path(image["uri"]).read_bytes() == png(plain("blue"))


def test_an_upload_that_becomes_whole_beside_another_one_disturbs_it_not(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = workshop.managed()
    assert send(client, "a.png", png(plain("red"))).status_code == 202
    unfinished = workshop.galleries.site("new").folder.uploads / f"{UNFINISHED}other"
    monkeypatch.setattr(Path, "glob", lambda *_: [unfinished])  # listed, and renamed before it is looked at
    assert send(client, "b.png", png(plain("red"))).status_code == 202


def folder_member(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE
    return member


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.tgz", tarred([folder_member("d")] * 21, mode="w:gz"), "at most 20 members"),
        ("a.zip", zipped({f".{n}": b"" for n in range(21)}), "at most 20 members"),
        ("a.tar.bz2", tarred([tarfile.TarInfo(".x")], b"\0" * 40_000, "w:bz2"), "at most 30,000 bytes"),
    ],
)
def test_what_is_left_out_of_an_archive_counts_against_its_limits(
    workshop: Workshop, name: str, data: bytes, said: str
) -> None:
    limits = UploadSettings(max_files=5, max_file_bytes=1000, max_total_bytes=30_000)
    told = refused(send(workshop.managed(uploads=limits), name, data), 413, "upload-too-large")
    assert said in told["detail"]


def test_names_that_are_sent_become_names_that_any_disk_takes(workshop: Workshop) -> None:
    client = workshop.managed()
    for name in ("../../a.png", "..", "con:\\b.png", "x" * 300 + ".png", "\x01.png", "ä.png"):
        assert send(client, name, png(plain("red"))).status_code == 202
    uploads = workshop.galleries.site("new").folder.uploads
    names = {path.name for path in uploads.rglob("*") if path.is_file()}
    assert {"a.png", "b.png", "ä.png"} <= names and len(names) == 6
    assert all(not name.startswith(".") and len(name.encode()) <= 255 for name in names)


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"encoder": "unknown"}, "encoder-not-found"),
        ({"attributes": "[1]"}, "invalid-question"),
        ({"label": " "}, "invalid-question"),
        ({"attributes": '{"": "x"}'}, "invalid-question"),
    ],
)
def test_an_upload_that_says_what_cannot_be_is_refused(
    workshop: Workshop, form: dict[str, str], kind: str
) -> None:
    response = send(workshop.managed(), "red.png", png(plain("red")), **form)
    refused(response, 404 if kind == "encoder-not-found" else 422, kind)


def test_a_job_of_a_gallery_that_somebody_writes_waits_for_it(workshop: Workshop) -> None:
    client = workshop.managed()
    workshop.publish("new")
    where = send(client, "red.png", png(plain("red")), encoder="").headers["location"]
    with workshop.galleries.writer("new"):
        workshop.worker().do_one()
        job = client.get(where).json()
        assert job["state"] == "queued" and "is being written by process" in job["reason"]
    assert client.post(f"{where}/cancel").json()["state"] == "cancelled"


def test_a_cancelled_import_keeps_what_was_published_and_goes_on_when_it_is_asked_for_again(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gallery.jobs.claim.TELLING_SECONDS", 0.01)
    client = workshop.managed()
    workshop.publish("new", PICTURES)
    files = {f"{n}.png": png(plain((n, 0, 9))) for n in range(200)}
    where = send(client, "many.zip", zipped(files), encoder="").headers["location"]

    cancelled, seen, look = threading.Event(), threading.Event(), Claim._look

    def looking(self: Claim) -> None:
        is_after = cancelled.is_set()
        look(self)
        if is_after:
            seen.set()

    def slow(*arguments: Any) -> Any:
        for number, each in enumerate(learn(*arguments)):
            if number == 3:
                client.post(f"{where}/cancel")
                cancelled.set()
                assert seen.wait(PATIENCE_S), "the worker looks every 0.01 s"
            yield each

    monkeypatch.setattr(Claim, "_look", looking)

    monkeypatch.setattr("indexer.indexing.learn", slow)
    workshop.worker().do_one()
    assert client.get(where).json()["state"] == "cancelled"
    assert children(os.getpid(), "indexer.decoding_worker") == []
    assert client.get("/v1/galleries/new").json()["images"] == 2
    monkeypatch.undo()
    client.post("/v1/galleries/new/uploads", files={"files": RED})
    workshop.worker().do_one()
    assert client.get("/v1/galleries/new").json()["images"] == 203
