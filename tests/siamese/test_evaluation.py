from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from siamese.calibration import Calibration, fit_calibration
from siamese.embedded_samples import EmbeddedSamples, embed_samples, pair_distances, pairs_between
from siamese.errors import CheckpointError, UnusableData
from siamese.evaluation import Evaluation, evaluate, evaluate_encoder
from siamese.protocols import choose_protocol
from siamese.samples import Sample
from tests.siamese.samples import folders, write
from tests.toys import fitted_at, mean_colour_encoder, plain, png

UNFITTED = Calibration.unfitted("nothing was fitted")


def clustered(samples: list[Sample], *, spread: float) -> EmbeddedSamples:
    """Each label around an axis of its own."""
    generator = np.random.default_rng(0)
    labels = sorted({sample.label for sample in samples})
    centres = np.eye(8)[[labels.index(sample.label) for sample in samples]]
    vectors = centres + spread * generator.normal(size=centres.shape)
    return EmbeddedSamples(
        tuple(samples), (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    )


def alone(samples: list[Sample], *, spread: float = 0.2, calibration: Calibration = UNFITTED) -> Evaluation:
    embedded = clustered(samples, spread=spread)
    return evaluate(embedded, embedded, protocol=choose_protocol(samples), calibration=calibration)


def test_labels_far_apart_are_perfectly_found_and_told_apart() -> None:
    evaluation = alone(folders({"a": 30, "b": 30, "c": 30}), spread=0.02)
    assert evaluation.recall_at_1 == evaluation.recall_at_5 == evaluation.map_at_r == 1.0
    assert evaluation.pair_auc == evaluation.pair_auc_of_queries == evaluation.pair_accuracy == 1.0
    assert evaluation.sizes["same_pairs"] == evaluation.sizes["different_pairs"] == 90 * 20
    assert evaluation.reasons == {}


def test_embeddings_that_know_nothing_score_as_chance() -> None:
    evaluation = alone(folders({"a": 150, "b": 150}), spread=1000.0)
    for rate in (evaluation.pair_auc, evaluation.recall_at_1, evaluation.pair_accuracy):
        assert rate == pytest.approx(0.5, abs=0.08)
    low, high = evaluation.intervals["recall_at_1"] or (1.0, 0.0)
    assert low < 0.5 < high


def test_a_checkpoints_threshold_is_used_as_it_is() -> None:
    samples = folders({"a": 30, "b": 30})
    evaluation = alone(samples, spread=0.02, calibration=fitted_at(0.001))
    assert (evaluation.pair_threshold, evaluation.threshold_from) == (0.001, "checkpoint")
    assert evaluation.pair_accuracy == pytest.approx(0.5, abs=0.01)


def test_without_one_the_threshold_comes_from_the_other_half_of_the_queries() -> None:
    evaluation = alone(folders({"a": 30, "b": 30}))
    assert evaluation.threshold_from == "other half of the query images"
    assert evaluation.pair_threshold is None and evaluation.pair_accuracy is not None


def test_no_image_of_the_judged_half_has_a_part_in_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = clustered(folders({"a": 30, "b": 30}), spread=0.2)
    pairs = pairs_between(embedded, embedded, seed=0)
    of_distance = {
        length: {query, reference}
        for length, query, reference in zip(
            pair_distances(pairs, embedded, embedded).tolist(),
            pairs.queries.tolist(),
            pairs.references.tolist(),
            strict=True,
        )
    }
    halves: list[set[int]] = []

    def fit(distances: NDArray[np.float64], same: NDArray[np.bool_]) -> Calibration:
        halves.append(set().union(*(of_distance[length] for length in distances.tolist())))
        return fit_calibration(distances, same)

    monkeypatch.setattr("siamese.evaluation.fit_calibration", fit)
    evaluate(
        embedded, embedded, protocol=choose_protocol(list(embedded.samples)), calibration=UNFITTED, seed=0
    )
    first, second = halves
    assert len(first) == len(second) == 30 and not first & second


@pytest.mark.parametrize(
    ("counts", "missing"),
    [
        ({"a": 5}, {"pair_auc", "pair_accuracy", "pair_auc_of_queries"}),
        (
            {"a": 1, "b": 1},
            {"pair_auc", "pair_accuracy", "pair_auc_of_queries", "recall_at_1", "recall_at_5", "map_at_r"},
        ),
        ({"a": 2, "b": 2}, {"pair_accuracy"}),
    ],
)
def test_what_means_nothing_is_null_with_a_reason_and_never_nan(
    counts: dict[str, int], missing: set[str]
) -> None:
    evaluation = alone(folders(counts))
    assert set(evaluation.reasons) == missing
    written = json.loads(evaluation.model_dump_json())
    assert {name for name in missing if written[name] is None} == missing
    assert "NaN" not in evaluation.model_dump_json()


def test_the_same_seed_gives_the_same_figures() -> None:
    samples = folders({"a": 40, "b": 40})
    assert alone(samples, spread=0.5) == alone(samples, spread=0.5)


def coloured(root: Path, colours: dict[str, Image.Image]) -> list[Sample]:
    return [write(root, uri, png(picture)) for uri, picture in colours.items()]


def test_an_encoder_is_judged_on_the_pictures_themselves(tmp_path: Path) -> None:
    colours = {f"red/{n}.png": plain(f"rgb({200 + n}, 0, 0)") for n in range(4)}
    colours |= {f"blue/{n}.png": plain(f"rgb(0, {n}, 200)") for n in range(4)}
    evaluation = evaluate_encoder(mean_colour_encoder(tmp_path), coloured(tmp_path / "data", colours))
    assert (evaluation.protocol, evaluation.recall_at_1, evaluation.pair_auc) == ("leave-one-out", 1.0, 1.0)


def test_an_unreadable_image_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    samples = coloured(tmp_path, {"red/1.png": plain("red"), "red/2.png": plain("rgb(250, 9, 9)")})
    samples += [write(tmp_path, "red/3.png", b"broken"), write(tmp_path, "red/4.png", png(plain("black")))]
    evaluation = evaluate_encoder(mean_colour_encoder(tmp_path), samples)
    assert [uri for uri, _ in evaluation.unreadable] == ["red/3.png", "red/4.png"]
    assert all(reason for _, reason in evaluation.unreadable)
    assert (evaluation.sizes["queries"], evaluation.sizes["unreadable"]) == (2, 2)
    assert evaluation.recall_at_1 == 1.0


def test_a_damaged_record_of_the_split_is_refused(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path)
    damaged = replace(encoder, record=encoder.record.model_copy(update={"split": {"kind": "other"}}))
    with pytest.raises(CheckpointError, match="split"):
        evaluate_encoder(damaged, folders({"a": 3, "b": 3}))


def test_nothing_readable_is_refused(tmp_path: Path) -> None:
    samples = [write(tmp_path, f"red/{n}.png", b"broken %d" % n) for n in range(3)]
    with pytest.raises(UnusableData, match="could be read"):
        evaluate_encoder(mean_colour_encoder(tmp_path), samples)


def test_samples_are_embedded_in_their_order_whatever_the_batch(tmp_path: Path) -> None:
    samples = coloured(tmp_path, {f"a/{n}.png": plain(f"rgb({20 * n}, 50, 90)") for n in range(9)})
    encoder = mean_colour_encoder(tmp_path)
    whole, parts = embed_samples(encoder, samples), embed_samples(encoder, samples, batch_size=2)
    assert whole.samples == parts.samples == tuple(samples)
    assert np.array_equal(whole.embeddings, parts.embeddings)
