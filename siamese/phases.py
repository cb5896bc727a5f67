"""The two phases of a training: the linear layer on pooled features, then the body's last stages with it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from siamese.augmentation import augment, mirrors
from siamese.bodies import Body
from siamese.calibration import Calibration
from siamese.checkpoint import describe
from siamese.embedded_samples import EmbeddedSamples, embed_samples
from siamese.encoder import Encoder
from siamese.features import CPU_BATCH, pooled_features, stacked
from siamese.folding import folded
from siamese.images import ImageLimits
from siamese.lessons import AnyBatch, Lessons
from siamese.network import EncoderNetwork
from siamese.preparing import Prepared
from siamese.progress import Progress
from siamese.threads import in_threads
from siamese.training_config import PhaseName, TrainingConfig

IMAGES_AHEAD = 96


class Phase(Protocol):
    """One way to learn, for some epochs."""

    @property
    def name(self) -> PhaseName:
        """Which phase it is."""

    def load(self, plan: Sequence[Sequence[int]], *, epoch: int) -> Iterator[AnyBatch]:
        """The batches of an epoch that the lessons planned; the network is set to learn."""

    def embed(self, batch: AnyBatch) -> Tensor:
        """Unit embeddings (B, D), with their gradient."""

    def validated(self, network: EncoderNetwork) -> EmbeddedSamples:
        """The validation images as this network, the learning one or an average of it, embeds them."""

    def body_parameters(self) -> list[nn.Parameter]:
        """What learns beside the linear layer."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadPhase:
    """The linear layer learns on features of a frozen body, computed once: seconds instead of minutes.

    training (n, views, C) and validation (m, views, C) are pooled features.
    """

    linear: nn.Module
    data: Lessons
    seed: int
    training: Tensor
    validation: Tensor
    name: PhaseName = "head"

    @classmethod
    def prepared(
        cls,
        network: EncoderNetwork,
        data: Lessons,
        config: TrainingConfig,
        *,
        limits: ImageLimits,
        progress: Progress,
    ) -> HeadPhase:
        """Compute the features of all images.

        Mirror images double the time, so they are only seen where no other phase follows to show them.
        """
        features = pooled_features(
            network,
            [*data.pictures.samples, *data.validation],
            preprocessing=config.preprocessing,
            mirrored=mirrors(config.augmentation) and config.epochs_of("body") == 0,
            limits=limits,
            progress=progress,
        )
        network.requires_grad_(False).linear.requires_grad_(True)
        training, validation = torch.split(features, [len(data.pictures), len(data.validation)])
        return cls(network.linear, data, config.seed, training, validation)

    def load(self, plan: Sequence[Sequence[int]], *, epoch: int) -> Iterator[AnyBatch]:
        """Features of the batches' images, mirrored or not."""
        generator = np.random.default_rng([self.seed, epoch])
        for taught in plan:
            positions = self.data.positions(taught)
            views = generator.integers(self.training.shape[1], size=len(positions)).tolist()
            yield self.data.batch(taught, self.training[positions, views], None)

    def embed(self, batch: AnyBatch) -> Tensor:
        """Unit embeddings (B, D) of pooled features (B, C)."""
        return functional.normalize(self.linear(batch.inputs), dim=1)

    def validated(self, network: EncoderNetwork) -> EmbeddedSamples:
        """The validation images as the network's linear layer embeds their features."""
        device = next(network.linear.parameters()).device
        with torch.inference_mode():
            embeddings = functional.normalize(network.linear(self.validation[:, 0].to(device)), dim=1)
        return EmbeddedSamples(self.data.validation, embeddings.cpu().numpy())

    def body_parameters(self) -> list[nn.Parameter]:
        """None: the body is frozen."""
        return []


