from __future__ import annotations

import pickle
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import get_model

from siamese.bodies import BODIES, TOY_BODIES, Body, build_body
from siamese.errors import UnknownName, WeightsUnavailable

TORCHVISION = [name for name, kind in BODIES.items() if kind.imagenet]
REQUIRED = {
    "mobilenet_v2",
    "mobilenet_v3_large",
    "resnet18",
    "resnet34",
    "resnet50",
    "squeezenet1_1",
    "efficientnet_b0",
    "convnext_tiny",
    "small",
}


def same_weights(one: Body, other: Body) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def test_the_registry_has_the_bodies_that_people_ask_for_and_no_toys() -> None:
    assert set(BODIES) >= REQUIRED
    assert not set(BODIES) & set(TOY_BODIES)


@pytest.mark.parametrize("name", [*BODIES, *TOY_BODIES])
def test_every_body_gives_the_feature_map_that_it_announces(name: str) -> None:
    body = build_body(name, weights="none").eval()
    with torch.inference_mode():
        features = body(torch.rand(2, 3, 64, 64))
    assert features.shape[:2] == (2, body.channels)
    assert min(features.shape[2:]) >= 2


@pytest.mark.parametrize("name", BODIES)
def test_the_stages_are_the_whole_body_in_order(name: str) -> None:
    body = build_body(name, weights="none")
    stages = body.stages()
    assert len(stages) >= 5
    of_stages = [id(parameter) for stage in stages for parameter in stage.parameters()]
    assert of_stages == [id(parameter) for parameter in body.parameters()]


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_classifiers_file_of_weights_is_read_as_torchvision_names_it(name: str, tmp_path: Path) -> None:
    classifier = get_model(name).eval()
    torch.save(classifier.state_dict(), tmp_path / "weights.pth")
    body = build_body(name, weights=str(tmp_path / "weights.pth")).eval()
    state = classifier.state_dict()
    assert all(torch.equal(state[key], tensor) for key, tensor in body.state_dict().items())


def test_a_body_saved_by_itself_is_read_with_and_without_its_prefix(tmp_path: Path) -> None:
    body = build_body("squeezenet1_1", weights="none")
    bare = {name.removeprefix("features."): tensor for name, tensor in body.state_dict().items()}
    torch.save(body.state_dict(), tmp_path / "body.pth")
    torch.save(bare, tmp_path / "bare.pth")
    save_file(body.state_dict(), tmp_path / "body.safetensors")
    for name in ("body.pth", "bare.pth", "body.safetensors"):
        assert same_weights(build_body("squeezenet1_1", weights=str(tmp_path / name)), body)


def test_weights_of_another_body_are_refused_in_one_sentence(tmp_path: Path) -> None:
    torch.save(get_model("resnet18").state_dict(), tmp_path / "resnet18.pth")
    for body in ("mobilenet_v2", "resnet50", "resnet34"):
        with pytest.raises(WeightsUnavailable, match=f"not of {body}") as refusal:
            build_body(body, weights=str(tmp_path / "resnet18.pth"))
        assert "\n" not in str(refusal.value)


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("open('executed', 'w')",)


def test_nothing_in_a_file_of_weights_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pth").write_bytes(pickle.dumps(Malicious()))
    torch.save({"x": Malicious()}, tmp_path / "b.pth")
    for name in ("a.pth", "b.pth"):
        with pytest.raises(WeightsUnavailable, match="no file of weights"):
            build_body("small", weights=str(tmp_path / name))
    assert not (tmp_path / "executed").exists()


def test_what_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"state_dict": {"x": torch.ones(1)}}, tmp_path / "nested.pth")
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "text.safetensors").write_text("hello")
    for name in ("list.pth", "nested.pth", "text.pth", "text.safetensors", "absent.pth"):
        with pytest.raises(WeightsUnavailable, match=name):
            build_body("small", weights=str(tmp_path / name))


@pytest.mark.parametrize(
    "failure", [URLError("no route to host"), IncompleteRead(b""), RuntimeError("invalid hash value")]
)
def test_a_failed_download_names_the_way_out(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    with pytest.raises(WeightsUnavailable, match=r"--weights PATH.*--weights none") as refusal:
        build_body("mobilenet_v2", weights="imagenet")
    assert str(failure) in str(refusal.value)


@pytest.mark.parametrize("name", TORCHVISION)
def test_imagenet_weights_are_asked_for_by_a_name_that_torchvision_knows(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def download(url: str, **options: object) -> dict[str, torch.Tensor]:
        asked.append(options)
        return dict(get_model(name).state_dict())

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    build_body(name, weights="imagenet")
    assert asked[0]["weights_only"] is True and asked[0]["check_hash"] is True


def test_small_has_no_imagenet_weights_and_says_so() -> None:
    with pytest.raises(WeightsUnavailable, match="no ImageNet weights for the body 'small'"):
        build_body("small", weights="imagenet")


def test_an_unknown_body_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(UnknownName, match=r"'resnet9'.*mobilenet_v2.*small"):
        build_body("resnet9", weights="none")


def test_random_weights_come_from_the_seed() -> None:
    built = []
    for seed in (7, 7, 8):
        torch.manual_seed(seed)
        built.append(build_body("small", weights="none"))
    assert same_weights(built[0], built[1]) and not same_weights(built[0], built[2])
