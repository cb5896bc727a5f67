"""A large JPEG has one embedding, whichever way it comes to an encoder that decodes at its own scale."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from explain.sights import look
from gallery.builds.build import Build
from gallery.swaps.swap import activate
from indexer.backfill import backfill
from indexer.decoding import decoded
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.processes import DecodingProcesses
from indexer.reading import decoding
from indexer.settings import IndexingSettings
from search_api.queries.subjects import Stored, Upload
from search_api.search import Searcher
from search_api.stopwatch import Stopwatch
from siamese.embedded_samples import embed_samples
from siamese.encoder import Encoder
from siamese.images import DEFAULT_LIMITS, ORIENTATION_TAG, decode
from siamese.samples import Sample, image_of
from tests.search_api.conftest import Workshop
from tests.toys import jpeg, mean_colour_checkpoint, noise
from whyalike.pictures import picture

WIDTH, HEIGHT = 901, 1203
"""Of the picture as it stands; it lies on its side in its file."""
ONLY = 1
"""The id of the gallery's one image."""


def lying() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = 6
    coarse = noise(4, size=(31, 23)).resize((HEIGHT, WIDTH), Image.Resampling.BICUBIC)
    return jpeg(coarse, exif=exif, quality=90)


@dataclass(frozen=True)
class Paths:
    """A gallery of one large JPEG whose encoder has a gap, by whichever way it was indexed."""

    file: Path
    searcher: Searcher
    encoder: Encoder

    @property
    def sample(self) -> Sample:
        data = self.file.read_bytes()
        return Sample(self.file, "lying.jpg", "coarse", hashlib.sha256(data).hexdigest())


def by_index(workshop: Workshop, file: Path, checkpoint: Path, *, processes: int) -> None:
    choice, how = EncoderChoice(checkpoint=checkpoint, device="cpu"), IndexingSettings()
    how = how.model_copy(update={"decoding_processes": processes})
    index(
        workshop.galleries,
        "default",
        [file.parent],
        choice,
        options=IndexingOptions(settings=how, local_embeddings="none"),
    )


def by_swap(workshop: Workshop, file: Path, checkpoint: Path) -> None:
    old = mean_colour_checkpoint(workshop.root / "old", grid=(8, 8))
    by_index(workshop, file, old, processes=0)
    encoder = Encoder.load(checkpoint, device="cpu")
    assert backfill(workshop.galleries, "default", checkpoint, encoder).embedded == 1
    with workshop.galleries.tenure("default") as tenure:
        activate(tenure)


INDEXED: dict[str, Callable[[Workshop, Path, Path], None]] = {
    "threads": lambda workshop, file, made: by_index(workshop, file, made, processes=0),
    "processes": lambda workshop, file, made: by_index(workshop, file, made, processes=1),
    "swap": by_swap,
}


@pytest.fixture(params=[(how, fit) for how in INDEXED for fit in ("crop", "pad")], ids="-".join)
def paths(workshop: Workshop, request: pytest.FixtureRequest) -> Paths:
    how, fit = request.param
    file = workshop.root / "pictures/lying.jpg"
    file.parent.mkdir()
    file.write_bytes(lying())
    checkpoint = mean_colour_checkpoint(workshop.root / "gap", fit=fit, reducing_gap=2.0)
    INDEXED[how](workshop, file, checkpoint)
    return Paths(file, workshop.searcher(), Encoder.load(checkpoint, device="cpu"))


def embeddings(paths: Paths, build: Build) -> dict[str, NDArray[np.float32]]:
    """The embedding of the file by every way that leads to one."""
    data, encoder, sample = paths.file.read_bytes(), paths.encoder, paths.sample
    trials = paths.searcher.trials
    how = decoding(encoder, limits=DEFAULT_LIMITS, thumbnail_quality=80)
    with DecodingProcesses(how, count=1) as processes:
        prepared = {
            "in a process": processes.decoded(data).prepared,
            "in a thread": decoded(data, how).prepared,
            "exported": encoder.prepare(picture(paths.file, encoder.preprocessing, limits=DEFAULT_LIMITS)),
        }
    image = image_of(sample, encoder.preprocessing, limits=DEFAULT_LIMITS)
    return {
        **{name: encoder.embed([each]).embeddings[0] for name, each in prepared.items()},
        "indexed": build.embeddings([ONLY])[0],
        "asked with": paths.searcher.reader.embedded(Upload(data), encoder, Stopwatch()).embedding,
        "evaluated": embed_samples(encoder, [sample]).embeddings[0],
        "looked at": look(encoder, [image])[0].embedding,
        "hidden in, uploaded": trials._sight(Upload(data), build, encoder)[0].embedding,
        "hidden in, stored": trials._sight(Stored(ONLY), build, encoder)[0].embedding,
    }


def test_the_same_bytes_have_the_same_embedding_on_every_path(paths: Paths) -> None:
    encoder = paths.encoder
    with paths.searcher.builds.lend("default") as (build, _):
        found = embeddings(paths, build)
        (image,) = build.images([ONLY])
        recomputed = paths.searcher.reader.stored([ONLY], build)[0]
        thumbnail = Image.open(BytesIO(build.thumbnail(ONLY)))
    for name, embedding in found.items():
        assert np.array_equal(embedding, found["indexed"]), name
    in_full = encoder.embed([encoder.prepare(decode(paths.file.read_bytes()))]).embeddings[0]
    assert not np.array_equal(in_full, found["indexed"]), "it was decoded in full, and so nothing is shown"
    uploaded = paths.searcher.reader.embedded(Upload(lying()), encoder, Stopwatch())
    assert recomputed.computed_from == "original"
    assert np.array_equal(recomputed.local_embeddings, uploaded.local_embeddings)
    assert np.array_equal(recomputed.detail, uploaded.detail)
    assert (image.width, image.height) == (WIDTH, HEIGHT)
    assert thumbnail.size == (128, round(128 * HEIGHT / WIDTH))


def test_other_bytes_of_the_same_pixels_are_found_at_distance_zero_and_drawn_in_full(paths: Paths) -> None:
    retold = lying() + b"a tail that no decoder reads"
    match = paths.searcher.search(Upload(retold)).matches[0]
    assert match.distance == 0
    pair = paths.searcher.comparer.compare_each_by(paths.encoder, Upload(lying()), [Upload(retold)])[0]
    assert pair.distance == 0
    shown = paths.searcher.reader.embedded(Upload(retold), paths.encoder, Stopwatch()).upload
    assert shown is not None
    assert shown.image.size == (round(WIDTH * 768 / HEIGHT), 768)
    assert (shown.placement.width, shown.placement.height) == (WIDTH, HEIGHT)
