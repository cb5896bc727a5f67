import numpy as np

from explain.contour import contour


def test_the_line_runs_around_the_strongest_heat_and_nowhere_else() -> None:
    heat = np.zeros((64, 64), np.float32)
    heat[20:40, 20:40] = 1
    line, halo = contour(heat)
    assert line[20, 30] and line[30, 39]
    assert not line[:15].any() and not line[25:35, 25:35].any()
    assert (halo > 0).sum() > (line > 0).sum()


def test_weak_heat_gets_no_line() -> None:
    line, halo = contour(np.full((32, 32), 0.49, np.float32))
    assert not line.any() and not halo.any()


def test_a_region_that_fills_the_picture_gets_no_frame() -> None:
    line, halo = contour(np.ones((32, 48), np.float32))
    assert not line.any() and not halo.any()
