"""A successor embeds beside the published encoder, takes over in one step, and can be gone back from."""

from pathlib import Path

import numpy as np
import pytest

from gallery.builds.rollback import roll_back
from gallery.errors import NoSuccessor, NotEmbedded, NothingPublished, SwapRefused
from gallery.proof.verification import verify
from gallery.swaps.churn import Churn, Estimate, churn
from gallery.swaps.successors import abandon, begin, successor
from gallery.swaps.swap import activate, open_successor
from gallery.swaps.unembedded import unembedded
from tests.gallery.support import NAME, Trial, checkpoint, embedded, ids, images

FILES = {f"/r/{label}/{number}.jpg": f"{label}{number}".encode() for label in "ab" for number in range(6)}
COPY = {**FILES, "/r/b/copy.jpg": b"a0"}


def started(trial: Trial, seed: int = 1) -> None:
    with trial.galleries.tenure(NAME) as tenure:
        folder = checkpoint(trial.home, seed)
        begin(tenure, folder, fingerprint=f"f{seed + 1}", encoder_name=f"toy {seed}", storage="int8")


def embed(trial: Trial, files: dict[str, bytes], *, seed: int = 1, count: int = 1000) -> int:
    """What the indexer's backfill does: all that is lacking, or the first `count` of it."""
    site = trial.galleries.site(NAME)
    todo = [files[each.uri] for each in unembedded(site, successor(site))][:count]
    with trial.writer() as writer:
        for data in todo:
            writer.add_segment([embedded(data, seed=seed)], fingerprint=f"f{seed + 1}")
    return len(todo)


def taken_over(trial: Trial) -> None:
    with trial.galleries.tenure(NAME) as tenure:
        activate(tenure)


@pytest.mark.on_both
def test_the_successor_takes_over_with_the_same_images_and_ids(trial: Trial) -> None:
    trial.run(COPY)
    before = images(trial.open())
    started(trial)
    assert embed(trial, COPY) == 12
    assert trial.open().fingerprint == "f1", "until it takes over nothing changes"
    taken_over(trial)
    build = trial.open()
    assert (build.number, build.fingerprint, build.encoder_name) == (2, "f2", "toy 1")
    assert images(build) == before
    query = embedded(b"a3", seed=1).embedding
    found = build.search(query, count=1, fingerprint="f2")
    assert (found[0].image_id, found[0].index_distance) == (ids(build)["/r/a/3.jpg"], 0.0)
    assert verify(trial.galleries.site(NAME)).findings == ()
    with pytest.raises(NoSuccessor):
        successor(trial.galleries.site(NAME))


def test_going_back_goes_back_to_the_old_encoder_and_the_swap_can_be_done_again(trial: Trial) -> None:
    trial.run(FILES)
    before = images(trial.open())
    started(trial)
    embed(trial, FILES)
    taken_over(trial)
    with trial.galleries.tenure(NAME) as tenure:
        roll_back(tenure)
    build = trial.open()
    assert (build.number, build.fingerprint, images(build)) == (3, "f1", before)
    started(trial)
    assert embed(trial, FILES) == 0, "what it had embedded is still there"
    taken_over(trial)
    assert trial.open().fingerprint == "f2"


def test_a_swap_goes_on_where_it_was_whatever_runs_come_between(trial: Trial) -> None:
    trial.run(FILES)
    started(trial)
    assert embed(trial, FILES, count=5) == 5
    more = {**FILES, "/r/b/new.jpg": b"new"}
    del more["/r/a/0.jpg"]
    for kept in (more, FILES, more, FILES, more):
        trial.run(kept)
    swap = successor(trial.galleries.site(NAME))
    assert swap.contents == 12
    assert swap.embedded in (4, 5)
    started(trial)
    assert embed(trial, more) == 12 - swap.embedded
    taken_over(trial)
    assert set(ids(trial.open())) == set(more)


def test_it_does_not_take_over_before_it_has_embedded_everything(trial: Trial) -> None:
    trial.run(FILES)
    started(trial)
    with pytest.raises(NotEmbedded, match=r"12 contents are not embedded by toy 1 yet, that of /r/"):
        taken_over(trial)
    embed(trial, FILES, count=3)
    with pytest.raises(NotEmbedded, match=r"9 contents are not embedded"):
        taken_over(trial)
    assert trial.open().fingerprint == "f1"


def test_swaps_that_cannot_be_are_refused(trial: Trial) -> None:
    with trial.writer():
        pass
    with pytest.raises(NothingPublished):
        started(trial)
    trial.run(FILES)
    with pytest.raises(SwapRefused, match=r"is embedded by toy 0 \(f1\) already"):
        started(trial, seed=0)
    started(trial)
    started(trial)
    with pytest.raises(SwapRefused, match="is being swapped to toy 1; activate or abandon that first"):
        started(trial, seed=2)


