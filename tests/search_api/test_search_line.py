from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gallery.builds.build import Build
from gallery.errors import EncoderMismatch, ImageNotFound, NothingPublished
from gallery.index.candidates import Candidate, Proposal
from search_api.errors import AmbiguousGallery, InvalidQuestion, UnknownLabel
from search_api.evidence import overlays
from search_api.evidence.accounts import Extras
from search_api.queries import reading
from search_api.queries.subjects import Stored, Upload
from search_api.schemas.evidence import SideSchema
from search_api.schemas.search import MatchSchema
from search_api.stopwatch import Stopwatch
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage
from tests.search_api.conftest import COLOURS, HALF_RED, Workshop
from tests.search_api.serving import PATIENCE_S
from tests.toys import fitted_at, mean_colour_checkpoint, mean_colour_encoder, mosaic, noise, plain, png

RED = Upload(png(plain("red")), "red.png")
NEARLY_RED = Upload(png(plain("#fe0000")), "nearly.png")
HALF_DISTANCE = math.sqrt(2 - math.sqrt(2))


def names(matches: list[MatchSchema]) -> list[str]:
    return [Path(match.uri or "").name for match in matches]


def signed_sum(side: SideSchema) -> float:
    return float(np.sum(side.factual) - np.sum(side.counterfactual))


def test_an_identical_image_is_the_first_match_at_distance_zero(workshop: Workshop) -> None:
    workshop.publish()
    matches = workshop.searcher().search(RED).matches
    assert [match.distance for match in matches[:2]] == [0.0, 0.0]
    assert set(names(matches[:2])) == {"red.png", "copy.png"}
    assert matches[0].image_id is not None and matches[1].image_id is not None
    assert matches[0].image_id < matches[1].image_id


def test_distances_are_those_of_the_mean_colours(workshop: Workshop) -> None:
    workshop.publish()
    matches = workshop.searcher().search(NEARLY_RED).matches
    expected = [0, 0, HALF_DISTANCE, math.sqrt(2), math.sqrt(2)]
    assert [match.distance for match in matches] == pytest.approx(expected, abs=1e-6)
    assert [match.index_distance for match in matches] == pytest.approx(expected, abs=1e-3)
    assert [match.rank for match in matches] == [1, 2, 3, 4, 5]
    for match in matches:
        assert match.cosine == 1 - match.distance**2 / 2
        assert match.similarity == 1 - match.distance


def test_the_answer_has_the_keys_of_the_contract_in_their_order(workshop: Workshop) -> None:
    workshop.publish()
    answer = workshop.searcher().search(RED).model_dump()
    assert list(answer) == [
        "query",
        "gallery",
        "build",
        "encoder",
        "scorer",
        "threshold",
        "calibration",
        "index",
        "exhaustive",
        "total",
        "matches",
        "timings",
    ]
    match = answer["matches"][0]
    assert list(match) == [
        "rank",
        "image_id",
        "uri",
        "label",
        "index_distance",
        "distance",
        "score",
        "cosine",
        "similarity",
        "closer_than",
        "closer_than_nearest",
        "closeness",
        "probability",
        "verdict",
        "evidence",
        "reason",
    ]
    assert list(match["evidence"]) == ["explained", "balance", "query", "matched"]
    assert list(match["evidence"]["explained"]) == ["of", "value", "baseline", "baseline_from", "method"]
    assert list(match["evidence"]["query"]) == ["factual", "counterfactual", "computed_from"]
    assert list(answer["query"]) == ["uri", "checksum"]
    assert list(answer["encoder"]) == ["name", "fingerprint"]
    assert list(answer["timings"]) == ["decode", "embed", "search", "rescore", "explain", "total"]


def test_evidence_points_at_the_half_that_is_alike(workshop: Workshop) -> None:
    workshop.publish()
    match = workshop.searcher().search(RED).matches[2]
    assert names([match]) == ["half.png"]
    matched = np.array(match.evidence.matched.factual)
    assert (matched[:, :2] > 0).all() and matched[:, 2:].max() == pytest.approx(0, abs=1e-6)
    query = np.array(match.evidence.query.factual)
    assert query == pytest.approx(np.full((4, 4), match.cosine / 16), abs=1e-3)


