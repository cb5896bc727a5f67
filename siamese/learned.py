"""What a training learns: a network, and the loss that teaches it."""

from __future__ import annotations

from torch import nn

from siamese.losses import BatchLoss
from siamese.network import EncoderNetwork


class Learned(nn.Module):
    """All that a training learns: the network, and the loss with its proxies and heads."""

    def __init__(self, network: EncoderNetwork, loss: BatchLoss) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
