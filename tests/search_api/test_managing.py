"""Managing galleries over HTTP: images added, replaced, labelled and removed; builds; galleries; encoders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from gallery.backups.backup import back_up
from tests.gallery.support import Clock
from tests.search_api.conftest import Workshop
from tests.search_api.test_service import HALF, RED, id_of, refused
from tests.toys import plain, png, write_folder

ONE = "/v1/galleries/default/images"


@pytest.fixture
def client(workshop: Workshop) -> TestClient:
    workshop.publish()
    return workshop.managed()


def work(workshop: Workshop, asked: httpx2.Response, client: TestClient) -> dict[str, Any]:
    """What becomes of the job that was asked for."""
    assert asked.status_code == 202, asked.text
    assert workshop.worker().do_one()
    job: dict[str, Any] = client.get(asked.headers["location"]).json()
    assert job["state"] == "done", job
    return job


def found(client: TestClient) -> list[str]:
    matches = client.post("/v1/search", files={"image": RED}).json()["matches"]
    return [Path(each["uri"]).name for each in matches]


def images(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    return list(client.get(ONE, params=query).json()["images"])


def test_an_image_is_added_and_found(client: TestClient, workshop: Workshop) -> None:
    picture = {"image": ("white.png", png(plain("white")))}
    asked = client.post(ONE, files=picture, data={"label": "white", "attributes": '{"year": "1999"}'})
    uri = asked.json()["request"]["uri"]
    work(workshop, asked, client)
    match = client.post("/v1/search", files=picture).json()["matches"][0]
    assert (match["uri"], match["distance"], match["label"]) == (uri, 0, "white")
    (listed,) = images(client, label="white")
    assert listed["uploaded"] and listed["attributes"] == {"year": "1999"}


def test_an_archive_is_no_single_image(client: TestClient) -> None:
    for name in ("a.zip", "a.TAR"):
        refused(client.post(ONE, files={"image": (name, b"x")}), 422, "upload-refused")


def test_images_are_listed_page_by_page_and_narrowed(client: TestClient) -> None:
    first = client.get(ONE, params={"limit": 3}).json()
    rest = client.get(ONE, params={"limit": 3, "after": first["next_after"]}).json()
    ids = [each["image_id"] for each in first["images"] + rest["images"]]
    assert len(ids) == 5 and ids == sorted(set(ids)) and rest["next_after"] is None
    assert {each["label"] for each in images(client, where="label = blue")} == {"blue"}
    refused(client.get(ONE, params={"where": "year > 2000"}), 422, "invalid-filter")


def test_what_could_not_be_read_is_listed_page_by_page_with_its_reason(
    client: TestClient, workshop: Workshop
) -> None:
    for name in ("one", "two", "three"):
        (workshop.root / f"pictures/default/red/{name}.png").write_bytes(b"no picture")
    workshop.publish()
    address = "/v1/galleries/default/unreadable"
    first = client.get(address, params={"limit": 2}).json()
    rest = client.get(address, params={"limit": 2, "after": first["next_after"]}).json()
    told = first["files"] + rest["files"]
    assert first["total"] == 3 and rest["next_after"] is None
    assert [Path(each["uri"]).name for each in told] == ["one.png", "three.png", "two.png"]
    assert {each["reason"] for each in told} == {
        "it is no picture in a known format, or its header is broken"
    }


def test_a_removed_image_is_out_of_results_at_once_and_no_import_brings_it_back(
    client: TestClient, workshop: Workshop
) -> None:
    half = id_of(client, "half.png")
    assert "half.png" in found(client)

    asked = client.delete(f"{ONE}/{half}")

    assert asked.status_code == 202 and "half.png" not in found(client)
    refused(client.get(f"/v1/images/{half}/thumbnail"), 404, "image-not-found")
    assert client.delete(f"{ONE}/{half}").json()["id"] == asked.json()["id"], "again changes nothing"
    assert work(workshop, asked, client)["outcome"]["removed"] == 1
    assert len(images(client)) == 4 and client.get("/v1/galleries/default").json()["images"] == 4
    folder = workshop.publish()
    assert (folder / "red" / "half.png").exists() and len(images(client)) == 4
    assert client.get("/v1/galleries/default").json()["build"] == 2, "the next import changes nothing"
    work(workshop, client.post("/v1/galleries/default/builds/1/activate"), client)
    assert "half.png" not in found(client), "an older build shows it no more, either"
    assert client.get("/v1/galleries/default").json()["images"] == 4, "nor does it count it"


def test_other_bytes_at_the_place_of_a_removed_image_are_another_image(
    client: TestClient, workshop: Workshop
) -> None:
    work(workshop, client.delete(f"{ONE}/{id_of(client, 'half.png')}"), client)
    write_folder(workshop.root / "pictures" / "default", {"red/half.png": plain("white")})
    workshop.publish(pictures={})
    assert len(images(client)) == 5


def test_removing_what_stands_there_later_brings_nothing_back_that_was_removed_before(
    client: TestClient, workshop: Workshop
) -> None:
    folder = workshop.root / "pictures" / "default"
    first = (folder / "red" / "half.png").read_bytes()
    work(workshop, client.delete(f"{ONE}/{id_of(client, 'half.png')}"), client)
    write_folder(folder, {"red/half.png": plain("white")})
    workshop.publish(pictures={})
    work(workshop, client.delete(f"{ONE}/{id_of(client, 'half.png')}"), client)
    assert len(images(client)) == 4
    work(workshop, client.post("/v1/galleries/default/builds/1/activate"), client)
    assert "half.png" not in found(client)
    (folder / "red" / "half.png").write_bytes(first)
    workshop.publish(pictures={})
    assert len(images(client)) == 4, "nor does the file that was removed first"


def test_a_removed_image_is_gone_at_once_wherever_it_is_asked_for(
    client: TestClient, workshop: Workshop
) -> None:
    half, red = id_of(client, "half.png"), id_of(client, "red.png")
    client.delete(f"{ONE}/{half}")
    search = client.post("/v1/search", files={"image": RED}, data={"fold": "true"}).json()
    told = [search, client.get(ONE).json(), client.get("/v1/galleries/default/map").json()["points"]]
    assert f'"image_id": {half}' not in json.dumps(told) and half not in told[2]["image_id"]
    for refusal in (
        client.get(f"/v1/images/{half}"),
        client.get(f"/v1/images/{half}/thumbnail"),
        client.get(f"/v1/images/{half}/picture"),
        client.get(f"/v1/images/{half}/overlay", params={"query": red}),
        client.get(f"/v1/images/{red}/overlay", params={"query": half}),
        client.post("/v1/search", data={"image_id": half}),
        client.post("/v1/search", data={"image_id": half, "crop": "0,0,1,0.5"}),
        client.post("/v1/search", data={"queries": json.dumps([{"image_id": red}, {"image_id": half}])}),
        client.post("/v1/compare", data={"a_image_id": half, "b_image_id": red}),
        client.post("/v1/compare", data={"a_image_id": red, "b_image_id": half}),
        client.post("/v1/why-not", data={"image_id": half, "wanted_image_id": red}),
        client.post(
            "/v1/galleries/default/judgements",
            json={"query_image_id": red, "image_id": half, "says": "wrong"},
        ),
        client.patch(f"{ONE}/{half}", json={"label": "x"}),
    ):
        refused(refusal, 404, "image-not-found")
    told = client.post("/v1/why-not", data={"image_id": red, "wanted_image_id": half}).json()
    assert told["outcome"] == "tombstoned" and "A person removed the image" in told["reason"]


def test_a_removal_is_taken_back_and_the_image_is_found_under_its_id(
    client: TestClient, workshop: Workshop
) -> None:
    half = id_of(client, "half.png")
    work(workshop, client.patch(f"{ONE}/{half}", json={"attributes": {"year": "2020"}}), client)
    work(workshop, client.delete(f"{ONE}/{half}"), client)
    workshop.publish("other", {"x.png": plain("red")})
    refused(client.delete(f"/v1/galleries/other/images/{half}"), 404, "image-not-found")
    refused(client.delete(f"/v1/galleries/other/removals/{half}"), 404, "removal-not-found")
    (removal,) = client.get("/v1/galleries/default/removals").json()["removals"]
    assert (removal["image_id"], Path(removal["uri"]).name) == (half, "half.png")
    job = work(workshop, client.delete(f"/v1/galleries/default/removals/{half}"), client)
    assert (job["outcome"]["returned"], job["outcome"]["build"]) == (1, 4)
    assert id_of(client, "half.png") == half
    assert client.get(f"/v1/images/{half}").json()["attributes"] == {"year": "2020"}
    refused(client.delete(f"/v1/galleries/default/removals/{half}"), 404, "removal-not-found")
    workshop.publish()
    assert client.get("/v1/galleries/default").json()["build"] == 4, "the next import changes nothing"


def test_the_removal_of_an_upload_can_be_taken_back_until_its_file_is_deleted(
    client: TestClient, workshop: Workshop
) -> None:
    work(workshop, client.post(ONE, files={"image": HALF}, data={"label": "mine"}), client)
    (mine,) = images(client, label="mine")
    image, removal = f"{ONE}/{mine['image_id']}", f"/v1/galleries/default/removals/{mine['image_id']}"
    client.delete(image)
    client.delete(removal)
    workshop.worker().do_one()
    assert images(client, label="mine") == [mine]
    work(workshop, client.delete(image), client)
    refused(client.delete(removal), 409, "original-deleted")


def test_a_label_that_a_person_set_stays_whatever_a_later_import_says(
    client: TestClient, workshop: Workshop
) -> None:
    half = id_of(client, "half.png")
    change = {"label": "both", "attributes": {"year": "2020"}}
    work(workshop, client.patch(f"{ONE}/{half}", json=change), client)

    def told() -> tuple[object, object]:
        image = client.get(f"/v1/images/{half}").json()
        return image["label"], image.get("attributes")

    assert told() == ("both", {"year": "2020"})
    write_folder(workshop.root / "pictures" / "default", {"red/more.png": plain("white")})
    workshop.publish(pictures={})
    assert told() == ("both", {"year": "2020"}) and len(images(client)) == 6
    work(workshop, client.patch(f"{ONE}/{half}", json={"label": None, "attributes": {"year": None}}), client)
    assert told() == (None, None)
    assert {each["label"] for each in images(client)} == {"red", "blue", "green", None}
    refused(client.patch(f"{ONE}/{half}", json={}), 422, "invalid-question")


def test_a_replaced_image_is_another_one_with_the_label_that_it_had(
    client: TestClient, workshop: Workshop
) -> None:
    work(workshop, client.post(ONE, files={"image": HALF}, data={"label": "mine"}), client)
    (old,) = images(client, label="mine")
    new = {"image": ("x.png", png(plain("white")))}
    work(workshop, client.put(f"{ONE}/{old['image_id']}", files=new), client)
    (now,) = images(client, label="mine")
    assert now["uri"] == old["uri"] and now["image_id"] != old["image_id"]
    assert client.post("/v1/search", files=new).json()["matches"][0]["image_id"] == now["image_id"]
    told = refused(client.put(f"{ONE}/{id_of(client, 'red.png')}", files=new), 409, "not-uploaded")
    assert "change it there" in told["detail"]


def test_a_removed_upload_takes_its_file_with_it(client: TestClient, workshop: Workshop) -> None:
    work(workshop, client.post(ONE, files={"image": HALF}, data={"label": "mine"}), client)
    (mine,) = images(client, label="mine")
    assert Path(mine["uri"]).exists()
    work(workshop, client.delete(f"{ONE}/{mine['image_id']}"), client)
    assert not Path(mine["uri"]).exists()
    assert "half.png" in found(client), "the same bytes elsewhere are another image"


def test_a_build_is_gone_back_to(client: TestClient, workshop: Workshop) -> None:
    workshop.publish(pictures={"grey/grey.png": plain("grey")})
    listed = client.get("/v1/galleries/default/builds").json()
    assert [(each["build"], each["published"]) for each in listed["builds"]] == [(2, True), (1, False)]
    job = work(workshop, client.post("/v1/galleries/default/builds/1/activate"), client)
    assert (job["outcome"]["state_of"], job["outcome"]["build"]) == (1, 3)
    assert len(images(client)) == 5
    refused(client.post("/v1/galleries/default/builds/3/activate"), 409, "already-published")
    refused(client.post("/v1/galleries/default/builds/9/activate"), 404, "build-not-found")


def test_a_gallery_is_made_and_deleted_by_its_name_said_twice(client: TestClient, workshop: Workshop) -> None:
    assert client.post("/v1/galleries", json={"name": "new"}).json() == {"name": "new", "build": None}
    refused(client.post("/v1/galleries", json={"name": "new"}), 409, "gallery-exists")
    refused(client.post("/v1/galleries", json={"name": "../x"}), 422, "invalid-gallery-name")
    found(client)
    refused(client.delete("/v1/galleries/default", params={"confirm": "defalt"}), 422, "invalid-question")

    asked = client.delete("/v1/galleries/default", params={"confirm": "default"})

    told = refused(client.get("/v1/galleries/default"), 404, "gallery-not-found")
    assert f"is being deleted, by job {asked.json()['id']}" in told["detail"]
    assert client.get("/v1/galleries").json()["galleries"] == []
    work(workshop, asked, client)
    assert workshop.galleries.names() == ["new"]
    assert (workshop.root / "pictures" / "default" / "red" / "red.png").exists()


def test_a_gallery_that_is_to_be_deleted_is_back_where_that_is_cancelled(
    client: TestClient, workshop: Workshop
) -> None:
    asked = client.delete("/v1/galleries/default", params={"confirm": "default"})
    client.post(f"{asked.headers['location']}/cancel")
    assert len(found(client)) == 5


def test_a_gallery_that_is_to_be_deleted_takes_nothing_any_more(
    client: TestClient, workshop: Workshop
) -> None:
    folder = str(workshop.root / "pictures" / "default")
    client = workshop.managed(allowed=[folder])
    gallery, red = "/v1/galleries/default", id_of(client, "red.png")
    client.delete(gallery, params={"confirm": "default"})
    judged = {"query_checksum": "a" * 64, "image_id": red, "says": "wrong"}
    for refusal in (
        client.post(f"{gallery}/imports", json={"sources": [folder], "label": "x"}),
        client.post(f"{gallery}/uploads", files={"files": RED}),
        client.post(ONE, files={"image": RED}),
        client.put(f"{ONE}/{red}", files={"image": RED}),
        client.patch(f"{ONE}/{red}", json={"label": "x"}),
        client.delete(f"{ONE}/{red}"),
        client.delete(f"{gallery}/removals/{red}"),
        client.post(f"{gallery}/builds/1/activate"),
        client.post(f"{gallery}/judgements", json=judged),
        client.delete(f"{gallery}/judgements/1"),
    ):
        assert "being deleted, by job 1" in refused(refusal, 409, "gallery-doomed")["detail"]
    assert [each["kind"] for each in client.get("/v1/jobs").json()["jobs"]] == ["delete"]
    refused(client.post("/v1/galleries", json={"name": "default"}), 409, "gallery-doomed")
    assert not workshop.galleries.site("default").folder.uploads.exists()


def test_a_gallery_is_not_deleted_while_somebody_reads_it(client: TestClient, workshop: Workshop) -> None:
    reader = workshop.galleries.open("default")
    asked = client.delete("/v1/galleries/default", params={"confirm": "default"})
    workshop.worker().do_one()
    job = client.get(asked.headers["location"]).json()
    assert job["state"] == "queued" and "is open somewhere" in job["reason"]
    reader.close()


def test_the_encoders_are_those_of_galleries_and_those_that_are_registered(client: TestClient) -> None:
    client.post("/v1/search", files={"image": png(plain("white"))})  # loads it: no image has these bytes
    listed = client.get("/v1/encoders").json()["encoders"]
    told = [(each["name"], each["registered"], each["galleries"]) for each in listed]
    assert told == [("toy", True, ["default"])], "one encoder under two names: its fingerprint says so"
    assert listed[0]["loaded"] and listed[0]["dimension"] == 3 and listed[0]["bytes"] > 0


def test_a_backup_holds_what_was_uploaded_and_finds_it_where_it_is_restored(
    client: TestClient, workshop: Workshop
) -> None:
    work(workshop, client.post(ONE, files={"image": HALF}, data={"label": "mine"}), client)
    back_up(workshop.galleries.site("default"), workshop.root / "b.tar", at=Clock()())
    workshop.galleries.restore(workshop.root / "b.tar", name="again")
    listed = client.get("/v1/galleries/again/images", params={"label": "mine"}).json()["images"]
    (mine,) = listed
    assert mine["uploaded"] and Path(mine["uri"]).is_relative_to(workshop.galleries.site("again").folder.path)
    assert Path(mine["uri"]).read_bytes() == HALF[1]
