"""What a training is asked to do: every choice that decides its outcome, as the checkpoint records it."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from siamese.augmentation import Augmentation, crops
from siamese.preprocessing import Preprocessing

LossName = Literal[
    "contrastive",
    "contrastive-paper",
    "triplet",
    "multi-similarity",
    "supcon",
    "proxy-anchor",
    "arcface",
    "softmax",
    "pair-head",
]
LOSS_NAMES: tuple[LossName, ...] = get_args(LossName)

# Unit vectors are at most 2 apart. 0.5 is tuned (Musgrave et al., ECCV 2020: 0.38 to 0.54); 2 is that of
# Livieris et al. (J. Imaging 2023, 9(10), 224).
MARGINS: dict[LossName, float] = {"contrastive": 0.5, "contrastive-paper": 2.0, "triplet": 0.2}

# Random crops of half to all of a picture's area show things 1.17 times as large, on average. Measured on
# Flowers: an encoder that learned at 176 finds more at 224 than at 176 (docs/results.md).
TRAINING_SCALE = 0.8
GRANULE = 16
"""Sides are multiples of it, so that most of a body's strides divide them."""

OptimizerName = Literal["adamw", "adam", "sgd"]
Trainable = Literal["head", "all"] | int
PhaseName = Literal["head", "body"]
PHASES: tuple[PhaseName, ...] = ("head", "body")


class TrainingConfig(BaseModel):
    """The defaults fine-tune an ImageNet body on photos; `from_scratch` is for bodies without weights.

    A training has up to two phases. First the linear layer alone learns, for `head_epochs`, on pooled
    features that were computed once: that takes seconds, and spares the body the gradients of a random layer.
    Then, for `epochs`, the last stages of the body learn with it (`trainable`: how many, or "all"). With
    "head" there is only the first phase, for `epochs`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: str = "mobilenet_v2"
    weights: str = Field("imagenet", description="imagenet, none, or the path of a state_dict file")
    dimension: int = Field(128, ge=2, le=4096, description="numbers in an embedding")
    preprocessing: Preprocessing = Preprocessing.of_new_encoders()
    training_size: int | None = Field(
        None, ge=8, description="side of the body phase's squares; unset: see `learning`"
    )
    augmentation: Augmentation = "strong"

    loss: LossName = "supcon"
    class_head: float = Field(1.0, ge=0, description="weight of a class head in the loss; 0 for none")
    margin: float | None = Field(None, gt=0, description="of the losses that have one; unset: the tuned one")
    trainable: Trainable = Field(12, description="head, all, or how many of the body's last stages")
    head_epochs: int = Field(5, ge=0)
    epochs: int = Field(8, ge=0)
    batch_size: int = Field(32, ge=4)
    images_per_label: int = Field(4, ge=2, description="of one label in a batch")

    optimizer: OptimizerName = "adamw"
    rate: float = Field(1e-3, gt=0, description="of the linear layer, of the heads and of a loss's proxies")
    body_rate: float = Field(2e-4, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    schedule: Literal["cosine", "plateau"] = "cosine"
    warmup: float = Field(0.5, ge=0, description="epochs over which the rates rise, in each phase")
    plateau_patience: int = Field(3, ge=1, description="epochs without gain before the rates halve")
    patience: int = Field(10, ge=1, description="epochs without gain before a phase ends early")
    clip_norm: float = Field(1.0, gt=0, description="largest norm of the gradient of a step")
    ema: float = Field(0.99, ge=0, lt=1, description="decay per step of averaged weights, 0 for none")
    seed: int = Field(0, ge=0, description="of everything but the split")

    @model_validator(mode="after")
    def _consistent(self) -> TrainingConfig:
        if isinstance(self.trainable, int) and self.trainable < 1:
            raise ValueError("trainable is head, all, or a number of stages from 1 on")
        if self.images_per_label > self.batch_size // 2:
            raise ValueError("a batch needs room for at least two labels: images_per_label is too large")
        if self.margin is not None and self.loss not in MARGINS:
            raise ValueError(f"the loss {self.loss} has no margin; those that have one: {', '.join(MARGINS)}")
        if self.loss == "softmax" and not self.class_head:
            raise ValueError("the loss softmax is the class head itself: it needs a class_head above 0")
        if not any(self.epochs_of(phase) for phase in PHASES):
            raise ValueError("a training needs at least one epoch")
        return self

    @classmethod
    def from_scratch(cls, **chosen: Any) -> TrainingConfig:
        """For a body without weights, such as `small` on digits: everything learns, from the first epoch."""
        recipe: dict[str, Any] = {
            "body": "small",
            "weights": "none",
            "preprocessing": Preprocessing.of_new_encoders(image_size=32),
            "augmentation": "light",
            "trainable": "all",
            "head_epochs": 0,
            "epochs": 15,
            "batch_size": 64,
            "rate": 3e-3,
            "body_rate": 3e-3,
            "ema": 0.0,
        }
        return cls.model_validate(recipe | chosen)

    def epochs_of(self, phase: PhaseName) -> int:
        """How long a phase may last; 0 where there is none."""
        if self.trainable == "head":
            return self.epochs if phase == "head" else 0
        return self.head_epochs if phase == "head" else self.epochs

    @property
    def learning(self) -> Preprocessing:
        """How the body phase prepares its views.

        Random crops show things larger than a search does. Squares that are smaller than the encoder's own
        make up for that, and cost less (Touvron et al., "Fixing the train-test resolution discrepancy",
        NeurIPS 2019): unless `training_size` says otherwise, 176 pixels for an encoder of 224.
        """
        size = self.training_size or self._training_size
        return self.preprocessing.model_copy(update={"image_size": size})

    @property
    def _training_size(self) -> int:
        size = self.preprocessing.image_size
        if not self.pretrained or not crops(self.augmentation):
            return size
        return max(GRANULE, round(size * TRAINING_SCALE / GRANULE) * GRANULE)

    @property
    def pretrained(self) -> bool:
        """Whether the body starts from weights that somebody has trained."""
        return self.weights != "none"

    @property
    def encoder_name(self) -> str:
        """What people call the encoder that comes out."""
        return f"{self.body}-{self.loss}-{self.dimension}"
