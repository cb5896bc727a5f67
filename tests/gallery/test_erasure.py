"""Erasing: nothing of what a gallery shows no more is left on the disk, and nothing else is touched."""

from pathlib import Path

import pytest
from sqlalchemy import select, update

from gallery.amending import Said
from gallery.builds.amending import publish_amendments
from gallery.builds.improvement import improve_index
from gallery.erasure import ErasureReport, erase
from gallery.errors import BuildNotFound, NothingPublished
from gallery.index.kinds import IndexWish
from gallery.proof.verification import verify
from gallery.records.amendments import AmendmentRecord, RemovalRecord
from gallery.records.attributes import AttributeRecord
from gallery.records.files import FileRecord
from gallery.records.images import PlaceRecord
from gallery.removals import remove_image
from gallery.swaps.successors import begin
from tests.gallery.support import FINGERPRINT, NAME, Trial, checkpoint, embedded, ids, images

FILES = {f"/r/{label}/{number}.jpg": f"{label}-{number}!".encode() for label in "ab" for number in range(8)}
REMOVED = "/r/a/3.jpg"
LEFT = {uri: data for uri, data in FILES.items() if uri != REMOVED}


def erased(trial: Trial, wish: IndexWish | None = None) -> ErasureReport:
    with trial.galleries.tenure(NAME) as tenure:
        return erase(tenure, wish or IndexWish())


def remove(trial: Trial, uri: str, *, publish: bool = True) -> None:
    build = trial.open()
    (image,) = (each for each in images(build) if each.uri == uri)
    build.close()
    with trial.galleries.tenure(NAME) as tenure:
        remove_image(tenure.site, image, Said("ada", trial.clock()))
        if publish:
            publish_amendments(tenure)


def traces(home: Path, data: bytes) -> list[str]:
    """The files below the galleries that hold the thumbnail, the embedding or a local embedding of this."""
    content = embedded(data)
    sought = (content.thumbnail, content.embedding.tobytes(), content.local_embeddings[0, 0].tobytes())
    files = [path for path in sorted((home / "galleries").rglob("*")) if path.is_file()]
    return [path.name for path in files if any(each in path.read_bytes() for each in sought)]


def seen(trial: Trial) -> list[object]:
    """What a reader sees of the images that stay, byte for byte."""
    build = trial.open()
    found = [image for image in images(build) if image.uri in LEFT]
    image_ids = [image.image_id for image in found]
    told = [found, [build.thumbnail(each) for each in image_ids], build.embeddings(image_ids).tobytes()]
    build.close()
    return told


@pytest.mark.on_both
@pytest.mark.parametrize("published", [True, False])
def test_nothing_of_a_removed_image_is_left_and_the_others_are_as_they_were(
    trial: Trial, published: bool
) -> None:
    trial.run(FILES)
    remove(trial, REMOVED, publish=published)
    before = seen(trial)
    assert traces(trial.home, FILES[REMOVED]) != []
    report = erased(trial)
    assert (report.contents, report.left, report.read) == (1, 0, ())
    assert report.retired[0] == 1
    assert traces(trial.home, FILES[REMOVED]) == []
    assert all(traces(trial.home, data) for data in LEFT.values())
    assert seen(trial) == before
    with pytest.raises(BuildNotFound):
        trial.galleries.open(NAME, build=1)
    assert verify(trial.galleries.site(NAME)).findings == ()


def test_what_vanished_and_what_was_replaced_goes_too(trial: Trial) -> None:
    trial.run(FILES)
    now = {uri: data for uri, data in FILES.items() if uri != "/r/b/0.jpg"} | {"/r/b/1.jpg": b"another one"}
    trial.run(now)
    assert erased(trial).contents == 2
    assert traces(trial.home, FILES["/r/b/0.jpg"]) == traces(trial.home, FILES["/r/b/1.jpg"]) == []
    assert ids(trial.open()).keys() == now.keys()


def test_a_second_time_there_is_nothing_to_erase_and_no_new_build(trial: Trial) -> None:
    trial.run(FILES)
    remove(trial, REMOVED)
    first = erased(trial)
    again = erased(trial)
    assert (again.build, again.contents, again.retired, again.left) == (first.build, 0, (), 0)


def test_content_that_another_image_shows_stays(trial: Trial) -> None:
    trial.run({**FILES, "/r/b/copy.jpg": FILES[REMOVED]})
    remove(trial, REMOVED)
    assert erased(trial).contents == 0
    assert traces(trial.home, FILES[REMOVED]) != []
    assert "/r/b/copy.jpg" in ids(trial.open())


