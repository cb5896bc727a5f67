from io import BytesIO

import matplotlib as mpl
import pytest
from PIL import Image

from explain.curves import training_curves
from explain.errors import NothingToDraw

HISTORY = [
    {"epoch": 1, "loss": 2.0, "recall_at_1": 0.5, "learning_rate": 1e-3},
    {"epoch": 2, "loss": 1.0, "recall_at_1": None, "learning_rate": 5e-4},
    {"epoch": 3, "loss": 0.5, "pair_auc": 0.9, "learning_rate": 1e-4},
]


def picture(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png))


def test_losses_measures_and_the_learning_rate_have_a_panel_each() -> None:
    full = picture(training_curves(HISTORY))
    assert full.format == "PNG"
    losses = picture(training_curves([{"loss": epoch["loss"]} for epoch in HISTORY]))
    assert full.width == pytest.approx(3 * losses.width, abs=3)


def test_equal_histories_are_equal_bytes() -> None:
    assert training_curves(HISTORY) == training_curves(HISTORY)


def test_one_epoch_is_enough() -> None:
    assert picture(training_curves(HISTORY[:1])).width > 100


def test_a_measure_that_stands_alone_is_named() -> None:
    auc, recall = ([{"loss": 1.0, name: 0.5}] for name in ("pair_auc", "recall_at_1"))
    assert training_curves(auc) != training_curves(recall)


def test_drawing_leaves_no_state_in_matplotlib() -> None:
    backend = mpl.rcParams._get("backend")
    training_curves(HISTORY)
    assert mpl.rcParams._get("backend") is backend


@pytest.mark.parametrize("history", [[], [{}], [{"epoch": 1}]])
def test_a_history_of_nothing_is_refused(history) -> None:
    with pytest.raises(NothingToDraw):
        training_curves(history)
