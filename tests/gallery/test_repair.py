"""repair mends with what is left, and marks only what is lost to be embedded again."""

from pathlib import Path

import pytest

from gallery.builds.improvement import improve_index
from gallery.errors import CorruptGallery
from gallery.index.kinds import IndexWish
from gallery.proof.repair import RepairReport, mend
from gallery.proof.verification import verify
from tests.gallery.support import NAME, Trial, ids, images

FILES = {f"/r/red/{name}.jpg": name.encode() for name in "abcdef"}


def mended(trial: Trial) -> RepairReport:
    with trial.galleries.tenure(NAME) as tenure:
        return mend(tenure)


def tidied(trial: Trial) -> None:
    with trial.writer():
        pass


def segment_file(trial: Trial, name: str, *, at: int = 0) -> Path:
    return trial.folder / "segments" / trial.open().manifest.segments[at].name / name


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_whole_gallery_is_left_as_it_is(trial: Trial) -> None:
    trial.run(FILES)
    assert mended(trial) == RepairReport(NAME, (), (), (), 0)
    assert trial.run(FILES).build == 1


@pytest.mark.on_both
@pytest.mark.parametrize("name", ["embeddings.npy", "local_embeddings.npy", "thumbnails.bin"])
def test_only_the_contents_of_a_damaged_segment_are_embedded_again(trial: Trial, name: str) -> None:
    trial.run(FILES)
    before = ids(trial.open())
    damaged = segment_file(trial, name)
    flip(damaged)
    assert not verify(trial.galleries.site(NAME)).clean
    assert mended(trial) == RepairReport(NAME, (), (damaged.parent.name,), (), 2)
    reader = trial.open()
    assert ids(reader) == before, "what is published is searched meanwhile"
    reader.close()
    embedded: list[str] = []
    assert trial.run(FILES, progress=embedded.append).build == 2
    assert len(embedded) == 2
    tidied(trial)
    assert ids(trial.open()) == before
    found = verify(trial.galleries.site(NAME))
    assert (found.findings, found.builds) == ((), (2,))
    assert not damaged.exists()


def test_a_build_that_cannot_be_opened_for_a_lost_file_can_be_after_the_next_run(trial: Trial) -> None:
    trial.run(FILES)
    before = images(trial.open())
    segment_file(trial, "scales.npy", at=1).unlink()
    with pytest.raises(CorruptGallery):
        trial.open()
    mended(trial)
    trial.run(FILES)
    tidied(trial)
    assert images(trial.open()) == before
    assert verify(trial.galleries.site(NAME)).clean


@pytest.mark.parametrize("damage", [Path.unlink, flip, lambda path: path.write_bytes(b"")])
def test_a_manifest_is_written_again_as_it_was(trial: Trial, damage) -> None:
    trial.run(FILES)
    trial.run({**FILES, "/r/blue/g.jpg": b"g"})
    paths = [trial.folder / "builds" / f"{number}.json" for number in (1, 2)]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        damage(path)
    assert mended(trial).manifests == (1, 2)
    assert [path.read_bytes() for path in paths] == before
    assert verify(trial.galleries.site(NAME)).clean
    assert len(ids(trial.galleries.open(NAME, build=1))) == 6


def test_a_manifest_that_a_reader_holds_is_not_written_again_under_it(trial: Trial) -> None:
    trial.run(FILES)
    reader = trial.open()
    path = trial.folder / "builds" / "1.json"
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    with path.open("r+b") as stream:
        stream.write(data)
    assert mended(trial).manifests == ()
    reader.close()
    assert mended(trial).manifests == (1,)


@pytest.mark.parametrize("damage", [flip, Path.unlink])
def test_a_damaged_main_index_is_built_again_and_search_is_exact_until_then(trial: Trial, damage) -> None:
    trial.run({f"/r/x/{number}.jpg": b"%d" % number for number in range(120)}, batch=60)
    wish = IndexWish("IVF4,Flat")
    with trial.galleries.tenure(NAME) as tenure:
        assert improve_index(tenure, wish).built
    before = images(trial.open())
    (folder,) = (trial.folder / "indexes").iterdir()
    damage(sorted(folder.iterdir())[0])
    assert [each.code for each in verify(trial.galleries.site(NAME)).findings] == ["index"]
    assert mended(trial).indexes == (folder.name,)
    assert images(trial.open()) == before
    with trial.galleries.tenure(NAME) as tenure:
        assert improve_index(tenure, wish).built
    with trial.writer():
        pass
    assert images(trial.open()) == before