@dataclass(frozen=True, slots=True, eq=False)
class BodyPhase:
    """The last stages of the body learn with the linear layer, on random views of the pictures.

    A pretrained body keeps the statistics of its batch normalisation: batches of a few labels would only
    spoil them. The stages before the first learning one, `frozen`, record no gradient; `learning` is the
    rest of the network, from their feature maps on.
    """

    network: EncoderNetwork
    frozen: nn.Module
    learning: EncoderNetwork
    data: Lessons
    config: TrainingConfig
    limits: ImageLimits
    progress: Progress
    grid: tuple[int, int]
    name: PhaseName = "body"

    @classmethod
    def prepared(
        cls,
        network: EncoderNetwork,
        data: Lessons,
        config: TrainingConfig,
        *,
        limits: ImageLimits,
        progress: Progress,
    ) -> BodyPhase:
        """Free the last stages of the body, and freeze what lies before them."""
        stages = network.body.stages()
        first = _first_free(stages, config)
        frozen: nn.Module = nn.Sequential(*stages[:first])
        free: nn.Module = nn.Sequential(*stages[first:])
        network.requires_grad_(False).linear.requires_grad_(True)
        free.requires_grad_(True)
        if next(network.parameters()).device.type == "cpu":
            frozen, free = folded(frozen), folded(free) if config.pretrained else free
        body = Body(network.body.name, network.body.channels, {"features": free})
        learning = EncoderNetwork(body, network.linear)
        grid = network.grid(config.learning.image_size)
        return cls(network, frozen, learning, data, config, limits, progress, grid)

    def load(self, plan: Sequence[Sequence[int]], *, epoch: int) -> Iterator[AnyBatch]:
        """Random views of the batches' pictures, prepared in threads ahead of their use."""
        preprocessing = self.config.learning

        def view(position: int) -> Prepared:
            generator = np.random.default_rng([self.config.seed, epoch, position])
            picture = augment(
                self.data.pictures.picture(position), level=self.config.augmentation, generator=generator
            )
            return Prepared(
                preprocessing.preprocess(picture), preprocessing.seen_cells(*picture.size, self.grid)
            )

        self._set_to_learn()
        positions = [self.data.positions(taught) for taught in plan]
        views = in_threads(view, itertools.chain.from_iterable(positions), ahead=IMAGES_AHEAD)
        for taught, pictured in zip(plan, positions, strict=True):
            inputs, seen = stacked(list(itertools.islice(views, len(pictured))))
            yield self.data.batch(taught, inputs, None if bool(seen.all()) else seen)

    def embed(self, batch: AnyBatch) -> Tensor:
        """Unit embeddings (B, D) of pictures (B, 3, S, S)."""
        embeddings: Tensor = self.learning(self._frozen_maps(batch.inputs), batch.seen)
        return embeddings

    def _frozen_maps(self, inputs: Tensor) -> Tensor:
        """What the frozen stages give (B, c, h, w); the pictures (B, 3, S, S) where there are none."""
        passes = torch.split(inputs, CPU_BATCH) if inputs.device.type == "cpu" else (inputs,)
        with torch.no_grad():
            return torch.cat([self.frozen(some) for some in passes])

    def validated(self, network: EncoderNetwork) -> EmbeddedSamples:
        """The validation images as the network embeds them, by the very line that searches."""
        return embed_samples(
            unfitted_encoder(network, self.config),
            self.data.validation,
            limits=self.limits,
            progress=self.progress,
            description="validating",
        )

    def body_parameters(self) -> list[nn.Parameter]:
        """Those of the free stages."""
        return list(self.learning.body.parameters())

    def _set_to_learn(self) -> None:
        self.network.eval()
        self.learning.body.train()
        if self.config.pretrained:
            for module in self.network.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()


def _first_free(stages: Sequence[nn.Module], config: TrainingConfig) -> int:
    """The position of the first stage that learns; stages without parameters are not counted."""
    learnable = [place for place, stage in enumerate(stages) if any(True for _ in stage.parameters())]
    count = config.trainable if isinstance(config.trainable, int) else len(learnable)
    return min(learnable[-count:], default=len(stages))


def unfitted_encoder(network: EncoderNetwork, config: TrainingConfig) -> Encoder:
    """The network as an encoder that nothing has been fitted for yet."""
    record = describe(
        network,
        name=config.encoder_name,
        preprocessing=config.preprocessing,
        calibration=Calibration.unfitted("the training has not ended"),
    )
    return Encoder(record, network.eval(), str(next(network.parameters()).device))
