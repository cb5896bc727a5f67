"""Weights averaged over the steps of a training: what is validated and kept where the config asks for it."""

from __future__ import annotations

from typing import Any

from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from siamese.learned import Learned


class AveragedLearned(AveragedModel):
    """An exponential moving average of what is learned, buffers such as running statistics included."""

    module: Learned

    def __init__(self, learned: Learned, *, decay: float) -> None:
        """`decay`, in [0, 1), is the share that the average keeps at a step.

        After n steps it keeps no more than (1 + n) / (10 + n), or it would mostly be the weights of the
        beginning (as in TensorFlow's ExponentialMovingAverage with num_updates).
        """

        def ramped(averaged: Any, current: Any, steps: Any) -> None:
            ramp = (1 + int(steps)) / (10 + int(steps))
            step = get_ema_multi_avg_fn(min(decay, ramp))  # type: ignore[no-untyped-call]
            step(averaged, current, steps)

        super().__init__(learned, multi_avg_fn=ramped, use_buffers=True)
