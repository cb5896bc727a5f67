from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch

from gallery.errors import NothingPublished
from gallery.galleries import Galleries
from gallery.sources.scanning import FolderSource
from indexer.encoders import EncoderChoice
from indexer.errors import EncoderRefused, NothingToIndex
from indexer.fitting import drawn
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.report import IndexingReport
from indexer.settings import IndexingSettings
from siamese.bodies import build_body
from siamese.checkpoint import load_heads, load_network, load_record, save
from siamese.errors import CheckpointNotFound, WeightsUnavailable
from siamese.heads import Heads, HeadsRecord, PairHead
from tests.toys import fitted_at, mean_colour_checkpoint, noise, plain, write_folder

T = TypeVar("T")

SMALL_STEPS = IndexingSettings(batch_size=2, segment_size=2, decoding_threads=2)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of weights for the body `small`: random ones, but always the same."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "small.pth"
    torch.save(build_body("small", weights="none").state_dict(), path)
    return str(path)


@pytest.fixture
def unlabelled(weights: str) -> EncoderChoice:
    return EncoderChoice(body="small", weights=weights, device="cpu")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "photos", {f"{n}.png": noise(n, size=(40, 30)) for n in range(6)})


def indexed(galleries: Galleries, root: Path, choice: EncoderChoice) -> IndexingReport:
    return index(galleries, "photos", [root], choice, options=IndexingOptions(settings=SMALL_STEPS))


def interrupted(galleries: Galleries, root: Path, choice: EncoderChoice) -> None:
    with pytest.raises(KeyboardInterrupt):
        index(
            galleries,
            "photos",
            [root],
            choice,
            options=IndexingOptions(settings=SMALL_STEPS, progress=InterruptedIndexing()),
        )


class InterruptedIndexing:
    """A progress at which somebody presses Ctrl-C once four files were read."""

    def track(self, iterable: Iterable[T], *, description: object, total: int | None = None) -> Iterator[T]:
        for number, each in enumerate(iterable):
            if str(description).startswith("indexing") and number == 4:
                raise KeyboardInterrupt
            yield each

    def say(self, line: str) -> None:
        raise AssertionError(line)


def test_without_a_checkpoint_an_encoder_is_fitted_once_and_used_ever_after(
    galleries: Galleries, photos: Path, unlabelled: EncoderChoice
) -> None:
    first = indexed(galleries, photos, unlabelled)
    build = galleries.open("photos")
    record = load_record(build.checkpoint)
    assert (record.body, record.fingerprint) == ("small", first.fingerprint)
    assert record.whitening is not None
    assert record.calibration.reason is not None

    write_folder(photos, {"more.png": plain("red")})
    second = indexed(galleries, photos, EncoderChoice(device="cpu"))

    assert (second.fingerprint, second.embedded) == (first.fingerprint, 1)


def test_the_same_command_may_be_given_again(
    galleries: Galleries, photos: Path, unlabelled: EncoderChoice
) -> None:
    first = indexed(galleries, photos, unlabelled)
    assert not indexed(galleries, photos, unlabelled).published
    assert galleries.published_build("photos") == first.build


def test_fitting_again_to_the_same_files_gives_the_same_encoder(
    new_galleries: Callable[[str], Galleries], photos: Path, unlabelled: EncoderChoice
) -> None:
    fingerprints = {
        indexed(new_galleries(home), photos, unlabelled).fingerprint for home in ("here", "there")
    }
    assert len(fingerprints) == 1


def test_an_interrupted_first_run_goes_on_with_the_encoder_it_began_with(
    galleries: Galleries, photos: Path, unlabelled: EncoderChoice
) -> None:
    interrupted(galleries, photos, unlabelled)
    with pytest.raises(NothingPublished):
        galleries.open("photos")
    write_folder(photos, {"more.png": plain("red")})  # an encoder fitted now would be another one
    report = indexed(galleries, photos, EncoderChoice(device="cpu"))
    assert report.images == 7
    assert report.embedded == 7 - 4


def test_only_refit_chooses_anew_and_then_every_image_is_embedded_again(
    galleries: Galleries, photos: Path, tmp_path: Path, toy: EncoderChoice, unlabelled: EncoderChoice
) -> None:
    beside = write_folder(tmp_path / "beside", {"1.png": plain("red")})
    indexed(galleries, photos, toy)
    old = indexed(galleries, beside, toy)
    refit = EncoderChoice(body="small", weights=unlabelled.weights, refit=True, device="cpu")

    report = indexed(galleries, photos, refit)

    assert report.fingerprint != old.fingerprint
    assert (report.images, report.embedded, report.unchanged) == (7, 7, 7)
    assert galleries.open("photos").fingerprint == report.fingerprint


