"""What happens to ids, labels and files when a gallery is indexed again and again."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from gallery.difference import Place
from gallery.errors import CorruptGallery, NotEmbedded, NothingPublished, SourceUnavailable
from gallery.sources.scanning import checksum
from gallery.surveys.seen import Unreadable
from tests.gallery.support import (
    FINGERPRINT,
    NAME,
    Trial,
    checkpoint,
    embedded,
    files_below,
    ids,
    images,
    places,
)

FIRST = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b", "/r/blue/c.jpg": b"c"}


def test_the_first_build_holds_what_was_found(trial: Trial) -> None:
    report = trial.run(FIRST)
    build = trial.open()
    assert (report.build, report.added, report.images, report.unchanged) == (1, 3, 3, 0)
    assert {image.uri: (image.label, image.checksum) for image in images(build)} == {
        uri: (Path(uri).parent.name, checksum(data)) for uri, data in FIRST.items()
    }
    assert (len(build), build.labels(), build.number) == (3, {"blue": 1, "red": 2}, 1)


def test_running_again_with_nothing_new_publishes_nothing_new(trial: Trial) -> None:
    trial.run(FIRST)
    before = files_below(trial.folder)
    report = trial.run(FIRST)
    assert (report.build, report.unchanged, report.images) == (1, 3, 3)
    assert (report.added, report.changed, report.moved, report.relabelled, report.removed) == (0, 0, 0, 0, 0)
    assert files_below(trial.folder) == before


def test_only_new_content_is_embedded(trial: Trial) -> None:
    trial.run(FIRST)
    seen: list[str] = []
    report = trial.run({**FIRST, "/r/red/d.jpg": b"d"}, progress=seen.append)
    assert seen == [checksum(b"d")]
    assert (report.build, report.added, report.unchanged) == (2, 1, 3)


def test_adding_images_neither_copies_nor_rewrites_a_file(trial: Trial) -> None:
    trial.run(FIRST)
    before = files_below(trial.folder)
    trial.run({**FIRST, "/r/red/d.jpg": b"d"})
    after = files_below(trial.folder)
    assert before.items() <= after.items()
    new = {Path(name).parts[0] for name in after.keys() - before.keys()}
    assert new == {"segments", "builds"}
    assert len({Path(name).parts[1] for name in after.keys() - before.keys() if "segments" in name}) == 1


def test_a_file_moved_within_its_folder_is_moved_and_nothing_else(trial: Trial) -> None:
    trial.run(FIRST)
    before = ids(trial.open())
    report = trial.run({"/r/red/z.jpg": b"a", "/r/red/b.jpg": b"b", "/r/blue/c.jpg": b"c"})
    assert (report.moved, report.relabelled, report.unchanged, report.added, report.removed) == (
        1,
        0,
        2,
        0,
        0,
    )
    assert ids(trial.open())["/r/red/z.jpg"] == before["/r/red/a.jpg"]


@pytest.mark.on_both
def test_a_file_moved_to_another_folder_keeps_its_id_and_takes_the_label_without_embedding(
    trial: Trial,
) -> None:
    trial.run(FIRST)
    before = ids(trial.open())
    seen: list[str] = []
    moved = {"/r/blue/a.jpg": b"a", "/r/red/b.jpg": b"b", "/r/blue/c.jpg": b"c"}
    report = trial.run(moved, progress=seen.append)
    build = trial.open()
    assert (report.moved, report.relabelled, report.unchanged) == (1, 1, 2)
    assert (report.added, report.removed, seen) == (0, 0, [])
    assert build.image(before["/r/red/a.jpg"]).label == "blue"
    assert build.labels() == {"blue": 2, "red": 1}


@pytest.mark.on_both
def test_changed_bytes_get_a_new_id_and_the_old_one_is_gone(trial: Trial) -> None:
    trial.run(FIRST)
    before = ids(trial.open())
    report = trial.run({**FIRST, "/r/red/a.jpg": b"A"})
    after = ids(trial.open())
    assert (report.changed, report.added, report.removed, report.unchanged) == (1, 0, 0, 2)
    assert after["/r/red/a.jpg"] not in before.values()
    assert before["/r/red/a.jpg"] not in after.values()


@pytest.mark.on_both
def test_two_files_that_exchange_their_names_exchange_their_uris_and_keep_their_ids(trial: Trial) -> None:
    trial.run(FIRST)
    before = ids(trial.open())
    report = trial.run({**FIRST, "/r/red/a.jpg": b"b", "/r/red/b.jpg": b"a"})
    after = ids(trial.open())
    assert after["/r/red/a.jpg"] == before["/r/red/b.jpg"]
    assert after["/r/red/b.jpg"] == before["/r/red/a.jpg"]
    assert (report.moved, report.changed, report.added, report.removed) == (2, 0, 0, 0)


@pytest.mark.on_both
def test_a_file_that_is_gone_is_removed_and_its_id_is_never_given_again(trial: Trial) -> None:
    trial.run(FIRST)
    last = max(ids(trial.open()).values())
    without = {uri: data for uri, data in FIRST.items() if ids(trial.open())[uri] != last}
    report = trial.run(without)
    assert (report.removed, report.images) == (1, 2)
    with trial.engine.begin() as connection:
        connection.execute(text("DELETE FROM images WHERE id = :last"), {"last": last})
    trial.run({**without, "/r/red/x.jpg": b"x"})
    assert ids(trial.open())["/r/red/x.jpg"] > last


@pytest.mark.on_both
def test_a_file_restored_at_its_place_gets_its_old_id_back_without_embedding(trial: Trial) -> None:
    trial.run(FIRST)
    before = ids(trial.open())
    trial.run({"/r/red/b.jpg": b"b"})
    trial.run({"/r/red/b.jpg": b"b", "/r/green/new.jpg": b"new"})
    seen: list[str] = []
    report = trial.run({**FIRST, "/r/green/new.jpg": b"new"}, progress=seen.append)
    after = ids(trial.open())
    assert {uri: after[uri] for uri in FIRST} == before
    assert (report.added, seen) == (2, [])


def test_content_that_comes_back_elsewhere_is_a_new_image(trial: Trial) -> None:
    trial.run(FIRST)
    before = ids(trial.open())
    trial.run({"/r/red/b.jpg": b"b"})
    trial.run({"/r/red/b.jpg": b"b", "/r/red/elsewhere.jpg": b"a"})
    assert ids(trial.open())["/r/red/elsewhere.jpg"] not in before.values()


@pytest.mark.on_both
def test_duplicates_are_embedded_once_and_each_place_is_an_image(trial: Trial) -> None:
    seen: list[str] = []
    report = trial.run({"/r/x/1.jpg": b"a", "/r/y/1.jpg": b"a", "/r/z/2.jpg": b"a"}, progress=seen.append)
    build = trial.open()
    assert (len(seen), report.images, report.duplicates, report.added) == (1, 3, 2, 3)
    nearest = build.search(embedded(b"a").embedding, count=10, fingerprint=FINGERPRINT)
    assert [each.index_distance for each in nearest] == [0.0, 0.0, 0.0]
    assert [each.image_id for each in nearest] == sorted(ids(build).values())
    assert [image.uri for image in build.with_checksum(checksum(b"a"))] == [
        "/r/x/1.jpg",
        "/r/y/1.jpg",
        "/r/z/2.jpg",
    ]


def test_when_one_of_several_duplicates_moves_only_that_one_moves(trial: Trial) -> None:
    trial.run({"/r/x/1.jpg": b"a", "/r/y/1.jpg": b"a", "/r/z/2.jpg": b"a"})
    before = ids(trial.open())
    report = trial.run({"/r/x/1.jpg": b"a", "/r/y/1.jpg": b"a", "/r/w/2.jpg": b"a"})
    after = ids(trial.open())
    assert (report.moved, report.unchanged) == (1, 2)
    assert after == {
        "/r/x/1.jpg": before["/r/x/1.jpg"],
        "/r/y/1.jpg": before["/r/y/1.jpg"],
        "/r/w/2.jpg": before["/r/z/2.jpg"],
    }


def test_places_below_other_roots_stay(trial: Trial) -> None:
    trial.run({"/r/a/1.jpg": b"a"}, roots=["/r"])
    report = trial.run({"/s/b/2.jpg": b"b"}, roots=["/s"])
    assert (report.added, report.removed, report.images) == (1, 0, 2)
    report = trial.run({"/s/b/3.jpg": b"b"}, roots=["/s"])
    assert (report.moved, report.images) == (1, 2)
    assert trial.galleries.roots(NAME) == [Path("/r"), Path("/s")]
    with trial.writer() as writer:
        assert [image.uri for image in writer.live()] == ["/r/a/1.jpg", "/s/b/3.jpg"]


@pytest.mark.on_both
def test_the_gallery_is_made_of_the_outermost_roots_that_hold_files(trial: Trial) -> None:
    trial.run({"/r/a/1.jpg": b"a"}, roots=["/r/a"])
    trial.run({"/s/b/2.jpg": b"b"}, roots=["/s"])
    trial.run({"/r/a/1.jpg": b"a"}, roots=["/r"])
    assert trial.galleries.roots(NAME) == [Path("/r"), Path("/s")]
    trial.run({}, roots=["/s"], allow_empty=True)
    assert trial.galleries.roots(NAME) == [Path("/r")]


def test_a_folder_whose_name_begins_like_a_root_is_not_below_it(trial: Trial) -> None:
    trial.run({"/r/a/1.jpg": b"a"}, roots=["/r"])
    trial.run({"/r2/a/1.jpg": b"b"}, roots=["/r2"])
    report = trial.run({"/r/a/1.jpg": b"a"}, roots=["/r"])
    assert (report.images, report.removed) == (2, 0)


def test_a_root_may_be_a_single_image(trial: Trial) -> None:
    trial.run(FIRST)
    report = trial.run({"/r/red/a.jpg": b"A"}, roots=["/r/red/a.jpg"])
    assert (report.changed, report.images, report.removed) == (1, 3, 0)


def test_a_root_that_is_suddenly_empty_is_refused_unless_it_may_be(trial: Trial) -> None:
    trial.run(FIRST)
    with pytest.raises(
        SourceUnavailable, match="/r held 3 images and is empty now, as when a disk is not mounted"
    ):
        trial.run({})
    assert len(trial.open()) == 3
    report = trial.run({}, allow_empty=True)
    assert (report.removed, report.images) == (3, 0)
    assert images(trial.open()) == []


def test_one_of_two_roots_that_is_suddenly_empty_is_refused(trial: Trial) -> None:
    trial.run({"/r/a/1.jpg": b"a", "/s/b/2.jpg": b"b"}, roots=["/r", "/s"])
    with pytest.raises(SourceUnavailable, match="/s held 1 images"):
        trial.run({"/r/a/1.jpg": b"a"}, roots=["/r", "/s"])


def test_a_root_whose_files_are_all_broken_now_is_not_empty(trial: Trial) -> None:
    trial.run({"/r/a/1.jpg": b"a", "/s/b/2.jpg": b"b"}, roots=["/r", "/s"])
    broken = Unreadable("/s/b/2.jpg", checksum(b""), "It has no bytes.")
    report = trial.run({"/r/a/1.jpg": b"a"}, roots=["/r", "/s"], unreadable=[broken])
    assert (report.removed, report.images) == (1, 1)


@pytest.mark.on_both
def test_unreadable_files_are_remembered_until_their_root_is_scanned_again(trial: Trial) -> None:
    first = Unreadable("/r/broken.jpg", "c" * 64, "It is cut off.")
    second = Unreadable("/s/empty.jpg", None, "It has no bytes.")
    trial.run(FIRST, unreadable=[first])
    trial.run({"/s/b/1.jpg": b"s"}, roots=["/s"], unreadable=[second])
    with trial.writer() as writer:
        assert writer.unreadable() == [first, second]
    trial.run(FIRST)
    with trial.writer() as writer:
        assert writer.unreadable() == [second]


@pytest.mark.on_both
def test_an_open_build_shows_its_own_places_and_labels_whatever_is_published(trial: Trial) -> None:
    trial.run(FIRST)
    old = trial.open()
    before = images(old)
    trial.run({"/r/blue/a.jpg": b"a", "/r/red/b.jpg": b"B", "/r/green/d.jpg": b"d"})
    trial.run({"/r/blue/a.jpg": b"a"})
    trial.run(FIRST)
    assert images(old) == before
    assert old.labels() == {"blue": 1, "red": 2}
    assert len(old.with_checksum(checksum(b"d"))) == 0
    assert trial.open().number == 4


@pytest.mark.on_both
def test_another_encoder_embeds_everything_anew_and_the_old_build_stays_searchable(trial: Trial) -> None:
    trial.run(FIRST)
    old = trial.open()
    before, known = images(old), ids(old)
    seen: list[str] = []
    report = trial.run(FIRST, seed=1, progress=seen.append)
    new = trial.open()
    assert (report.build, report.unchanged, len(seen)) == (2, 3, 3)
    assert (new.fingerprint, new.encoder_name, ids(new)) == ("f2", "toy 1", known)
    assert images(old) == before
    assert np.allclose(new.embeddings([known["/r/red/a.jpg"]]), embedded(b"a", seed=1).embedding)


def test_another_encoder_for_one_root_of_two_is_refused(trial: Trial) -> None:
    trial.run({"/r/a/1.jpg": b"a"}, roots=["/r"])
    trial.run({"/s/b/2.jpg": b"b"}, roots=["/s"])
    with pytest.raises(NotEmbedded, match=r"1 images are not embedded by toy 1, /r/a/1.jpg for one"):
        trial.run({"/s/b/2.jpg": b"b"}, roots=["/s"], seed=1)
    assert trial.open().fingerprint == FINGERPRINT


@pytest.mark.on_both
def test_embeddings_by_an_encoder_that_was_given_up_are_collected(trial: Trial) -> None:
    trial.run(FIRST)
    with trial.writer() as writer:  # an interrupted change to another encoder
        writer.keep_checkpoint(checkpoint(trial.home, 1), "f2")
        writer.add_segment([embedded(b"a", seed=1)], fingerprint="f2")
    with trial.writer() as writer:
        assert writer.embedded("f2").keys() == {checksum(b"a")}, "it can be gone on with"
    trial.run({**FIRST, "/r/red/d.jpg": b"d"})
    with trial.writer() as writer:
        assert writer.embedded("f2") == {}
    assert len(list((trial.folder / "segments").iterdir())) == 3
    assert [path.name for path in (trial.folder / "encoders").iterdir()] == ["f1"]


def test_unpublished_segments_of_another_root_are_taken_over_later(trial: Trial) -> None:
    with trial.writer() as writer:  # an interrupted run over /r
        writer.keep_checkpoint(checkpoint(trial.home, 0), FINGERPRINT)
        writer.add_segment([embedded(b"a"), embedded(b"b")], fingerprint=FINGERPRINT)
    trial.run({"/s/x/1.jpg": b"s"}, roots=["/s"])
    seen: list[str] = []
    trial.run(FIRST, progress=seen.append)
    assert seen == [checksum(b"c")]


def test_a_content_is_kept_once_however_often_it_is_added(trial: Trial) -> None:
    with trial.writer() as writer:
        writer.add_segment([embedded(b"a"), embedded(b"a"), embedded(b"b")], fingerprint=FINGERPRINT)
        writer.add_segment([embedded(b"b"), embedded(b"a")], fingerprint=FINGERPRINT)
        assert writer.embedded(FINGERPRINT).keys() == {checksum(b"a"), checksum(b"b")}
    assert len(list((trial.folder / "segments").iterdir())) == 1


def test_contents_of_a_damaged_segment_are_embedded_again(trial: Trial) -> None:
    trial.run(FIRST, batch=1)
    damaged = next(iter(sorted((trial.folder / "segments").iterdir())))
    (damaged / "scales.npy").unlink()
    with pytest.raises(CorruptGallery, match="is missing or incomplete"):
        trial.open()
    seen: list[str] = []
    trial.run(FIRST, progress=seen.append)
    build = trial.open()
    assert (len(seen), build.number, len(images(build)), build.corrupt_files()) == (1, 2, 3, [])


def test_a_manifest_that_was_changed_is_not_opened_and_is_mended_by_the_next_run(trial: Trial) -> None:
    trial.run(FIRST)
    (trial.folder / "builds" / "1.json").write_text("{}")
    with pytest.raises(CorruptGallery, match="is not the one that was published"):
        trial.open()
    assert trial.run(FIRST).build == 2
    assert len(images(trial.open())) == 3


def test_the_checkpoint_is_kept_below_the_gallery(trial: Trial) -> None:
    with trial.writer() as writer:
        assert writer.encoder_checkpoint() is None
    trial.run(FIRST)
    build = trial.open()
    assert build.checkpoint.is_relative_to(trial.folder)
    assert (build.checkpoint / "weights" / "numbers.bin").read_bytes() == bytes(10)
    with trial.writer() as writer:
        assert writer.encoder_checkpoint() == build.checkpoint


def test_the_checkpoint_of_an_interrupted_first_build_is_found_again(trial: Trial) -> None:
    with trial.writer() as writer:
        kept = writer.keep_checkpoint(checkpoint(trial.home, 0), FINGERPRINT)
    with trial.writer() as writer:
        assert writer.encoder_checkpoint() == kept
    with pytest.raises(NothingPublished):
        trial.open()


def test_publishing_gives_up_the_encoder_that_was_only_tried(trial: Trial) -> None:
    trial.run(FIRST)
    with trial.writer() as writer:
        writer.keep_checkpoint(checkpoint(trial.home, 1), "f2")
    with trial.writer() as writer:
        writer.publish(places(FIRST), roots=[Path("/r")], fingerprint=FINGERPRINT, encoder_name="toy 0")
    assert [path.name for path in (trial.folder / "encoders").iterdir()] == ["f1"]


def test_the_published_encoder_comes_before_one_that_was_only_tried(trial: Trial) -> None:
    trial.run(FIRST)
    with trial.writer() as writer:
        writer.keep_checkpoint(checkpoint(trial.home, 1), "f2")
        assert writer.encoder_checkpoint() == trial.open().checkpoint


def test_a_recalibrated_encoder_makes_a_new_build_and_embeds_nothing(trial: Trial) -> None:
    trial.run(FIRST)
    old = trial.open()
    source = checkpoint(trial.home, 0)
    with trial.writer() as writer:
        (source / "checkpoint.json").write_text('{"seed": 0, "threshold": 0.7}')
        writer.keep_checkpoint(source, FINGERPRINT)
        report = writer.publish(
            places(FIRST), roots=[Path("/r")], fingerprint=FINGERPRINT, encoder_name="toy 0"
        )
    assert (report.build, report.unchanged) == (2, 3)
    assert "threshold" in (trial.open().checkpoint / "checkpoint.json").read_text()
    assert "threshold" not in (old.checkpoint / "checkpoint.json").read_text()


def test_keeping_a_checkpoint_that_is_kept_already_copies_nothing(trial: Trial) -> None:
    trial.run(FIRST)
    before = files_below(trial.folder)
    with trial.writer() as writer:
        kept = writer.encoder_checkpoint()
        assert kept is not None
        assert writer.keep_checkpoint(kept, FINGERPRINT) == kept
    assert files_below(trial.folder) == before


def test_a_place_without_an_embedding_is_refused(trial: Trial) -> None:
    with trial.writer() as writer:
        writer.keep_checkpoint(checkpoint(trial.home, 0), FINGERPRINT)
        writer.add_segment([embedded(b"a")], fingerprint=FINGERPRINT)
        with pytest.raises(NotEmbedded, match=r"/r/x\.jpg for one"):
            writer.publish(
                [Place("/r/x.jpg", None, "0" * 64)],
                roots=[Path("/r")],
                fingerprint=FINGERPRINT,
                encoder_name="toy",
            )


def test_an_empty_folder_is_nothing_to_publish(trial: Trial) -> None:
    with pytest.raises(NotEmbedded, match="No image was ever embedded by toy 0"):
        trial.run({})


def test_what_cannot_be_is_a_mistake_of_the_caller(trial: Trial) -> None:
    trial.run(FIRST)
    with pytest.raises(ValueError, match=r"/s/a.jpg lies below none of the scanned roots"):
        trial.run({"/s/a.jpg": b"a"}, roots=["/r"])
    with trial.writer() as writer, pytest.raises(ValueError, match="Keep the checkpoint of f9"):
        writer.add_segment([embedded(b"a", seed=8)], fingerprint="f9")
        writer.publish(
            places({"/r/red/a.jpg": b"a"}), roots=[Path("/r")], fingerprint="f9", encoder_name="toy"
        )
    with trial.writer() as writer, pytest.raises(ValueError, match="A fingerprint is a digest's digits"):
        writer.keep_checkpoint(checkpoint(trial.home, 0), "../outside")


@pytest.mark.on_both
def test_names_with_any_character_are_kept_as_they_are(trial: Trial) -> None:
    odd = {"/r/naïve 'quoted\" ; --/%_😀.jpg": b"a", "/r/line\nbreak/b.jpg": b"b"}
    trial.run(odd)
    assert {image.uri for image in images(trial.open())} == set(odd)


@pytest.mark.on_both
def test_galleries_share_a_database_and_nothing_else(trial: Trial) -> None:
    trial.run(FIRST)
    with trial.galleries.writer("other") as writer:
        assert writer.embedded(FINGERPRINT) == {}
        assert writer.live() == []
        writer.keep_checkpoint(checkpoint(trial.home, 0), FINGERPRINT)
        writer.add_segment([embedded(b"a")], fingerprint=FINGERPRINT)
        writer.publish(
            places({"/r/red/a.jpg": b"a"}), roots=[Path("/r")], fingerprint=FINGERPRINT, encoder_name="toy"
        )
    assert len(images(trial.galleries.open("other"))) == 1
    assert len(images(trial.galleries.open(NAME))) == 3
    assert not set(ids(trial.galleries.open("other")).values()) & set(ids(trial.open()).values())
