"""Listing, opening and making galleries."""

from datetime import timedelta

import pytest

from gallery.database import open_engine
from gallery.errors import GalleryNotFound, InvalidGalleryName, NothingPublished, SchemaOutdated
from gallery.galleries import Galleries
from gallery.sources.scanning import checksum
from gallery.summaries import GallerySummary
from tests.gallery.support import FINGERPRINT, NAME, Trial, embedded

FILES = {"/r/red/a.jpg": b"a", "/r/blue/b.jpg": b"a"}


@pytest.mark.on_both
def test_a_home_without_galleries_lists_none(trial: Trial) -> None:
    assert trial.galleries.names() == []
    assert trial.galleries.summaries() == []


@pytest.mark.on_both
def test_a_summary_says_what_is_published(trial: Trial) -> None:
    begun = trial.clock.now
    with trial.galleries.writer("begun"):
        pass
    trial.clock.pass_by(timedelta(hours=1))
    trial.run(FILES)
    assert trial.galleries.names() == ["begun", "pictures"]
    assert trial.galleries.summaries() == [
        GallerySummary("begun", begun, None, None, None, None, None, None, None),
        GallerySummary("pictures", trial.clock.now, 1, 2, 1, 2, "f1", "toy 0", trial.clock.now),
    ]
    assert [each.name for each in trial.galleries.published()] == ["pictures"]


def test_a_new_build_is_noticed_by_its_number(trial: Trial) -> None:
    trial.run(FILES)
    assert trial.galleries.published_build("pictures") == 1
    trial.run({"/r/red/a.jpg": b"a"})
    assert trial.galleries.published_build("pictures") == 2
    assert trial.open().number == 2


def test_an_unknown_gallery_is_refused_with_those_that_are_known(trial: Trial) -> None:
    with pytest.raises(GalleryNotFound, match="There is no gallery 'x'; known: none"):
        trial.galleries.open("x")
    trial.run(FILES)
    with pytest.raises(GalleryNotFound, match="There is no gallery 'x'; known: pictures"):
        trial.galleries.open("x")
    with pytest.raises(GalleryNotFound), trial.galleries.writer("x", create=False):
        pass
    assert trial.galleries.names() == ["pictures"]


def test_a_gallery_without_a_build_is_refused(trial: Trial) -> None:
    with trial.writer():
        pass
    with pytest.raises(
        NothingPublished, match="'pictures' has no published build yet; index a folder into it"
    ):
        trial.open()


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "A", "-a", "_a", "ä", "a b", "a" * 64, "a\n", "../x"])
def test_a_name_that_cannot_be_a_folder_is_refused(trial: Trial, name: str) -> None:
    with (
        pytest.raises(InvalidGalleryName, match="cannot name a gallery: use 1 to 63 of"),
        trial.galleries.writer(name),
    ):
        pass
    assert trial.galleries.names() == []


@pytest.mark.parametrize("name", ["a", "0", "my-photos_2.v1", "a" * 63])
def test_a_name_that_can_be_is_taken(trial: Trial, name: str) -> None:
    with trial.galleries.writer(name):
        pass
    assert trial.galleries.names() == [name]


def test_a_database_without_a_schema_is_refused(trial: Trial) -> None:
    with pytest.raises(SchemaOutdated):
        Galleries(trial.home, open_engine(f"sqlite:///{trial.home}/new.db"))


def test_a_new_gallery_that_is_refused_before_anything_is_embedded_goes_again(trial: Trial) -> None:
    with pytest.raises(ValueError, match="no picture"), trial.writer():
        raise ValueError("no picture")
    assert trial.galleries.names() == [] and not trial.folder.exists()


def test_a_new_gallery_that_something_was_embedded_for_stays_whatever_follows(trial: Trial) -> None:
    with pytest.raises(ValueError, match="disk"), trial.writer() as writer:
        writer.add_segment([embedded(b"a")], fingerprint=FINGERPRINT)
        raise ValueError("disk")
    with pytest.raises(ValueError, match="again"), trial.writer():
        raise ValueError("again")
    with trial.writer() as writer:
        assert set(writer.embedded(FINGERPRINT)) == {checksum(b"a")}


def test_a_gallery_that_was_made_on_purpose_stays_though_a_run_is_refused(trial: Trial) -> None:
    trial.galleries.create(NAME)
    with pytest.raises(ValueError, match="no picture"), trial.writer():
        raise ValueError("no picture")
    assert trial.galleries.names() == [NAME]
