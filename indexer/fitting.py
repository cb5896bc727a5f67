"""An encoder for pictures without labels: a body as it is, and a linear layer fitted to the pictures."""

import random
import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from gallery.errors import OriginalUnavailable
from gallery.sources.source import SourceFile
from gallery.surveys.seen import Unreadable
from indexer.decoding import decoded
from indexer.errors import NothingToIndex
from indexer.processes import DecodingProcesses
from indexer.reading import decoding
from indexer.settings import IndexingSettings
from indexer.sources import Sources
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage, UnusableData
from siamese.images import ImageLimits
from siamese.preparing import Prepared
from siamese.progress import Progress
from siamese.threads import in_threads
from siamese.whitening import fit_to_gallery

MOST_TRIED = 2
"""Files that are drawn for each image that is fitted to: half of them may turn out to be no pictures."""


def fit_encoder(
    raw: Encoder,
    sources: Sources,
    *,
    settings: IndexingSettings,
    limits: ImageLimits,
    progress: Progress,
) -> Encoder:
    """Fit `raw`, an encoder of raw pooled features, to images drawn at random from all of the sources.

    The same files and the same seed give the same encoder. Raises NothingToIndex if none can be read.
    """
    files = drawn(sources.files(), MOST_TRIED * settings.fitting_images, seed=settings.fitting_seed)
    unreadable: list[Unreadable] = []
    how = decoding(raw, limits=limits, thumbnail_quality=None)
    count = settings.processes_for(len(files))
    with DecodingProcesses(how, count=count) as processes:
        decode = processes.decoded if count else (lambda data: decoded(data, how))

        def prepare(file: SourceFile) -> Prepared | None:
            try:
                return decode(file.read(most=limits.max_bytes)).prepared
            except (UnreadableImage, OriginalUnavailable) as error:
                unreadable.append(Unreadable(file.uri, None, str(error)))
                return None

        threads = count or settings.decoding_threads
        prepared = in_threads(prepare, files, ahead=settings.batch_size + threads, threads=threads)
        readable = islice((each for each in prepared if each is not None), settings.fitting_images)
        total = min(len(files), settings.fitting_images)
        images = progress.track(readable, description="fitting the encoder", total=total)
        with tempfile.TemporaryDirectory() as folder:
            try:
                return fit_to_gallery(raw, images, out=Path(folder), seed=settings.fitting_seed)
            except UnusableData as error:
                raise NothingToIndex(sources.uris, unreadable) from error


def drawn(files: Iterable[SourceFile], count: int, *, seed: int) -> list[SourceFile]:
    """So many of the files, or all if they are fewer, drawn at random and in random order.

    No more than these are ever held (Vitter 1985, algorithm R).
    """
    chance, kept = random.Random(seed), list[SourceFile]()
    for number, file in enumerate(files):
        if number < count:
            kept.append(file)
        elif (place := chance.randrange(number + 1)) < count:
            kept[place] = file
    random.Random(seed).shuffle(kept)
    return kept
