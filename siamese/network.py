"""The encoder as a network: a body, one linear layer, average pooling.

Pooling and the layer are both linear, so they may be swapped: the layer is applied to every cell of the
feature map, and the mean of these local embeddings, normalised, is the embedding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from siamese.bodies import Body
from siamese.errors import UnusableData


class EncoderNetwork(nn.Module):
    """(B, 3, S, S) float32 to (B, D) unit embeddings, by way of (B, h, w, D) local embeddings."""

    def __init__(self, body: Body, linear: nn.Linear | nn.Identity) -> None:
        """`linear` is (C → D); an identity keeps the raw pooled features, D = C."""
        super().__init__()
        self.body = body
        self.linear = linear

    @property
    def dimension(self) -> int:
        """D, the length of an embedding."""
        return self.linear.out_features if isinstance(self.linear, nn.Linear) else self.body.channels

    def feature_map(self, x: Tensor) -> Tensor:
        """The last feature map of the body: (B, C, h, w)."""
        features: Tensor = self.body(x)
        return features

    def local_embeddings(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """The linear layer at every cell: (B, h, w, D).

        seen: (B, h, w) bool, False in padding. Unseen cells are exactly 0 and the others are scaled by
        N / N_seen, so that the plain mean over all cells is the mean over the seen ones.
        """
        local: Tensor = self.linear(self.feature_map(x).permute(0, 2, 3, 1))
        return local if seen is None else local * cell_weights(seen)

    def forward(self, x: Tensor, seen: Tensor | None = None) -> Tensor:
        """The unit embedding: (B, D)."""
        return functional.normalize(self.local_embeddings(x, seen).mean(dim=(1, 2)), dim=1)

    def grid(self, image_size: int) -> tuple[int, int]:
        """The (h, w) of the feature map for a square of this size. Raises UnusableData if it is too small."""
        parameter = next(self.parameters(), torch.empty(0))
        training = [module for module in self.modules() if module.training]
        self.eval()
        try:
            with torch.inference_mode():
                shape = self.feature_map(parameter.new_zeros(1, 3, image_size, image_size)).shape
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # a convolution or a pooling that is left without pixels
            raise UnusableData(
                f"the body {self.body.name} needs larger pictures than {image_size} pixels: "
                "choose a larger --image-size"
            ) from error
        finally:
            for module in training:  # one by one: a part of the body may be frozen
                module.training = True
        return int(shape[2]), int(shape[3])


def cell_weights(seen: Tensor) -> Tensor:
    """The weight of every cell in the plain mean: (B, h, w, 1), N / N_seen where seen, else 0."""
    share = seen.float().mean(dim=(1, 2), keepdim=True)
    return (seen / share).unsqueeze(-1)
