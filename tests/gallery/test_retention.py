"""Which builds are kept, and that what a reader has open stays while it is open."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from gallery.builds.history import build_account, history
from gallery.builds.readers import Reading, is_read, unread
from gallery.errors import BuildNotFound
from gallery.files import write_file
from gallery.galleries import Galleries
from gallery.settings import GallerySettings
from tests.gallery.support import NAME, Trial, ids, images

ROOT = Path(__file__).parents[2]

FIRST = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b"}


def keeping(trial: Trial, kept: int) -> Trial:
    trial.galleries = Galleries(
        trial.home, trial.engine, settings=GallerySettings(kept_builds=kept), clock=trial.clock
    )
    return trial


def kept(trial: Trial) -> list[int]:
    return [each.build for each in history(trial.galleries.site(NAME)).builds]


def rows(trial: Trial, table: str) -> int:
    with trial.engine.connect() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def others(number: int) -> dict[str, bytes]:
    return {f"/r/blue/{number}-{each}.jpg": f"{number}.{each}".encode() for each in range(3)}


def test_the_last_builds_are_kept_and_older_ones_go_with_all_that_only_they_named(trial: Trial) -> None:
    keeping(trial, 2)
    for number in range(1, 6):
        trial.run({**FIRST, **others(number)})
    assert kept(trial) == [5, 4]
    assert {path.name for path in (trial.folder / "builds").iterdir()} == {"4.json", "5.json"}
    named = {each.name for number in (4, 5) for each in opened(trial, number).manifest.segments}
    assert {path.name for path in (trial.folder / "segments").iterdir()} == named
    assert rows(trial, "segments") == len(named)


def opened(trial: Trial, number: int):
    return trial.galleries.open(NAME, build=number)


def test_an_old_build_that_is_kept_shows_its_own_bytes_places_and_labels(trial: Trial) -> None:
    trial.run(FIRST)
    trial.run({"/r/blue/a.jpg": b"a", "/r/red/b.jpg": b"B"})
    old, new = opened(trial, 1), trial.open()
    assert {each.uri: each.label for each in images(old)} == {"/r/red/a.jpg": "red", "/r/red/b.jpg": "red"}
    assert old.thumbnail(ids(old)["/r/red/b.jpg"]) == b"JPEG of b"
    assert new.thumbnail(ids(new)["/r/red/b.jpg"]) == b"JPEG of B"
    assert old.labels() == {"red": 2}
    account = build_account(trial.galleries.site(NAME), 1, with_images=True)
    assert (account.labels, account.images) == ({"red": 2}, tuple(images(old)))


def test_a_build_that_is_not_kept_is_refused_with_those_that_are(trial: Trial) -> None:
    keeping(trial, 1)
    trial.run(FIRST)
    trial.run(others(1))
    with pytest.raises(BuildNotFound, match="'pictures' keeps no build 1; it has 2"):
        opened(trial, 1)
    with pytest.raises(BuildNotFound):
        build_account(trial.galleries.site(NAME), 7, with_images=False)


def test_a_build_that_somebody_has_open_stays_until_it_is_closed(trial: Trial) -> None:
    keeping(trial, 1)
    trial.run(FIRST)
    reader = trial.open()
    before = ids(reader)
    for number in range(3):
        trial.run(others(number))
    assert kept(trial) == [4, 1]
    assert [each.is_read for each in history(trial.galleries.site(NAME)).builds] == [False, True]
    assert ids(reader) == before
    assert [reader.thumbnail(each) for each in before.values()] == [b"JPEG of a", b"JPEG of b"]
    reader.close()
    trial.run(others(9))
    assert kept(trial) == [5]


READER = """
import sys
from pathlib import Path
from tests.gallery.support import Trial, ids
build = Trial.at(Path(sys.argv[1])).open()
print(build.number, flush=True)
sys.stdin.read()
print(sorted(build.thumbnail(each) for each in ids(build).values()))
"""


@pytest.mark.parametrize("killed", [pytest.param(False, marks=pytest.mark.soak), True])
def test_a_reader_in_another_process_keeps_its_build_as_long_as_it_lives(trial: Trial, killed: bool) -> None:
    keeping(trial, 1)
    trial.run(FIRST)
    script = [sys.executable, "-c", READER, str(trial.home)]
    with subprocess.Popen(
        script, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "1\n"
        trial.run(others(1))
        trial.run(others(2))
        assert kept(trial) == [3, 1]
        if killed:
            reader.kill()
        found, _ = reader.communicate("")
    assert found == ("" if killed else "[b'JPEG of a', b'JPEG of b']\n")
    trial.run(others(3))
    assert kept(trial) == [4]


def test_a_file_that_comes_back_after_its_builds_have_gone_gets_its_id_back(trial: Trial) -> None:
    keeping(trial, 1)
    trial.run(FIRST)
    before = ids(trial.open())
    for number in range(3):
        trial.run(others(number))
    trial.run(FIRST)
    assert ids(trial.open()) == before
    assert rows(trial, "images") == 2 + 9


def test_of_an_image_that_moves_often_only_the_places_that_builds_show_are_kept(trial: Trial) -> None:
    keeping(trial, 2)
    for number in range(8):
        trial.run({f"/r/{number}/a.jpg": b"a", "/r/red/b.jpg": b"b"})
    assert rows(trial, "images") == 2
    assert rows(trial, "places") == 3
    assert set(ids(opened(trial, 7))) == {"/r/6/a.jpg", "/r/red/b.jpg"}


def test_what_a_killed_run_embedded_is_not_taken_for_old(trial: Trial) -> None:
    keeping(trial, 1)
    trial.run(FIRST)
    with pytest.raises(InterruptedError):
        trial.run({**FIRST, **others(1)}, progress=interrupted_at_the_second())
    trial.run(FIRST)
    embedded: list[str] = []
    trial.run({**FIRST, **others(1)}, progress=embedded.append)
    assert len(embedded) == 1


def interrupted_at_the_second() -> Callable[[str], None]:
    calls: list[str] = []

    def interrupted(digest: str) -> None:
        calls.append(digest)
        if len(calls) == 2:
            raise InterruptedError

    return interrupted


def test_a_gallery_that_was_emptied_stays_so_and_takes_images_again(trial: Trial) -> None:
    keeping(trial, 1)
    trial.run(FIRST)
    for _ in range(3):
        assert trial.run({}, allow_empty=True).images == 0
    assert rows(trial, "segments") == 0
    assert trial.run(FIRST).images == 2


def test_a_manifest_that_goes_while_a_reader_waits_for_it_is_not_there(tmp_path: Path) -> None:
    manifest = tmp_path / "1.json"
    manifest.write_text("old")
    with ThreadPoolExecutor(1) as pool, unread(manifest) as nobody:
        assert nobody
        waiting = pool.submit(Reading, manifest)
        time.sleep(0.1)  # until it waits; where it comes too late, it finds no file either
        manifest.unlink()
        assert not waiting.done() or waiting.exception() is not None
    with pytest.raises(FileNotFoundError):
        waiting.result()


def test_a_manifest_that_was_written_again_is_read_by_whoever_holds_the_new_one(tmp_path: Path) -> None:
    manifest = tmp_path / "1.json"
    manifest.write_text("old")
    old = Reading(manifest)
    write_file(manifest, b"new")
    assert not is_read(manifest)
    new = Reading(manifest)
    assert is_read(manifest)
    new.end()
    old.end()
