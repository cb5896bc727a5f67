"""What if, and one map against chance, with the mean-colour encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explain.evidence import Side, explain
from explain.hidden_picture import LEAST_SIDE, hidden_picture
from explain.map_trial import LEAST_BEATEN, Areas, MapTrial, try_map
from explain.perturbing import Hiding
from explain.sights import Sight, look
from explain.what_if import signed, what_if
from siamese.encoder import Embedded, Encoder
from siamese.preparing import Prepared
from tests.toys import mosaic, plain


def factual(pair: list[Sight]) -> Side:
    return explain(pair[0].local_embeddings, pair[1].local_embeddings).query


def too_far(cosine: float, partner: Sight):  # type: ignore[no-untyped-def]
    return lambda embeddings: embeddings @ partner.embedding < cosine


def test_hiding_what_is_alike_flips_the_verdict_and_the_smallest_region_lies_on_it(
    encoder: Encoder, pair: list[Sight]
) -> None:
    hiding, flips = Hiding.of(encoder, pair[0]), too_far(0.6, pair[1])
    assert pair[0].embedding @ pair[1].embedding > 0.7
    found = what_if(hiding, factual(pair), flips)
    assert found.smallest is not None and 0 < found.smallest.area <= found.everything.area < 0.15
    assert flips(found.smallest.embedding[None])[0], "it was seen to flip"
    assert found.smallest.mask[8:24, 8:24].sum() == found.smallest.mask.sum() > 0, "on the red flag alone"
    assert found.smallest.mask.sum() == round(found.smallest.area * found.smallest.mask.size)
    untouched = ~found.smallest.mask
    assert np.array_equal(found.smallest.pixels[:, untouched], pair[0].pixels[:, untouched])


def test_a_verdict_that_nothing_flips_has_no_smallest_region_and_neither_has_none(
    encoder: Encoder, pair: list[Sight]
) -> None:
    hiding = Hiding.of(encoder, pair[0])
    assert what_if(hiding, factual(pair), too_far(-1.0, pair[1])).smallest is None
    without = what_if(hiding, factual(pair), None)
    assert without.smallest is None and without.everything.embedding @ pair[1].embedding < 0.6


def test_without_a_verdict_to_flip_the_encoder_looks_once(encoder: Encoder, pair: list[Sight]) -> None:
    looks = []

    class Counting:
        def embed_directed(self, prepared: Sequence[Prepared]) -> tuple[Embedded, list[int]]:
            looks.append(len(prepared))
            return encoder.embed_directed(prepared)

    what_if(Hiding.of(Counting(), pair[0]), factual(pair), None)
    assert looks == [1]


def test_a_blank_map_hides_nothing(encoder: Encoder, pair: list[Sight]) -> None:
    blank = Side(np.zeros((8, 8), np.float32), np.zeros((8, 8), np.float32))
    found = what_if(Hiding.of(encoder, pair[0]), blank, too_far(2.0, pair[1]))
    assert found.everything.area == 0 and not found.everything.mask.any() and found.smallest is None


def test_the_map_of_the_cosine_beats_chance_and_its_opposite_does_not(
    encoder: Encoder,
) -> None:
    pair = look(encoder, [mosaic([["red", "blue"]] * 2, cell=32), plain("red")])
    hiding = Hiding.of(encoder, pair[0])

    def number(embeddings: np.ndarray) -> np.ndarray:
        return (embeddings @ pair[1].embedding).astype(np.float64)

    right, wrong = (try_map(hiding, sign * signed(factual(pair)), number) for sign in (1, -1))
    assert right.beats > LEAST_BEATEN and not right.by_chance
    assert wrong.by_chance and wrong.own.gap < 0 < right.own.gap


def test_a_map_beats_an_order_where_its_gap_is_greater() -> None:
    chance = tuple(Areas(0.5, 0.5 + gap) for gap in (0.1, 0.2, 0.3, 0.4))
    tried = MapTrial(Areas(0.5, 0.85), Areas(0.5, 0.5), chance)
    assert tried.beats == 0.75 >= LEAST_BEATEN and not tried.by_chance
    assert MapTrial(Areas(0.5, 0.75), Areas(0.5, 0.5), chance).by_chance


def test_the_picture_shows_what_the_encoder_saw_and_a_line_around_the_region(
    encoder: Encoder, pair: list[Sight]
) -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[:, :32] = True
    drawn = np.asarray(hidden_picture(pair[1].pixels, mask, encoder.preprocessing))
    assert drawn.shape == (LEAST_SIDE, LEAST_SIDE, 3)
    assert (drawn[10, 10] == (255, 0, 0)).all() and (drawn[-10, -10] == (255, 0, 0)).all()
    assert drawn[200, LEAST_SIDE // 2 - 4 : LEAST_SIDE // 2 + 4, 1].max() > 200, "the line"
