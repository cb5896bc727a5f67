"""Deletion, insertion and imputation with the mean-colour encoder, where it is known what must happen."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image

from explain.errors import ExplainError, MapMismatch
from explain.evidence_trial import try_evidence
from explain.named_maps import CENTRE, RANDOM, RELEVANCE, centre_prior, make_maps, random, rivals
from explain.perturbing import Hiding, area, perturb, without_coldest
from explain.sights import Sight, embed_variants, look
from siamese.encoder import Encoder
from siamese.trial import Trial
from tests.toys import mean_colour_encoder, mosaic, noise, plain


def test_hiding_what_is_alike_costs_more_of_the_cosine_than_hiding_the_rest(
    encoder: Encoder, pair: list[Sight]
) -> None:
    hot = make_maps(rivals(), *pair)[0][RELEVANCE]
    assert hot[1:3, 1:3].min() > 0 == np.delete(hot.ravel(), [9, 10, 17, 18]).max(), "they share the red flag"
    done = perturb(Hiding.of(encoder, pair[0]), pair[1].embedding, {"right": hot, "wrong": -hot})
    right, wrong = done["right"], done["wrong"]
    assert area(right.deletion) < area(wrong.deletion) - 0.1
    assert area(right.insertion) > area(wrong.insertion) + 0.1
    assert right.road > 0.1 > -0.1 > wrong.road
    assert right.blurred @ pair[1].embedding < wrong.blurred @ pair[1].embedding


def test_every_curve_runs_between_the_whole_picture_and_the_blurred_one(
    encoder: Encoder, pair: list[Sight]
) -> None:
    maps = make_maps(rivals(), *pair)[0]
    hiding = Hiding.of(encoder, pair[0])
    whole = float(pair[0].embedding @ pair[1].embedding)
    blank = float(hiding.blank() @ pair[1].embedding)
    for each in perturb(hiding, pair[1].embedding, maps, steps=5).values():
        assert len(each.deletion) == len(each.insertion) == 6
        assert each.deletion[0] == each.insertion[-1] == pytest.approx(whole)
        assert each.deletion[-1] == each.insertion[0] == pytest.approx(blank)


def test_a_map_and_its_opposite_hide_the_same_pictures_in_turn(encoder: Encoder, pair: list[Sight]) -> None:
    grid = np.random.default_rng(0).standard_normal((8, 8))
    done = perturb(Hiding.of(encoder, pair[0]), pair[1].embedding, {"map": grid, "opposite": -grid}, steps=5)
    assert done["map"].insertion == pytest.approx(done["opposite"].deletion[::-1], abs=1e-3)
    assert done["map"].road == pytest.approx(-done["opposite"].road, abs=1e-3)


def test_the_coldest_part_is_what_keeps_two_images_apart(encoder: Encoder, pair: list[Sight]) -> None:
    maps = make_maps(rivals(), *pair)[0]
    left = without_coldest(Hiding.of(encoder, pair[0]), maps)
    assert left[RELEVANCE] @ pair[1].embedding > pair[0].embedding @ pair[1].embedding + 0.02


def test_a_picture_of_which_nothing_is_left_has_no_embedding_and_no_cosine(encoder: Encoder) -> None:
    sight = look(encoder, [plain("red")])[0]
    variants = [np.zeros_like(sight.pixels), sight.pixels]
    left = embed_variants(encoder, sight, variants)
    assert not left[0].any() and left[1] == pytest.approx(sight.embedding)


def test_padding_is_never_hidden_and_has_no_part_in_the_steps(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, fit="pad")
    flat = mosaic([["red", "red", "blue", "blue"], ["red", "lime", "blue", "white"]])
    sight, other = look(encoder, [flat, plain("red")])
    assert sight.seen.mean() == 0.5
    variants = Hiding.of(encoder, sight)
    assert np.array_equal(variants.blurred(sight.seen)[:, ~sight.seen], sight.pixels[:, ~sight.seen])
    centre = make_maps(rivals(), sight, other)[0][CENTRE]
    assert np.argmax(centre.ravel()) in {5, 6, 9, 10}


def test_maps_of_chance_depend_on_the_image_and_the_seed_alone(encoder: Encoder) -> None:
    one, other = look(encoder, [noise(0), noise(1)])
    first, again, turned = random()(one, other), random()(one, other), random()(other, one)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[0], turned[1])
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], random(seed=1)(one, other)[0])
    assert RANDOM in rivals()


def test_steps_without_twenty_per_cent_among_them_are_refused(encoder: Encoder, pair: list[Sight]) -> None:
    with pytest.raises(MapMismatch, match="multiple of 5, but they are 16"):
        perturb(Hiding.of(encoder, pair[0]), pair[1].embedding, {}, steps=16)


def test_a_trial_without_the_maps_that_all_are_compared_with_is_refused(encoder: Encoder) -> None:
    with pytest.raises(ExplainError, match="among centre prior there is no relevance map and no random"):
        try_evidence(encoder, cast(Trial, None), rivals={CENTRE: centre_prior})


def test_a_sight_of_which_nothing_is_seen_is_refused(encoder: Encoder) -> None:
    prepared = encoder.prepare(Image.new("RGB", (32, 32), "red"))
    embedded = encoder.embed([prepared])
    with pytest.raises(MapMismatch):
        Sight(prepared, np.zeros((32, 32), np.bool_), embedded.local_embeddings[0], embedded.embeddings[0])