def test_while_a_refit_is_unfinished_the_old_build_stays_and_the_next_refit_goes_on(
    galleries: Galleries, photos: Path, toy: EncoderChoice, unlabelled: EncoderChoice
) -> None:
    old = indexed(galleries, photos, toy)
    refit = EncoderChoice(body="small", weights=unlabelled.weights, refit=True, device="cpu")

    interrupted(galleries, photos, refit)

    build = galleries.open("photos")
    assert (build.number, build.fingerprint) == (old.build, old.fingerprint)
    assert indexed(galleries, photos, refit).embedded == 6 - 4
    assert galleries.open("photos").fingerprint != old.fingerprint


def test_a_given_checkpoint_is_copied_so_that_the_gallery_does_not_need_it_again(
    galleries: Galleries, photos: Path, tmp_path: Path
) -> None:
    given = mean_colour_checkpoint(tmp_path / "given")
    (given / "diary.txt").write_text("not part of the encoder")
    indexed(galleries, photos, EncoderChoice(checkpoint=given, device="cpu"))
    given.rename(tmp_path / "gone")

    report = indexed(galleries, photos, EncoderChoice(device="cpu"))

    assert (report.published, report.encoder_name) == (False, "mean-colour")
    assert not (galleries.open("photos").checkpoint / "diary.txt").exists()


@pytest.mark.parametrize("other", ["checkpoint", "body", "weights"])
def test_another_encoder_than_the_gallerys_is_refused_and_refit_is_named(
    galleries: Galleries, photos: Path, tmp_path: Path, unlabelled: EncoderChoice, other: str
) -> None:
    torch.save(build_body("small", weights="none").state_dict(), tmp_path / "other.pth")
    choices = {
        "checkpoint": EncoderChoice(checkpoint=mean_colour_checkpoint(tmp_path / "toy"), device="cpu"),
        "body": EncoderChoice(body="resnet18", device="cpu"),
        "weights": EncoderChoice(weights=str(tmp_path / "other.pth"), device="cpu"),
    }
    first = indexed(galleries, photos, unlabelled)
    with pytest.raises(EncoderRefused, match=r"--refit with --checkpoint .* --refit alone"):
        indexed(galleries, photos, choices[other])
    assert galleries.published_build("photos") == first.build


def test_a_recalibrated_checkpoint_is_taken_over_without_embedding_anything(
    galleries: Galleries, photos: Path, tmp_path: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, photos, toy)
    calibrated = mean_colour_checkpoint(tmp_path / "calibrated", calibration=fitted_at(0.5))
    report = indexed(galleries, photos, EncoderChoice(checkpoint=calibrated, device="cpu"))
    assert (report.embedded, report.unchanged, report.published) == (0, 6, True)
    assert load_record(galleries.open("photos").checkpoint).calibration.threshold == 0.5


def test_the_gallerys_copy_of_a_checkpoint_has_its_heads_and_new_heads_embed_nothing(
    galleries: Galleries, photos: Path, tmp_path: Path, toy: EncoderChoice
) -> None:
    indexed(galleries, photos, toy)
    for bias in (1.0, 2.0):
        given = mean_colour_checkpoint(tmp_path / f"given-{bias}")
        record, network = load_network(given)
        heads = Heads(PairHead(np.zeros(3, np.float32), np.ones(3, np.float32), bias))
        save(given, network, record.model_copy(update={"heads": HeadsRecord.of(heads)}), heads=heads)
        report = indexed(galleries, photos, EncoderChoice(checkpoint=given, device="cpu"))
        assert (report.embedded, report.unchanged, report.published) == (0, 6, True)
        own = galleries.open("photos").checkpoint
        assert load_heads(own, load_record(own)).digest == heads.digest


def test_a_checkpoint_and_a_body_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderRefused, match="its own body and weights"):
        EncoderChoice(checkpoint=tmp_path, body="small")


def test_a_checkpoint_or_weights_that_are_missing_are_named(
    galleries: Galleries, photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointNotFound, match="nowhere"):
        indexed(galleries, photos, EncoderChoice(checkpoint=tmp_path / "nowhere", device="cpu"))
    with pytest.raises(WeightsUnavailable, match="nowhere"):
        indexed(
            galleries, photos, EncoderChoice(body="small", weights=str(tmp_path / "nowhere"), device="cpu")
        )


def test_an_encoder_cannot_be_fitted_where_nothing_is_readable(
    galleries: Galleries, tmp_path: Path, unlabelled: EncoderChoice
) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(NothingToIndex, match="no file at all"):
        indexed(galleries, tmp_path / "letters", unlabelled)
    (tmp_path / "letters/1.txt").write_text("Dear Sir")
    with pytest.raises(NothingToIndex, match=r"1\.txt"):
        indexed(galleries, tmp_path / "letters", unlabelled)


