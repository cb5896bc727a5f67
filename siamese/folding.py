"""Batch normalisation with frozen statistics, folded into the convolution before it.

With its statistics held constant, y = (x * W - μ) γ / σ + β is one convolution with the weights W γ / σ. W, γ
and β still learn; what is spared are the passes over the feature maps, forward and backward, that a batch
normalisation of its own takes: on a CPU they cost more than the small convolutions beside them. A GPU waits
rather for the many small steps of the folding, and is spared them.

Where nothing learns any more, W γ / σ is computed once.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from siamese.network import EncoderNetwork


class FoldedConvolution(nn.Module):
    """A convolution and the batch normalisation after it, as one convolution; the statistics never move."""

    def __init__(self, convolution: nn.Conv2d, normalisation: nn.BatchNorm2d) -> None:
        super().__init__()
        self.convolution = convolution
        self.normalisation = normalisation

    def forward(self, x: Tensor) -> Tensor:
        """What both give one after another, the normalisation by its running statistics."""
        after = self.normalisation
        assert after.running_mean is not None and after.running_var is not None, "they are what is folded"
        scale = after.weight * torch.rsqrt(after.running_var + after.eps)
        before = 0.0 if self.convolution.bias is None else self.convolution.bias
        weight = self.convolution.weight * scale[:, None, None, None]
        shift = after.bias + (before - after.running_mean) * scale
        y: Tensor = self.convolution._conv_forward(x, weight, shift)
        return y


def fixed(network: EncoderNetwork) -> EncoderNetwork:
    """The network, which is in evaluation mode, with convolutions of its own for such pairs in its body.

    It gives what `network` gives, up to rounding, and does not learn; one without such pairs is itself.
    """
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return network
    twin = copy.copy(network)
    twin._modules = {**network._modules, "body": _fused(network.body)}
    return twin


def _fused(module: nn.Module) -> nn.Module:
    """A twin in which each normalisation that is registered right after its convolution is in it.

    Our bodies compute in the order in which they register. It is not found out by tracing, for which torch
    changes how every module of the process is called: networks of other threads would fail meanwhile.
    """
    children: list[tuple[str, nn.Module]] = []
    for name, child in module.named_children():
        pair = _folding(children[-1][1], child) if children else None
        if pair is not None:
            children[-1] = (children[-1][0], fuse_conv_bn_eval(pair.convolution, pair.normalisation))
        children.append((name, child if pair is None else nn.Identity()))
    twin = copy.copy(module)
    twin._modules = {name: _fused(child) for name, child in children}
    return twin


def folded(module: nn.Module) -> nn.Module:
    """A module with the same parameters, in whose sequences each such pair is a FoldedConvolution.

    It gives what `module` gives with all its batch normalisations in evaluation mode, up to rounding; those
    that follow no convolution within an `nn.Sequential` are left as they are.
    """
    children = _paired(module) if isinstance(module, nn.Sequential) else list(module.named_children())
    if not children or isinstance(module, FoldedConvolution):
        return module
    twin = copy.copy(module)
    twin._modules = {name: folded(child) for name, child in children}
    return twin


def _paired(sequence: nn.Sequential) -> list[tuple[str, nn.Module]]:
    """The children of a sequence, each convolution with its normalisation as one."""
    paired: list[tuple[str, nn.Module]] = []
    for name, child in sequence.named_children():
        if paired and (one := _folding(paired[-1][1], child)):
            paired[-1] = (paired[-1][0], one)
        else:
            paired.append((name, child))
    return paired


def _folding(module: nn.Module, after: nn.Module) -> FoldedConvolution | None:
    """Both as one, where they are a convolution and a normalisation that can be folded into it."""
    if not isinstance(module, nn.Conv2d) or not isinstance(after, nn.BatchNorm2d):
        return None
    foldable = module.padding_mode == "zeros" and after.affine and after.track_running_stats
    return FoldedConvolution(module, after) if foldable else None
