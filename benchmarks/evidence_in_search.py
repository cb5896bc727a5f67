"""What evidence adds to a search: CPU time of its stages, over a gallery of a few hundred pictures.

    python benchmarks/evidence_in_search.py [DATA] [--images 300] [--queries 40] [--runtime …] [--weights …]

Every query is a picture that the gallery does not hold, so that it is decoded, prepared and run through the
network; ten matches.  The stages are those that every answer names, read from a clock of CPU time instead of
wall time.  "explain" reads the matches' local embeddings and makes the maps of them, which is timed besides,
and puts their reasons into words.  Without DATA, a folder of pictures, they are noise of a photo's size.
Exits with 1 if the maps add 5 % or more to the search without them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from gallery.database import open_engine
from gallery.galleries import Galleries
from gallery.sources.scanning import scan
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from migrations import schema
from search_api import stopwatch
from search_api.evidence import accounts
from search_api.queries.reading import SubjectReader
from search_api.queries.subjects import Upload
from search_api.search import Searcher
from siamese.encoder import Encoder
from siamese.onnx_runtime import computed_by

if TYPE_CHECKING:
    from search_api.schemas.search import SearchResponse

STAGES = ("decode", "embed", "search", "rescore", "explain")
MATCHES = 10
MOST = 0.05  # what the maps may add
PHOTO = (500, 375)  # pixels
SEED = 0


def main() -> int:
    """Index, search, print the stages and what the last one adds."""
    chosen = _arguments()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        pictures = _pictures(chosen.data, chosen.images + chosen.queries)
        galleries = _indexed(home, pictures[: chosen.images], weights=chosen.weights)
        searcher = Searcher(
            galleries,
            load_encoder=lambda path: computed_by(chosen.runtime, Encoder.load(path, device="cpu")),
        )
        stopwatch.perf_counter = time.process_time
        parts = [_timed(SubjectReader, "subjects_of"), _timed(accounts, "explained")]
        answers = [searcher.search(Upload(data), k=MATCHES) for data in pictures[chosen.images :]][1:]
        searcher.close()
    return _print(answers, chosen.runtime, 1e3 * sum(map(median, parts)))


def _timed(owner: ModuleType | type, function: str) -> list[float]:
    """From now on, the CPU seconds of each call of a function of a module or a class."""
    called, seconds = getattr(owner, function), []

    def timed(*given: object, **options: object) -> object:
        started = time.process_time()
        made = called(*given, **options)
        seconds.append(time.process_time() - started)
        return made

    setattr(owner, function, timed)
    return seconds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="a folder of pictures; noise without one")
    parser.add_argument("--images", type=int, default=300, help="of the gallery")
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--runtime", choices=("torch", "onnx"), default="torch")
    parser.add_argument("--weights", default="none", help="of mobilenet_v2: imagenet, none or a file")
    return parser.parse_args()


def _pictures(data: Path | None, count: int) -> list[bytes]:
    """So many files, all different."""
    if data is None:
        return [_noise(seed) for seed in range(count)]
    found = list({file.path.read_bytes(): None for file in list(scan([data]))[: 2 * count]})[:count]
    if len(found) < count:
        raise SystemExit(f"{data} holds {len(found)} different pictures, and {count} are needed.")
    return [found[place] for place in np.random.default_rng(SEED).permutation(count)]


def _noise(seed: int) -> bytes:
    """A JPEG of coarse noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    made = BytesIO()
    Image.fromarray(pixels).resize(PHOTO, Image.Resampling.BICUBIC).save(made, "JPEG", quality=90)
    return made.getvalue()


def _indexed(home: Path, pictures: list[bytes], *, weights: str) -> Galleries:
    source = home / "pictures"
    source.mkdir()
    for place, data in enumerate(pictures):
        (source / f"{place}.jpg").write_bytes(data)
    url = f"sqlite:///{home}/records.db"
    schema.upgrade(url)
    galleries = Galleries(home / "home", open_engine(url))
    index(galleries, "default", [source], EncoderChoice(body="mobilenet_v2", weights=weights, device="cpu"))
    return galleries


def _print(answers: list[SearchResponse], runtime: str, maps: float) -> int:
    stages = {name: median(getattr(each.timings, name) for each in answers) for name in STAGES}
    total = median(each.timings.total for each in answers)
    words, without = stages["explain"] - maps, total - stages["explain"]
    _say(f"A search of {MATCHES} matches by {answers[0].encoder.name}, runtime {runtime}, CPU time:")
    for name, milliseconds in stages.items():
        _say(f"  {name:<10}{milliseconds:8.2f} ms")
    _say(f"  {'total':<10}{total:8.2f} ms")
    _say(
        f"The maps take {maps:.2f} ms, {maps / without:.1%} of the search without evidence; "
        f"their reasons in words {words:.2f} ms, {words / without:.1%}."
    )
    return 0 if maps / without < MOST else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
