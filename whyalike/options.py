"""The options that several verbs share, each written once."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class ExplainedChoice(str, Enum):
    """What the maps add up to."""

    cosine = "cosine"
    distance = "distance"
    pair_head = "pair-head"
    label = "class"


class ScorerChoice(str, Enum):
    """What pairs are judged by."""

    distance = "distance"
    pair_head = "pair-head"


class PrefilterChoice(str, Enum):
    """What narrows a search."""

    label = "label"


class RuntimeChoice(str, Enum):
    """What computes the encoder."""

    torch = "torch"
    onnx = "onnx"


class LocalStorageChoice(str, Enum):
    """How a gallery keeps local embeddings."""

    int8 = "int8"
    float16 = "float16"
    none = "none"


class ScopeChoice(str, Enum):
    """What a key of the service is good for."""

    read = "read"
    write = "write"
    admin = "admin"


class FitChoice(str, Enum):
    """How a picture becomes the encoder's square."""

    crop = "crop"
    pad = "pad"


class SplitChoice(str, Enum):
    """How a folder is split into training, validation and test part."""

    stratified = "stratified"
    paper = "paper"


BODY_HELP = (
    "Body of the encoder: mobilenet_v2, mobilenet_v3_large, resnet18, resnet34, resnet50, squeezenet1_1, "
    "efficientnet_b0, convnext_tiny or small."
)
WEIGHTS_HELP = "Weights of the body: imagenet (downloaded by torchvision), a state_dict file, or none."

Body = Annotated[str | None, typer.Option("--body", help=BODY_HELP)]
Weights = Annotated[str | None, typer.Option("--weights", help=WEIGHTS_HELP)]
ImageSize = Annotated[int | None, typer.Option("--image-size", min=8, help="Pixels of the encoder's square.")]
Fit = Annotated[
    FitChoice | None, typer.Option("--fit", help="Crop to the square in the middle, or pad to a square.")
]
Dimension = Annotated[int | None, typer.Option("--dimension", min=1, help="Numbers of an embedding.")]
Device = Annotated[
    str | None,
    typer.Option("--device", help="auto, cpu, cuda or cuda:1; by default WHYALIKE_DEVICE or auto."),
]
Runtime = Annotated[
    RuntimeChoice | None,
    typer.Option(
        "--runtime",
        help="What computes the encoder; onnx is faster on a CPU. By default WHYALIKE_RUNTIME or torch.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout and nothing else there.")]
EvidenceFolder = Annotated[
    Path | None,
    typer.Option(
        "--evidence", metavar="DIR", help="Write the heatmaps, and one picture of everything, here."
    ),
]
Explained = Annotated[
    ExplainedChoice | None,
    typer.Option(
        "--explained",
        help="What the heatmaps show; by default the cosine, or what --scorer says. With distance they add "
        "up to nothing.",
    ),
]
Scorer = Annotated[
    ScorerChoice,
    typer.Option(
        "--scorer",
        help="What decides order, probability and verdict; pair-head needs a checkpoint trained with heads.",
    ),
]
OlderBuild = Annotated[
    int | None,
    typer.Option("--build", metavar="N", min=1, help="An older build that the gallery keeps."),
]
Matches = Annotated[int | None, typer.Option("-k", "--k", min=1, help="Matches to return; by default 10.")]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="Only images with this label; may be repeated.")
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="Only images of which this is true, such as 'year >= 2020' or 'site in (a, b)'; "
        "may be repeated.",
    ),
]
Prefiltered = Annotated[
    PrefilterChoice | None,
    typer.Option(
        "--prefilter",
        help="Only images with the label that the class head gives the picture; needs a trained one.",
    ),
]
Candidates = Annotated[
    int | None,
    typer.Option(
        "--candidates",
        min=1,
        help="Images that the index proposes to be compared pairwise; by default twice the matches, "
        "with the pair head at least 50.",
    ),
]
SameOnly = Annotated[
    bool, typer.Option("--same-only", help="Leave out matches whose verdict is “different”.")
]
PublishedGallery = Annotated[
    str | None,
    typer.Option("--gallery", help="Which gallery; by default the only one, or the one called “default”."),
]
IndexKind = Annotated[
    str | None,
    typer.Option(
        "--index",
        metavar="KIND",
        help="The main index: auto, flat, hnsw, ivf-sq, ivf-pq, or a FAISS factory string.",
    ),
]
IndexRecall = Annotated[
    float | None,
    typer.Option("--recall", help="Share of the ten nearest that searches are to find; by default 0.99."),
]
IndexMemory = Annotated[
    int | None,
    typer.Option("--index-memory", min=0, metavar="MIB", help="The most MiB that the main index may take."),
]
GalleryName = Annotated[
    str, typer.Argument(metavar="GALLERY", help="Its name; `whyalike gallery list` has them.")
]
CsvFile = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write every image with its group here, as CSV.")
]
PageFile = Annotated[
    Path | None, typer.Option("--page", metavar="FILE", help="Write a page of pictures here, as HTML.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
