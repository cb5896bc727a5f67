"""A gallery's main index: built when it is due, published with a build, carried on, and never missed."""

from pathlib import Path

import numpy as np
import pytest

from gallery.backups.backup import back_up
from gallery.builds.build import Build
from gallery.builds.improvement import IndexReport, improve_index
from gallery.builds.rollback import roll_back
from gallery.errors import InvalidIndex, NothingPublished
from gallery.galleries import Galleries
from gallery.index.coverage import claims_with, leaves_too_many, uncovered
from gallery.index.kinds import IndexWish
from gallery.manifest import IndexClaims, SegmentClaims
from gallery.proof.verification import verify
from gallery.settings import GallerySettings, IndexSettings
from gallery.site import Site
from tests.gallery.support import FINGERPRINT, NAME, Trial, embedded, ids

FILES = {
    f"/r/{label}/{number:03}.jpg": f"{label}{number}".encode()
    for label in ("red", "blue")
    for number in range(60)
}
MORE = {f"/r/new/{number}.jpg": f"new{number}".encode() for number in range(5)}
WISH = IndexWish("ivf-pq")


def improve(trial: Trial, wish: IndexWish = WISH, **options: object) -> IndexReport:
    with trial.galleries.tenure(NAME) as tenure:
        return improve_index(tenure, wish, **options)


def indexes(trial: Trial) -> list[Path]:
    return sorted((trial.folder / "indexes").glob("*"))


def assert_everything_is_found(build: Build, files: dict[str, bytes]) -> None:
    known = ids(build)
    assert known.keys() == files.keys()
    for uri, data in files.items():
        (first,) = build.search(embedded(data).embedding, count=1, fingerprint=FINGERPRINT)
        assert (first.image_id, first.index_distance) == (known[uri], 0.0)


@pytest.mark.on_both
def test_a_build_is_published_again_with_its_index_and_shows_the_same(trial: Trial) -> None:
    trial.run(FILES, batch=50)
    before = ids(trial.open())
    report = improve(trial)
    assert (report.build, report.built, report.kind) == (2, True, "ivf-pq")
    assert report.recall.value >= 0.99
    build = trial.open()
    assert ids(build) == before
    assert build.manifest.index.main.entries == build.manifest.index.entries == 120
    assert build.corrupt_files() == []
    assert_everything_is_found(build, FILES)


def test_a_kind_that_so_few_contents_do_not_get_is_told(trial: Trial) -> None:
    trial.run(MORE)
    told: list[str] = []
    assert improve(trial, tell=told.append).recall is None
    assert told == ["ivf-pq: no such index for 5 contents, which are fewer than 64"]
    told.clear()
    improve(trial, IndexWish(), tell=told.append)
    assert told == []


def test_an_index_that_does_is_not_built_again(trial: Trial) -> None:
    trial.run(FILES)
    first = improve(trial)
    for wish in (WISH, IndexWish(), IndexWish(recall=0.9)):
        again = improve(trial, wish)
        assert (again.build, again.built, again.kind) == (first.build, False, "ivf-pq")
    assert not trial.run(FILES).added
    assert trial.open().number == first.build


def test_a_small_gallery_is_searched_exactly_unless_an_index_is_asked_for(trial: Trial) -> None:
    trial.run(FILES)
    report = improve(trial, IndexWish())
    assert (report.build, report.built, report.kind, report.recall) == (1, False, "flat", None)
    assert indexes(trial) == []


def test_what_is_added_and_removed_later_is_found_and_not_found_with_the_same_index(trial: Trial) -> None:
    trial.run(FILES)
    improve(trial)
    main = trial.open().manifest.index.main
    left = {**dict(list(FILES.items())[10:]), **MORE}
    trial.run(left)
    build = trial.open()
    assert build.manifest.index.main == main
    assert uncovered(build.manifest.index, build.manifest.segments) == 5
    assert_everything_is_found(build, left)