def test_what_is_abandoned_is_gone(trial: Trial) -> None:
    trial.run(FILES)
    files = {path for path in trial.folder.rglob("*") if path.is_file()}
    started(trial)
    embed(trial, FILES)
    with trial.galleries.tenure(NAME) as tenure:
        abandon(tenure)
    with trial.writer():
        pass
    assert {path for path in trial.folder.rglob("*") if path.is_file()} == files
    with pytest.raises(NoSuccessor, match="No swap of the gallery 'pictures' was started"):
        successor(trial.galleries.site(NAME))


@pytest.mark.parametrize("step", ["gallery.swaps.swap.delete", "gallery.builds.republication.name_published"])
def test_a_takeover_that_is_killed_leaves_the_old_encoder_and_can_be_done_again(
    trial: Trial, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial.run(FILES)
    started(trial)
    embed(trial, FILES)

    def die(*_: object, **__: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as killing:
        killing.setattr(step, die)
        with pytest.raises(InterruptedError):
            taken_over(trial)
    assert trial.open().fingerprint == "f1"
    with trial.writer():
        pass
    taken_over(trial)
    assert trial.open().fingerprint == "f2"
    assert verify(trial.galleries.site(NAME)).clean


def compared(trial: Trial, *, k: int = 3, queries: int = 100) -> Churn:
    site = trial.galleries.site(NAME)
    return churn(trial.open(), open_successor(site, successor(site)), queries=queries, k=k, seed=0)


def test_an_encoder_that_is_the_same_changes_nothing(trial: Trial) -> None:
    trial.run(FILES)
    started(trial)
    site = trial.galleries.site(NAME)
    with trial.writer() as writer:
        for data in FILES.values():
            writer.add_segment([embedded(data)], fingerprint="f2")
    found = churn(trial.open(), open_successor(site, successor(site)), queries=50, k=4, seed=0)
    assert found.queries == 12
    assert found.overlap == found.rank_correlation == Estimate(1.0, 0.0, 1.0, 1.0)
    assert (found.same_first.mean, found.same_first.high) == (1.0, 1.0) and 0.7 < found.same_first.low < 1
    assert found.before.recall_at_1 == found.after.recall_at_1
    assert found.before.nearest == found.after.nearest


def test_what_changes_is_what_brute_force_says(trial: Trial) -> None:
    trial.run(COPY)
    started(trial)
    embed(trial, COPY)
    found = compared(trial)
    contents = sorted(set(COPY.values()))
    assert found.queries == len(contents)
    both = []
    for seed in (0, 1):
        points = np.stack([embedded(data, seed=seed).embedding for data in contents])
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        both.append(np.argsort(distances + 9 * np.eye(len(contents)), axis=1))
    first = np.mean(both[0][:, 0] == both[1][:, 0])
    assert found.same_first.mean == pytest.approx(first, abs=0.1)
    assert 0 < found.overlap.mean < 1
    assert all(example.overlap <= found.overlap.mean + 0.5 for example in found.examples)
    assert found.examples[0].query in ids(trial.open()).values()


def test_no_interval_goes_beyond_what_there_can_be(trial: Trial) -> None:
    trial.run(FILES)
    started(trial)
    with trial.writer() as writer:
        for number, data in enumerate(FILES.values()):
            writer.add_segment([embedded(data, seed=int(number == 0))], fingerprint="f2")
    found = compared(trial, k=1)
    assert 0.7 < found.overlap.mean < found.overlap.high == 1, "the normal interval would end beyond it"
    for each in (found.overlap, found.same_first, found.rank_correlation):
        assert -1 <= each.low <= each.mean <= each.high <= 1
        assert each.margin == pytest.approx((each.high - each.low) / 2, abs=1e-6)


def test_a_comparison_begins_before_the_backfill_ends(trial: Trial) -> None:
    trial.run(FILES)
    started(trial)
    with pytest.raises(NotEmbedded, match="has embedded nothing yet"):
        compared(trial)
    embed(trial, FILES, count=6)
    assert compared(trial).queries == 6


def test_the_checkpoint_of_a_successor_stays_while_it_is_one(trial: Trial, tmp_path: Path) -> None:
    trial.run(FILES)
    started(trial)
    kept = trial.folder / "encoders" / successor(trial.galleries.site(NAME)).encoder_folder
    trial.run({**FILES, "/r/b/x.jpg": b"x"})
    assert (kept / "checkpoint.json").exists()
