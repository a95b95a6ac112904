"""A convolution layer that is fast where games are played on a CPU: few channels, small pictures, float32.

Elsewhere it is torch's own. Its parameters are those of ``torch.nn.Conv2d``.
"""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from agents.kernels import COLUMNS, convolve, convolve_back


class Convolution(nn.Conv2d):
    """A square convolution, then ReLU (slope 0), leaky ReLU, or nothing (slope 1); uint8 pictures count as 0 to 1.

    Takes float32 or uint8 (n, C, H, W), gives float32 (n, O, h, w).
    """

    def __init__(self, channels: int, outs: int, size: int, stride: int = 1, padding: int = 0, slope: float = 0.0):
        super().__init__(channels, outs, size, stride, padding)
        self.slope = slope

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.fits(input):
            return Convolve.apply(input, self.weight, self.bias, self.stride[0], self.padding[0], self.slope)
        pictures = input / 255 if input.dtype == torch.uint8 else input
        return functional.leaky_relu(super().forward(pictures), self.slope)

    def fits(self, pictures: torch.Tensor) -> bool:
        """Whether the kernels can do it."""
        return (
            self.out_channels % COLUMNS == 0
            and pictures.device.type == "cpu"
            and self.weight.dtype == torch.float32
            and pictures.dtype in (torch.uint8, torch.float32)
            and not (pictures.requires_grad and self.in_channels % COLUMNS)
            and not torch.is_autocast_enabled("cpu")
            and torch.get_num_threads() == 1
            and not torch._C._functorch.is_functorch_wrapped_tensor(self.weight)  # no rule for vmap and the like
        )


class Convolve(torch.autograd.Function):
    """``Convolution``, by the kernels."""

    @staticmethod
    def forward(
        ctx: Any, pictures: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, stride: int, padding: int, slope: float
    ) -> torch.Tensor:
        n, channels, height, width = pictures.shape
        outs, size = weight.shape[0], weight.shape[2]
        h, w = ((side + 2 * padding - size) // stride + 1 for side in (height, width))
        out = torch.empty((n, h, w, outs))
        # (O, C, rows, columns) -> (rows, columns, C, O)
        weights = weight.detach().permute(2, 3, 1, 0).contiguous().numpy().reshape(-1)
        convolve(
            *taken(pictures, padding, stride, h, w), weights, (size, size * channels), bias.detach().numpy(),
            np.float32(slope), out.numpy().reshape(n, -1),
        )  # fmt: skip
        out = out.permute(0, 3, 1, 2)
        ctx.save_for_backward(pictures, weight, out)
        ctx.settings = stride, padding, slope
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        pictures, weight, out = ctx.saved_tensors
        stride, padding, slope = ctx.settings
        n, channels, height, width = pictures.shape
        outs, size = weight.shape[0], weight.shape[2]
        h, w = out.shape[2:]
        # (O, C, rows, columns) -> (rows, O, columns, C)
        turned = weight.detach().permute(2, 0, 3, 1).contiguous().numpy().reshape(-1)
        weight_grads, bias_grads = torch.zeros(size, size, channels, outs), torch.zeros(outs)
        picture_grads = torch.empty((n if ctx.needs_input_grad[0] else 0, height, width, channels))
        given = taken(pictures, padding, stride, h, w)
        convolve_back(
            *given, turned, (size, size * channels), w, np.float32(slope), channels_last(out), channels_last(grads),
            np.empty(h * w * outs, np.float32), weight_grads.numpy().reshape(-1), bias_grads.numpy(),
            np.empty_like(given[5]), picture_grads.flatten(1).numpy(),
        )  # fmt: skip
        back = picture_grads.permute(0, 3, 1, 2) if ctx.needs_input_grad[0] else None
        return back, weight_grads.permute(3, 2, 0, 1), bias_grads, None, None, None


def taken(pictures: torch.Tensor, padding: int, stride: int, h: int, w: int) -> tuple[Any, ...]:
    """The kernels' first arguments, for (n, C, H, W) pictures and h x w windows."""
    n, channels, height, width = pictures.shape
    planar = pictures.dtype == torch.uint8 and pictures.is_contiguous()
    # (n, C, H, W) -> (n, C * H * W) or, channels last, (n, H * W * C)
    flat = pictures.detach().reshape(n, -1).numpy() if planar else channels_last(pictures)
    scale = np.float32(1 / 255 if pictures.dtype == torch.uint8 else 1)
    padded = np.zeros((height + 2 * padding) * (width + 2 * padding) * channels, np.float32)
    begins = starts(h, w, stride, width + 2 * padding, channels)
    return flat, scale, (height, width, channels), planar, padding, padded, begins


def channels_last(pictures: torch.Tensor) -> np.ndarray:
    """(n, C, H, W) -> (n, H * W * C)"""
    last = pictures.detach().contiguous(memory_format=torch.channels_last)
    return last.permute(0, 2, 3, 1).reshape(len(pictures), -1).numpy()


@cache
def starts(h: int, w: int, stride: int, width: int, channels: int) -> np.ndarray:
    """int64 (h * w,): where each window begins in a picture of this width."""
    lines, columns = np.arange(h, dtype=np.int64)[:, None], np.arange(w, dtype=np.int64)
    return (stride * channels * (lines * width + columns)).reshape(-1)