@pytest.mark.on_both
def test_always_leaves_nothing_beside_the_index_and_the_old_one_goes_with_its_builds(trial: Trial) -> None:
    trial.run(FILES)
    improve(trial)
    trial.run({**FILES, **MORE})
    old = indexes(trial)
    assert not improve(trial).built
    report = improve(trial, always=True)
    assert report.built
    assert trial.open().manifest.index.main.entries == 125
    assert_everything_is_found(trial.open(), {**FILES, **MORE})
    for number in range(3):
        trial.run({**FILES, **MORE, f"/r/x/{number}.jpg": b"x%d" % number})
    with trial.writer():
        pass
    improve(trial)
    with trial.writer():
        pass
    assert len(indexes(trial)) == 1
    assert indexes(trial) != old


def test_an_index_of_segments_that_are_gone_is_not_carried_on(trial: Trial) -> None:
    trial.run(FILES)
    improve(trial)
    trial.run(dict(list(FILES.items())[100:]))
    assert trial.open().manifest.index.main is None
    assert len(ids(trial.open())) == 20


def test_another_kind_or_no_index_is_made_when_it_is_asked_for(trial: Trial) -> None:
    trial.run(FILES)
    improve(trial)
    assert improve(trial, IndexWish("hnsw")).kind == "hnsw"
    assert_everything_is_found(trial.open(), FILES)
    report = improve(trial, IndexWish("IVF4,Flat"))
    assert (report.kind, report.factory) == ("factory", "IVF4,Flat")
    assert improve(trial, IndexWish("flat")).kind == "flat"
    assert trial.open().manifest.index.main is None
    assert_everything_is_found(trial.open(), FILES)


def test_a_damaged_index_costs_no_answer_is_reported_and_built_again(trial: Trial) -> None:
    trial.run(FILES)
    improve(trial)
    (lists,) = trial.folder.glob("indexes/*/lists.bin")
    lists.write_bytes(lists.read_bytes()[:-1])
    assert_everything_is_found(trial.open(), FILES)
    assert trial.open().corrupt_files() == [lists]
    site: Site = trial.galleries.site(NAME)
    assert [(each.code, each.subject) for each in verify(site).findings] == [("index", str(lists))]
    assert improve(trial).built
    assert trial.open().corrupt_files() == []
    assert_everything_is_found(trial.open(), FILES)


def test_verify_finds_a_gallery_with_an_index_clean(trial: Trial) -> None:
    trial.run(FILES)
    improve(trial)
    trial.run({**FILES, **MORE})
    assert verify(trial.galleries.site(NAME)).findings == ()


