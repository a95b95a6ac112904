"""A convolution layer that is fast for games: few channels, small pictures.

It is compiled for float32 on one CPU thread, and one product of matrices for uint8 pictures on a GPU; elsewhere it is
torch's convolution. Its parameters are those of ``torch.nn.Conv2d``.
"""

import math
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from priorlab.agents.networks.kernels import COLUMNS, Windows, convolve, convolve_back

ALIGNED = 8  # GPUs multiply matrices faster whose rows have a multiple of this many numbers


class Convolution(nn.Conv2d):
    """A square convolution, followed by ReLU (slope 0), leaky ReLU, or nothing (slope 1).

    Maps float32 or uint8 (n, C, H, W) to float32 (n, O, h, w); uint8 pictures are scaled to 0 to 1.
    """

    def __init__(self, channels: int, outs: int, size: int, stride: int = 1, padding: int = 0, slope: float = 0.0):
        super().__init__(channels, outs, size, stride, padding)
        self.slope = slope

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if self.fits(input):
            return Convolve.apply(input, self.weight, self.bias, self.stride[0], int(self.padding[0]), self.slope)
        if input.dtype != torch.uint8:
            out = super().forward(input)
        elif input.device.type == "cuda" and not (is_transformed(input) or is_transformed(self.weight)):
            out = self.of_windows(input)
        else:
            out = super().forward(input / 255)
        return out if self.slope == 1 else functional.leaky_relu(out, self.slope)

    def of_windows(self, pictures: torch.Tensor) -> torch.Tensor:
        """All windows times the weights, as one product of matrices: nothing is faster on GPUs for so few channels.

        Maps uint8 (n, C, H, W) to (n, O, h, w), whose memory is (n, h, w, O); without a gradient of the pictures.
        """
        device, side, stride = pictures.device.type, self.kernel_size[0], self.stride[0]
        low = torch.is_autocast_enabled(device)
        kind = torch.get_autocast_dtype(device) if low else self.weight.dtype
        padded = functional.pad(pictures, [int(self.padding[0])] * 4)
        windows = padded.unfold(2, side, stride).unfold(3, side, stride).permute(0, 2, 3, 1, 4, 5)
        n, height, width, *window = windows.shape  # a window: C, side, side
        length = math.prod(window)
        missing = -length % ALIGNED
        rows = torch.zeros(n, height, width, length + missing, dtype=kind, device=pictures.device)
        rows[..., :length].unflatten(3, window).copy_(windows)
        weights = functional.pad(self.weight.flatten(1) / 255, [0, missing])  # (O, C, side, side) -> (O, length...)
        return functional.linear(rows, weights, self.bias).permute(0, 3, 1, 2)

    def fits(self, pictures: torch.Tensor) -> bool:
        """Whether the compiled kernels support this input."""
        return (
            self.out_channels % COLUMNS == 0
            and pictures.device.type == "cpu"
            and self.weight.dtype == torch.float32
            and pictures.dtype in (torch.uint8, torch.float32)
            and not (pictures.requires_grad and self.in_channels % COLUMNS)
            and not torch.is_autocast_enabled("cpu")
            and torch.get_num_threads() == 1
            and not is_transformed(self.weight)
            and not is_transformed(pictures)
        )


def is_transformed(tensor: torch.Tensor) -> bool:
    """Whether torch.func transforms it, by vmap, grad or others: the kernels have no rules for those."""
    return torch._C._functorch.is_functorch_wrapped_tensor(tensor)  # pyright: ignore[reportAttributeAccessIssue]


class Convolve(torch.autograd.Function):
    """``Convolution`` by the compiled kernels."""

    @staticmethod
    def forward(
        ctx: Any, pictures: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, *settings: Any
    ) -> torch.Tensor:
        stride, padding, slope = settings
        windows = windows_of(pictures, weight.shape[2], stride, padding)
        out = torch.empty((len(pictures), len(windows.starts) // windows.across, windows.across, len(bias)))
        # (O, C, rows, columns) -> (rows, columns, C, O)
        weights = weight.detach().permute(2, 3, 1, 0).reshape(-1).numpy()
        # (n, h, w, O) -> (n, h * w * O), the same memory
        convolve(windows, weights, bias.detach().numpy(), np.float32(slope), out.flatten(1).numpy())
        out = out.permute(0, 3, 1, 2)
        ctx.save_for_backward(pictures, weight, out)
        ctx.settings = settings
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grads: torch.Tensor) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        pictures, weight, out = ctx.saved_tensors
        stride, padding, slope = ctx.settings
        n, channels, height, width = pictures.shape
        outs, _, size, _ = weight.shape
        windows = windows_of(pictures, size, stride, padding)
        # (O, C, rows, columns) -> (rows, O, columns, C)
        turned = weight.detach().permute(2, 0, 3, 1).reshape(-1).numpy()
        weight_grads, bias_grads = torch.zeros(size, size, channels, outs), torch.zeros(outs)
        picture_grads = torch.empty((n if ctx.needs_input_grad[0] else 0, height, width, channels))
        convolve_back(
            windows,
            turned,
            np.float32(slope),
            channels_last(out),
            channels_last(grads),
            np.empty(out[0].numel(), np.float32),
            weight_grads.flatten().numpy(),
            bias_grads.numpy(),
            np.empty_like(windows.padded),
            picture_grads.flatten(1).numpy(),
        )
        back = picture_grads.permute(0, 3, 1, 2) if ctx.needs_input_grad[0] else None
        return back, weight_grads.permute(3, 2, 0, 1), bias_grads, None, None, None


def windows_of(pictures: torch.Tensor, size: int, stride: int, padding: int) -> Windows:
    """For (n, C, H, W) pictures and size x size windows."""
    _, channels, height, width = pictures.shape
    high, wide = height + 2 * padding, width + 2 * padding
    across = (wide - size) // stride + 1
    planar = pictures.dtype == torch.uint8 and pictures.is_contiguous()
    return Windows(
        # planar: (n, C, H, W) -> (n, C * H * W), the same memory
        pictures=pictures.flatten(1).numpy() if planar else channels_last(pictures),
        planar=planar,
        scale=np.float32(1 / 255 if pictures.dtype == torch.uint8 else 1),
        shape=(height, width, channels),
        padding=padding,
        padded=np.zeros(high * wide * channels, np.float32),
        starts=window_starts((high - size) // stride + 1, across, stride, wide, channels),
        across=across,
        rows=size,
        length=size * channels,
    )


def channels_last(pictures: torch.Tensor) -> np.ndarray:
    """(n, C, H, W) -> (n, H * W * C), copied only if their memory is in another order."""
    return pictures.detach().permute(0, 2, 3, 1).flatten(1).numpy()


@cache
def window_starts(down: int, across: int, stride: int, width: int, channels: int) -> np.ndarray:
    """int64 (down * across,): where each window begins in a flat channels-last picture of this width."""
    lines, columns = np.arange(down, dtype=np.int64)[:, None], np.arange(across, dtype=np.int64)
    return (stride * channels * (lines * width + columns)).reshape(-1)
