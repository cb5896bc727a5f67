from __future__ import annotations

import pytest
import torch

from siamese.device import choose_device
from siamese.errors import DeviceUnavailable
from siamese.progress import Progress, Silent


@pytest.mark.parametrize("gpus, expected", [(0, "cpu"), (2, "cuda:0")])
def test_auto_is_a_gpu_where_there_is_one(gpus: int, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    assert str(choose_device("auto")) == expected


@pytest.mark.parametrize("name, expected", [("cpu", "cpu"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1")])
def test_a_device_is_chosen_by_name(name: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert str(choose_device(name)) == expected


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "gpu", "cpu:0", "cuda:x", "", "cuda:-1"])
def test_a_device_that_is_not_there_is_refused_in_one_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(DeviceUnavailable, match="cpu") as refusal:
        choose_device(name)
    assert repr(name) in str(refusal.value)


def test_the_silent_progress_passes_everything_through(capsys: pytest.CaptureFixture[str]) -> None:
    progress: Progress = Silent()
    progress.say("nothing")
    assert list(progress.track([1, 2], description="x")) == [1, 2]
    assert capsys.readouterr() == ("", "")
