"""What is usual in a build is measured before it is published, and is that of what was published."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from gallery.amending import Said
from gallery.builds import foreseen
from gallery.builds import usual as measuring
from gallery.builds.amending import publish_amendments
from gallery.builds.usual import measured_usual
from gallery.database import writing
from gallery.manifest import UsualClaims
from gallery.removals import remove_image, revoke_removal
from gallery.surveys.seen import Unreadable
from gallery.swaps.successors import begin
from gallery.swaps.swap import activate
from gallery.usual import FEWEST
from tests.gallery.support import Trial, checkpoint, embedded

FILES = {f"/r/{number}.jpg": f"{number}".encode() for number in range(FEWEST + 4)}
MOVED = {uri.replace("/r/", "/r/moved/"): data for uri, data in FILES.items()}
BROKEN = Unreadable("/r/0.jpg", None, "It has no bytes.")


def run(trial: Trial, files: dict[str, bytes], **options: Any) -> None:
    trial.run(files, batch=len(files), **options)


RUNS: dict[str, Callable[[Trial], None]] = {
    "added": lambda trial: run(trial, {**FILES, "/r/new.jpg": b"new"}),
    "changed": lambda trial: run(trial, {**FILES, "/r/0.jpg": b"new"}),
    "exchanged": lambda trial: run(trial, {**FILES, "/r/0.jpg": b"1", "/r/1.jpg": b"0"}),
    "doubled": lambda trial: run(trial, {**FILES, "/r/0.jpg": b"1"}),
    "moved": lambda trial: run(trial, MOVED),
    "removed": lambda trial: run(trial, dict(list(FILES.items())[1:])),
    "unreadable": lambda trial: run(trial, dict(list(FILES.items())[1:]), unreadable=[BROKEN]),
    "of another root": lambda trial: run(trial, {"/s/1.jpg": b"1", "/s/new.jpg": b"new"}, roots=["/s"]),
    "of another encoder": lambda trial: run(trial, FILES, seed=1),
}


def anew(trial: Trial) -> UsualClaims | None:
    """What is usual in the published build, measured once more."""
    site, manifest = trial.galleries.site("pictures"), trial.open().manifest
    with site.engine.connect() as connection:
        return measured_usual(connection, site.folder, site.gallery_id, manifest.segments)


@pytest.fixture
def measurements(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images were measured each time; somebody else writes into the database meanwhile."""
    counted: list[int] = []
    usual_of = measuring.usual_of

    def counting(embeddings: object, *nearest: object) -> UsualClaims | None:
        with writing(trial.engine):
            counted.append(len(embeddings))  # type: ignore[arg-type]
        return usual_of(embeddings, *nearest)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring, "usual_of", counting)
    return counted


@pytest.mark.parametrize("name", RUNS)
def test_others_write_while_it_is_measured_which_is_once(
    trial: Trial, measurements: list[int], name: str
) -> None:
    run(trial, FILES)
    before = trial.open().manifest.usual
    assert len(measurements) == 1
    RUNS[name](trial)
    published = trial.open()
    assert published.number == 2 and len(measurements) == 2
    assert published.manifest.usual == anew(trial)
    assert (published.manifest.usual == before) is (name in {"exchanged", "moved"})
    RUNS[name](trial)
    assert trial.open().number == 2 and len(measurements) == 3, (
        "a run that finds nothing new measures nothing"
    )


def test_others_write_while_it_is_measured_of_a_successor(trial: Trial, measurements: list[int]) -> None:
    run(trial, FILES)
    with trial.galleries.tenure("pictures") as tenure:
        begin(tenure, checkpoint(trial.home, 1), fingerprint="f2", encoder_name="toy 1", storage="int8")
    with trial.writer() as writer:
        writer.add_segment([embedded(data, seed=1) for data in FILES.values()], fingerprint="f2")
    with trial.galleries.tenure("pictures") as tenure:
        activate(tenure)
    assert len(measurements) == 2
    assert trial.open().manifest.usual == anew(trial) is not None


def test_others_write_while_it_is_measured_without_what_was_removed_and_with_it_again(
    trial: Trial, measurements: list[int]
) -> None:
    run(trial, {**FILES, "/r/again.jpg": b"1"})
    first = trial.open()
    site, gone = first.site, [each for each in first if each.uri in {"/r/0.jpg", "/r/1.jpg"}]
    for image in gone:
        remove_image(site, image, Said("ada", trial.clock()))
    with trial.galleries.tenure("pictures") as tenure:
        publish_amendments(tenure)
    without = trial.open().manifest.usual
    assert measurements == [len(FILES), len(FILES) - 1], "the one is shown elsewhere"
    assert without == anew(trial) != first.manifest.usual
    for image in gone:
        revoke_removal(site, image.image_id)
    with trial.galleries.tenure("pictures") as tenure:
        publish_amendments(tenure)
    assert len(measurements) == 4 and trial.open().number == 3
    assert trial.open().manifest.usual == first.manifest.usual


def test_images_of_a_damaged_segment_are_removed_though_it_cannot_be_measured(trial: Trial) -> None:
    run(trial, {"/r/x.jpg": b"x"})
    run(trial, {**FILES, "/r/x.jpg": b"x"})
    build = trial.open()
    (image,) = (each for each in build if each.uri == "/r/x.jpg")
    first, *_ = build.manifest.segments
    build.close()
    (trial.folder / "segments" / first.name / "embeddings.npy").write_bytes(b"cut off")
    remove_image(build.site, image, Said("ada", trial.clock()))
    with trial.galleries.tenure("pictures") as tenure:
        assert publish_amendments(tenure).removed == 1
    assert {each.uri for each in trial.open()} == FILES.keys()


@pytest.mark.on_both
def test_it_is_foreseen_on_either_database(trial: Trial, measurements: list[int]) -> None:
    run(trial, FILES)
    RUNS["removed"](trial)
    RUNS["of another root"](trial)
    assert len(measurements) == 3
    assert trial.open().manifest.usual == anew(trial)


@pytest.mark.parametrize("told", [[], None], ids=["none", "all"])
def test_what_was_foreseen_otherwise_than_it_came_is_measured_anew(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, told: list[int] | None
) -> None:
    def wrong(connection: Connection, gallery_id: int, ids: Sequence[int]) -> list[int]:
        return list(ids) if told is None else told

    monkeypatch.setattr(foreseen, "_foreseen", wrong)
    for publish in (partial(run, files=FILES), RUNS["removed"], RUNS["changed"]):
        publish(trial)
        assert trial.open().manifest.usual == anew(trial) is not None
