from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from siamese import checkpoint, whitening
from siamese.encoder import Encoder
from siamese.errors import UnusableData
from siamese.preparing import Prepared
from siamese.preprocessing import Preprocessing
from siamese.whitening import fit_linear, fit_to_gallery
from tests.toys import noise, plain


def features(images: int, channels: int = 200, *, seed: int = 0) -> np.ndarray:
    """Positive features whose variance falls from direction to direction, as those of a body do."""
    generator = np.random.default_rng(seed)
    turned = np.linalg.qr(generator.standard_normal((channels, channels)))[0]
    spread = generator.standard_normal((images, channels)) / np.sqrt(1 + np.arange(channels))
    return (1 + 0.2 * spread @ turned).astype(np.float32)


def embedded(fitted: whitening.FittedLinear, rows: np.ndarray) -> np.ndarray:
    vectors = rows.astype(np.float64) @ fitted.weight.T.astype(np.float64) + fitted.bias
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)


def test_pca_centres_the_gallery_and_whitens_it_half() -> None:
    rows = features(1000)
    fitted = fit_linear(rows, dimension=32)
    projected = rows.astype(np.float64) @ fitted.weight.T + fitted.bias
    assert fitted.method == "pca" and fitted.weight.shape == (32, 200) and fitted.images == 1000
    assert abs(projected.mean(axis=0)).max() < 1e-4
    variances = np.sort(np.linalg.eigvalsh(np.cov(rows.T.astype(np.float64), bias=True)))[::-1][:32]
    covariance = np.cov(projected.T, bias=True)
    assert np.allclose(np.diag(covariance), np.sqrt(variances), rtol=1e-2)
    assert abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3
    assert 0.5 < fitted.explained < 1


@pytest.mark.parametrize("images", [1, 2, 10, 31])
def test_a_small_gallery_is_ranked_exactly_as_by_its_raw_features(images: int) -> None:
    gallery, queries = features(images), features(40, seed=1)
    fitted = fit_linear(gallery, dimension=32)
    assert fitted.method == "projection" and fitted.weight.shape == (32, 200)
    raw, found = unit(queries) @ unit(gallery).T, embedded(fitted, queries) @ embedded(fitted, gallery).T
    assert (np.argsort(-raw, axis=1) == np.argsort(-found, axis=1)).all()
    assert np.allclose(
        embedded(fitted, gallery) @ embedded(fitted, gallery).T, unit(gallery) @ unit(gallery).T
    )


def test_a_small_gallery_keeps_its_distance_from_strangers() -> None:
    """A gallery of one image must not say that every query is that image."""
    one, generator = features(1), np.random.default_rng(5)
    strangers = np.abs(generator.standard_normal((200, 200))).astype(np.float32)
    fitted = fit_linear(one, dimension=32)
    raw = (unit(strangers) @ unit(one).T).ravel()
    found = (embedded(fitted, strangers) @ embedded(fitted, one).T).ravel()
    assert abs(found.mean() - raw.mean()) < 0.03 and found.max() < 0.95


@pytest.mark.parametrize("images", [33, 60, 95])
def test_between_the_two_the_gallerys_greatest_directions_are_kept(images: int) -> None:
    fitted = fit_linear(features(images), dimension=32)
    assert fitted.method == "projection" and fitted.weight.shape == (32, 200)
    assert np.allclose(fitted.weight @ fitted.weight.T, np.eye(32), atol=1e-5)


def test_copies_do_not_count_as_images() -> None:
    rows = np.repeat(features(20), 50, axis=0)
    fitted = fit_linear(rows, dimension=32)
    assert fitted.images == 20 and fitted.method == "projection"


def test_directions_that_the_gallery_does_not_have_are_left_out() -> None:
    flat = features(500)
    flat[:, 5:] = 0
    fitted = fit_linear(flat, dimension=32)
    assert fitted.method == "pca" and fitted.weight.shape == (5, 200)
    assert np.isfinite(embedded(fitted, flat)).all()


def test_a_body_of_few_channels_bounds_the_dimension() -> None:
    assert fit_linear(features(100, channels=3)).weight.shape == (3, 3)
    assert fit_linear(features(2, channels=3)).weight.shape == (3, 3)


