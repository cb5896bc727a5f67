"""`whyalike train`: folders of labelled pictures teach an encoder."""

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
    """Teach an encoder what is alike, from folders of images by label.

    Writes the checkpoint, with the split and the calibration in it, and curves.png beside them.
    """
    from siamese.checkpoint import RECORD_FILE
    from siamese.training import train as train_encoder
    from siamese.training_config import TrainingConfig
    from whyalike.console import progress
    from whyalike.folders import read_folder
    from whyalike.recipes import SQUARE
    from whyalike.settings import read_settings
    from whyalike.splitting import SplitOptions, choose_split
    from whyalike.summaries import print_training, say_unreadable
    from whyalike.training import choose_config, write_curves

    # Options that set a field of the config are the parameters with the name of that field.
    chosen = {name: ctx.params.get(name) for name in (*TrainingConfig.model_fields, *SQUARE)}
    settings = read_settings()
    chosen_config = choose_config(chosen, file=config)
    shown = progress()
    if not resume and (out / RECORD_FILE).exists():
        shown.say(f"the checkpoint in {out} will be replaced when the training is done")
    started = time.monotonic()
    folder = read_folder(data, limits=settings.limits, progress=shown)
    validating = read_folder(val, limits=settings.limits, progress=shown) if val else None
    wanted = SplitOptions(
        kind=split.value if split else None,
        seed=split_seed,
        test_share=test_share,
        validation_share=validation_share,
        hold_out_labels=hold_out_labels,
        group_by=group_by,
        near_duplicates=near_duplicates,
    )
    drawn = choose_split(folder, validating, wanted, limits=settings.limits, progress=shown)
    report = train_encoder(
        [*folder.samples, *(validating.samples if validating else ())],
        drawn,
        chosen_config,
        out,
        device=device or settings.device,
        resume=resume,
        limits=settings.limits,
        progress=shown,
    )
    curves = write_curves(out, report.history)
    say_unreadable([*folder.unreadable, *(validating.unreadable if validating else ()), *report.unreadable])
    print_training(report, drawn, curves, seconds=time.monotonic() - started)
