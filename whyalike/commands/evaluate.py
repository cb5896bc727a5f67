"""`whyalike evaluate`: how well an encoder finds and tells apart, as numbers."""

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from whyalike import splitting_options as parts
from whyalike.options import Body, Device, Fit, FitChoice, ImageSize, Json, Runtime, Weights

if TYPE_CHECKING:
    from siamese.encoder import Encoder
    from siamese.preprocessing import Preprocessing
    from whyalike.computing import Computing


def evaluate(
    first: Annotated[
        Path | None,
        typer.Argument(metavar="CHECKPOINT", help="An encoder from `whyalike train`; may be left out."),
    ] = None,
    second: Annotated[
        Path | None, typer.Argument(metavar="DATA", help="A folder of images in folders by label.")
    ] = None,
    queries: Annotated[
        Path | None, typer.Option("--queries", metavar="DIR", help="Ask with these images against DATA.")
    ] = None,
    group_by: parts.GroupBy = None,
    near_duplicates: parts.NearDuplicates = True,
    body: Body = None,
    weights: Weights = None,
    image_size: ImageSize = None,
    fit: Fit = None,
    seed: Annotated[int, typer.Option("--seed", help="Draws the pairs.")] = 0,
    device: Device = None,
    runtime: Runtime = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Also test the maps by hiding regions; takes minutes.")
    ] = False,
    evidence_pairs: Annotated[
        int | None,
        typer.Option("--evidence-pairs", metavar="N", min=2, help="On so many pairs; by default 300."),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--page", metavar="FILE.html", help="Write plots, tables and hardest pairs as one page."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Measure how well an encoder finds images of the same label and tells pairs apart.

    Without a checkpoint, the body's raw pooled features are judged. No image is judged against one of its own
    group, or against its duplicate or near-duplicate; on the folder that a checkpoint was trained on, its own
    split says which these are.
    """
    from siamese.checkpoint import load_record
    from siamese.evaluation import evaluate as judge
    from siamese.evaluation import try_encoder
    from whyalike.computing import choose_computing
    from whyalike.console import progress
    from whyalike.evaluation_page import Evaluated, write_evaluation_page
    from whyalike.evaluation_tables import print_evaluation
    from whyalike.evidence_evaluation import measured_evidence, print_evidence, wanted_pairs, with_evidence
    from whyalike.folders import read_folder, require_two_labels
    from whyalike.settings import read_settings
    from whyalike.splitting import ties_finder
    from whyalike.summaries import say_unreadable
    from whyalike.tables import print_json

    settings, pairs = read_settings(), wanted_pairs(evidence, evidence_pairs)
    checkpoint, data = _checkpoint_and_data(
        first, second, body=body, weights=weights, image_size=image_size, fit=fit
    )
    if checkpoint:
        load_record(checkpoint)  # what is no checkpoint is told before a large folder is read
    shown = progress()
    computing = choose_computing(settings, device=device, runtime=runtime)
    folder = read_folder(data, limits=settings.limits, progress=shown)
    asking = read_folder(queries, limits=settings.limits, progress=shown) if queries else None
    require_two_labels([*folder.samples, *(asking.samples if asking else ())])
    encoder = _encoder(checkpoint, body, weights, _preprocessing(image_size, fit), computing=computing)
    trial = try_encoder(
        encoder,
        folder.samples,
        queries=asking.samples if asking else None,
        ties=ties_finder(
            group_by=group_by,
            near_duplicates=near_duplicates,
            limits=settings.limits,
            progress=shown,
        ),
        seed=seed,
        limits=settings.limits,
        progress=shown,
    )
    record = encoder.record
    evaluation = judge(trial, calibration=record.calibration, shown=record.for_search, heads=encoder.heads)
    tested = measured_evidence(encoder, trial, pairs, seed=seed, limits=settings.limits, progress=shown)
    if page is not None:
        shown.say(f"drawing {page}")
        today = datetime.now(timezone.utc).date()
        write_evaluation_page(
            page, Evaluated(encoder, trial, evaluation, tested), limits=settings.limits, today=today
        )
    say_unreadable([*folder.unreadable, *(asking.unreadable if asking else ()), *evaluation.unreadable])
    if json:
        print_json(with_evidence(evaluation, tested))
    else:
        print_evaluation(evaluation, encoder.name, page=page)
        print_evidence(tested)


def _checkpoint_and_data(
    first: Path | None, second: Path | None, **of_a_body: object
) -> tuple[Path | None, Path]:
    """Which path is which; raises UsageError."""
    from siamese.checkpoint import RECORD_FILE
    from whyalike.errors import UsageError

    if first is None:
        raise UsageError(
            "name a folder of images to evaluate on, and before it, if you have one, a checkpoint"
        )
    if second is None:
        if (first / RECORD_FILE).exists():
            raise UsageError(f"{first} is a checkpoint; name the folder of images after it")
        return None, first
    for name, value in of_a_body.items():
        if value is not None:
            raise UsageError(f"the checkpoint {first} has its own {name}: leave out the option")
    return first, second


def _preprocessing(image_size: int | None, fit: FitChoice | None) -> "Preprocessing":
    """The encoder's square, as the options want it."""
    from siamese.preprocessing import Preprocessing

    wanted = {"image_size": image_size, "fit": fit.value if fit else None}
    chosen = {name: value for name, value in wanted.items() if value is not None}
    return Preprocessing.of_new_encoders(**chosen)


def _encoder(
    checkpoint: Path | None,
    body: str | None,
    weights: str | None,
    preprocessing: "Preprocessing",
    *,
    computing: "Computing",
) -> "Encoder":
    """The checkpoint's encoder, or the body's raw pooled features."""
    if checkpoint:
        return computing.load(checkpoint)
    from indexer.encoders import DEFAULT_BODY, DEFAULT_WEIGHTS
    from siamese.encoder import Encoder

    raw = Encoder.from_body(
        body or DEFAULT_BODY,
        weights=weights or DEFAULT_WEIGHTS,
        preprocessing=preprocessing,
        device=computing.device,
    )
    return computing.computed(raw)
