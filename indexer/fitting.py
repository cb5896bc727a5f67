"""An encoder for pictures without labels: a body as it is, and a linear layer fitted to the pictures."""

import random
import tempfile
from itertools import islice
from pathlib import Path

from gallery.errors import OriginalUnavailable
from gallery.seen import Unreadable
from gallery.source import SourceFile
from indexer.errors import NothingToIndex
from indexer.settings import IndexingSettings
from indexer.sources import Sources
from siamese.encoder import Encoder
from siamese.errors import UnreadableImage, UnusableData
from siamese.images import ImageLimits, decode
from siamese.preparing import Prepared
from siamese.progress import Progress
from siamese.threads import in_threads
from siamese.whitening import fit_to_gallery


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
    files = list(sources.files())
    random.Random(settings.fitting_seed).shuffle(files)
    unreadable: list[Unreadable] = []

    def prepare(file: SourceFile) -> Prepared | None:
        try:
            return raw.prepare(decode(file.read(most=limits.max_bytes), limits=limits))
        except (UnreadableImage, OriginalUnavailable) as error:
            unreadable.append(Unreadable(file.uri, None, str(error)))
            return None

    threads = settings.decoding_threads
    prepared = in_threads(prepare, files, ahead=settings.batch_size + threads, threads=threads)
    drawn = islice((each for each in prepared if each is not None), settings.fitting_images)
    total = min(len(files), settings.fitting_images)
    images = progress.track(drawn, description="fitting the encoder", total=total)
    with tempfile.TemporaryDirectory() as folder:
        try:
            return fit_to_gallery(raw, images, out=Path(folder), seed=settings.fitting_seed)
        except UnusableData as error:
            raise NothingToIndex(sources.uris, unreadable) from error
