"""`whyalike train`: folders of labelled pictures, or pairs that were judged, teach an encoder."""

import time
from pathlib import Path
from typing import Annotated

import typer

from whyalike import splitting_options as parts
from whyalike import training_options as options
from whyalike.options import Body, Device, Dimension, Fit, ImageSize, Weights


def train(
    ctx: typer.Context,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder of images in folders by label.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="CHECKPOINT", help="The folder to write the encoder to.")
    ],
    val: Annotated[
        Path | None,
        typer.Option("--val", metavar="DIR", help="Validate with this folder instead of a split of DATA."),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs",
            metavar="FILE",
            help="Learn from judged pairs instead of labels: a CSV file with the header first,second,same, "
            "whose paths are below DATA or absolute.",
        ),
    ] = None,
    split: parts.Kind = None,
    split_seed: parts.Seed = None,
    test_share: parts.TestShare = None,
    validation_share: parts.ValidationShare = None,
    hold_out_labels: parts.HoldOutLabels = None,
    group_by: parts.GroupBy = None,
    near_duplicates: parts.NearDuplicates = True,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="A TOML file of choices (image_size = 224), or a checkpoint to train like; options win.",
        ),
    ] = None,
    body: Body = None,
    weights: Weights = None,
    dimension: Dimension = None,
    image_size: ImageSize = None,
    training_size: options.TrainingSize = None,
    fit: Fit = None,
    reducing_gap: options.ReducingGap = None,
    augmentation: options.Augmentation = None,
    loss: options.Loss = None,
    class_head: options.ClassHead = None,
    margin: options.Margin = None,
    trainable: options.Trainable = None,
    head_epochs: options.HeadEpochs = None,
    epochs: options.Epochs = None,
    patience: options.Patience = None,
    batch_size: options.BatchSize = None,
    images_per_label: options.ImagesPerLabel = None,
    optimizer: options.Optimizer = None,
    rate: options.Rate = None,
    body_rate: options.BodyRate = None,
    weight_decay: options.WeightDecay = None,
    schedule: options.Schedule = None,
    clip_norm: options.ClipNorm = None,
    ema: options.Ema = None,
    seed: options.Seed = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted training; all else as it was.")
    ] = False,
    device: Device = None,
) -> None:
    """Teach an encoder what is alike, from folders of images by label, or from pairs that were judged.

    Writes the checkpoint, with the split and the calibration in it, and curves.png beside them.
    """
    from siamese.checkpoint import RECORD_FILE
    from siamese.training_config import TrainingConfig
    from whyalike.console import progress
    from whyalike.recipes import SQUARE
    from whyalike.settings import read_settings
    from whyalike.splitting import SplitOptions
    from whyalike.summaries import print_training, say_unreadable
    from whyalike.teaching import Running, refuse_labels_chosen, teach_labels, teach_pairs
    from whyalike.training import OF_LABELS, OF_PAIRS, choose_config, write_curves

    wanted = SplitOptions(
        kind=split.value if split else None,
        seed=split_seed,
        test_share=test_share,
        validation_share=validation_share,
        hold_out_labels=hold_out_labels,
        group_by=group_by,
        near_duplicates=near_duplicates,
    )
    if pairs:
        refuse_labels_chosen(val, wanted)
    # Options that set a field of the config are the parameters with the name of that field.
    chosen = {name: ctx.params.get(name) for name in (*TrainingConfig.model_fields, *SQUARE)}
    settings = read_settings()
    chosen_config = choose_config(chosen, file=config, usual=OF_PAIRS if pairs else OF_LABELS)
    shown = progress()
    if not resume and (out / RECORD_FILE).exists():
        shown.say(f"the checkpoint in {out} will be replaced when the training is done")
    started = time.monotonic()
    running = Running(out, device or settings.device, resume, settings.limits, shown)
    if pairs:
        taught = teach_pairs(data, pairs, wanted, chosen_config, running)
    else:
        taught = teach_labels(data, val, wanted, chosen_config, running)
    curves = write_curves(out, taught.report.history)
    say_unreadable(taught.unreadable)
    print_training(taught.report, taught.split, curves, seconds=time.monotonic() - started)