def test_the_fallback_is_drawn_from_its_seed() -> None:
    rows = features(5)
    one, again, other = (fit_linear(rows, dimension=32, seed=seed).weight for seed in (1, 1, 2))
    assert (one == again).all() and (one != other).any()


@pytest.mark.parametrize("rows", [np.empty((0, 8)), np.zeros((3, 8)), np.full((3, 8), np.nan)])
def test_a_gallery_without_any_usable_image_is_refused(rows: np.ndarray) -> None:
    with pytest.raises(UnusableData, match="without any usable image"):
        fit_linear(rows.astype(np.float32))


def raw(fit: str = "crop") -> Encoder:
    torch.manual_seed(0)
    preprocessing = Preprocessing.model_validate({"image_size": 32, "fit": fit})
    return Encoder.from_body("small", weights="none", preprocessing=preprocessing, device="cpu")


def prepared(encoder: Encoder, count: int) -> Iterator[Prepared]:
    return (encoder.prepare(noise(seed, size=(40, 20 + seed % 9))) for seed in range(count))


@pytest.mark.parametrize(
    "images, name", [(1, "small-untrained-projection16"), (100, "small-untrained-pca16")]
)
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_an_encoder_is_fitted_to_a_gallery_and_kept_as_a_checkpoint(
    images: int, name: str, fit: str, tmp_path: Path
) -> None:
    encoder = raw(fit)
    fitted = fit_to_gallery(encoder, prepared(encoder, images), out=tmp_path / "c", dimension=16)
    assert fitted.name == (name if fit == "crop" else f"{name}-pad")
    assert (fitted.dimension, fitted.grid) == (16, encoder.grid)
    assert fitted.preprocessing == encoder.preprocessing
    assert fitted.record == checkpoint.load_record(tmp_path / "c")
    assert fitted.calibration.reason == "no labels were used to fit this encoder"
    assert fitted.record.whitening is not None and fitted.record.whitening["images"] == images
    embeddings = fitted.embed([*prepared(encoder, 3)]).embeddings
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx(1, abs=1e-6)


def test_the_fitted_layer_is_that_of_the_pooled_features(tmp_path: Path) -> None:
    encoder = raw()
    fitted = fit_to_gallery(encoder, prepared(encoder, 60), out=tmp_path, dimension=16)
    pooled = encoder.local_embeddings([*prepared(encoder, 60)]).mean(axis=(1, 2))
    expected = embedded(fit_linear(pooled, dimension=16), pooled[:4])
    found = fitted.embed([*prepared(encoder, 4)]).embeddings
    assert np.allclose(found, expected, atol=1e-5)


def test_fitting_leaves_the_raw_encoder_as_it_was(tmp_path: Path) -> None:
    encoder = raw()
    before = encoder.embed([*prepared(encoder, 2)]).embeddings
    fit_to_gallery(encoder, prepared(encoder, 5), out=tmp_path)
    assert not any(module.training for module in encoder.network.modules())
    assert (encoder.embed([*prepared(encoder, 2)]).embeddings == before).all()


def test_fitting_twice_to_the_same_gallery_gives_the_same_encoder(tmp_path: Path) -> None:
    encoder = raw()
    one, again = (
        fit_to_gallery(encoder, prepared(encoder, 60), out=tmp_path / name, dimension=16) for name in "ab"
    )
    assert one.fingerprint == again.fingerprint


def test_an_empty_gallery_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnusableData):
        fit_to_gallery(raw(), iter(()), out=tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_one_plain_picture_is_gallery_enough(tmp_path: Path) -> None:
    encoder = raw()
    one = encoder.prepare(plain("red"))
    fitted = fit_to_gallery(encoder, [one], out=tmp_path)
    embeddings = fitted.embed([one, encoder.prepare(plain("blue"))]).embeddings
    assert np.linalg.norm(embeddings[0] - embeddings[1]) > 0.01


def test_no_more_images_are_read_than_the_sample_holds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(whitening, "SAMPLE", 10)
    encoder = raw()
    images = prepared(encoder, 15)
    fitted = fit_to_gallery(encoder, images, out=tmp_path)
    assert fitted.record.whitening is not None and fitted.record.whitening["images"] == 10
    assert len(list(images)) == 5
