"""How often the words for a best match's standing among nearest pairs are right, where labels were not told.

A gallery by an encoder that learned from no labels, whose images have labels all the same.  By each word
(explain/standings.py) it prints

- of each image, asked with among the others: how many best matches are told so, and how many of those have
  the label of the query;
- of the same, how many would be told so if the nearest had been sought within a tenth of the gallery;
- of each image, asked with in the gallery without the images of its own label, so that nothing like it is
  there: how many best matches are told so;
- with --foreign FOLDER, the same of pictures of something else.

    python benchmarks/standing.py GALLERY [--foreign FOLDER]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray

from explain.standings import Closeness, Standing
from gallery.builds.build import Build
from gallery.manifest import UsualClaims
from gallery.sources.scanning import scan
from gallery.usual import IMAGES, share_below, share_of_nearest_below, usual_of
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.images import ImageLimits
from whyalike.console import progress
from whyalike.home import open_galleries
from whyalike.settings import read_settings
from whyalike.tables import print_rows

SEED = 0
FOREIGN = 300
"""Pictures of the folder that are asked with, drawn at random."""
WORDS: tuple[Closeness, ...] = get_args(Closeness)

Floats = NDArray[np.float32]


def main() -> None:
    """Measure and print."""
    wanted = _arguments()
    torch.set_num_threads(1)
    build = open_galleries(read_settings()).open(wanted.gallery)
    images = list(build)
    embeddings = build.embeddings([each.image_id for each in images])
    labels = np.array([each.label or "" for each in images])
    cosines = embeddings @ embeddings.T
    np.fill_diagonal(cosines, -1)
    usual = _usual(embeddings, cosines)
    print(
        f"{wanted.gallery}: {len(images)} images of {len(set(labels))} labels, {build.manifest.encoder.name}"
    )
    right = labels[cosines.argmax(axis=1)] == labels
    told = _words(usual, cosines.max(axis=1))
    without = np.concatenate(
        [_left_out(embeddings, cosines, labels == label) for label in sorted(set(labels))]
    )
    columns = {
        "asked with": told,
        "by a tenth": _by_a_tenth(embeddings, cosines),
        "its label left out": without,
    }
    if wanted.foreign:
        columns[f"of {wanted.foreign.name}"] = _words(usual, _best_of(wanted.foreign, embeddings, build))
    _print(columns, told, right)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("gallery")
    parser.add_argument("--foreign", type=Path)
    return parser.parse_args()


def _usual(embeddings: Floats, cosines: Floats) -> UsualClaims:
    """As a build measures it, but of all images and not of a sample."""
    usual = usual_of(embeddings[:IMAGES], cosines.max(axis=1).astype(np.float64))
    assert usual is not None, "the gallery is large enough"
    return usual


def _words(usual: UsualClaims, cosines: Floats) -> NDArray[np.str_]:
    """What is said of matches of these cosines (n,)."""
    each = [Standing(share_below(usual, x), share_of_nearest_below(usual, x)) for x in cosines.tolist()]
    return np.array([standing.closeness for standing in each])


def _by_a_tenth(embeddings: Floats, cosines: Floats) -> NDArray[np.str_]:
    """What would be said of all best matches, had the nearest been sought within a tenth of the images."""
    some = np.random.default_rng(SEED).permutation(len(embeddings))[: len(embeddings) // 10]
    return _words(_usual(embeddings[some], cosines[np.ix_(some, some)]), cosines.max(axis=1))


def _left_out(embeddings: Floats, cosines: Floats, own: NDArray[np.bool_]) -> NDArray[np.str_]:
    """What is said of the best matches of these images among all others."""
    usual = _usual(embeddings[~own], cosines[np.ix_(~own, ~own)])
    return _words(usual, cosines[np.ix_(own, ~own)].max(axis=1))


def _best_of(folder: Path, embeddings: Floats, build: Build) -> Floats:
    """The cosines (n,) of pictures of the folder with the nearest image of the gallery."""
    encoder = Encoder.load(build.checkpoint, device="cpu")
    files = np.array([each.path for each in scan([folder])])
    drawn = np.random.default_rng(SEED).permutation(files)[:FOREIGN].tolist()
    tracked: Sequence[Path] = list(drawn)
    best = []
    for path in progress().track(tracked, description="embedding", total=len(tracked)):
        image = decode_for(path.read_bytes(), encoder.preprocessing, limits=ImageLimits())
        best.append((embeddings @ encoder.embed([encoder.prepare(image)]).embeddings[0]).max())
    return np.array(best, np.float32)


def _print(columns: dict[str, NDArray[np.str_]], told: NDArray[np.str_], right: NDArray[np.bool_]) -> None:
    rows = [
        (word, *(_percent(words == word) for words in columns.values()), _percent(right[told == word]))
        for word in WORDS
    ]
    print_rows(("told", *columns, "right"), [*rows, ("all", *("" for _ in columns), _percent(right))])


def _percent(flags: NDArray[np.bool_]) -> str:
    return f"{100 * flags.mean():.0f} %" if len(flags) else "–"


if __name__ == "__main__":
    main()
