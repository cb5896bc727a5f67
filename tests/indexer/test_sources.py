"""Sources other than folders: indexed with what they say, and ended with what they name no more."""

from __future__ import annotations

import csv
import io
import tarfile
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from sqlalchemy import select

from gallery.builds.build import Build
from gallery.builds.rollback import roll_back
from gallery.errors import InvalidSource, SourceUnavailable
from gallery.filters.conditions import parse_where
from gallery.galleries import Galleries
from gallery.records.attributes import AttributeRecord
from gallery.settings import FetchingSettings
from gallery.sources.kinds import source_of
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.report import IndexingReport
from tests.toys import plain, png, write_folder

COLOURS = ("red", "lime", "blue")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "pictures", {f"{each}.png": plain(each) for each in COLOURS})


def table(path: Path, rows: list[Mapping[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(galleries: Galleries, toy: EncoderChoice, *sources: object, **options: Any) -> IndexingReport:
    named = [source_of(str(each)) for each in sources]
    return index(galleries, "g", named, toy, IndexingOptions(**options))


def opened(galleries: Galleries) -> Build:
    return galleries.open("g")


def told(build: Build) -> dict[str, tuple[str | None, dict[str, str]]]:
    ids = [image.image_id for image in build]
    return {
        image.uri.rpartition("/")[2]: (image.label, dict(image.attributes)) for image in build.images(ids)
    }


def found(build: Build, where: str) -> list[str]:
    candidates = build.search(
        np.ones(build.dimension, np.float32),
        count=10,
        where=parse_where([where]),
        fingerprint=build.fingerprint,
    )
    images = build.images([each.image_id for each in candidates])
    return sorted(image.uri.rpartition("/")[2] for image in images)


@pytest.fixture
def listed(pictures: Path, tmp_path: Path) -> Path:
    rows = [
        {"path": f"pictures/{each}.png", "label": each, "group": "g", "year": 2020 + at}
        for at, each in enumerate(COLOURS)
    ]
    return table(tmp_path / "images.csv", rows)


def test_a_table_is_indexed_with_its_labels_and_attributes(
    galleries: Galleries, toy: EncoderChoice, listed: Path
) -> None:
    report = run(galleries, toy, listed)
    assert (report.added, report.embedded, report.unreadable) == (3, 3, ())
    build = opened(galleries)
    assert told(build)["lime.png"] == ("lime", {"group": "g", "year": "2021"})
    assert found(build, "year >= 2021 and group = g") == ["blue.png", "lime.png"]
    assert galleries.sources("g") == [source_of(str(listed))]


def test_what_a_table_says_anew_is_taken_over_without_reading_the_pictures_and_old_builds_keep_theirs(
    galleries: Galleries, toy: EncoderChoice, listed: Path, pictures: Path
) -> None:
    run(galleries, toy, listed)
    before = opened(galleries)
    ids = {image.uri: image.image_id for image in before}
    listed.write_text(listed.read_text().replace("2021", "1999"))
    report = run(galleries, toy, listed)
    assert (report.relabelled, report.unchanged, report.added, report.embedded) == (1, 2, 0, 0)
    after = opened(galleries)
    assert {image.uri: image.image_id for image in after} == ids
    assert (found(before, "year = 2021"), found(after, "year = 2021")) == (["lime.png"], [])
    assert found(after, "year = 1999") == ["lime.png"]


def test_after_going_back_a_table_is_taken_over_again(
    galleries: Galleries, toy: EncoderChoice, listed: Path
) -> None:
    run(galleries, toy, listed)
    listed.write_text(listed.read_text().replace("2021", "1999"))
    run(galleries, toy, listed)
    with galleries.tenure("g") as tenure:
        roll_back(tenure, build=1)
    assert found(opened(galleries), "year = 2021") == ["lime.png"]
    report = run(galleries, toy, listed)
    assert (report.relabelled, report.embedded) == (1, 0)
    assert found(opened(galleries), "year = 1999") == ["lime.png"]


def test_after_going_back_each_of_several_tables_ends_what_it_names_no_more(
    galleries: Galleries, toy: EncoderChoice, tmp_path: Path, pictures: Path
) -> None:
    first, second = (
        table(tmp_path / f"{name}.csv", [{"path": f"pictures/{each}.png"} for each in colours])
        for name, colours in (("first", ("red", "lime")), ("second", ("blue",)))
    )
    run(galleries, toy, first, second)
    whole = first.read_text()
    first.write_text("\n".join(whole.splitlines()[:-1]) + "\n")
    run(galleries, toy, first)
    assert set(told(opened(galleries))) == {"red.png", "blue.png"}
    with galleries.tenure("g") as tenure:
        roll_back(tenure, build=1)
    assert run(galleries, toy, second).removed == 0
    assert set(told(opened(galleries))) == {"red.png", "lime.png", "blue.png"}
    assert run(galleries, toy, first).removed == 1
    assert set(told(opened(galleries))) == {"red.png", "blue.png"}


def test_after_going_back_the_table_that_named_an_image_last_is_the_one_that_ends_it(
    galleries: Galleries, toy: EncoderChoice, tmp_path: Path, pictures: Path
) -> None:
    both = [{"path": f"pictures/{each}.png"} for each in ("red", "lime")]
    first, second = (table(tmp_path / f"{name}.csv", both) for name in ("first", "second"))
    run(galleries, toy, first)
    first.write_text("path\npictures/red.png\n")
    run(galleries, toy, second)  # it takes both over
    second.write_text("path\npictures/red.png\n")
    run(galleries, toy, second)
    assert set(told(opened(galleries))) == {"red.png"}
    with galleries.tenure("g") as tenure:
        roll_back(tenure, build=1)
    assert set(told(opened(galleries))) == {"red.png", "lime.png"}
    assert run(galleries, toy, first).removed == 0
    assert run(galleries, toy, second).removed == 1


def test_what_no_kept_build_says_any_more_is_forgotten(
    galleries: Galleries, toy: EncoderChoice, listed: Path
) -> None:
    text = listed.read_text()
    for year in (2021, 1999, 1998, 1997, 1996, 1995):
        listed.write_text(text.replace("2021", str(year)))
        run(galleries, toy, listed)
    years = select(AttributeRecord.text).where(AttributeRecord.name == "year")
    with galleries._engine.connect() as connection:
        kept = set(connection.scalars(years))
    assert {"2020", "2022", "1995", "1996"} <= kept and not {"2021", "1999"} & kept


def test_a_table_that_says_the_same_publishes_nothing(
    galleries: Galleries, toy: EncoderChoice, listed: Path
) -> None:
    run(galleries, toy, listed)
    again = run(galleries, toy, listed)
    assert not again.published and again.unchanged == 3


def test_an_image_that_a_table_names_no_more_ends_though_its_file_is_there(
    galleries: Galleries, toy: EncoderChoice, listed: Path
) -> None:
    run(galleries, toy, listed)
    listed.write_text("".join(listed.read_text().splitlines(keepends=True)[:3]))
    assert run(galleries, toy, listed).removed == 1
    assert sorted(told(opened(galleries))) == ["lime.png", "red.png"]


def test_after_going_back_what_a_table_names_no_more_ends_again(
    galleries: Galleries, toy: EncoderChoice, listed: Path
) -> None:
    run(galleries, toy, listed)
    listed.write_text("".join(listed.read_text().splitlines(keepends=True)[:3]))
    run(galleries, toy, listed)
    with galleries.tenure("g") as tenure:
        roll_back(tenure, build=1)
    assert len(told(opened(galleries))) == 3
    assert run(galleries, toy, listed).removed == 1
    assert sorted(told(opened(galleries))) == ["lime.png", "red.png"]


def test_a_faulty_table_changes_nothing(galleries: Galleries, toy: EncoderChoice, listed: Path) -> None:
    run(galleries, toy, listed)
    listed.write_text(listed.read_text() + "pictures/red.png,red\n")
    with pytest.raises(InvalidSource, match="line 5: it has 2 fields"):
        run(galleries, toy, listed)
    assert opened(galleries).number == 1


def test_a_table_that_names_a_file_twice_and_says_two_things_is_refused(
    galleries: Galleries, toy: EncoderChoice, listed: Path
) -> None:
    text = listed.read_text()
    listed.write_text(text + "pictures/red.png,red,g,2020\n")
    assert run(galleries, toy, listed).added == 3, "the same thing twice is said once"
    listed.write_text(text + "pictures/red.png,blue,g,2020\n")
    with pytest.raises(InvalidSource, match=r"says two things of .*red\.png"):
        run(galleries, toy, listed)


def test_missing_pictures_of_a_table_are_reported_and_the_others_indexed(
    galleries: Galleries, toy: EncoderChoice, listed: Path, pictures: Path
) -> None:
    (pictures / "blue.png").unlink()
    report = run(galleries, toy, listed)
    assert [(each.uri, each.reason) for each in report.unreadable] == [
        (str(pictures / "blue.png"), "the file is not there")
    ]
    assert report.images == 2


def test_a_missing_table_is_refused_unless_its_images_are_meant_to_end(
    galleries: Galleries, toy: EncoderChoice, listed: Path, tmp_path: Path
) -> None:
    run(galleries, toy, listed, write_folder(tmp_path / "more", {"white.png": plain("white")}))
    listed.unlink()
    with pytest.raises(SourceUnavailable, match="--allow-empty to end its images"):
        run(galleries, toy, listed)
    assert run(galleries, toy, listed, allow_empty=True).removed == 3
    assert list(told(opened(galleries))) == ["white.png"]
    assert [each.kind for each in galleries.sources("g")] == ["folder"]


def test_a_folder_beside_a_table_is_a_source_of_its_own(
    galleries: Galleries, toy: EncoderChoice, listed: Path, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "more", {"white.png": plain("white")})
    run(galleries, toy, listed)
    run(galleries, toy, folder)
    assert len(told(opened(galleries))) == 4
    (folder / "white.png").unlink()
    assert run(galleries, toy, folder, allow_empty=True).removed == 1
    assert len(told(opened(galleries))) == 3


def test_lists_shards_and_storage_are_indexed_like_folders(
    galleries: Galleries, toy: EncoderChoice, pictures: Path, tmp_path: Path
) -> None:
    storage = fsspec.filesystem("memory")
    storage.store.clear()
    storage.pipe("/bucket/cyan/1.png", png(plain("cyan")))
    shard = tmp_path / "s.tar"
    with tarfile.open(shard, "w") as tar:
        for name, data in {
            "1.png": png(plain("white")),
            "1.cls": b"white",
            "1.json": b'{"year": 7}',
        }.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (tmp_path / "list.txt").write_text("pictures/red.png\npictures/blue.png\n")
    sources = (tmp_path / "list.txt", shard, "memory://bucket")
    assert run(galleries, toy, *sources).added == 4
    build = opened(galleries)
    assert told(build) == {
        "red.png": ("pictures", {}),
        "blue.png": ("pictures", {}),
        "s.tar#1.png": ("white", {"year": "7"}),
        "1.png": ("cyan", {}),
    }
    again = run(galleries, toy, *sources)
    assert (again.published, again.unchanged, again.embedded) == (False, 4, 0)
    storage.store.clear()


def test_files_of_the_web_are_left_out_with_a_reason_where_that_is_not_allowed(
    galleries: Galleries, toy: EncoderChoice, tmp_path: Path, pictures: Path
) -> None:
    (tmp_path / "list.txt").write_text("pictures/red.png\nhttp://127.0.0.1:1/a.png?secret=1\n")
    report = run(galleries, toy, tmp_path / "list.txt")
    assert report.images == 1 and "WHYALIKE_FETCHING__ALLOWED" in report.unreadable[0].reason


def test_files_of_the_web_are_fetched_again_only_where_their_server_says_that_they_changed(
    galleries: Galleries, toy: EncoderChoice, tmp_path: Path
) -> None:
    asked: list[tuple[str, str]] = []
    versions = {"/red.png": "1", "/blue.png": "1"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.command, self.path))
            data = png(plain(self.path[1:-4]))
            self.send_response(200)
            self.send_header("ETag", f'"{versions[self.path]}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"http://127.0.0.1:{server.server_port}{path}\n" for path in versions))
    allowed = FetchingSettings(allowed=True, allowed_networks="127.0.0.0/8")
    assert run(galleries, toy, listed, fetching=allowed).added == 2
    asked.clear()
    assert not run(galleries, toy, listed, fetching=allowed).published
    assert {method for method, _ in asked} == {"HEAD"}
    versions["/red.png"] = "2"
    asked.clear()
    assert run(galleries, toy, listed, fetching=allowed).unchanged == 2
    assert [path for method, path in asked if method == "GET"] == ["/red.png"]
    server.shutdown()
    server.server_close()


def test_what_a_table_says_of_the_files_of_a_folder_holds_while_both_are_indexed(
    galleries: Galleries, toy: EncoderChoice, listed: Path, pictures: Path
) -> None:
    run(galleries, toy, pictures)
    ids = {image.uri: image.image_id for image in opened(galleries)}
    assert run(galleries, toy, listed).relabelled == 3
    for _ in range(2):
        again = run(galleries, toy, pictures, listed)
        assert (again.images, again.added, again.removed) == (3, 0, 0)
        assert found(opened(galleries), "year >= 2021") == ["blue.png", "lime.png"]
    assert not again.published
    assert not run(galleries, toy, pictures).published, "the folder alone takes nothing over"
    listed.write_text("".join(listed.read_text().splitlines(keepends=True)[:-1]))
    run(galleries, toy, pictures, listed)
    assert told(opened(galleries))["blue.png"] == ("pictures", {}), "left to the folder"
    assert {image.uri: image.image_id for image in opened(galleries)} == ids
