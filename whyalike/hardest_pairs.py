"""The hardest pairs of an evaluation as pictures, each with the evidence for its wrong verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from explain.chances import percentage
from explain.evaluation_page import PairCard, PairCards, Picture, Section
from explain.evidence import Evidence, Side, explain
from explain.heatmap import shared_scale
from explain.panels import Shown, tile
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage, ZeroEmbedding
from siamese.evaluation import Evaluation
from siamese.images import ImageLimits
from siamese.measured import JudgedPair
from siamese.samples import Sample, image_of
from siamese.trial import Trial

PAIRS = 6
"""Of each kind: what one looks at, and not what one scrolls past."""
TILE = 240


def hardest_section(
    evaluation: Evaluation, trial: Trial, encoder: Encoder, *, limits: ImageLimits
) -> Section:
    """The pairs that were taken for same or different most confidently, and wrongly."""
    samples = {each.uri: each for each in (*trial.references.samples, *trial.queries.samples)}
    asking = {each.uri: each for each in trial.queries.samples}
    kinds = (
        ("Taken for same", evaluation.hardest.taken_for_same),
        ("Taken for different", evaluation.hardest.taken_for_different),
    )
    blocks = []
    for heading, judged in kinds:
        cards = [
            _card(pair, asking[pair.query], samples[pair.matched], encoder, limits) for pair in judged[:PAIRS]
        ]
        if cards:
            blocks.append(PairCards(heading, tuple(cards)))
    sentences = (
        "Of the pairs that a search shows, those that its verdict is most confidently wrong about. Orange "
        "speaks for the verdict, blue against it; both images of a pair are on one scale."
        if blocks
        else "No verdict on a shown pair is wrong.",
    )
    return Section("Hardest pairs", sentences, tuple(blocks))


def _card(pair: JudgedPair, asked: Sample, found: Sample, encoder: Encoder, limits: ImageLimits) -> PairCard:
    chance = "none" if pair.probability is None else percentage(pair.probability)
    facts = (
        ("distance", f"{pair.distance:.3f}"),
        ("probability same", chance),
        ("verdict", pair.verdict or "none"),
    )
    title = f"{pair.query_label} and {pair.matched_label}"
    try:
        pictures = _pictures(pair, (asked, found), encoder, limits)
    except (UnreadableImage, ZeroEmbedding) as error:
        return PairCard(title, (*facts, ("no picture", str(error))), ())
    return PairCard(title, facts, pictures)


def _pictures(
    pair: JudgedPair, samples: Sequence[Sample], encoder: Encoder, limits: ImageLimits
) -> tuple[Picture, ...]:
    """Both images, and below them both under their heat."""
    images = [image_of(sample, encoder.preprocessing, limits=limits) for sample in samples]
    embedded = encoder.embed([encoder.prepare(image) for image in images])
    threshold = encoder.record.for_search.threshold
    evidence = explain(
        embedded.local_embeddings[0],
        embedded.local_embeddings[1],
        threshold=threshold,
        verdict=pair.verdict,
        query_embedding=embedded.embeddings[0],
        matched_embedding=embedded.embeddings[1],
    )
    shown = [
        Shown(image.pixels, encoder.preprocessing.placement(*image.size), Path(sample.uri).name, sample.label)
        for image, sample in zip(images, samples, strict=True)
    ]
    roles = ("query", "match")
    plain = [
        Picture(tile(each, TILE), f"The {role}, labelled {each.label}", f"{role}: {each.label}, {each.name}")
        for role, each in zip(roles, shown, strict=True)
    ]
    return (*plain, *_heated(shown, evidence, roles))


def _heated(shown: Sequence[Shown], evidence: Evidence, roles: Sequence[str]) -> list[Picture]:
    scale = shared_scale(evidence)
    sides: tuple[Side, Side] = (evidence.query, evidence.matched)
    return [
        Picture(
            tile(each, TILE, scale=scale, factual=side.factual, counterfactual=side.counterfactual),
            f"Evidence on the {role}",
            f"for {side.factual.sum():.3f}, against {side.counterfactual.sum():.3f}",
        )
        for role, each, side in zip(roles, shown, sides, strict=True)
    ]
