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
from siamese.encoder import Encoder
from siamese.errors import CheckpointError, UnusableData
from siamese.evaluation import Evaluation, evaluate, try_encoder
from siamese.heads import ClassHead, Heads, PairHead
from siamese.measured import Measure
from siamese.measuring import judge
from siamese.protocols import choose_protocol
from siamese.samples import Sample
from siamese.trial import Trial
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
    trial = Trial.of(embedded, embedded, protocol=choose_protocol(samples))
    return evaluate(trial, calibration=calibration, shown=calibration)


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

    monkeypatch.setattr("siamese.measuring.fit_calibration", fit)
    trial = Trial.of(embedded, embedded, protocol=choose_protocol(list(embedded.samples)))
    judged = judge(trial.pairs, UNFITTED, seed=trial.seed)
    first, second = halves
    assert len(first) == len(second) == 30 and not first & second
    ends = zip(pairs.queries.tolist(), pairs.references.tolist(), strict=True)
    within = [{query, reference} <= first or {query, reference} <= second for query, reference in ends]
    assert judged.among is not None and judged.among.tolist() == within
    assert 0.3 < np.mean(within) < 0.7


def test_a_share_of_verdicts_is_a_share_to_the_last_digit() -> None:
    trial = against_others(0.5)
    right = np.arange(len(trial.pairs)) % 10 > 0
    assert trial.pairs.mean(right, trial.bootstrap).value == 0.9
    assert trial.pairs.mean(right, trial.bootstrap, among=right).value == 1.0


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


def tried(encoder: Encoder, samples: list[Sample]) -> Evaluation:
    return evaluate(try_encoder(encoder, samples), calibration=encoder.calibration)


def coloured(root: Path, colours: dict[str, Image.Image]) -> list[Sample]:
    return [write(root, uri, png(picture)) for uri, picture in colours.items()]


def test_an_encoder_is_judged_on_the_pictures_themselves(tmp_path: Path) -> None:
    colours = {f"red/{n}.png": plain(f"rgb({200 + n}, 0, 0)") for n in range(4)}
    colours |= {f"blue/{n}.png": plain(f"rgb(0, {n}, 200)") for n in range(4)}
    evaluation = tried(mean_colour_encoder(tmp_path), coloured(tmp_path / "data", colours))
    assert (evaluation.protocol, evaluation.recall_at_1, evaluation.pair_auc) == ("leave-one-out", 1.0, 1.0)


def test_an_unreadable_image_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    samples = coloured(tmp_path, {"red/1.png": plain("red"), "red/2.png": plain("rgb(250, 9, 9)")})
    samples += [write(tmp_path, "red/3.png", b"broken"), write(tmp_path, "red/4.png", png(plain("black")))]
    evaluation = tried(mean_colour_encoder(tmp_path), samples)
    assert [uri for uri, _ in evaluation.unreadable] == ["red/3.png", "red/4.png"]
    assert all(reason for _, reason in evaluation.unreadable)
    assert (evaluation.sizes["queries"], evaluation.sizes["unreadable"]) == (2, 2)
    assert evaluation.recall_at_1 == 1.0


def test_a_damaged_record_of_the_split_is_refused(tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path)
    damaged = replace(encoder, record=encoder.record.model_copy(update={"split": {"kind": "other"}}))
    with pytest.raises(CheckpointError, match="split"):
        try_encoder(damaged, folders({"a": 3, "b": 3}))


def test_nothing_readable_is_refused(tmp_path: Path) -> None:
    samples = [write(tmp_path, f"red/{n}.png", b"broken %d" % n) for n in range(3)]
    with pytest.raises(UnusableData, match="could be read"):
        try_encoder(mean_colour_encoder(tmp_path), samples)


def test_samples_are_embedded_in_their_order_whatever_the_batch(tmp_path: Path) -> None:
    samples = coloured(tmp_path, {f"a/{n}.png": plain(f"rgb({20 * n}, 50, 90)") for n in range(9)})
    encoder = mean_colour_encoder(tmp_path)
    whole, parts = embed_samples(encoder, samples), embed_samples(encoder, samples, batch_size=2)
    assert whole.samples == parts.samples == tuple(samples)
    assert np.array_equal(whole.embeddings, parts.embeddings)


