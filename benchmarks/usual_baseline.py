"""What the usual cosine of a gallery does to evidence that is read without a verdict.

For images of a published gallery, drawn at random, each with the image that is its nearest but for the
--rank - 1 nearer ones.  By each baseline (0; the mean and quantiles of the gallery's pairs; its own, which is
half-way): which share of the cells holds half of the factual heat, the area of the focus, how many matches
have a counterfactual map that is not blank and which share of all heat it has, how many maps are nearly even,
how many different reasons there are, and how many matches lie below the baseline.

With --hidden every cell of so many queries is blurred, one after the other.  A cell is rightly called factual
where that lowers the cosine, and counterfactual where it raises it: the balanced accuracy of the signs.
Deletion and insertion, as in `whyalike compare --faithfulness`, are told once: a baseline changes no order.

    python benchmarks/usual_baseline.py GALLERY [--queries 100] [--rank 1] [--hidden 30]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from explain.evidence import Evidence, explain_matches
from explain.focus import Focus
from explain.map_trial import MapTrial, try_map
from explain.perturbing import Hiding
from explain.reason_warnings import near_uniform
from explain.reasons import Reason, Seen, reasons
from explain.sights import look
from explain.standings import Standing
from explain.what_if import signed
from gallery.builds.build import Build
from gallery.usual import IMAGES, share_below, share_of_nearest_below, usual_of
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from whyalike.console import progress
from whyalike.home import open_galleries
from whyalike.settings import read_settings
from whyalike.tables import print_rows

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99)
SEED = 0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """An image of the gallery and its match: what is stored of both, (h, w, D) and (D,), and the pictures."""

    uri: str
    local: tuple[NDArray[np.float32], NDArray[np.float32]]
    embeddings: tuple[NDArray[np.float32], NDArray[np.float32]]
    seen: tuple[Seen, Seen]

    @property
    def cosine(self) -> float:
        """Of both."""
        return float(self.embeddings[0].astype(np.float64) @ self.embeddings[1])

    def evidence(self, usual: float) -> Evidence:
        """Without a verdict, from this baseline."""
        return explain_matches(
            self.local[0],
            self.local[1][None],
            usual=usual,
            query_embedding=self.embeddings[0],
            matched_embeddings=self.embeddings[1][None],
        )[0]


@dataclass(frozen=True, slots=True, eq=False)
class Blurred:
    """A query whose cells were hidden one by one: its relevance (n,) in cells' worth of cosine, the changes
    (n,) of the cosine, and the trial of its map by deletion and insertion.
    """

    relevance: Floats
    changes: Floats
    trial: MapTrial


def main() -> None:
    """Measure and print."""
    wanted = _arguments()
    torch.set_num_threads(1)
    build = open_galleries(read_settings()).open(wanted.gallery)
    encoder = Encoder.load(build.checkpoint, device="cpu")
    drawn = _drawn(build, encoder, count=wanted.queries, rank=wanted.rank)
    print(
        f"{wanted.gallery}: {len(build)} images, {encoder.name}; match {wanted.rank} of {len(drawn)} queries"
    )
    levels = _levels(build)
    _print_shapes(drawn, levels, build)
    if wanted.hidden:
        _print_signs(_blurred(drawn[: wanted.hidden], encoder), levels)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("gallery")
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--rank", type=int, default=1)
    parser.add_argument("--hidden", type=int, default=0)
    return parser.parse_args()


def _drawn(build: Build, encoder: Encoder, *, count: int, rank: int) -> list[Pair]:
    ids = [each.image_id for each in build]
    embeddings = build.embeddings(ids)
    queries = np.random.default_rng(SEED).choice(len(ids), min(count, len(ids)), replace=False)
    nearest = [int(np.argsort(-(embeddings @ embeddings[query]), kind="stable")[rank]) for query in queries]
    return [
        _pair(build, encoder, ids[query], ids[match]) for query, match in zip(queries, nearest, strict=True)
    ]


def _pair(build: Build, encoder: Encoder, query: int, match: int) -> Pair:
    ids = [query, match]
    local, embeddings, detail = build.local_embeddings(ids), build.embeddings(ids), build.cell_detail(ids)
    assert local is not None, "the gallery keeps local embeddings"
    images = build.images(ids)
    seen = [
        Seen(encoder.preprocessing.placement(image.width, image.height), cells)
        for image, cells in zip(images, detail, strict=True)
    ]
    return Pair(images[0].uri, (local[0], local[1]), (embeddings[0], embeddings[1]), (seen[0], seen[1]))


def _levels(build: Build) -> dict[str, float]:
    """Baselines by their names."""
    ids = [each.image_id for each in build]
    some = np.random.default_rng(SEED).choice(ids, min(IMAGES, len(ids)), replace=False)
    embeddings = build.embeddings(some.tolist())
    cosines = (embeddings @ embeddings.T)[np.triu_indices(len(some), k=1)]
    levels = {f"{100 * level:g} % of pairs": float(np.quantile(cosines, level)) for level in QUANTILES}
    usual = build.manifest.usual or usual_of(embeddings)
    assert usual is not None, "the gallery is large enough"
    return {"0": 0.0, "mean of pairs": float(cosines.mean()), **levels, "half-way": usual.baseline}


def _print_shapes(pairs: Sequence[Pair], levels: dict[str, float], build: Build) -> None:
    headings = ("baseline", "cosine", "half of the heat", "focus", "blue", "its share", "even", "reasons")
    print_rows((*headings, "below"), [_shape(name, level, pairs, build) for name, level in levels.items()])


def _shape(name: str, level: float, pairs: Sequence[Pair], build: Build) -> tuple[str, ...]:
    evidence = [pair.evidence(level) for pair in pairs]
    told = [
        _reason(why, pair, build, told_usual=level > 0) for why, pair in zip(evidence, pairs, strict=True)
    ]
    sides = [side for why in evidence for side in (why.query, why.matched)]
    foci: list[Focus] = [focus for each in told for focus in (each.query, each.matched) if not focus.blank]
    blue = [why.query.counterfactual.any() or why.matched.counterfactual.any() for why in evidence]
    against = sum(float(side.counterfactual.sum()) for side in sides)
    heat = against + sum(float(side.factual.sum()) for side in sides)
    return (
        name,
        f"{level:.3f}",
        f"{100 * np.mean([_half(side.factual) for side in sides if side.factual.any()]):.0f} %",
        f"{100 * np.mean([each.area for each in foci]):.0f} %",
        f"{100 * np.mean(blue):.0f} %",
        f"{100 * against / heat:.1f} %",
        f"{100 * np.mean([near_uniform(each) for each in foci]):.1f} %",
        str(len({each.text for each in told})),
        f"{100 * np.mean([pair.cosine <= level for pair in pairs]):.0f} %",
    )


def _reason(why: Evidence, pair: Pair, build: Build, *, told_usual: bool) -> Reason:
    """As a search tells it; from a baseline of 0 as of a gallery that knows nothing of itself."""
    usual = build.manifest.usual if told_usual else None
    if usual is None:
        why = replace(why, explained=replace(why.explained, baseline_from="none"))
    standing = None
    if usual is not None:
        standing = Standing(share_below(usual, pair.cosine), share_of_nearest_below(usual, pair.cosine))
    return reasons([why], pair.seen[0], [pair.seen[1]], [None], [standing])[0]


def _half(grid: NDArray[np.float32]) -> float:
    """The share of the cells, the hottest first, that holds half of the heat."""
    carried = np.sort(grid.ravel())[::-1].cumsum(dtype=np.float64)
    return (np.count_nonzero(carried < carried[-1] / 2) + 1) / grid.size


def _blurred(pairs: Sequence[Pair], encoder: Encoder) -> list[Blurred]:
    tracked = progress().track(pairs, description="hiding cells", total=len(pairs))
    return [_blurred_one(pair, encoder) for pair in tracked]


def _blurred_one(pair: Pair, encoder: Encoder) -> Blurred:
    image = decode_for(Path(pair.uri).read_bytes(), encoder.preprocessing, limits=ImageLimits())
    hiding, partner = Hiding.of(encoder, look(encoder, [image])[0]), pair.embeddings[1]
    grid = signed(pair.evidence(0.0).query)
    rows, columns = grid.shape
    side = len(hiding.sight.seen)
    masks = []
    for cell in np.ndindex(rows, columns):
        mask = np.zeros((side, side), np.bool_)
        top, left = cell[0] * side // rows, cell[1] * side // columns
        mask[top : (cell[0] + 1) * side // rows, left : (cell[1] + 1) * side // columns] = True
        masks.append(mask)
    left_over = np.concatenate([hiding.embed([hiding.blurred(mask)]) for mask in masks])
    changes = (left_over @ partner).astype(np.float64) - float(hiding.sight.embedding @ partner)
    trial = try_map(hiding, grid, lambda embeddings: (embeddings @ partner).astype(np.float64))
    return Blurred(grid.ravel() * grid.size, changes, trial)


def _print_signs(found: Sequence[Blurred], levels: dict[str, float]) -> None:
    relevance = np.concatenate([each.relevance for each in found])
    changes = np.concatenate([each.changes for each in found])
    rows = [_signs(name, level, relevance, changes) for name, level in levels.items()]
    print_rows(("baseline", "right signs", "cells against", "hiding for", "hiding against"), rows)
    trials = [each.trial for each in found]
    own, chance = [each.own for each in trials], [area for each in trials for area in each.chance]
    headings = ("map", "deletion", "insertion", "beats chance")
    areas = [
        (name, f"{np.mean([x.deletion for x in each]):.3f}", f"{np.mean([x.insertion for x in each]):.3f}")
        for name, each in (("relevance map", own), ("chance", chance))
    ]
    beats = f"{100 * np.mean([each.beats for each in trials]):.0f} %"
    print_rows(headings, [(*areas[0], beats), (*areas[1], "–")])


def _signs(name: str, level: float, relevance: Floats, changes: Floats) -> tuple[str, ...]:
    factual = relevance > level
    falls, rises = changes < 0, changes > 0
    right = ((factual & falls).sum() / falls.sum() + (~factual & rises).sum() / rises.sum()) / 2
    against = f"{changes[~factual].mean():+.4f}" if not factual.all() else "–"
    share = f"{100 * (~factual).mean():.0f} %"
    return name, f"{100 * right:.1f} %", share, f"{changes[factual].mean():+.4f}", against


if __name__ == "__main__":
    main()
