from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from siamese.bodies import BODIES
from siamese.encoder import Encoder
from siamese.errors import OutOfMemory, ZeroEmbedding
from siamese.network import EncoderNetwork
from siamese.preprocessing import Preprocessing
from tests.toys import mean_colour_encoder, mosaic, noise, plain

SMALL_SQUARE = Preprocessing(image_size=64, fit="pad")


def raw(body: str) -> Encoder:
    return Encoder.from_body(body, weights="none", preprocessing=SMALL_SQUARE, device="cpu")


def test_the_distances_of_the_toy_are_mental_arithmetic(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path)
    pictures = [plain("red"), plain("blue"), mosaic([["red", "blue"]] * 2)]
    red, blue, both = encoder.embed([encoder.prepare(picture) for picture in pictures]).embeddings
    assert red.tolist() == [1, 0, 0] and blue.tolist() == [0, 0, 1]
    assert np.linalg.norm(red - blue) == pytest.approx(2**0.5)
    assert np.linalg.norm(red - both) == pytest.approx((2 - 2**0.5) ** 0.5)


def test_a_local_embedding_lies_where_its_cell_lies(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, grid=(2, 2))
    local = encoder.embed([encoder.prepare(mosaic([["red", "lime"], ["blue", "black"]]))]).local_embeddings
    assert local[0].tolist() == [[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 0]]]


def test_padding_does_not_move_the_embedding(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, fit="pad")
    wide, square = plain("orange", size=(64, 32)), plain("orange", size=(64, 64))
    embedded = encoder.embed([encoder.prepare(wide), encoder.prepare(square)])
    assert np.allclose(embedded.embeddings[0], embedded.embeddings[1], atol=1e-6)
    assert (embedded.local_embeddings[0][[0, 3]] == 0).all()


@pytest.mark.parametrize("body", BODIES)
def test_an_image_embeds_to_the_same_bits_alone_and_in_any_batch(body: str) -> None:
    encoder = raw(body)
    prepared = [encoder.prepare(noise(seed, size=(50 + 9 * seed, 60))) for seed in range(5)]
    together = encoder.embed(prepared)
    backwards = encoder.embed(prepared[::-1])
    alone = encoder.embed(prepared[1:2])
    assert (together.embeddings == backwards.embeddings[::-1]).all()
    assert (together.local_embeddings[1] == alone.local_embeddings[0]).all()
    assert np.linalg.norm(together.embeddings[1] - alone.embeddings[0]) == 0


@pytest.mark.parametrize("body", BODIES)
def test_embeddings_are_unit_float32_and_the_mean_of_the_local_ones(body: str) -> None:
    encoder = raw(body)
    embedded = encoder.embed([encoder.prepare(noise(1, size=(90, 40))), encoder.prepare(noise(2))])
    local = embedded.local_embeddings
    assert local.shape == (2, *encoder.grid, encoder.dimension)
    assert local.dtype == embedded.embeddings.dtype == np.float32
    assert np.linalg.norm(embedded.embeddings, axis=1) == pytest.approx(1, abs=1e-6)
    means = local.mean(axis=(1, 2))
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert abs(means - embedded.embeddings).max() <= 1e-6


def test_encoder_and_network_agree(tmp_path: Path) -> None:
    encoder = raw("small")
    prepared = encoder.prepare(noise(1, size=(90, 40)))
    x, seen = torch.from_numpy(prepared.tensor)[None], torch.from_numpy(prepared.seen)[None]
    with torch.inference_mode():
        expected = encoder.network(x, seen)[0].numpy()
    assert np.allclose(encoder.embed([prepared]).embeddings[0], expected, atol=1e-6)


def test_no_images_have_no_embeddings(tmp_path: Path) -> None:
    embedded = mean_colour_encoder(tmp_path).embed([])
    assert embedded.embeddings.shape == (0, 3) and embedded.local_embeddings.shape == (0, 4, 4, 3)


def test_a_picture_without_direction_is_refused_by_its_position(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path)
    pictures = [plain("black"), plain("red"), plain("black")]
    with pytest.raises(ZeroEmbedding, match="2 of the images") as refusal:
        encoder.embed([encoder.prepare(picture) for picture in pictures])
    assert refusal.value.positions == (0, 2)