def against_others(spread: float, *, count: int = 60) -> Trial:
    """Queries of three labels against as many references, each of its own content."""
    samples = folders({"a": 2 * count, "b": 2 * count, "c": 2 * count})
    embedded = clustered(samples, spread=spread)
    asking = np.arange(len(samples)) % 2 == 0
    queries, references = (
        EmbeddedSamples(
            tuple(one for one, kept in zip(samples, part, strict=True) if kept), embedded.embeddings[part]
        )
        for part in (asking, ~asking)
    )
    protocol = choose_protocol(references.samples, queries=queries.samples)
    return Trial.of(queries, references, protocol=protocol)


def measures(of: object) -> list[Measure]:
    """Every figure in a value, however deep."""
    if isinstance(of, Measure):
        return [of]
    return [each for one in vars(of).values() if hasattr(one, "model_fields") for each in measures(one)]


def test_every_interval_holds_its_figure_and_every_figure_is_a_number_or_has_a_reason() -> None:
    for evaluation in (
        evaluate(against_others(0.5), calibration=fitted_at(0.9), shown=fitted_at(0.8)),
        alone(folders({"a": 30, "b": 20})),
        alone(folders({"a": 1, "b": 1})),
    ):
        found = measures(evaluation)
        assert len(found) > 15
        for measure in found:
            assert (measure.value is None) == (measure.reason is not None)
            if measure.value is not None and measure.interval is not None:
                assert measure.interval[0] <= measure.value <= measure.interval[1]


def test_shown_pairs_are_at_least_five_thousand_where_twenty_for_each_query_make_them() -> None:
    many, few = against_others(0.5, count=100), against_others(0.5, count=20)
    assert (many.k, len(many.shown)) == (17, 5100)
    assert (few.k, len(few.shown)) == (20, 1200)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_no_image_is_ever_paired_with_itself_or_its_copy(spread: float) -> None:
    samples = folders({"a": 30, "b": 30})
    embedded = clustered(samples, spread=spread)
    trial = Trial.of(embedded, embedded, protocol=choose_protocol(samples))
    copied = Trial.of(embedded, replace(embedded), protocol=choose_protocol(samples))
    for scored in (trial.pairs, trial.among, trial.shown, copied.pairs, copied.shown):
        checksums = scored.queries.checksums[scored.pairs.queries]
        assert (checksums != scored.references.checksums[scored.pairs.references]).all()
    assert (trial.ranked.nearest != np.arange(60)).all()


def test_a_calibrated_score_is_as_good_as_its_floor_and_a_boastful_one_is_not() -> None:
    trial = against_others(0.5, count=100)
    honest = fit_calibration(trial.shown.distances, trial.shown.same, fitted_on="shown")
    boastful = honest.model_copy(
        update={"slope": 6 * (honest.slope or 0), "intercept": 6 * (honest.intercept or 0)}
    )
    good, bad = (
        evaluate(trial, calibration=UNFITTED, shown=calibration).calibration.shown
        for calibration in (honest, boastful)
    )
    assert good.ece.value is not None and good.ece_floor is not None and bad.ece.value is not None
    assert good.ece.value - good.ece_floor < 0.02 < bad.ece.value - (bad.ece_floor or 0)
    assert (good.brier.value or 1) < (bad.brier.value or 0) and (good.nll.value or 9) < (bad.nll.value or 0)
    assert (good.fitted_on, good.k, good.pairs) == ("shown", 17, 5100)


def test_confusions_count_every_query_once_and_agree_with_the_recall() -> None:
    evaluation = evaluate(against_others(0.6), calibration=UNFITTED)
    assert sum(each.queries for each in evaluation.confusions) == 180
    right = sum(each.queries for each in evaluation.confusions if each.label == each.nearest)
    assert right / 180 == pytest.approx(evaluation.recall_at_1)
    assert [label.label for label in evaluation.labels] == ["a", "b", "c"]
    by_label = [label.recall_at_1 or 0 for label in evaluation.labels]
    assert float(np.mean(by_label)) == pytest.approx(evaluation.recall_at_1)