def test_one_picture_is_gallery_enough(
    galleries: Galleries, tmp_path: Path, unlabelled: EncoderChoice
) -> None:
    root = write_folder(tmp_path / "one", {"1.png": noise(1)})
    report = indexed(galleries, root, unlabelled)
    build = galleries.open("photos")
    assert report.images == 1
    query = np.ones(build.dimension, np.float32) / np.sqrt(build.dimension)
    assert len(build.search(query.astype(np.float32), count=5, fingerprint=build.fingerprint)) == 1


def test_fitting_draws_no_more_images_than_it_is_told(
    galleries: Galleries, photos: Path, unlabelled: EncoderChoice
) -> None:
    index(
        galleries,
        "photos",
        [photos],
        unlabelled,
        options=IndexingOptions(settings=IndexingSettings(fitting_images=3, decoding_threads=1)),
    )
    record = load_record(galleries.open("photos").checkpoint)
    assert record.whitening is not None
    assert record.whitening["images"] == 3


def test_a_first_run_that_embedded_nothing_binds_the_gallery_to_no_encoder(
    galleries: Galleries, photos: Path, tmp_path: Path, unlabelled: EncoderChoice
) -> None:
    empty = tmp_path / "letters"
    empty.mkdir()
    mistaken = EncoderChoice(checkpoint=mean_colour_checkpoint(tmp_path / "mistaken"), device="cpu")
    with pytest.raises(NothingToIndex):
        indexed(galleries, empty, mistaken)
    assert indexed(galleries, photos, unlabelled).images == 6


def test_a_larger_square_is_another_encoder_which_the_gallery_then_keeps(
    galleries: Galleries, photos: Path, tmp_path: Path
) -> None:
    given = mean_colour_checkpoint(tmp_path / "given", calibration=fitted_at(0.5))
    finer = EncoderChoice(checkpoint=given, image_size=64, device="cpu")
    first = indexed(galleries, photos, finer)
    build = galleries.open("photos")
    assert build.grid == (8, 8) and first.encoder_name == "mean-colour-64px"
    assert load_record(build.checkpoint).calibration.threshold is None
    assert indexed(galleries, photos, finer).embedded == 0
    assert indexed(galleries, photos, EncoderChoice(device="cpu")).embedded == 0
    with pytest.raises(EncoderRefused, match=r"which takes 64 pixels, not 32; .* --refit"):
        indexed(galleries, photos, EncoderChoice(image_size=32, device="cpu"))


def test_an_encoder_without_labels_is_fitted_at_the_size_that_is_asked_for(
    galleries: Galleries, photos: Path, weights: str
) -> None:
    choice = EncoderChoice(body="small", weights=weights, image_size=96, device="cpu")
    indexed(galleries, photos, choice)
    assert load_record(galleries.open("photos").checkpoint).preprocessing.image_size == 96


def test_an_encoder_without_labels_sees_whole_pictures_where_that_is_asked_for(
    galleries: Galleries, photos: Path, weights: str
) -> None:
    padded = EncoderChoice(body="small", weights=weights, fit="pad", device="cpu")
    first = indexed(galleries, photos, padded)
    assert first.encoder_name == "small-projection128-pad"
    assert load_record(galleries.open("photos").checkpoint).preprocessing.fit == "pad"
    assert indexed(galleries, photos, padded).embedded == 0
    assert indexed(galleries, photos, EncoderChoice(device="cpu")).fingerprint == first.fingerprint
    with pytest.raises(EncoderRefused, match=r"which takes pictures by pad, not by crop; .* --refit"):
        indexed(galleries, photos, EncoderChoice(fit="crop", device="cpu"))
    cropped = EncoderChoice(body="small", weights=weights, fit="crop", refit=True, device="cpu")
    assert indexed(galleries, photos, cropped).fingerprint != first.fingerprint


def test_a_checkpoint_keeps_the_fit_that_it_was_trained_with(tmp_path: Path) -> None:
    with pytest.raises(EncoderRefused, match="fit of its own"):
        EncoderChoice(checkpoint=tmp_path, fit="pad")


def test_an_untrained_encoder_is_called_so(galleries: Galleries, photos: Path) -> None:
    untrained = EncoderChoice(body="small", weights="none", device="cpu")
    assert indexed(galleries, photos, untrained).encoder_name == "small-untrained-projection128"


def test_files_are_drawn_at_random_and_no_more_are_held(photos: Path) -> None:
    files = list(FolderSource(photos).files(leave_out=lambda _: None))
    every = drawn(files, 99, seed=0)
    assert sorted(each.uri for each in every) == [each.uri for each in files] != [each.uri for each in every]
    assert every == drawn(files, 99, seed=0) != drawn(files, 99, seed=1)
    counts = Counter(each.uri for seed in range(300) for each in drawn(files, 2, seed=seed))
    assert len(counts) == len(files) and sum(counts.values()) == 600
    assert all(70 <= count <= 130 for count in counts.values())  # 100 ± 3.7 standard deviations