def test_what_has_a_direction_is_embedded_beside_what_has_none(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path)
    prepared = [encoder.prepare(plain(colour)) for colour in ("black", "red", "black", "blue")]
    embedded, without = encoder.embed_directed(prepared)
    assert without == [0, 2]
    assert embedded.embeddings.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert embedded.local_embeddings[:, 0, 0].tolist() == [[1, 0, 0], [0, 0, 1]]


def test_an_embedding_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, bias=(float("nan"), 0, 0))
    with pytest.raises(ZeroEmbedding):
        encoder.embed([encoder.prepare(plain("red"))])


def test_threads_share_an_encoder(tmp_path: Path) -> None:
    encoder = raw("small")
    prepared = [encoder.prepare(noise(seed)) for seed in range(8)]
    expected = encoder.embed(prepared).embeddings
    found: dict[int, bool] = {}

    def embed(thread: int) -> None:
        found[thread] = all((encoder.embed(prepared).embeddings == expected).all() for _ in range(5))

    threads = [threading.Thread(target=embed, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), True)


def test_embedding_leaves_no_hooks_gradients_or_statistics_behind() -> None:
    encoder = raw("small")
    before = {name: tensor.clone() for name, tensor in encoder.network.state_dict().items()}
    encoder.embed([encoder.prepare(noise(1))])
    assert all(torch.equal(before[name], tensor) for name, tensor in encoder.network.state_dict().items())
    assert not any(module._forward_hooks or module._backward_hooks for module in encoder.network.modules())
    assert not any(parameter.requires_grad for parameter in encoder.network.parameters())


class Cramped(EncoderNetwork):
    """A network on a device that holds `room` images."""

    def __init__(self, network: EncoderNetwork, *, room: int) -> None:
        super().__init__(network.body, nn.Identity())
        self.room = room

    def feature_map(self, x: Tensor) -> Tensor:
        if len(x) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().feature_map(x)


@pytest.mark.parametrize("room", [1, 3, 5])
def test_out_of_memory_halves_the_batch_instead_of_dying(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = raw("mean_colour")
    prepared = [encoder.prepare(noise(seed)) for seed in range(7)]
    monkeypatch.setattr("siamese.encoder.CPU_PASS", 8)
    cramped = replace(encoder, network=Cramped(encoder.network, room=room))
    assert (cramped.embed(prepared).embeddings == encoder.embed(prepared).embeddings).all()


def test_a_device_without_room_for_one_image_is_named() -> None:
    encoder = raw("mean_colour")
    cramped = replace(encoder, network=Cramped(encoder.network, room=0))
    with pytest.raises(OutOfMemory, match="cpu has no memory left"):
        cramped.embed([encoder.prepare(noise(1))])


def test_a_body_without_weights_is_the_same_every_time_and_leaves_torchs_generator_alone() -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    first = raw("small")
    assert torch.equal(torch.rand(3), expected)
    other = Encoder.from_body("small", weights="none", preprocessing=SMALL_SQUARE, device="cpu", seed=1)
    assert first.fingerprint == raw("small").fingerprint != other.fingerprint


def test_without_its_linear_layer_an_encoder_gives_its_bodys_raw_features(tmp_path: Path) -> None:
    raw_again = mean_colour_encoder(tmp_path, bias=(0.5, 0, 0)).without_linear()
    assert raw_again.name == "mean_colour-raw" and raw_again.calibration.reason
    prepared = raw_again.prepare(noise(1))
    expected = prepared.tensor.mean(axis=(1, 2))
    assert np.allclose(raw_again.local_embeddings([prepared]).mean(axis=(1, 2))[0], expected, atol=1e-6)


def test_raw_pooled_features_have_no_verdict_and_say_why() -> None:
    encoder = raw("small")
    assert encoder.name == "small-untrained-raw" and encoder.dimension == 128 and encoder.grid == (16, 16)
    assert encoder.calibration.verdict(0.1) is None and encoder.calibration.reason


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_the_bits_of_an_embedding_do_not_depend_on_the_number_of_cores(cores: int) -> None:
    encoder = raw("mobilenet_v2")
    prepared = [encoder.prepare(noise(seed, size=(64, 64))) for seed in range(3)]
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(cores)
        embedded = encoder.embed(prepared).local_embeddings
        assert torch.get_num_threads() == cores
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(embedded, np.concatenate([encoder.local_embeddings([p]) for p in prepared]))
