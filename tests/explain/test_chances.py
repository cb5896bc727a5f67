import pytest

from explain.chances import percentage, percentage_below


@pytest.mark.parametrize(
    ("probability", "told"),
    [(0.0, "< 0.1 %"), (0.0004, "< 0.1 %"), (0.001, "0.1 %"), (0.5, "50.0 %"), (0.9731, "97.3 %")],
)
def test_a_probability_is_told_with_one_decimal(probability: float, told: str) -> None:
    assert percentage(probability) == told


@pytest.mark.parametrize("probability", [0.9991, 0.99999, 1.0])
def test_nothing_is_told_to_be_certain(probability: float) -> None:
    assert percentage(probability) == "> 99.9 %"
    assert percentage(1 - probability) == "< 0.1 %"


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0, "0 %"),
        (0.29, "29 %"),
        (0.879, "87 %"),
        (0.99, "99.0 %"),
        (0.9977, "99.7 %"),
        (0.99999, "99.9 %"),
    ],
)
def test_a_place_among_others_is_never_told_better_than_it_is(share: float, told: str) -> None:
    assert percentage_below(share) == told
