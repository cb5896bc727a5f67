"""What indexing costs beside the embedding itself: CPU seconds, memory, and what adding to a gallery takes.

    python benchmarks/indexing_cost.py cpu CHECKPOINT PICTURES --out FOLDER [--images 10000]
    python benchmarks/indexing_cost.py memory CHECKPOINT --out FOLDER [--images 2000 100000]
    python benchmarks/indexing_cost.py adding CHECKPOINT PICTURES --out FOLDER [--gallery N] [--added N]

`cpu`: CPU seconds, children included, of a whole run over copies of PICTURES, the start of its decoding
processes included, and of decoding, preparing and embedding the same copies in one loop, half of it before
the run and half after. `memory`: the largest proportional memory (PSS) of a run and its processes, sampled,
for each number of made-up pictures. `adding`: time, CPU seconds and bytes written of adding images below the
root of a large gallery, below a root of their own, and to a gallery that is empty; of a run with nothing new,
and of one that finds a file gone. The large gallery is filled with made-up embeddings of the encoder's shape,
through the same survey and the same writer. A copy is a picture with a number behind its end, which decoders
do not read, so that each is a content.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from io import BytesIO
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from spending import family, pss, spent

from gallery.database import open_engine
from gallery.galleries import Galleries
from gallery.segments.segment import EmbeddedContent
from gallery.sources.scanning import FolderSource, checksum, scan
from gallery.surveys.survey import Doubt
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.settings import IndexingSettings
from migrations.schema import upgrade
from siamese.decoding import decode_for
from siamese.encoder import Encoder
from siamese.onnx_runtime import Runtime

PER_FOLDER = 1000
OLD_NS = 10**18
"""A time of change long ago, so that files are not taken for those that are being written."""
SAMPLED_S = 0.2
SMALL = 48  # pixels of a made-up picture
NAME = "cost"


def main() -> None:
    """Run the benchmark that was asked for, and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["cpu", "memory", "adding"])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("pictures", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--images", type=int, nargs="*", default=None)
    parser.add_argument("--gallery", type=int, default=100_000)
    parser.add_argument("--added", type=int, default=1_000)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.what == "cpu":
        found = cpu(given.checkpoint, given.pictures, given.out, count=(given.images or [10_000])[0])
    elif given.what == "memory":
        found = memory(given.checkpoint, given.out, counts=given.images or [2_000, 100_000])
    else:
        found = adding(given.checkpoint, given.pictures, given.out, given.gallery, given.added)
    print(json.dumps(found, indent=1))


def cpu(checkpoint: Path, pictures: Path, out: Path, *, count: int) -> dict[str, float]:
    """CPU seconds of the loop alone and of a whole run, and their ratio."""
    root = copies(pictures, out / "pictures", count)
    files = sorted(file.path for file in scan([root]))
    encoder = Encoder.load(checkpoint, device="cpu")
    half = len(files) // 2
    alone = spent(lambda: embed_alone(encoder, files[:half])).cpu
    run = spent(lambda: run_over([root], checkpoint, out / "home"))
    alone += spent(lambda: embed_alone(encoder, files[half:])).cpu
    return {"images": count, "alone_cpu_s": alone, "run_cpu_s": run.cpu, "ratio": run.cpu / alone}


def embed_alone(encoder: Encoder, files: Sequence[Path]) -> None:
    """Decode, prepare and embed: what no indexer can do without."""
    iterator = iter(files)
    while batch := list(islice(iterator, IndexingSettings().batch_size)):
        images = (decode_for(file.read_bytes(), encoder.preprocessing) for file in batch)
        encoder.embed_directed([encoder.prepare(image) for image in images])


def memory(checkpoint: Path, out: Path, *, counts: Sequence[int]) -> dict[str, int]:
    """The largest PSS in bytes of a run over so many images; each in a process of its own."""
    found = {}
    for count in counts:
        root = made_up(out / f"made-up-{count}", count)
        child = os.fork()
        if child == 0:
            run_over([root], checkpoint, out / f"home-{count}")
            os._exit(0)
        found[str(count)] = watch(child)
    return found


def watch(process: int) -> int:
    """The largest PSS of the process and those below it until it ends."""
    largest = 0
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        largest = max(largest, sum(pss(each) for each in family(process)))
        time.sleep(SAMPLED_S)
    return largest


def adding(checkpoint: Path, pictures: Path, out: Path, gallery: int, added: int) -> dict[str, object]:
    """What adding takes, in each of three galleries; and deleting one of many."""
    root = made_up(out / "large", gallery)
    fill(root, checkpoint, out / "home-large")
    run_over([root], checkpoint, out / "home-large")  # nothing is new, but a main index is due
    copies(pictures, out / "alone", added, salt=1)
    copies(pictures, root / "added", added, salt=2)
    copies(pictures, out / "own", added, salt=3)
    empty = spent(lambda: run_over([out / "alone"], checkpoint, out / "home-alone"))
    inside = spent(lambda: run_over([root], checkpoint, out / "home-large"))
    beside = spent(lambda: run_over([out / "own"], checkpoint, out / "home-large"))
    again = spent(lambda: run_over([root], checkpoint, out / "home-large"))
    next(iter(root.rglob("0.jpg"))).unlink()
    deleted = spent(lambda: run_over([root], checkpoint, out / "home-large"))
    spending = {"empty": empty, "inside": inside, "beside": beside, "nothing": again, "deleted": deleted}
    ratios = {
        name: {unit: asdict(each)[unit] / asdict(empty)[unit] for unit in asdict(empty)}
        for name, each in spending.items()
    }
    return {"spent": {name: asdict(each) for name, each in spending.items()}, "ratios": ratios}


def fill(
    root: Path,
    checkpoint: Path,
    home: Path,
    *,
    drawn: Callable[[Encoder, np.random.Generator], NDArray[np.float32]] | None = None,
) -> None:
    """Publish a gallery of the root's files with made-up local embeddings (h, w, D) of the encoder's shape.

    `drawn` makes them; without it they are noise.
    """
    encoder = Encoder.load(checkpoint, device="cpu")
    with galleries_at(home).writer(NAME) as writer:
        writer.keep_checkpoint(checkpoint, encoder.fingerprint)
        survey = writer.survey([FolderSource(root)], encoder.fingerprint)
        doubts = (each for each in survey.compare(survey.sources[0]) if isinstance(each, Doubt))
        for batch in iter(lambda: list(islice(doubts, IndexingSettings().segment_size)), []):
            contents = [made_up_content(encoder, doubt, drawn or noise) for doubt in batch]
            writer.add_segment(contents, fingerprint=encoder.fingerprint)
            for doubt, content in zip(batch, contents, strict=True):
                survey.learn(doubt, checksum=content.checksum)
        writer.publish_survey(survey, fingerprint=encoder.fingerprint, encoder_name=encoder.name)


def noise(encoder: Encoder, numbers: np.random.Generator) -> NDArray[np.float32]:
    """Local embeddings without any likeness."""
    return numbers.standard_normal((*encoder.grid, encoder.dimension), dtype=np.float32)


def made_up_content(
    encoder: Encoder, doubt: Doubt, drawn: Callable[[Encoder, np.random.Generator], NDArray[np.float32]]
) -> EmbeddedContent:
    """The file's content, with what is drawn in place of what the encoder would make of it."""
    data = doubt.file.read(most=2**20)
    local = drawn(encoder, np.random.default_rng(list(data[-8:])))
    mean = local.mean(axis=(0, 1))
    embedding = (mean / np.linalg.norm(mean)).astype(np.float32)
    detail = np.zeros(encoder.grid, np.uint8)
    return EmbeddedContent(checksum(data), SMALL, SMALL, embedding, local, data, detail)


def run_over(roots: list[Path], checkpoint: Path, home: Path, *, runtime: Runtime = "torch") -> None:
    """A whole run of the indexer; a gallery that is there has its encoder."""
    galleries = galleries_at(home)
    given = None if galleries.names() else checkpoint
    choice = EncoderChoice(given, device="cpu", runtime=runtime, graphs=home.parent / "graphs")
    index(
        galleries,
        NAME,
        roots,
        choice,
        options=IndexingOptions(settings=IndexingSettings(decoding_processes=2)),
    )


def galleries_at(home: Path) -> Galleries:
    """The galleries of a home, whose records are made if they are not there."""
    url = f"sqlite:///{home / 'whyalike.db'}"
    upgrade(url)
    return Galleries(home, open_engine(url))


def copies(pictures: Path, root: Path, count: int, *, salt: int = 0) -> Path:
    """So many distinct contents below the root, each a picture with a number behind its end."""
    originals = cycle(sorted(pictures.rglob("*.jpg")))
    for number, original in enumerate(islice(originals, count)):
        put(root, number, original.read_bytes() + number.to_bytes(8, "big") + bytes([salt]))
    return root


def made_up(root: Path, count: int) -> Path:
    """So many small distinct pictures below the root."""
    data = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (SMALL, SMALL, 3), np.uint8)
    Image.fromarray(noise).save(data, "JPEG")
    for number in range(count):
        put(root, number, data.getvalue() + number.to_bytes(8, "big"))
    return root


def put(root: Path, number: int, data: bytes) -> None:
    """Write a file unless it is there, so that folders may be used again."""
    folder = root / f"{number // PER_FOLDER:04}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number % PER_FOLDER}.jpg"
    if not path.exists():
        path.write_bytes(data)
        os.utime(path, ns=(OLD_NS, OLD_NS))


if __name__ == "__main__":
    main()
