"""The whole line on real scans that need no download: learn, measure, index, search, explain."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gallery.sources.scanning import scan
from indexer.encoders import EncoderChoice
from indexer.indexing import index
from indexer.options import IndexingOptions
from indexer.report import IndexingReport
from search_api.evidence.accounts import Extras
from search_api.queries.subjects import Upload
from search_api.schemas.search import MatchSchema
from search_api.search import Searcher
from siamese.encoder import Encoder
from siamese.evaluation import Evaluation, evaluate, try_encoder
from siamese.progress import Progress
from siamese.splits import stratified_split
from siamese.training import TrainingReport, train
from siamese.training_config import TrainingConfig
from whyalike.digits import DigitFolders
from whyalike.errors import UsageError
from whyalike.evidence import write_search_evidence
from whyalike.folders import read_folder
from whyalike.home import open_galleries
from whyalike.pictures import upload
from whyalike.settings import Settings
from whyalike.small_pictures import write_small
from whyalike.training import write_curves

GALLERY = "digits"
CONFIG = TrainingConfig.from_scratch()
NEAREST = 3
"""Matches in a figure that still fits a screen."""
FAR = 400
"""Matches after which another digit has been met: twice as many as there are of any one."""
PICTURE_WIDTH = 1000
VALIDATION = 0.1
"""Share of the gallery's digits that choose the epoch and calibrate; the queries are the test part."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A held-out digit, what it shows, the image that is nearest to it, and the nearest of another digit."""

    query: Upload
    label: str
    nearest: MatchSchema
    stranger: MatchSchema

    @property
    def doubt(self) -> float:
        """Minus the gap from the nearest image to the nearest of another digit; 0 where they are one."""
        return self.nearest.distance - self.stranger.distance


def learn(folders: DigitFolders, checkpoint: Path, settings: Settings, progress: Progress) -> TrainingReport:
    """Trains `small` from scratch on the gallery's digits."""
    samples = read_folder(folders.gallery, limits=settings.limits, progress=progress).samples
    split = stratified_split(samples, test=0.0, validation=VALIDATION)
    report = train(samples, split, CONFIG, checkpoint, device=settings.device, progress=progress)
    write_curves(checkpoint, report.history)
    return report


def measure(folders: DigitFolders, checkpoint: Path, settings: Settings, progress: Progress) -> Evaluation:
    """Asks with every held-out digit against the gallery's."""
    queries, references = (
        read_folder(root, limits=settings.limits, progress=progress).samples
        for root in (folders.queries, folders.gallery)
    )
    encoder = Encoder.load(checkpoint, device=settings.device)
    trial = try_encoder(encoder, references, queries=queries, progress=progress)
    return evaluate(
        trial, calibration=encoder.calibration, shown=encoder.record.for_search, heads=encoder.heads
    )


def require_own_gallery(settings: Settings) -> None:
    """Refuses a gallery of the demo's name that the demo did not make; raises UsageError."""
    made_by = {each.name: each.encoder_name for each in open_galleries(settings).summaries()}
    if made_by.get(GALLERY) not in {None, CONFIG.encoder_name}:
        raise UsageError(
            f"there is a gallery {GALLERY} that is not the demo's; set WHYALIKE_HOME to an empty folder"
        )


def index_digits(
    folders: DigitFolders, checkpoint: Path, settings: Settings, progress: Progress
) -> IndexingReport:
    """Makes the digits that are not held out a gallery; a demo that was run before is brought up to date."""
    choice = EncoderChoice(checkpoint=checkpoint, refit=True, device=settings.device)
    galleries = open_galleries(settings)
    return index(
        galleries,
        GALLERY,
        [folders.gallery],
        choice,
        options=IndexingOptions(settings=settings.indexing, progress=progress),
    )


def ask(folders: DigitFolders, searcher: Searcher, settings: Settings, progress: Progress) -> list[Answered]:
    """Searches with every held-out digit, among all images and among those of other digits."""
    files = list(scan([folders.queries]))
    labels = {file.label for file in files}
    answered = []
    for file in progress.track(files, description="searching"):
        query = upload(file.path, limits=settings.limits)
        nearest = searcher.search(query, gallery=GALLERY, k=1).matches[0]
        stranger = searcher.search(query, gallery=GALLERY, k=1, labels=labels - {file.label}).matches[0]
        answered.append(Answered(query, file.label, nearest, stranger))
    return answered


def first_of_each(answered: Sequence[Answered]) -> list[Answered]:
    """One held-out digit of every label."""
    return list({each.label: each for each in reversed(answered)}.values())[::-1]


def write_evidence(out: Path, searcher: Searcher, answered: Sequence[Answered]) -> list[Path]:
    """Writes why the clearest digit and the most doubtful one found what they did; returns the figures."""
    chosen = {"clear": min(answered, key=_doubt), "doubtful": max(answered, key=_doubt)}
    return [write_figure(out / name, searcher, each) for name, each in chosen.items()]


def write_figure(folder: Path, searcher: Searcher, asked: Answered) -> Path:
    """Writes the evidence of the nearest images and of the first that shows another digit, by their ranks."""
    answer = searcher.search(asked.query, gallery=GALLERY, k=FAR, extras=Extras(correspondences=True))
    strangers = [match for match in answer.matches[NEAREST:] if match.label != asked.label]
    shown = answer.model_copy(update={"matches": [*answer.matches[:NEAREST], *strangers[:1]]})
    heading = f"The {NEAREST} nearest in the gallery {GALLERY}, and the first that shows another digit"
    return write_search_evidence(folder, searcher, asked.query, shown, heading=heading)


def write_picture(figure: Path, path: Path) -> None:
    """Writes a figure once more, with few enough pixels and colours to be a small file."""
    write_small(Image.open(figure), path, width=PICTURE_WIDTH)


def _doubt(asked: Answered) -> float:
    return asked.doubt