def test_without_a_calibration_nothing_is_invented_and_the_reason_is_told(workshop: Workshop) -> None:
    workshop.publish()
    answer = workshop.searcher().search(RED)
    assert answer.threshold is None
    assert answer.calibration.reason == "a toy was fitted on no pairs"
    for match in answer.matches:
        assert match.probability is None and match.verdict is None
        assert match.evidence.explained.baseline == 0


@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_the_maps_sum_to_the_margin_of_the_verdict(workshop: Workshop, fit: str) -> None:
    workshop.publish(calibration=fitted_at(1.0), fit=fit)
    tall = Upload(png(mosaic([["red"], ["blue"], ["lime"]])), "tall.png")
    seen = set()
    for query in (RED, NEARLY_RED, tall):
        for match in workshop.searcher().search(query).matches:
            explained = match.evidence.explained
            assert explained.value == pytest.approx(match.cosine, abs=1e-9)
            assert explained.baseline == pytest.approx(0.5)
            margin = explained.value - explained.baseline
            sign = 1 if match.verdict == "same" else -1
            assert signed_sum(match.evidence.query) == pytest.approx(sign * margin, abs=1e-5)
            assert signed_sum(match.evidence.matched) == pytest.approx(sign * margin, abs=1e-5)
            assert match.verdict == ("same" if match.distance <= 1 else "different")
            seen.add(match.verdict)
    assert seen == {"same", "different"}


def test_the_distance_can_be_explained_instead(workshop: Workshop) -> None:
    workshop.publish()
    match = workshop.searcher().search(NEARLY_RED, of="distance").matches[2]
    assert match.evidence.explained.of == "distance"
    assert match.evidence.explained.value == pytest.approx(HALF_DISTANCE, abs=1e-6)
    assert signed_sum(match.evidence.matched) == pytest.approx(0, abs=1e-5)


