import numpy as np
import pytest
from numpy.typing import NDArray

from explain import colours

# What a person without red or green cones sees, in linear RGB (Vienot, Brettel and Mollon 1999).
PROTANOPIA = [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]
DEUTERANOPIA = [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]


def linear(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    share = rgb / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def cielab(linear_rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    to_xyz = [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
    xyz = np.clip(linear_rgb, 0, 1) @ np.array(to_xyz).T / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=-1)


@pytest.mark.parametrize("ramp", [colours.warm, colours.cool])
def test_hotter_is_lighter_at_every_step_of_a_ramp(ramp) -> None:
    lightness = cielab(linear(ramp()))[::8, 0]
    assert (np.diff(lightness) > 0).all()


@pytest.mark.parametrize("ramp", [colours.warm, colours.cool])
def test_equal_steps_of_heat_look_like_equal_steps(ramp) -> None:
    steps = np.linalg.norm(np.diff(cielab(linear(ramp()))[::32], axis=0), axis=-1)
    assert steps.max() / steps.min() < 1.8


def test_equal_heat_is_equally_light_in_both_ramps() -> None:
    lightness = [cielab(linear(ramp()))[:, 0] for ramp in (colours.warm, colours.cool)]
    assert np.abs(lightness[0] - lightness[1]).max() < 6


@pytest.mark.parametrize("vision", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_for_and_against_stay_apart_in_the_common_colour_blindnesses(vision) -> None:
    seen = [cielab(linear(ramp()) @ np.array(vision).T) for ramp in (colours.warm, colours.cool)]
    assert np.linalg.norm(seen[0] - seen[1], axis=-1).min() > 40


def test_a_ramp_cannot_be_changed_by_those_who_use_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        colours.warm()[0] = 0
