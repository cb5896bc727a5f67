"""verify finds whatever is wrong with a gallery, and nothing with one that is whole."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, text

from gallery.builds.retention import retire
from gallery.builds.rollback import roll_back
from gallery.errors import NothingPublished
from gallery.proof.counting import Counts
from gallery.proof.verification import Verification, verify
from gallery.surveys.seen import Unreadable
from tests.gallery.support import NAME, Trial

FIRST = {"/r/red/a.jpg": b"a", "/r/red/b.jpg": b"b", "/r/red/c.jpg": b"c"}
SECOND = {"/r/red/a.jpg": b"a", "/r/blue/a.jpg": b"a", "/r/red/d.jpg": b"d"}


@pytest.fixture
def published(trial: Trial) -> Trial:
    trial.run(FIRST, batch=3)
    trial.run(SECOND, unreadable=[Unreadable("/r/red/z.jpg", None, "the file is empty")])
    return trial


def verified(trial: Trial, *, quick: bool = False, originals: bool = False) -> Verification:
    return verify(trial.galleries.site(NAME), quick=quick, originals=originals)


def codes(trial: Trial, *, quick: bool = False) -> set[str]:
    found = verified(trial, quick=quick)
    assert found.clean is not any(finding.is_fault for finding in found.findings)
    return {finding.code for finding in found.findings}


@pytest.mark.on_both
def test_a_whole_gallery_has_its_equations_and_no_finding(published: Trial) -> None:
    found = verified(published)
    assert (found.findings, found.clean, found.builds) == ((), True, (1, 2))
    assert found.counts == Counts(
        files=4,
        live=3,
        unreadable=1,
        contents=2,
        embeddings=2,
        local_embeddings=2,
        thumbnails=2,
        index_entries=4,
        tombstones=2,
    )
    assert found.segments == 2 and found.bytes > 0


def test_a_gallery_that_went_back_is_whole(published: Trial) -> None:
    with published.galleries.tenure(NAME) as tenure:
        roll_back(tenure)
    assert verified(published).findings == ()


def test_every_bit_that_flips_in_any_file_is_found(published: Trial) -> None:
    generator = np.random.default_rng(3)
    files = sorted(published.folder.glob("segments/*/*"))
    assert len(files) > 10
    for path in files:
        data = path.read_bytes()
        changed = bytearray(data)
        changed[int(generator.integers(len(data)))] ^= 1 << int(generator.integers(8))
        path.write_bytes(changed)
        found = verified(published)
        assert [each.subject for each in found.findings if each.code == "file"] == [str(path)]
        assert not found.clean
        path.write_bytes(data)
    assert verified(published).clean


def test_a_file_that_is_missing_or_cut_off_is_found_without_reading_it(published: Trial) -> None:
    for path in sorted(published.folder.glob("segments/*/*")):
        data = path.read_bytes()
        path.write_bytes(data[:-1])
        assert "file" in codes(published, quick=True), path
        path.unlink()
        assert "file" in codes(published, quick=True), path
        path.write_bytes(data)
    assert codes(published, quick=True) == set()


def test_the_counts_say_what_is_lost(published: Trial) -> None:
    first, newest = (published.folder / "segments" / each.name for each in published.open().manifest.segments)
    (first / "thumbnails.bin").write_bytes(b"JP")
    counts = verified(published, quick=True).counts
    assert (counts.contents, counts.embeddings, counts.local_embeddings) == (2, 2, 2)
    assert counts.thumbnails == 1
    for path in newest.iterdir():
        path.unlink()
    found = verified(published, quick=True)
    assert found.counts.embeddings == 1
    assert "The live images show 2 contents, of which 1 have embeddings." in [
        each.sentence for each in found.findings
    ]


def change(statement: str) -> Callable[[Trial], None]:
    def changed(trial: Trial) -> None:
        with trial.engine.begin() as connection:
            connection.execute(text(statement))

    return changed


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (change("DELETE FROM embedded_contents WHERE segment_id = 2"), "unembedded"),
        (change("DELETE FROM embedded_contents WHERE segment_id = 2"), "rows"),
        (change("DELETE FROM places WHERE until_build IS NULL AND uri = '/r/blue/a.jpg'"), "count"),
        (change("UPDATE builds SET images = 7 WHERE number = 2"), "manifest"),
        (change("UPDATE builds SET manifest_sha256 = 'x' WHERE number = 1"), "manifest"),
        (lambda trial: (trial.folder / "builds" / "1.json").unlink(), "manifest"),
        (lambda trial: (trial.folder / "builds" / "2.json").write_text("{}"), "manifest"),
        (lambda trial: next(trial.folder.glob("encoders/*")).rename(trial.home / "gone"), "checkpoint"),
        (lambda trial: (trial.folder / "segments" / "left").mkdir(), "unnamed"),
    ],
)
def test_records_and_files_that_contradict_each_other_are_found(
    published: Trial, fault: Callable[[Trial], None], code: str
) -> None:
    fault(published)
    assert code in codes(published)


def test_what_nobody_names_is_no_fault(published: Trial) -> None:
    (published.folder / "segments" / "left").mkdir()
    assert verified(published).clean


def test_what_somebody_is_writing_is_not_even_told(published: Trial) -> None:
    with published.writer():
        (published.folder / "segments" / ".unfinished-1").mkdir()
        assert verified(published).findings == ()


def test_originals_that_are_gone_or_changed_are_told(trial: Trial, tmp_path: Path) -> None:
    files = {str(tmp_path / "r" / "x" / f"{name}.jpg"): name.encode() for name in "abc"}
    for uri, data in files.items():
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
        Path(uri).write_bytes(data)
    trial.run(files, roots=[str(tmp_path / "r")])
    found = verified(trial, originals=True)
    assert (found.clean, found.originals) == (True, 3)
    gone, changed, _ = sorted(files)
    Path(gone).unlink()
    Path(changed).write_bytes(b"other")
    found = verified(trial, originals=True)
    assert [(each.code, each.subject) for each in found.findings] == [
        ("original", gone),
        ("original", changed),
    ]
    assert verified(trial).clean


def test_a_gallery_without_a_build_cannot_be_verified(trial: Trial) -> None:
    with trial.writer():
        pass
    with pytest.raises(NothingPublished, match="no published build yet to be verified"):
        verified(trial)


def test_no_question_about_a_row_runs_over_the_whole_gallery(published: Trial) -> None:
    if published.engine.dialect.name != "sqlite":
        pytest.skip("SQLite, which has no statistics, is the one that would")
    asked: list[tuple[str, object]] = []
    event.listen(published.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    assert verified(published).clean
    plans = []
    with published.engine.connect() as connection:
        for statement, parameters in [
            each
            for each in asked
            if "FROM embedded_contents" in each[0] and "FROM places" not in each[0].split("WHERE")[0]
        ]:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]
            plans += [row[3] for row in plan]
    correlated = [step for step in plans if "places" in step]
    assert correlated and not [step for step in correlated if "image_id" not in step], plans


def test_a_gallery_whose_only_build_is_empty_is_verified(trial: Trial) -> None:
    trial.run({"/r/red/a.jpg": b"a"})
    trial.run({}, allow_empty=True)
    assert verify(trial.galleries.site(NAME)).clean
    with trial.galleries.tenure(NAME) as tenure:
        retire(tenure, kept=1)
    found = verify(trial.galleries.site(NAME))
    assert (found.clean, found.builds, found.counts.files) == (True, (2,), 0)
