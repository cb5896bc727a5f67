"""Going back to an older build: its state is published again, whole, and can be gone back from."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.builds.rollback import RollbackReport, roll_back
from gallery.errors import AlreadyPublished, BuildNotFound, CorruptGallery
from tests.gallery.support import NAME, Trial, ids, images
from tests.homes import new_home, remove_home

FIRST = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b"}
SECOND = {"/r/blue/a.jpg": b"a", "/r/red/b.jpg": b"B", "/r/red/c.jpg": b"c"}


def back(trial: Trial, build: int | None = None) -> RollbackReport:
    with trial.galleries.tenure(NAME) as tenure:
        return roll_back(tenure, build=build)


@pytest.mark.on_both
def test_going_back_publishes_the_old_state_under_a_new_number_with_its_own_ids(trial: Trial) -> None:
    trial.run(FIRST)
    before = images(trial.open())
    trial.run(SECOND)
    report = back(trial)
    assert report == RollbackReport("pictures", 3, 1, 2, 2, 3, "toy 0", "f1")
    build = trial.open()
    assert (build.number, images(build)) == (3, before)
    assert build.thumbnail(ids(build)["/r/red/b.jpg"]) == b"JPEG of b"
    assert set(ids(trial.galleries.open(NAME, build=2))) == set(SECOND)


def test_going_back_can_be_taken_back(trial: Trial) -> None:
    trial.run(FIRST)
    trial.run(SECOND)
    after = images(trial.open())
    back(trial)
    assert back(trial, 2).build == 4
    assert images(trial.open()) == after


def test_the_next_run_brings_the_gallery_up_to_date_again(trial: Trial) -> None:
    trial.run(FIRST)
    trial.run(SECOND)
    after = ids(trial.open())
    back(trial)
    embedded: list[str] = []
    trial.run(SECOND, progress=embedded.append)
    assert ids(trial.open()) == after
    assert embedded == []


def test_going_back_takes_the_encoder_back_and_later_runs_use_it(trial: Trial) -> None:
    trial.run(FIRST)
    trial.run(FIRST, seed=1)
    assert trial.open().fingerprint == "f2"
    back(trial)
    assert trial.open().fingerprint == "f1"
    with trial.writer() as writer:
        checkpoint = writer.encoder_checkpoint()
        assert checkpoint is not None and checkpoint.parent.name == "f1"
    embedded: list[str] = []
    trial.run(FIRST, progress=embedded.append)
    assert embedded == []


def test_there_is_no_going_back_to_what_is_published_or_was_never_kept(trial: Trial) -> None:
    trial.run(FIRST)
    with pytest.raises(AlreadyPublished, match="Build 1 of the gallery 'pictures' is the published one"):
        back(trial)
    with pytest.raises(AlreadyPublished):
        back(trial, 1)
    with pytest.raises(BuildNotFound, match="keeps no build 5; it has 1"):
        back(trial, 5)


def test_a_build_whose_segments_are_not_whole_is_not_gone_back_to(trial: Trial) -> None:
    trial.run(FIRST)
    lost = trial.folder / "segments" / trial.open().manifest.segments[0].name / "thumbnails.bin"
    trial.run({"/r/green/z.jpg": b"z"})
    lost.unlink()
    with pytest.raises(CorruptGallery, match="is damaged or incomplete, so what it holds"):
        back(trial)
    assert set(ids(trial.open())) == {"/r/green/z.jpg"}


FILES = st.dictionaries(
    st.sampled_from([f"/r/{label}/{name}.jpg" for label in "xy" for name in "abc"]),
    st.sampled_from([b"1", b"2", b"3"]),
    min_size=1,
)


@settings(max_examples=3)
@given(states=st.lists(FILES, min_size=2, max_size=4), data=st.data())
def test_whatever_happened_a_kept_state_is_shown_exactly_again(
    states: list[dict[str, bytes]],
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
    migrated: Path | str,
) -> None:
    home = new_home(tmp_path_factory.mktemp("rolled") / "home", like=migrated)
    trial = Trial.at(home)
    shown = {}
    for state in states:
        build = trial.run(state).build
        shown[build] = images(trial.open())
    for _ in range(2):
        older = sorted(shown)[-3:-1]
        if not older:
            break
        chosen = data.draw(st.sampled_from(older))
        new = back(trial, chosen).build
        shown[new] = shown[chosen]
        assert images(trial.open()) == shown[chosen]
        for number in sorted(shown)[-3:]:
            assert images(trial.galleries.open(NAME, build=number)) == shown[number]
    trial.engine.dispose()
    remove_home(home)
