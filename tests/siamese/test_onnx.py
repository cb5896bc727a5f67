"""An exported encoder computes what PyTorch computes, and nothing that differs is written or used."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from siamese import checkpoint, onnx_graph, onnx_runtime
from siamese.bodies import BODIES, build_body
from siamese.encoder import Encoder
from siamese.errors import DeviceUnavailable, RuntimeDiffers, RuntimeUnavailable
from siamese.network import EncoderNetwork
from siamese.onnx_check import BOUND, Difference, difference, probes
from siamese.onnx_graph import OnnxSession, graph_of
from siamese.onnx_runtime import export_encoder, in_onnx_runtime
from siamese.preprocessing import Preprocessing
from tests.toys import UNFITTED, noise

QUICK = {("small", "crop"), ("small", "pad"), ("mobilenet_v2", "pad")}


def random_encoder(path: Path, body: str, *, fit: str = "pad", size: int = 64, seed: int = 0) -> Encoder:
    """An encoder of random weights, with the statistics of the pictures that it is tried with.

    So signals neither die nor grow, which would leave float32 itself few right digits.
    """
    torch.manual_seed(seed)
    built = build_body(body, weights="none")
    network = EncoderNetwork(built, nn.Linear(built.channels, 16))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # a plain mean over all batches
            nn.init.constant_(module.weight, 0.5)  # else each residual block adds as much as it was given
    preprocessing = Preprocessing.model_validate({"image_size": size, "fit": fit})
    pictures = [*probes(size), *(noise(each, size=(120, 70)) for each in range(4))]
    with torch.no_grad():
        network.train()(torch.stack([torch.from_numpy(preprocessing.preprocess(each)) for each in pictures]))
    described = {"name": f"{body}-random", "preprocessing": preprocessing, "calibration": UNFITTED}
    checkpoint.save(path, network, checkpoint.describe(network, **described))  # type: ignore[arg-type]
    return Encoder.load(path, device="cpu")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    return random_encoder(tmp_path_factory.mktemp("encoder"), "small")


@pytest.fixture(scope="module")
def graph(encoder: Encoder) -> bytes:
    return graph_of(encoder)


@pytest.mark.parametrize(
    ("body", "fit"),
    [
        pytest.param(body, fit, marks=() if (body, fit) in QUICK else pytest.mark.soak)
        for body in BODIES
        for fit in ("crop", "pad")
    ],
)
def test_every_body_exports_and_onnx_runtime_computes_what_pytorch_computes(
    body: str, fit: str, tmp_path: Path
) -> None:
    encoder = random_encoder(tmp_path / "checkpoint", body, fit=fit, size=96)
    images = [noise(seed, size=(120, 70)) for seed in range(2)]
    report = export_encoder(encoder, tmp_path / "encoder.onnx", images=images)
    measured = report.difference
    assert measured.images == 6 and max(measured.local_embeddings, measured.embedding) <= BOUND
    exported = OnnxSession((tmp_path / "encoder.onnx").read_bytes())
    prepared = [encoder.prepare(image) for image in images]
    pixels, seen = np.stack([p.tensor for p in prepared]), np.stack([p.seen for p in prepared])
    embedded = encoder.embed(prepared)
    assert embedded.local_embeddings.std() > 1e-3  # random weights may let every signal die
    assert abs(exported.embeddings(pixels, seen) - embedded.embeddings).max() <= BOUND
    length = max(1, np.linalg.norm(embedded.local_embeddings.mean(axis=(1, 2)), axis=1).min())
    assert abs(exported.local_embeddings(pixels, seen) - embedded.local_embeddings).max() <= BOUND * length


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_the_file_names_its_inputs_its_outputs_and_its_encoder(fit: str, tmp_path: Path) -> None:
    encoder = random_encoder(tmp_path / "checkpoint", "small", fit=fit)
    report = export_encoder(encoder, tmp_path / "encoder.onnx")
    onnx.checker.check_model(onnx.load(report.file), full_check=True)
    session = onnxruntime.InferenceSession(report.file, providers=["CPUExecutionProvider"])
    inputs = {each.name: (each.type, each.shape) for each in session.get_inputs()}
    outputs = {each.name: (each.type, each.shape) for each in session.get_outputs()}
    pixels = {"pixels": ("tensor(float)", ["batch", 3, 64, 64])}
    seen = {"seen": ("tensor(bool)", ["batch", 16, 16])}
    assert inputs == (pixels | seen if fit == "pad" else pixels)
    assert outputs == {
        "local_embeddings": ("tensor(float)", ["batch", 16, 16, 16]),
        "embedding": ("tensor(float)", ["batch", 16]),
    }
    metadata = session.get_modelmeta().custom_metadata_map
    assert (metadata["name"], metadata["fingerprint"]) == (encoder.name, encoder.fingerprint)
    assert Preprocessing.model_validate(json.loads(metadata["preprocessing"])) == encoder.preprocessing
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["encoder.onnx"]


def test_a_graph_that_differs_is_not_written_and_the_older_file_stays(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = graph_of(random_encoder(tmp_path / "other", "small", seed=1))
    monkeypatch.setattr(onnx_runtime, "graph_of", lambda _: other)
    file = tmp_path / "encoder.onnx"
    file.write_bytes(b"older")
    with pytest.raises(RuntimeDiffers, match="at most 1e-04 is allowed"):
        export_encoder(encoder, file)
    with pytest.raises(RuntimeDiffers):
        in_onnx_runtime(encoder, graphs=tmp_path / "graphs")
    assert file.read_bytes() == b"older" and not (tmp_path / "graphs").exists()


@pytest.mark.parametrize(
    "numbers", [(2 * BOUND, 0.0), (0.0, 2 * BOUND), (float("nan"), 0.0), (0.0, float("nan"))]
)
def test_either_number_beyond_the_bound_or_none_at_all_is_refused(numbers: tuple[float, float]) -> None:
    with pytest.raises(RuntimeDiffers):
        Difference(*numbers, images=1).require_small()
    assert Difference(BOUND, BOUND, images=1).require_small()


def test_an_image_embeds_to_the_same_bits_alone_in_any_batch_and_beside_other_threads(
    encoder: Encoder,
) -> None:
    computed = in_onnx_runtime(encoder)
    assert computed.fingerprint == encoder.fingerprint
    prepared = [encoder.prepare(noise(seed, size=(50 + 9 * seed, 60))) for seed in range(6)]
    together = computed.embed(prepared)
    alone = np.concatenate([computed.local_embeddings([each]) for each in prepared])
    np.testing.assert_array_equal(together.local_embeddings, alone)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: computed.embed(prepared).embeddings, range(12)):
            np.testing.assert_array_equal(found, together.embeddings)
    assert 0 < abs(together.embeddings - encoder.embed(prepared).embeddings).max() <= BOUND


def test_a_graph_is_exported_once_and_again_where_it_was_damaged(
    encoder: Encoder, graph: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = []
    monkeypatch.setattr(onnx_runtime, "graph_of", lambda each: exported.append(each) or graph)
    for _ in range(2):
        in_onnx_runtime(encoder, graphs=tmp_path / "graphs")
    (kept,) = (tmp_path / "graphs").iterdir()
    assert len(exported) == 1 and kept.read_bytes() == graph and kept.name.startswith(encoder.fingerprint)
    kept.write_bytes(graph[:-1])
    in_onnx_runtime(encoder, graphs=tmp_path / "graphs")
    assert len(exported) == 2 and [each.read_bytes() for each in (tmp_path / "graphs").iterdir()] == [graph]


def test_a_folder_that_cannot_be_written_to_costs_only_time(encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "graphs").touch()
    prepared = [encoder.prepare(noise(1))]
    computed = in_onnx_runtime(encoder, graphs=tmp_path / "graphs")
    assert abs(computed.embed(prepared).embeddings - encoder.embed(prepared).embeddings).max() <= BOUND


def test_local_embeddings_of_any_length_are_judged_by_that_length(tmp_path: Path) -> None:
    encoder = random_encoder(tmp_path, "small")
    with torch.no_grad():
        encoder.network.linear.weight *= 1e5
        encoder.network.linear.bias *= 1e5
    assert difference(encoder, OnnxSession(graph_of(encoder)), probes(64)).require_small()


def test_without_its_packages_the_sentence_says_what_to_install(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_graph, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(RuntimeUnavailable, match=r"onnxscript.*pip install 'whyalike\[onnx\]'"):
        in_onnx_runtime(encoder)


def test_an_encoder_on_a_gpu_is_refused(encoder: Encoder) -> None:
    with pytest.raises(DeviceUnavailable, match="CPU here, not on cuda:0"):
        in_onnx_runtime(replace(encoder, device="cuda:0"))
