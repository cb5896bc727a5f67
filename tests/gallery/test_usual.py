"""Each build knows how alike two of its images usually are, by its own encoder and of its own images."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gallery.backups.backup import back_up
from gallery.builds import planning
from gallery.builds import usual as measuring
from gallery.builds.build import Build
from gallery.builds.compaction import compact
from gallery.builds.rollback import roll_back
from gallery.manifest import NearestClaims, UsualClaims
from gallery.proof.verification import verify
from gallery.swaps.successors import begin
from gallery.swaps.swap import activate
from gallery.usual import FEWEST, share_below, share_of_nearest_below, usual_of
from tests.gallery.support import NAME, Trial, checkpoint, embedded, images

FILES = {f"/r/{number}.jpg": f"{number}".encode() for number in range(FEWEST + 3)}
MORE = {**FILES, **{f"/r/more{number}.jpg": f"more{number}".encode() for number in range(9)}}


def unit_vectors(count: int, *, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, 3), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def shown(build: Build) -> np.ndarray:
    """The embeddings of the images that the build shows."""
    return build.embeddings([each.image_id for each in images(build)])


def usual(trial: Trial) -> UsualClaims | None:
    return trial.open().manifest.usual


def half_way(embeddings: np.ndarray) -> float:
    """From a pair at random to an image and its nearest, pair by pair."""
    others = [
        [float(one @ other) for number, other in enumerate(embeddings) if number != place]
        for place, one in enumerate(embeddings)
    ]
    return float(np.median(others) + np.median([max(each) for each in others])) / 2


def test_the_baseline_lies_half_way_between_random_and_nearest_pairs() -> None:
    vectors = unit_vectors(50)
    found = usual_of(vectors)
    assert found is not None
    assert found.baseline == pytest.approx(half_way(vectors), abs=1e-5)
    cosines = (vectors @ vectors.T)[np.triu_indices(50, k=1)]
    assert found.cosines[0] == pytest.approx(cosines.min(), abs=1e-5)
    assert found.cosines[-1] == pytest.approx(cosines.max(), abs=1e-5)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"images": 1}, "greater than or equal to 2"),
        ({"baseline": 1.01}, "less than or equal to 1"),
        ({"baseline": float("nan")}, "less than or equal to 1"),
        ({"cosines": (0.1, 0.2, 1.1)}, "less than or equal to 1"),
        ({"cosines": (0.1, 0.3, 0.2)}, "Cosines ascend"),
        ({"cosines": (0.1, 0.3)}, "3 shares and 2 cosines"),
        ({"shares": (0.0, 0.5, 0.9)}, "from 0 to 1"),
        ({"shares": (0.1, 0.5, 1.0)}, "from 0 to 1"),
        ({"shares": (0.0, 0.0, 1.0)}, "from 0 to 1"),
        ({"shares": (0.0, 1.0, 0.5, 1.0), "cosines": (0.1,) * 4}, "from 0 to 1"),
        ({"shares": (), "cosines": ()}, "from 0 to 1"),
    ],
)
def test_what_is_claimed_to_be_usual_is_in_order(changed: dict[str, object], refusal: str) -> None:
    nearest = {"images": 30, "shares": (0.0, 0.5, 1.0), "cosines": (0.1, 0.1, 0.9)}
    good = {**nearest, "baseline": 0.5, "nearest": nearest}
    assert UsualClaims.model_validate(good).nearest == NearestClaims.model_validate(nearest)
    with pytest.raises(ValidationError, match=refusal):
        UsualClaims.model_validate({**good, **changed})
    if {"shares", "cosines"} & changed.keys():
        with pytest.raises(ValidationError, match=refusal):
            NearestClaims.model_validate({**nearest, **changed})


def test_of_few_images_nothing_is_usual() -> None:
    assert usual_of(unit_vectors(FEWEST - 1)) is None
    assert usual_of(unit_vectors(FEWEST)) is not None


@given(seed=st.integers(0, 20), first=st.floats(-1, 1), second=st.floats(-1, 1))
def test_the_share_below_grows_with_the_cosine_and_is_never_all(
    seed: int, first: float, second: float
) -> None:
    found = usual_of(unit_vectors(FEWEST, seed=seed))
    assert found is not None
    less, more = sorted((first, second))
    assert 0 <= share_below(found, less) <= share_below(found, more) < 1


def test_the_share_below_is_that_of_the_pairs() -> None:
    vectors = unit_vectors(300)
    found = usual_of(vectors)
    assert found is not None
    cosines = (vectors @ vectors.T)[np.triu_indices(300, k=1)]
    for cosine in np.quantile(cosines, (0.2, 0.6, 0.97, 0.9992)):
        assert share_below(found, cosine) == pytest.approx((cosines < cosine).mean(), abs=0.005)


@pytest.mark.on_both
def test_a_build_knows_it_of_the_images_that_it_shows(trial: Trial) -> None:
    trial.run(MORE)
    trial.run(FILES)
    before, now = (trial.galleries.open(NAME, build=number) for number in (1, 2))
    for build in (before, now):
        found = build.manifest.usual
        assert found is not None
        assert found.images == len(build)
        assert found.baseline == pytest.approx(half_way(shown(build)), abs=1e-5)
    assert verify(trial.galleries.site(NAME)).findings == ()


def test_a_copy_of_a_picture_is_no_pair(trial: Trial) -> None:
    trial.run({**FILES, **{f"/s{uri}": data for uri, data in FILES.items()}}, roots=["/r", "/s"])
    found = usual(trial)
    assert found is not None
    assert found.images == len(FILES)


def test_a_build_from_before_gets_it_by_the_next_run_and_no_run_after_that_publishes(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(planning, "measured_usual", lambda *_: None)
        trial.run(FILES)
    assert usual(trial) is None
    assert [trial.run(FILES).build, trial.run(FILES).build] == [2, 2]
    assert usual(trial) is not None


def test_it_stays_in_what_is_compacted_restored_and_gone_back_to(trial: Trial, tmp_path: Path) -> None:
    trial.run(FILES)
    found = usual(trial)
    assert found is not None
    trial.run(MORE)
    assert usual(trial) != found
    with trial.galleries.tenure(NAME) as tenure:
        roll_back(tenure)
        assert usual(trial) == found
        compact(tenure)
    assert usual(trial) == found
    back_up(trial.galleries.site(NAME), tmp_path / "backup.tar", at=trial.clock())
    trial.galleries.restore(tmp_path / "backup.tar", name="restored")
    assert trial.galleries.open("restored").manifest.usual == found
    assert verify(trial.galleries.site("restored")).clean


def test_another_encoder_finds_other_images_alike(trial: Trial) -> None:
    trial.run(FILES)
    first = usual(trial)
    with trial.galleries.tenure(NAME) as tenure:
        begin(tenure, checkpoint(trial.home, 1), fingerprint="f2", encoder_name="toy 1", storage="int8")
    with trial.writer() as writer:
        writer.add_segment([embedded(data, seed=1) for data in FILES.values()], fingerprint="f2")
    with trial.galleries.tenure(NAME) as tenure:
        activate(tenure)
    second = usual(trial)
    assert second is not None
    assert second != first
    assert second.baseline == pytest.approx(half_way(shown(trial.open())), abs=1e-5)


def nearest_of(embeddings: np.ndarray) -> list[float]:
    """The cosine of each image with its nearest, pair by pair, ascending."""
    return sorted(
        max(float(one @ other) for number, other in enumerate(embeddings) if number != place)
        for place, one in enumerate(embeddings)
    )


@pytest.mark.on_both
def test_a_build_knows_how_near_the_nearest_image_is_of_all_that_it_shows(trial: Trial) -> None:
    trial.run(MORE)
    trial.run(FILES)
    before, now = (trial.galleries.open(NAME, build=number) for number in (1, 2))
    for build in (before, now):
        assert build.manifest.usual is not None
        found, cosines = build.manifest.usual.nearest, nearest_of(shown(build))
        assert found is not None
        assert found.images == len(build)
        assert found.cosines == pytest.approx(np.quantile(cosines, found.shares), abs=1e-5)


def test_the_nearest_is_sought_in_all_of_a_gallery_of_which_few_are_drawn(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "IMAGES", FEWEST)
    trial.run(MORE)
    found, cosines = usual(trial), nearest_of(shown(trial.open()))
    assert found is not None and found.nearest is not None
    assert found.images == found.nearest.images == FEWEST < len(cosines)
    assert all(min(abs(each - cosine) for cosine in cosines) < 1e-5 for each in found.nearest.cosines[::23])


def test_a_build_that_knows_pairs_alone_is_told_of_as_before_until_the_next_run(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(measuring, "LARGEST", 0)
        trial.run(FILES)
    before = usual(trial)
    assert before is not None and before.nearest is None
    assert share_of_nearest_below(before, 0.5) is None
    assert [trial.run(FILES).build, trial.run(FILES).build] == [2, 2]
    found = usual(trial)
    assert found is not None and found.nearest is not None
    assert found.model_copy(update={"nearest": None}) == before


def test_the_share_of_nearest_is_that_of_the_nearest_pairs() -> None:
    nearest = np.random.default_rng(0).uniform(0.3, 0.9, 500)
    found = usual_of(unit_vectors(FEWEST), nearest)
    assert found is not None
    for cosine in np.quantile(nearest, (0.005, 0.03, 0.2, 0.61, 0.97)):
        assert share_of_nearest_below(found, cosine) == pytest.approx((nearest < cosine).mean(), abs=0.01)


@given(seed=st.integers(0, 20), first=st.floats(-1, 1), second=st.floats(-1, 1))
def test_the_share_of_nearest_grows_with_the_cosine_and_is_never_all(
    seed: int, first: float, second: float
) -> None:
    vectors = unit_vectors(FEWEST, seed=seed)
    found = usual_of(vectors, np.array(nearest_of(vectors)))
    assert found is not None
    shares = [share_of_nearest_below(found, each) for each in sorted((first, second))]
    assert 0 <= (shares[0] or 0) <= (shares[1] or 0) < 1