@pytest.mark.on_both
def test_a_finished_index_that_was_not_published_is_published_by_the_next_run(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.run(FILES)
    with monkeypatch.context() as patch:
        patch.setattr("gallery.builds.improvement.republish", _die)
        with pytest.raises(KeyboardInterrupt):
            improve(trial)
    (finished,) = indexes(trial)
    assert trial.open().number == 1
    with trial.writer():
        pass
    report = improve(trial)
    assert (report.built, report.kind) == (False, "ivf-pq")
    assert indexes(trial) == [finished]
    assert trial.open().manifest.index.main.name == finished.name


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_exact_search_that_was_chosen_because_nothing_else_did_is_not_thought_over_each_time(
    trial: Trial,
) -> None:
    trial.run(FILES)
    wish = IndexWish("PQ1x8", recall=1.0)
    report = improve(trial, wish)
    assert (report.kind, report.built, report.recall) == ("flat", True, None)
    assert report.attempts[0].factory == "PQ1x8"
    assert_everything_is_found(trial.open(), FILES)
    assert not improve(trial, wish).built
    assert indexes(trial) == []


def test_nonsense_and_nothing_are_refused(trial: Trial) -> None:
    with trial.writer():
        pass
    with pytest.raises(NothingPublished):
        improve(trial)
    trial.run(FILES)
    with pytest.raises(InvalidIndex, match="'IVFx' is neither"):
        improve(trial, IndexWish("IVFx"))


def segment(number: int, rows: int) -> SegmentClaims:
    return SegmentClaims(id=number, name=str(number), rows=rows, files={})


def test_an_index_is_due_when_what_is_beside_it_takes_time(trial: Trial) -> None:
    trial.run(FILES)
    improve(trial)
    main = trial.open().manifest.index.main
    million = main.model_copy(
        update={"entries": 10**6, "segments": (main.segments[0].model_copy(update={"rows": 10**6}),)}
    )
    covered = segment(main.segments[0].id, 10**6)
    for added, due in ((50_000, False), (60_000, True)):
        segments = [covered, segment(99, added)]
        assert leaves_too_many(claims_with(million, segments), segments, dimension=128) is due
    many = [segment(99, 50_000)]
    assert not leaves_too_many(IndexClaims(entries=50_000), many, dimension=128)


def test_filters_hold_whichever_part_an_image_is_in(trial: Trial) -> None:
    trial.run(FILES)
    improve(trial)
    trial.run({**FILES, **MORE})
    build = trial.open()
    known = ids(build)
    for labels in ({"red"}, {"new"}, {"red", "new"}):
        found = build.search(np.ones(5, np.float32), count=200, labels=labels, fingerprint=FINGERPRINT)
        wanted = {known[uri] for uri in {**FILES, **MORE} if Path(uri).parent.name in labels}
        assert {each.image_id for each in found} == wanted


def test_going_back_and_a_backup_keep_what_is_found_with_and_without_an_index(
    trial: Trial, tmp_path: Path
) -> None:
    trial.run(FILES)
    improve(trial)
    with trial.galleries.tenure(NAME) as tenure:
        roll_back(tenure, build=1)
    assert trial.open().manifest.index.main is None
    with trial.galleries.tenure(NAME) as tenure:
        roll_back(tenure, build=2)
    assert trial.open().manifest.index.kind == "ivf-pq"
    assert_everything_is_found(trial.open(), FILES)
    back_up(trial.galleries.site(NAME), tmp_path / "all.tar", at=trial.clock())
    trial.galleries.restore(tmp_path / "all.tar", name="again")
    restored = trial.galleries.open("again")
    assert restored.manifest.index.main is None
    assert len(restored) == len(FILES)
    assert verify(trial.galleries.site("again")).findings == ()
    with trial.galleries.tenure("again") as tenure:
        assert improve_index(tenure, WISH).built


def test_embeddings_that_do_not_fit_on_the_gpu_are_searched_on_the_cpu_and_that_is_told(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Full:
        """What FAISS's index does on a GPU that is full."""

        def __init__(self, dimension: int) -> None: ...

        def add(self, rows: np.ndarray) -> None:
            raise RuntimeError(
                "Error in virtual void* faiss::gpu::StandardGpuResourcesImpl::allocMemory(AllocRequest&)"
                " at StandardGpuResources.cpp:530: Error: 'err == cudaSuccess' failed:\nalloc fail of 512 "
                "bytes (cudaMalloc error out of memory [2])\n"
            )

    trial.run(MORE)
    monkeypatch.setattr("gallery.index.opening.gpus", lambda: 1)
    monkeypatch.setattr("gallery.index.opening.flat_on_gpu", Full)
    settings = GallerySettings(index=IndexSettings(device="gpu"))
    build = Galleries(trial.home, trial.engine, settings=settings).open(NAME)
    assert_everything_is_found(build, MORE)
    assert [each.getMessage() for each in caplog.records] == [
        "The 5 embeddings of 'pictures' do not go onto the GPU ('err == cudaSuccess' failed: alloc fail of "
        "512 bytes (cudaMalloc error out of memory [2])): searches run on the CPU"
    ]