def test_a_query_with_nothing_to_find_counts_for_no_label() -> None:
    evaluation = alone(folders({"a": 30, "b": 20, "c": 1}))
    assert evaluation.sizes["queries_without_match"] == 1
    assert {each.label: each.queries for each in evaluation.labels} == {"a": 30, "b": 20, "c": 0}
    assert sum(each.queries for each in evaluation.confusions) == evaluation.retrieval.queries == 50


def test_the_hardest_pairs_are_wrong_and_the_most_confident_come_first() -> None:
    calibration = fitted_at(0.8)
    hardest = evaluate(against_others(0.6), calibration=UNFITTED, shown=calibration).hardest
    assert hardest.taken_for_same and hardest.taken_for_different
    for pair in hardest.taken_for_same:
        assert pair.verdict == "same" and pair.query_label != pair.matched_label
    for pair in hardest.taken_for_different:
        assert pair.verdict == "different" and pair.query_label == pair.matched_label
    chances = [pair.probability or 0 for pair in hardest.taken_for_same]
    assert chances == sorted(chances, reverse=True)
    chances = [pair.probability or 0 for pair in hardest.taken_for_different]
    assert chances == sorted(chances)
    assert len({pair.query for pair in hardest.taken_for_same}) == len(hardest.taken_for_same)


def test_without_a_threshold_the_hardest_pairs_are_those_that_lie_wrong() -> None:
    hardest = evaluate(against_others(0.6), calibration=UNFITTED).hardest
    assert {pair.verdict for pair in (*hardest.taken_for_same, *hardest.taken_for_different)} == {None}
    assert all(pair.query_label != pair.matched_label for pair in hardest.taken_for_same)


def test_the_heads_are_judged_beside_the_distance() -> None:
    trial = against_others(0.4)
    flat = np.zeros(8, np.float32)
    # The inner product orders pairs as the distance does: the same AUC, a gain of nothing.
    pair = PairHead(difference=flat, product=np.full(8, 20, np.float32), bias=-12.0)
    centres = ClassHead(("a", "b", "z"), np.eye(8, dtype=np.float32)[[0, 1, 7]], np.zeros(3, np.float32))
    evaluation = evaluate(trial, calibration=fitted_at(0.9), heads=Heads(pair, centres))
    assert evaluation.pair_head and evaluation.class_head
    assert evaluation.pair_head.verification.auc.value == pytest.approx(evaluation.pair_auc)
    assert evaluation.pair_head.auc_gain.value == pytest.approx(0, abs=1e-6)
    assert evaluation.pair_head.verification.eer.value == pytest.approx(
        evaluation.verification.eer.value, abs=1e-3
    )
    assert evaluation.pair_head.shown.k == trial.k and evaluation.pair_head.pair.fitted_on == "pair head"
    assert (evaluation.class_head.queries, evaluation.class_head.unknown_label) == (120, 60)
    assert (evaluation.class_head.accuracy.value or 0) > 0.9
    assert evaluate(trial, calibration=UNFITTED).pair_head is None


def test_a_head_whose_probabilities_are_all_0_or_1_still_ranks_by_its_logits() -> None:
    trial = against_others(0.4)
    bold = PairHead(difference=np.zeros(8, np.float32), product=np.full(8, 2e4, np.float32), bias=-1.2e4)
    judged = evaluate(trial, calibration=fitted_at(0.9), heads=Heads(bold)).pair_head
    assert judged and judged.auc_gain.value == pytest.approx(0, abs=1e-6)


def test_the_papers_fixed_similarity_is_judged_too() -> None:
    trial = against_others(0.3)
    fixed = evaluate(trial, calibration=fitted_at(0.5)).verification
    assert fixed.accuracy_at_half is not None
    assert fixed.accuracy_at_half.value == fixed.accuracy.value
