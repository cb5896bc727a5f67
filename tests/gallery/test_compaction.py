"""Compacting changes which segments hold the images, and nothing that a reader sees."""

from pathlib import Path

import pytest

from gallery.builds.compaction import CompactionReport, compact
from gallery.builds.rollback import roll_back
from gallery.errors import BuildNotFound, CorruptGallery
from gallery.proof.verification import verify
from tests.gallery.support import NAME, Trial, embedded, images

FILES = {f"/r/{label}/{number}.jpg": f"{label}{number}".encode() for label in "ab" for number in range(8)}
LEFT = {uri: data for uri, data in FILES.items() if "/a/" in uri or uri.endswith("7.jpg")}


def compacted(trial: Trial, *, size: int = 100) -> CompactionReport:
    with trial.galleries.tenure(NAME) as tenure:
        return compact(tenure, size=size)


def seen(trial: Trial, build: int | None = None) -> list[object]:
    """All that a reader sees of a build, byte for byte."""
    opened = trial.galleries.open(NAME, build=build)
    found = images(opened)
    image_ids = [image.image_id for image in found]
    query = embedded(b"a3").embedding
    local = opened.local_embeddings(image_ids)
    told = [
        found,
        [opened.thumbnail(image_id) for image_id in image_ids],
        opened.embeddings(image_ids).tobytes(),
        None if local is None else local.tobytes(),
        opened.search(query, count=5, fingerprint="f1"),
        opened.search(query, count=5, labels=["b"], fingerprint="f1"),
    ]
    opened.close()
    return told


@pytest.mark.on_both
def test_small_segments_become_one_and_a_reader_sees_no_difference(trial: Trial) -> None:
    trial.run(FILES, batch=2)
    before = seen(trial)
    report = compacted(trial)
    assert (report.build, report.folded, report.made, report.copied, report.tombstones) == (2, 8, 1, 16, 0)
    assert seen(trial) == before == seen(trial, 1)
    assert len(trial.open().manifest.segments) == 1
    assert verify(trial.galleries.site(NAME)).findings == ()


def test_tombstones_are_left_behind(trial: Trial) -> None:
    trial.run(FILES, batch=2)
    trial.run(LEFT)
    before = seen(trial)
    assert verify(trial.galleries.site(NAME)).counts.tombstones > 0
    report = compacted(trial)
    assert report.tombstones > 0
    assert seen(trial) == before
    found = verify(trial.galleries.site(NAME))
    assert (found.clean, found.counts.tombstones, found.counts.index_entries) == (True, 0, 9)


def test_segments_are_as_large_as_they_should_be(trial: Trial) -> None:
    trial.run(FILES, batch=2)
    compacted(trial, size=6)
    assert [each.rows for each in trial.open().manifest.segments] == [6, 6, 4]


def test_what_is_compact_is_left_alone(trial: Trial) -> None:
    trial.run(FILES, batch=2)
    compacted(trial)
    report = compacted(trial)
    assert (report.build, report.folded, report.made) == (2, 0, 0)


def test_later_runs_go_on_from_the_new_segments_and_embed_nothing_again(trial: Trial) -> None:
    trial.run(FILES, batch=2)
    compacted(trial)
    (made,) = trial.open().manifest.segments
    done: list[str] = []
    assert trial.run(FILES, progress=done.append).build == 2
    trial.run({**FILES, "/r/c/new.jpg": b"new"}, progress=done.append)
    assert len(done) == 1
    first, _ = trial.open().manifest.segments
    assert first.name == made.name


def test_the_old_segments_go_with_the_builds_that_name_them(trial: Trial) -> None:
    trial.run(FILES, batch=2)
    compacted(trial)
    for number in range(3):
        trial.run({**FILES, f"/r/c/{number}.jpg": b"%d" % number})
    with pytest.raises(BuildNotFound):
        trial.galleries.open(NAME, build=1)
    kept = [trial.galleries.open(NAME, build=number) for number in (3, 4, 5)]
    named = {each.name for build in kept for each in build.manifest.segments}
    assert {path.name for path in (trial.folder / "segments").iterdir()} == named
    assert len(named) == 4


def test_going_back_before_a_compaction_needs_no_embedding_either(trial: Trial) -> None:
    trial.run(FILES, batch=2)
    trial.run(LEFT)
    compacted(trial)
    before = seen(trial, 1)
    with trial.galleries.tenure(NAME) as tenure:
        roll_back(tenure, build=1)
    assert seen(trial) == before
    done: list[str] = []
    trial.run(FILES, progress=done.append)
    assert done == []
    assert verify(trial.galleries.site(NAME)).clean


def test_a_compaction_that_is_killed_leaves_what_was_published(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.run(FILES, batch=2)
    before = seen(trial)

    def die(*_: object, **__: object) -> None:
        raise InterruptedError

    for step in ("gallery.builds.compaction.mark_folded", "gallery.builds.republication.name_published"):
        with monkeypatch.context() as killing:
            killing.setattr(step, die)
            with pytest.raises(InterruptedError):
                compacted(trial)
        assert (trial.open().number, seen(trial)) == (1, before)
    with trial.writer():
        pass
    assert verify(trial.galleries.site(NAME)).findings == ()
    compacted(trial)
    assert seen(trial) == before


@pytest.mark.on_both
def test_after_going_back_before_a_compaction_no_content_lies_in_two_segments_of_a_build(
    trial: Trial,
) -> None:
    few = {uri: data for uri, data in FILES.items() if "/a/" in uri}
    trial.run(few, batch=2)
    trial.run(FILES, batch=2)
    compacted(trial)
    with trial.galleries.tenure(NAME) as tenure:
        roll_back(tenure, build=1)
    trial.run(FILES, batch=2)
    found = verify(trial.galleries.site(NAME))
    assert (found.clean, found.counts.index_entries) == (True, len(FILES))
    with trial.galleries.tenure(NAME) as tenure:
        roll_back(tenure, build=3)
    trial.run({**FILES, "/r/c/new.jpg": b"new"})
    assert verify(trial.galleries.site(NAME)).clean


def test_bytes_that_changed_on_the_disk_are_not_copied(trial: Trial) -> None:
    trial.run(FILES, batch=2)
    damaged = trial.folder / "segments" / trial.open().manifest.segments[0].name / "embeddings.npy"
    data = bytearray(damaged.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(CorruptGallery, match=r"embeddings\.npy is missing or is not what was written"):
        compacted(trial)
    assert trial.open().number == 1


def test_a_segment_that_was_put_back_by_hand_is_counted_no_second_time(trial: Trial, tmp_path: Path) -> None:
    trial.run(FILES, batch=4)
    lost = trial.open().manifest.segments[0]
    away = trial.folder / "segments" / lost.name
    away.rename(tmp_path / "away")
    more = {**FILES, "/r/a/8.jpg": b"a8"}
    trial.run(more, batch=20)
    (tmp_path / "away").rename(away)
    trial.run({**more, "/r/a/9.jpg": b"a9"})
    manifest = trial.open().manifest
    assert lost.id not in {each.id for each in manifest.segments}
    assert sum(each.rows for each in manifest.segments) == manifest.contents == len(FILES) + 2
    assert verify(trial.galleries.site(NAME)).clean