def test_no_more_matches_than_asked_for_and_no_more_than_there_are(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher(max_k=50)
    assert names(searcher.search(RED, k=1).matches) == names(searcher.search(RED, k=50).matches)[:1]
    assert len(searcher.search(RED, k=50).matches) == len(COLOURS)
    for k in (0, -1, 51):
        with pytest.raises(InvalidQuestion, match="between 1 and 50"):
            searcher.search(RED, k=k)


def test_overlays_of_more_matches_than_one_answer_can_hold_are_refused(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher(max_drawn=2)
    assert len(searcher.search(RED, k=2, extras=Extras(overlays=True)).matches) == 2
    assert len(searcher.search(RED, k=3).matches) == 3
    with pytest.raises(InvalidQuestion, match=r"at most 2 .* /v1/images/\{image_id\}/overlay"):
        searcher.search(RED, k=3, extras=Extras(overlays=True))


def test_no_more_pictures_are_decoded_and_drawn_on_at_once_than_there_are_slots(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.publish()
    searcher = workshop.searcher(decoding_slots=2)
    busy, most, lock, met = 0, 0, threading.Lock(), threading.Event()

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **options: Any) -> Any:
            nonlocal busy, most
            with lock:
                busy += 1
                most = max(most, busy)
                if most == 2:
                    met.set()
            met.wait(PATIENCE_S)  # as long as only one was ever at it
            time.sleep(0.005)
            try:
                return work(*args, **options)
            finally:
                with lock:
                    busy -= 1

        return counting

    monkeypatch.setattr("search_api.queries.reading.decode_for", counted(reading.decode_for))
    monkeypatch.setattr("search_api.evidence.overlays.paint_pair", counted(overlays.paint_pair))
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(searcher.search, Upload(png(noise(seed))), extras=Extras(overlays=True))
            for seed in range(8)
        ]
    assert all(len(each.result().matches) == len(COLOURS) for each in asked)
    assert most == 2


def test_of_an_upload_only_what_is_drawn_on_stays_in_memory(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher(overlay_max_side=64)
    wide = Upload(png(noise(1, size=(640, 320))), "wide.png")
    with searcher.builds.lend(None) as (build, checkpoint):
        subject = searcher.reader.subject(wide, build, checkpoint.record.preprocessing, Stopwatch())
    assert subject.upload is not None
    assert subject.upload.image.size == (64, 32)
    assert (subject.upload.placement.width, subject.upload.placement.height) == (640, 320)


class Inexact:
    """A search by an index that confuses the two nearest images; it notes how many it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counts: list[int] = []
        exact = Build.propose

        def propose(build: Build, embedding: Any, *, count: int, **options: Any) -> Proposal:
            self.counts.append(count)
            nearest, second, *others = exact(build, embedding, count=len(build), **options).candidates
            confused = [
                Candidate(second.image_id, nearest.index_distance),
                Candidate(nearest.image_id, second.index_distance),
                *others,
            ]
            return Proposal(confused[:count], exhaustive=False)

        monkeypatch.setattr(Build, "propose", propose)


def test_rescoring_puts_right_what_an_inexact_index_confuses(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = {"red.png": plain("red"), "half.png": HALF_RED, "blue.png": plain("blue")}
    workshop.publish(pictures=pictures)
    Inexact(monkeypatch)
    matches = workshop.searcher().search(RED).matches
    assert names(matches) == ["red.png", "half.png", "blue.png"]
    expected = [0, HALF_DISTANCE, math.sqrt(2)]
    assert [match.distance for match in matches] == pytest.approx(expected, abs=1e-6)
    assert matches[0].index_distance == pytest.approx(HALF_DISTANCE, abs=1e-3)


def test_oversampling_finds_what_an_inexact_index_would_leave_out(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.publish(pictures={"red.png": plain("red"), "half.png": HALF_RED, "blue.png": plain("blue")})
    index = Inexact(monkeypatch)
    assert names(workshop.searcher(oversampling=1.0).search(RED, k=1).matches) == ["half.png"]
    assert names(workshop.searcher(oversampling=1.5).search(RED, k=1).matches) == ["red.png"]
    assert index.counts == [1, 2]


def test_only_images_with_the_labels_are_found(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    assert names(searcher.search(RED, labels=["blue"]).matches) == ["blue.png"]
    assert len(searcher.search(RED, labels=["blue", "green"]).matches) == 2
    with pytest.raises(UnknownLabel, match="purple"):
        searcher.search(RED, labels=["blue", "purple"])


def test_an_image_of_the_gallery_finds_what_its_bytes_would_find(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    by_bytes = searcher.search(RED)
    image_id = by_bytes.matches[0].image_id
    assert image_id is not None
    by_id = searcher.search(Stored(image_id))
    assert by_id.matches == by_bytes.matches
    assert by_id.query.checksum == by_bytes.query.checksum
    assert by_id.timings.decode == by_id.timings.embed == 0
    with pytest.raises(ImageNotFound):
        searcher.search(Stored(987))


def test_equal_bytes_are_at_distance_zero_and_the_order_of_a_pair_does_not_matter(workshop: Workshop) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    noisy = Upload(png(HALF_RED.resize((50, 50))), "noisy.png")
    assert searcher.comparer.compare(noisy, noisy).distance == 0
    assert searcher.comparer.compare(RED, noisy).distance == searcher.comparer.compare(noisy, RED).distance
    there, back = (
        searcher.comparer.compare(RED, noisy).evidence,
        searcher.comparer.compare(noisy, RED).evidence,
    )
    assert there.query == back.matched and there.matched == back.query


def test_a_comparison_has_the_fields_of_a_match(workshop: Workshop) -> None:
    workshop.publish(calibration=fitted_at(1.0))
    answer = workshop.searcher().comparer.compare(RED, Upload(png(HALF_RED), "half.png"))
    assert list(answer.model_dump())[:16] == list(workshop.searcher().search(RED).matches[0].model_dump())
    assert answer.distance == pytest.approx(HALF_DISTANCE, abs=1e-6)
    assert (answer.rank, answer.image_id, answer.index_distance) == (1, None, None)
    assert (answer.uri, answer.query.uri, answer.verdict) == ("half.png", "red.png", "same")
    assert (answer.gallery, answer.build) == ("default", 1)


def test_an_encoder_compares_without_a_gallery(workshop: Workshop, tmp_path: Path) -> None:
    encoder = mean_colour_encoder(tmp_path, calibration=fitted_at(0.5))
    searcher = workshop.searcher()
    answer = searcher.comparer.compare_each_by(
        encoder, RED, [Upload(png(plain("blue")))], extras=Extras(overlays=True)
    )[0]
    assert answer.distance == pytest.approx(math.sqrt(2))
    assert (answer.verdict, answer.gallery, answer.build) == ("different", None, None)
    assert answer.overlays is not None and answer.overlays.matched.drawn_on == "upload"
    assert searcher.comparer.compare_each_by(encoder, RED, [RED])[0].distance == 0


def test_a_new_build_is_found_at_the_next_question_and_readers_of_the_old_one_finish(
    workshop: Workshop,
) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    assert searcher.search(RED).build == 1
    with searcher.builds.lend("default") as (old, _):
        workshop.publish(pictures={"grey/grey.png": plain("grey")})
        answer = searcher.search(Upload(png(plain("grey"))), k=1)
        assert (answer.build, names(answer.matches)) == (2, ["grey.png"])
        assert len(old.embeddings([1, 2])) == 2
    assert searcher.search(RED).build == 2


def test_builds_are_shared_by_questions_and_closed_when_replaced(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    with searcher.builds.lend("default") as (first, _), searcher.builds.lend("default") as (second, _):
        assert first is second
    closed: list[int] = []
    monkeypatch.setattr(type(first), "close", lambda build: closed.append(build.number))
    with searcher.builds.lend("default"):
        workshop.publish(pictures={"grey/grey.png": plain("grey")})
        searcher.search(RED)
        assert closed == []
    assert closed == [1]


def test_a_build_whose_encoder_cannot_be_read_is_closed_and_the_one_before_it_is_kept(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.publish()
    searcher = workshop.searcher()
    searcher.search(RED)
    workshop.publish(pictures={"grey/grey.png": plain("grey")})
    closed: list[int] = []
    with searcher.builds.lend("default") as (build, _):
        assert build.number == 2
    workshop.publish(pictures={"pink/pink.png": plain("pink")})

    def unreadable(path: Path) -> None:
        raise OSError(path)

    with monkeypatch.context() as broken:
        broken.setattr("search_api.loaded.checkpoints.load_record", unreadable)
        broken.setattr(type(build), "close", lambda build: closed.append(build.number))
        with pytest.raises(OSError):
            searcher.search(RED)
        assert closed == [3]
    assert searcher.search(RED).build == 3


def test_a_query_by_another_encoder_is_refused(workshop: Workshop) -> None:
    workshop.publish()
    with workshop.searcher().builds.lend("default") as (build, _):
        mean_colour_checkpoint(build.checkpoint, bias=(0.5, 0, 0))
    with pytest.raises(EncoderMismatch):
        workshop.searcher().search(NEARLY_RED)


def test_the_gallery_that_is_meant_is_the_only_one_or_the_default(workshop: Workshop) -> None:
    searcher = workshop.searcher()
    with pytest.raises(NothingPublished):
        searcher.search(RED)
    workshop.publish("paints")
    assert searcher.search(RED).gallery == "paints"
    workshop.publish("inks")
    with pytest.raises(AmbiguousGallery, match="inks, paints"):
        searcher.search(RED)
    assert searcher.search(RED, gallery="inks").gallery == "inks"
    workshop.publish("default")
    assert searcher.search(RED).gallery == "default"


def test_galleries_may_have_encoders_of_their_own(workshop: Workshop) -> None:
    workshop.publish("paints")
    workshop.publish("inks", bias=(1, 0, 0))
    searcher = workshop.searcher(encoders_kept=1)
    for _ in range(2):
        paints, inks = (searcher.search(NEARLY_RED, gallery=name) for name in ("paints", "inks"))
        assert paints.encoder.fingerprint != inks.encoder.fingerprint
        assert paints.matches[2].distance != pytest.approx(inks.matches[2].distance, abs=0.01)


def test_an_encoder_is_loaded_once(workshop: Workshop) -> None:
    workshop.publish("paints")
    workshop.publish("inks")
    searcher = workshop.searcher()
    loaded: list[Path] = []

    def load(path: Path) -> Encoder:
        loaded.append(path)
        return Encoder.load(path, device="cpu")

    searcher = type(searcher)(workshop.galleries, load_encoder=load)
    for name in ("paints", "inks", "paints"):
        searcher.search(NEARLY_RED, gallery=name)
    assert len(loaded) == 1


def test_a_picture_beyond_the_limits_or_of_no_format_is_refused_by_its_name(workshop: Workshop) -> None:
    workshop.publish()
    with pytest.raises(UnreadableImage, match=r"note\.txt: it is no picture"):
        workshop.searcher().search(Upload(b"not a picture", "note.txt"))
    with pytest.raises(UnreadableImage, match="64 × 64 pixels"):
        workshop.searcher(upload_max_pixels=1000).search(RED)
    with pytest.raises(UnreadableImage, match="larger than the 50 bytes"):
        workshop.searcher(upload_max_bytes=50).search(RED)
