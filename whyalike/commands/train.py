"""`whyalike train`: folders of labelled pictures teach an encoder."""

import time
from pathlib import Path
from typing import Annotated

import typer

from whyalike.options import Body, Device, Dimension, Fit, ImageSize, SplitChoice, Weights


def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder of images in folders by label.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="CHECKPOINT", help="The folder to write the encoder to.")
    ],
    val: Annotated[
        Path | None,
        typer.Option("--val", metavar="DIR", help="Validate with this folder instead of a split of DATA."),
    ] = None,
    split: Annotated[
        SplitChoice | None,
        typer.Option(
            "--split", help="stratified (the default): a share of every label; paper: as published."
        ),
    ] = None,
    split_seed: Annotated[
        int | None, typer.Option("--split-seed", help="Draws the stratified split; by default 42.")
    ] = None,
    body: Body = None,
    weights: Weights = None,
    dimension: Dimension = None,
    image_size: ImageSize = None,
    fit: Fit = None,
    augment: Annotated[
        str | None, typer.Option("--augment", help="none, light (characters, drawings) or strong (photos).")
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            "--loss",
            help="contrastive, contrastive-paper, triplet, multi-similarity, supcon, proxy-anchor, arcface, "
            "softmax or pair-head.",
        ),
    ] = None,
    margin: Annotated[
        float | None, typer.Option("--margin", help="Of the contrastive and triplet losses.")
    ] = None,
    trainable: Annotated[
        str | None,
        typer.Option("--trainable", help="head, all, or how many of the body's last stages learn with it."),
    ] = None,
    head_epochs: Annotated[
        int | None,
        typer.Option("--head-epochs", min=0, help="Epochs of the linear layer alone, before the body."),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=0, help="Epochs at most.")] = None,
    patience: Annotated[
        int | None, typer.Option("--patience", min=1, help="Epochs without gain before it ends early.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", min=4, help="Images of a step.")] = None,
    images_per_label: Annotated[
        int | None, typer.Option("--images-per-label", min=2, help="Of one label in a batch.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Learning rate of the linear layer.")] = None,
    body_rate: Annotated[float | None, typer.Option("--body-rate", help="Learning rate of the body.")] = None,
    schedule: Annotated[str | None, typer.Option("--schedule", help="cosine or plateau.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of everything but the split; by default 0.")
    ] = None,
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
    from whyalike.console import progress
    from whyalike.folders import read_folder
    from whyalike.settings import read_settings
    from whyalike.summaries import print_training, say_unreadable
    from whyalike.training import choose_config, choose_split, write_curves

    chosen = {
        "body": body,
        "weights": weights,
        "dimension": dimension,
        "augmentation": augment,
        "loss": loss,
        "margin": margin,
        "trainable": trainable,
        "head_epochs": head_epochs,
        "epochs": epochs,
        "patience": patience,
        "batch_size": batch_size,
        "images_per_label": images_per_label,
        "rate": rate,
        "body_rate": body_rate,
        "schedule": schedule,
        "seed": seed,
    }
    settings = read_settings()
    config = choose_config(chosen, image_size=image_size, fit=fit.value if fit else None)
    shown = progress()
    if not resume and (out / RECORD_FILE).exists():
        shown.say(f"the checkpoint in {out} will be replaced when the training is done")
    started = time.monotonic()
    folder = read_folder(data, limits=settings.limits, progress=shown)
    validating = read_folder(val, limits=settings.limits, progress=shown) if val else None
    drawn = choose_split(folder, validating, kind=split.value if split else None, seed=split_seed)
    report = train_encoder(
        [*folder.samples, *(validating.samples if validating else ())],
        drawn,
        config,
        out,
        device=device or settings.device,
        resume=resume,
        limits=settings.limits,
        progress=shown,
    )
    curves = write_curves(out, report.history)
    say_unreadable([*folder.unreadable, *(validating.unreadable if validating else ()), *report.unreadable])
    print_training(report, drawn, curves, seconds=time.monotonic() - started)
