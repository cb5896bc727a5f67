"""A backup holds all that a gallery is, and is restored whole or not at all, anywhere."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gallery.backups import backup as backing_up
from gallery.backups.backup import CHECKSUMS, CONTENTS, Archive, BackupReport, back_up
from gallery.errors import CorruptBackup, CorruptGallery, GalleryExists, NothingPublished
from gallery.galleries import Galleries
from gallery.judgements import Judgements
from tests.gallery.support import NAME, Trial, embedded, ids, images
from tests.homes import new_home, remove_home

FIRST = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b", "/r/blue/c.jpg": b"c"}
SECOND = {"/r/red/a.jpg": b"a", "/r/blue/b.jpg": b"b", "/r/blue/d.jpg": b"d"}


@pytest.fixture
def backup(trial: Trial, tmp_path: Path) -> Path:
    trial.run(FIRST)
    trial.run(SECOND)
    written(trial, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


@pytest.fixture
def elsewhere(make_home: Callable[[str], Path]) -> Trial:
    return Trial.at(make_home("elsewhere"))


def written(trial: Trial, path: Path) -> BackupReport:
    return back_up(trial.galleries.site(NAME), path, at=trial.clock())


def assert_same(galleries: Galleries, name: str, trial: Trial, *, with_ids: bool) -> None:
    """Both galleries show the same in both builds."""
    for number in (1, 2):
        old, new = trial.galleries.open(NAME, build=number), galleries.open(name, build=number)
        before, after = images(old), images(new)
        for one, other in zip(before, after, strict=True):
            assert (one.uri, one.label, one.checksum) == (other.uri, other.label, other.checksum)
            assert old.thumbnail(one.image_id) == new.thumbnail(other.image_id)
        assert (ids(old) == ids(new)) is with_ids
        wanted = old.embeddings([each.image_id for each in before])
        assert (new.embeddings([each.image_id for each in after]) == wanted).all()
        for uri, image_id in ids(new).items():
            query = embedded(next(files[uri] for files in (FIRST, SECOND) if uri in files)).embedding
            found = new.search(query, count=1, fingerprint="f1")
            assert (found[0].image_id, found[0].index_distance) == (image_id, 0.0)
        assert new.corrupt_files() == []
        assert (new.gallery, new.manifest.gallery) == (name, name)
        assert new.checkpoint.joinpath("checkpoint.json").exists()


@pytest.mark.on_both
def test_judgements_are_restored_with_their_gallery(trial: Trial, elsewhere: Trial, tmp_path: Path) -> None:
    trial.run(FIRST)
    first, second, *_ = (each.checksum for each in images(trial.galleries.open(NAME)))
    judgements = Judgements(trial.galleries.site(NAME))
    revoked = judgements.judge(first, second, right=True, author="ada")
    judgements.judge(second, first, right=False, author="bob")
    written(trial, tmp_path / "judged.tar")
    elsewhere.galleries.restore(tmp_path / "judged.tar")
    restored = Judgements(elsewhere.galleries.site(NAME)).listed(revoked=True)
    assert restored == judgements.listed(revoked=True) and len(restored) == 2
    assert restored[0].judgement_id == revoked.judgement_id and restored[0].revoked_at is not None


@pytest.mark.on_both
def test_a_gallery_is_restored_in_another_database_with_its_ids(
    trial: Trial, backup: Path, elsewhere: Trial
) -> None:
    report = elsewhere.galleries.restore(backup)
    assert (report.gallery, report.build, report.builds, report.images, report.ids_kept) == (
        NAME,
        2,
        (1, 2),
        3,
        True,
    )
    assert_same(elsewhere.galleries, NAME, trial, with_ids=True)


@pytest.mark.parametrize("backwards", [False, True])
def test_what_was_written_on_one_database_is_restored_in_the_other(
    backwards: bool, migrated_sqlite: Path, migrated_postgresql: str, tmp_path: Path
) -> None:
    both: list[Path | str] = [migrated_sqlite, migrated_postgresql]
    one, other = (
        Trial.at(new_home(tmp_path / name, like=like))
        for name, like in zip(("one", "other"), both[::-1] if backwards else both, strict=True)
    )
    one.run(FIRST)
    one.run(SECOND)
    written(one, tmp_path / "backup.tar")
    other.galleries.restore(tmp_path / "backup.tar")
    assert_same(other.galleries, NAME, one, with_ids=True)
    assert other.run({**SECOND, "/r/blue/e.jpg": b"e"}).added == 1
    for trial in (one, other):
        trial.engine.dispose()
        remove_home(trial.home)


@pytest.mark.on_both
def test_a_gallery_is_restored_under_another_name_beside_itself(trial: Trial, backup: Path) -> None:
    report = trial.galleries.restore(backup, name="copy")
    assert not report.ids_kept
    assert_same(trial.galleries, "copy", trial, with_ids=False)
    assert set(ids(trial.open()).values()).isdisjoint(ids(trial.galleries.open("copy")).values())


def test_a_gallery_that_was_deleted_is_restored_with_its_ids(trial: Trial, backup: Path) -> None:
    reader = trial.open()
    before = images(reader)
    reader.close()
    trial.galleries.delete(NAME)
    assert trial.galleries.restore(backup).ids_kept
    assert images(trial.open()) == before


def test_runs_go_on_where_the_backup_was(trial: Trial, backup: Path, elsewhere: Trial) -> None:
    elsewhere.galleries.restore(backup)
    before = ids(elsewhere.open())
    done: list[str] = []
    report = elsewhere.run({**SECOND, "/r/blue/e.jpg": b"e"}, progress=done.append)
    assert (report.build, report.added, report.unchanged, len(done)) == (3, 1, 3, 1)
    after = ids(elsewhere.open())
    assert {uri: after[uri] for uri in before} == before
    assert after["/r/blue/e.jpg"] not in ids(elsewhere.galleries.open(NAME, build=1)).values()


def test_a_name_that_is_taken_is_refused(trial: Trial, backup: Path) -> None:
    with pytest.raises(GalleryExists, match=r"There is a gallery 'pictures'; restore .* with --as"):
        trial.galleries.restore(backup)


def test_a_backup_is_never_written_over_a_file_nor_of_a_damaged_gallery(
    trial: Trial, backup: Path, tmp_path: Path
) -> None:
    with pytest.raises(FileExistsError):
        written(trial, backup)
    damaged = trial.folder / "segments" / trial.open().manifest.segments[0].name / "thumbnails.bin"
    damaged.write_bytes(bytes(damaged.stat().st_size))
    with pytest.raises(CorruptGallery, match=r"thumbnails.bin is missing or is not what was written"):
        written(trial, tmp_path / "second.tar")
    assert {path.name for path in tmp_path.glob("*.tar")} == {"backup.tar"}
    assert not list(tmp_path.glob(".unfinished-*"))


def test_a_gallery_without_a_build_is_not_backed_up(trial: Trial, tmp_path: Path) -> None:
    with trial.writer():
        pass
    with pytest.raises(NothingPublished):
        written(trial, tmp_path / "backup.tar")


def assert_nothing_is_there(trial: Trial) -> None:
    assert trial.galleries.names() == []
    folder = trial.home / "galleries"
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_backup_with_any_byte_changed_or_missing_restores_nothing(backup: Path, elsewhere: Trial) -> None:
    data = backup.read_bytes()
    with tarfile.open(backup) as tar:
        places = [(each.offset_data, each.size) for each in tar if each.size]
    generator = np.random.default_rng(1)
    for offset, size in [places[0], *(places[each] for each in generator.choice(len(places), 8)), places[-1]]:
        changed = bytearray(data)
        changed[offset + int(generator.integers(size))] ^= 1
        backup.write_bytes(changed)
        with pytest.raises(CorruptBackup):
            elsewhere.galleries.restore(backup)
        assert_nothing_is_there(elsewhere)
    for length in (0, 100, 5000, len(data) // 2, places[-1][0] + 10):
        backup.write_bytes(data[:length])
        with pytest.raises(CorruptBackup, match=r"The backup .* cannot be restored"):
            elsewhere.galleries.restore(backup)
        assert_nothing_is_there(elsewhere)


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "segments/../../out", "other/file"])
def test_a_member_that_would_lie_elsewhere_is_refused(
    name: str, backup: Path, elsewhere: Trial, tmp_path: Path
) -> None:
    with tarfile.open(backup, "a") as tar:
        member = tarfile.TarInfo(name)
        member.size = 3
        tar.addfile(member, io.BytesIO(b"bad"))
    hostile = tmp_path / "hostile.tar"
    with tarfile.open(backup) as old, tarfile.open(hostile, "w") as new:
        for each in sorted(old, key=lambda each: each.name != name):
            new.addfile(each, old.extractfile(each))
    with pytest.raises(CorruptBackup, match="does not belong in it"):
        elsewhere.galleries.restore(hostile)
    assert_nothing_is_there(elsewhere)
    assert not list(tmp_path.rglob("out"))


def test_a_backup_of_another_schema_is_refused_with_the_way_out(
    backup: Path, elsewhere: Trial, tmp_path: Path
) -> None:
    other = tmp_path / "other.tar"
    with tarfile.open(backup) as old, tarfile.open(other, "w|") as new:
        archive = Archive(new)
        for member in old.getmembers()[:-1]:
            data = old.extractfile(member).read()  # type: ignore[union-attr]
            if member.name == CONTENTS:
                data = json.dumps({**json.loads(data), "schema_revision": "9999"}).encode()
            archive.add_data(member.name, data)
        archive.add_data(CHECKSUMS, json.dumps(archive.checksums).encode())
    with pytest.raises(CorruptBackup, match="its rows are of schema 9999 where this version has"):
        elsewhere.galleries.restore(other)


@pytest.mark.parametrize(
    "step", ["unpacking.synchronise", "restoration.insert_rows", "restoration.synchronise"]
)
def test_a_restoration_that_is_killed_leaves_nothing_and_is_done_again(
    step: str, backup: Path, elsewhere: Trial, trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as killing:
        killing.setattr("shutil.rmtree", lambda *_, **__: None)  # a killed process tidies nothing
        killing.setattr(f"gallery.backups.{step}", die)
        with pytest.raises(Killed):
            elsewhere.galleries.restore(backup)
        assert elsewhere.galleries.names() == []
    elsewhere.galleries.restore(backup)
    assert_same(elsewhere.galleries, NAME, trial, with_ids=True)
    assert [path.name for path in (elsewhere.home / "galleries").iterdir()] == [NAME]


def test_a_file_that_comes_while_a_backup_is_written_is_not_written_over(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.run(FIRST)
    target = tmp_path / "gallery.tar"
    write = backing_up._write
    monkeypatch.setattr(
        backing_up, "_write", lambda *given, at: (target.write_text("theirs"), write(*given, at=at))[1]
    )
    with pytest.raises(FileExistsError):
        back_up(trial.galleries.site(NAME), target, at=trial.clock())
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith("tar")] == ["gallery.tar"]
    assert target.read_text() == "theirs"


def test_an_original_that_is_removed_while_a_backup_is_written_is_no_damage(tmp_path: Path) -> None:
    kept = tmp_path / "kept.png"
    kept.write_bytes(b"picture")
    with tarfile.open(tmp_path / "b.tar", "w") as tar:
        archive = Archive(tar)
        archive.add_original("uploads/gone.png", tmp_path / "gone.png")
        archive.add_original("uploads/kept.png", kept)
        assert tar.getnames() == list(archive.checksums) == ["uploads/kept.png"]
