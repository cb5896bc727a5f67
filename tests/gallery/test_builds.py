"""What an opened build answers."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, event

from gallery.errors import CorruptGallery, EncoderMismatch, ImageNotFound
from gallery.index.candidates import Candidate
from gallery.sources.scanning import checksum
from tests.gallery.support import DIMENSION, FINGERPRINT, GRID, Trial, embedded, ids, images

ROOT = Path(__file__).parents[2]

FILES = {
    f"/r/{label}/{number:03}.jpg": f"{label}{number}".encode()
    for label in ("red", "blue")
    for number in range(40)
}


def brute_force(files: dict[str, bytes], query: np.ndarray, count: int, known: dict[str, int]) -> list[int]:
    distances = {known[uri]: np.linalg.norm(embedded(data).embedding - query) for uri, data in files.items()}
    return sorted(distances, key=lambda image_id: (distances[image_id], image_id))[:count]


def test_the_nearest_live_images_are_found_exactly_across_segments(trial: Trial) -> None:
    trial.run(FILES, batch=7)
    build = trial.open()
    known = ids(build)
    for name in (b"q1", b"q2", b"red7"):
        query = embedded(name).embedding
        found = build.search(query, count=10, fingerprint=FINGERPRINT)
        assert [each.image_id for each in found] == brute_force(FILES, query, 10, known)
        assert found == sorted(found, key=lambda each: (each.index_distance, each.image_id))


def test_an_identical_image_is_the_first_candidate_at_distance_zero(trial: Trial) -> None:
    trial.run(FILES, batch=7)
    build = trial.open()
    for uri, image_id in ids(build).items():
        first = build.search(embedded(FILES[uri]).embedding, count=1, fingerprint=FINGERPRINT)
        assert first == [Candidate(image_id, 0.0)]


def test_a_query_by_another_encoder_is_refused(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    with pytest.raises(
        EncoderMismatch, match=r"embedded by other, but build 1 of 'pictures' by f1 \(toy 0\)"
    ):
        trial.open().search(embedded(b"q").embedding, count=1, fingerprint="other")


def test_fewer_are_found_only_if_fewer_exist(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    build = trial.open()
    query = embedded(b"q").embedding
    assert len(build.search(query, count=80, fingerprint=FINGERPRINT)) == 80
    assert len(build.search(query, count=500, fingerprint=FINGERPRINT)) == 80
    assert len(build.search(query, count=500, labels=["red"], fingerprint=FINGERPRINT)) == 40


@pytest.mark.on_both
def test_images_that_are_gone_are_never_found_and_never_crowd_out_those_that_live(trial: Trial) -> None:
    trial.run(FILES, batch=50)
    left = dict(list(FILES.items())[::16])
    trial.run(left)
    build = trial.open()
    assert build.manifest.index.entries == 80
    for uri, data in FILES.items():
        query = embedded(data).embedding
        found = [each.image_id for each in build.search(query, count=3, fingerprint=FINGERPRINT)]
        assert found == brute_force(left, query, 3, ids(build)), uri


@pytest.mark.on_both
def test_a_filter_never_leaks_and_never_under_returns(trial: Trial) -> None:
    files = {**FILES, "/r/green/only.jpg": b"red7", "/r/green/other.jpg": b"other"}
    trial.run(files, batch=9)
    build = trial.open()
    known = ids(build)
    query = embedded(b"red7").embedding
    for labels in (["green"], ["green", "red"], ["blue", "nobody"]):
        allowed = {uri: data for uri, data in files.items() if Path(uri).parent.name in labels}
        found = build.search(query, count=30, labels=labels, fingerprint=FINGERPRINT)
        assert [each.image_id for each in found] == brute_force(allowed, query, 30, known)
    assert build.search(query, count=5, labels=["nobody"], fingerprint=FINGERPRINT) == []
    assert build.search(query, count=5, labels=[], fingerprint=FINGERPRINT) == []


def test_a_content_under_two_labels_is_found_under_the_one_that_was_asked_for(trial: Trial) -> None:
    trial.run({"/r/cat/1.jpg": b"a", "/r/dog/1.jpg": b"a"})
    build = trial.open()
    (found,) = build.search(embedded(b"a").embedding, count=5, labels=["dog"], fingerprint=FINGERPRINT)
    assert build.image(found.image_id).label == "dog"


def test_embeddings_are_exact_and_local_embeddings_nearly_so_in_the_order_asked_for(trial: Trial) -> None:
    trial.run(FILES, batch=7)
    build = trial.open()
    known = ids(build)
    uris = [*list(FILES)[::-3], next(iter(FILES)), next(iter(FILES))]
    asked = [known[uri] for uri in uris]
    wanted = [embedded(FILES[uri]) for uri in uris]
    embeddings, local = build.embeddings(asked), build.local_embeddings(asked)
    assert (embeddings.dtype, local.dtype) == (np.float32, np.float32)
    assert (embeddings == np.stack([each.embedding for each in wanted])).all()
    exact = np.stack([each.local_embeddings for each in wanted])
    assert local.shape == (len(uris), *GRID, DIMENSION)
    assert (np.abs(local - exact).max(axis=(1, 2, 3)) <= np.abs(exact).max(axis=(1, 2, 3)) / 250).all()


def test_nothing_asked_for_is_nothing_answered(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    build = trial.open()
    assert build.images([]) == []
    assert build.embeddings([]).shape == (0, DIMENSION)
    assert build.local_embeddings([]).shape == (0, *GRID, DIMENSION)


def test_an_image_is_shown_as_it_is(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    build = trial.open()
    uri, data = "/r/blue/003.jpg", FILES["/r/blue/003.jpg"]
    (image,) = build.with_checksum(checksum(data))
    assert build.image(image.image_id) == image
    assert (image.uri, image.label, image.checksum, image.width, image.height) == (
        uri,
        "blue",
        checksum(data),
        40,
        30,
    )
    assert build.thumbnail(image.image_id) == b"JPEG of " + data
    assert build.with_checksum("0" * 64) == []


def test_images_that_the_build_does_not_have_are_refused_by_name(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    old = trial.open()
    gone = ids(old)["/r/blue/003.jpg"]
    trial.run({uri: data for uri, data in FILES.items() if uri != "/r/blue/003.jpg"})
    new = trial.open()
    assert old.image(gone).image_id == gone
    for refuses in (
        new.image,
        new.thumbnail,
        lambda image: new.embeddings([image]),
        lambda image: new.images([image]),
    ):
        with pytest.raises(ImageNotFound, match=f"Build 2 of the gallery 'pictures' has no image {gone}"):
            refuses(gone)
    with pytest.raises(ImageNotFound, match="no image 123456"):
        old.local_embeddings([gone, 123456])


@pytest.mark.on_both
def test_more_images_than_one_statement_takes_can_be_asked_for(trial: Trial) -> None:
    files = {f"/r/x/{number}.jpg": b"same" for number in range(2500)}
    trial.run(files)
    build = trial.open()
    asked = list(ids(build).values())
    assert len(asked) == 2500
    assert build.embeddings(asked).shape == (2500, DIMENSION)


@pytest.mark.on_both
def test_the_build_says_what_it_is(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    build = trial.open()
    assert (build.gallery, build.number, build.encoder_name, build.fingerprint) == (
        "pictures",
        1,
        "toy 0",
        "f1",
    )
    assert (build.grid, build.dimension, len(build)) == (GRID, DIMENSION, 80)
    assert (build.manifest.images, build.manifest.contents, build.manifest.labels) == (80, 80, 2)
    assert sum(segment.rows for segment in build.manifest.segments) == build.manifest.index.entries == 80


def test_the_manifest_names_every_file_with_its_checksum(trial: Trial) -> None:
    trial.run(FILES, batch=50)
    build = trial.open()
    assert build.corrupt_files() == []
    folder = trial.folder / "segments" / build.manifest.segments[1].name
    assert {path.name for path in folder.iterdir()} == set(build.manifest.segments[1].files)
    damaged = folder / "thumbnails.bin"
    data = bytearray(damaged.read_bytes())
    data[10] ^= 1
    damaged.write_bytes(data)
    assert build.corrupt_files() == [damaged]


@pytest.mark.parametrize("name", ["embeddings.npy", "content_ids.npy", "thumbnails.bin"])
def test_a_build_with_a_file_cut_off_is_not_opened(trial: Trial, name: str) -> None:
    trial.run(FILES, batch=25)
    cut = trial.folder / "segments" / trial.open().manifest.segments[0].name / name
    cut.write_bytes(cut.read_bytes()[:-1])
    with pytest.raises(CorruptGallery, match="is missing or incomplete; restore it or index again"):
        trial.open()


FEW_FILES = """
import resource, sys
from pathlib import Path
import numpy as np
from tests.gallery.support import Trial, ids
trial = Trial.at(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
build = trial.open()
found = list(ids(build).values())
assert len(build.manifest.segments) == len(found) == 40
for read in (build.embeddings, build.local_embeddings):
    assert np.isfinite(read(found)).all()
assert all(build.thumbnail(each).startswith(b"JPEG of") for each in found)
held = []
try:
    while True:
        held.append(open(sys.executable, "rb"))
except OSError:
    pass
assert np.isfinite(build.embeddings(found)).all()  # which are mapped
try:
    build.local_embeddings(found)
except OSError as error:
    print(error.strerror)
"""


def test_a_gallery_of_many_segments_opens_where_few_files_may_be_open(trial: Trial) -> None:
    pytest.importorskip("resource", reason="the limit is a Unix one")
    trial.run({f"/r/a/{number:02}.jpg": bytes([number]) for number in range(40)}, batch=1)
    script = [sys.executable, "-c", FEW_FILES, str(trial.home)]
    ran = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (ran.returncode, ran.stdout) == (0, "Too many open files\n"), ran.stderr


def test_a_file_of_the_right_size_that_is_no_array_is_corrupt(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    broken = trial.folder / "segments" / trial.open().manifest.segments[0].name / "scales.npy"
    broken.write_bytes(bytes(broken.stat().st_size))
    with pytest.raises(CorruptGallery, match=r"scales.npy cannot be opened as an array"):
        trial.open()


def test_what_a_build_gave_stays_valid_after_closing_and_nothing_more_is_given(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    build = trial.open()
    some = list(ids(build).values())[:5]
    embeddings, local = build.embeddings(some), build.local_embeddings(some)
    before = embeddings.copy(), local.copy()
    build.close()
    build.close()
    assert (embeddings == before[0]).all()
    assert (local == before[1]).all()
    with pytest.raises(ValueError, match="Build 1 of the gallery 'pictures' is closed; open it again"):
        build.search(embedded(b"q").embedding, count=5, fingerprint=FINGERPRINT)
    with pytest.raises(ValueError, match="is closed"):
        build.local_embeddings(some)


@pytest.mark.on_both
def test_many_threads_may_ask_while_a_writer_publishes(trial: Trial) -> None:
    trial.run(FILES, batch=7)
    build = trial.open()
    known = ids(build)
    wrong: list[object] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            for uri in list(FILES)[::9]:
                try:
                    (found,) = build.search(embedded(FILES[uri]).embedding, count=1, fingerprint=FINGERPRINT)
                    label = build.image(found.image_id).label
                    if found != Candidate(known[uri], 0.0) or label != Path(uri).parent.name:
                        wrong.append(found)
                    build.search(embedded(b"q").embedding, count=9, labels=["red"], fingerprint=FINGERPRINT)
                except Exception as error:  # noqa: BLE001 — told to the test below
                    wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(3):
        trial.run({f"/r/green/{number}.jpg": f"g{number}".encode(), **dict(list(FILES.items())[number::2])})
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(images(build)) == 80


@pytest.mark.on_both
def test_questions_about_few_images_never_run_over_the_whole_gallery(trial: Trial) -> None:
    trial.run(FILES, batch=25)
    build = trial.open()
    some = list(ids(build).values())[:5]
    asked: list[tuple[str, object]] = []
    event.listen(
        trial.engine, "before_cursor_execute", lambda *arguments: asked.append((arguments[2], arguments[3]))
    )
    build.search(embedded(b"q").embedding, count=5, fingerprint=FINGERPRINT)
    build.images(some)
    build.embeddings(some)
    build.with_checksum(checksum(b"red1"))
    plans = []
    with trial.engine.connect() as connection:
        for statement, parameters in [each for each in asked if each[0].startswith("SELECT")]:
            plans += steps_of(connection, statement, parameters)
    assert len(plans) >= 8
    assert not [step for step in plans if step.startswith("SCAN") or "Seq Scan" in step]


def steps_of(connection: Connection, statement: str, parameters: Any) -> list[str]:
    """How the database would answer, if PostgreSQL knew that tables may be large."""
    if connection.dialect.name == "sqlite":
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    connection.exec_driver_sql("SET enable_seqscan = off")
    return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
