"""The options of `whyalike train` that set a field of the training's config, each under that field's name."""

from typing import Annotated

import typer

Augmentation = Annotated[
    str | None,
    typer.Option(
        "--augment",
        help="none, light (characters, drawings), strong (photos) or free (photos without an upright: skin, "
        "microscopes, from the air).",
    ),
]
ReducingGap = Annotated[
    float | None,
    typer.Option(
        "--reducing-gap",
        min=0,
        help="Large JPEGs are decoded smaller, down to so many pixels for one of the encoder's along a side, "
        "by default 2; 0: always in full.",
    ),
]
TrainingSize = Annotated[
    int | None,
    typer.Option(
        "--training-size",
        min=8,
        help="Pixels of the square that the body learns on; for photos four fifths of --image-size.",
    ),
]
Loss = Annotated[
    str | None,
    typer.Option(
        "--loss",
        help="contrastive, contrastive-paper, triplet, multi-similarity, supcon, proxy-anchor, arcface, "
        "softmax (the class head alone) or pair-head (the probability that a pair is same).",
    ),
]
ClassHead = Annotated[
    float | None,
    typer.Option("--class-head", min=0, help="Weight of a class head beside the loss; 0 for none."),
]
Margin = Annotated[float | None, typer.Option("--margin", help="Of the contrastive and triplet losses.")]
Trainable = Annotated[
    str | None,
    typer.Option("--trainable", help="head, all, or how many of the body's last stages learn with it."),
]
HeadEpochs = Annotated[
    int | None,
    typer.Option("--head-epochs", min=0, help="Epochs of the linear layer alone, before the body."),
]
Epochs = Annotated[int | None, typer.Option("--epochs", min=0, help="Epochs at most.")]
Patience = Annotated[
    int | None, typer.Option("--patience", min=1, help="Epochs without gain before it ends early.")
]
BatchSize = Annotated[int | None, typer.Option("--batch-size", min=4, help="Images of a step.")]
ImagesPerLabel = Annotated[
    int | None, typer.Option("--images-per-label", min=2, help="Of one label in a batch.")
]
Optimizer = Annotated[str | None, typer.Option("--optimizer", help="adamw, adam or sgd (momentum 0.9).")]
Rate = Annotated[
    float | None, typer.Option("--rate", help="Learning rate of the linear layer and of the heads.")
]
BodyRate = Annotated[float | None, typer.Option("--body-rate", help="Learning rate of the body.")]
WeightDecay = Annotated[float | None, typer.Option("--weight-decay", min=0, help="Of the optimizer.")]
Schedule = Annotated[
    str | None, typer.Option("--schedule", help="cosine, or plateau (halved where nothing is gained).")
]
ClipNorm = Annotated[
    float | None, typer.Option("--clip-norm", help="The gradient of a step is cut to this length.")
]
Ema = Annotated[
    float | None,
    typer.Option("--ema", min=0, help="Keep weights averaged with this decay per step; 0 for none."),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Of everything but the split; by default 0.")]