@pytest.mark.on_both
def test_what_somebody_reads_stays_is_told_and_goes_the_next_time(trial: Trial) -> None:
    trial.run(FILES)
    reader = trial.open()
    image_id = ids(reader)[REMOVED]
    remove(trial, REMOVED)
    report = erased(trial)
    assert (report.contents, report.left, report.read) == (0, 1, (1,))
    assert reader.thumbnail(image_id) == embedded(FILES[REMOVED]).thumbnail
    reader.close()
    report = erased(trial)
    assert (report.contents, report.left, report.read, report.retired) == (1, 0, (), (1,))
    assert traces(trial.home, FILES[REMOVED]) == []


def test_the_main_index_forgets_it_and_is_built_again_where_one_is_wished_for(trial: Trial) -> None:
    many = {f"/r/many/{number}.jpg": b"many%d" % number for number in range(80)}
    trial.run({**FILES, **many}, batch=50)
    wish = IndexWish("ivf-sq")
    with trial.galleries.tenure(NAME) as tenure:
        improve_index(tenure, wish)
    old = sorted((trial.folder / "indexes").iterdir())
    remove(trial, REMOVED)
    assert erased(trial, wish).index.kind == "ivf-sq"
    (new,) = (trial.folder / "indexes").iterdir()
    assert new not in old
    main = trial.open().manifest.index.main
    assert main is not None and main.entries == 95
    remove(trial, "/r/a/4.jpg")
    assert erased(trial).index.kind == "flat"  # so few are searched exactly where nobody wishes otherwise
    assert list((trial.folder / "indexes").iterdir()) == []


@pytest.mark.on_both
def test_labels_and_attributes_of_what_is_gone_are_forgotten_whoever_told_them(trial: Trial) -> None:
    vanished, stays = "/r/b/0.jpg", "/r/a/4.jpg"
    trial.run(FILES)
    trial.run({uri: data for uri, data in FILES.items() if uri != vanished})
    site = trial.galleries.site(NAME)
    said = {"gallery_id": site.gallery_id, "of_source": False, "labelled": True, "author": "ada"}
    with trial.engine.begin() as connection:
        for uri in (REMOVED, vanished, stays):
            row = {**said, "uri": uri, "label": "Mrs X", "attributes": {"d": "e"}, "said_at": trial.clock()}
            connection.execute(AmendmentRecord.__table__.insert(), [row])
    with trial.galleries.tenure(NAME) as tenure:
        publish_amendments(tenure)
    remove(trial, REMOVED)
    with trial.engine.begin() as connection:
        told = update(FileRecord).where(FileRecord.uri == REMOVED)
        connection.execute(told.values(label="Mrs X", attributes="a digest"))
    erased(trial)
    with trial.engine.connect() as connection:
        for record in (PlaceRecord, FileRecord):
            gone = select(record.label, record.attributes).where(record.uri.in_([REMOVED, vanished]))
            assert set(connection.execute(gone).all()) == {(None, None)}, record
        assert connection.scalars(select(AmendmentRecord.uri)).all() == [stays]
        assert connection.scalars(select(RemovalRecord.uri)).all() == [REMOVED]
        assert connection.scalars(select(AttributeRecord.text).distinct()).all() == ["e"]
    build = trial.open()
    assert {image.uri: image.label for image in images(build)}[stays] == "Mrs X"


def test_words_in_a_build_that_is_open_are_told_to_be_left_though_no_content_is(trial: Trial) -> None:
    trial.run({**FILES, "/r/b/copy.jpg": FILES[REMOVED]})
    reader = trial.open()
    remove(trial, REMOVED)
    report = erased(trial)
    assert (report.left, report.read, report.is_complete) == (0, (1,), False)
    reader.close()
    assert erased(trial).is_complete


def test_what_an_unfinished_run_has_embedded_goes_and_the_next_run_embeds_it_again(trial: Trial) -> None:
    trial.run(FILES)
    with trial.galleries.writer(NAME) as writer:
        writer.add_segment([embedded(b"never published"), embedded(b"later")], fingerprint=FINGERPRINT)
    assert erased(trial).contents == 2
    assert traces(trial.home, b"never published") == []
    done: list[str] = []
    trial.run({**FILES, "/r/b/later.jpg": b"later"}, progress=done.append)
    assert len(done) == 1 and "/r/b/later.jpg" in ids(trial.open())
    assert verify(trial.galleries.site(NAME)).findings == ()


def test_what_another_encoder_has_embedded_is_told_to_be_left(trial: Trial) -> None:
    trial.run(FILES)
    with trial.galleries.tenure(NAME) as tenure:
        begin(tenure, checkpoint(trial.home, 1), fingerprint="f2", encoder_name="toy 1", storage="float16")
    with trial.galleries.writer(NAME) as writer:
        writer.add_segment([embedded(FILES[REMOVED], seed=1)], fingerprint="f2", storage="float16")
    remove(trial, REMOVED)
    report = erased(trial)
    assert (report.contents, report.left, report.read) == (0, 1, ())


def test_a_gallery_with_nothing_published_is_told_so(trial: Trial) -> None:
    trial.galleries.create(NAME)
    with pytest.raises(NothingPublished, match="no published build"):
        erased(trial)
