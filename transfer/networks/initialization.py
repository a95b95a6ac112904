"""How parameters are initialised, so that new values can be drawn from the same distribution."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Initialization:
    """How one parameter was initialised: orthogonal, normal, or to fixed values.

    gain: the scale of an orthogonal matrix, or the standard deviation of a normal draw; fixed: the values themselves.
    """

    shape: torch.Size
    gain: float
    orthogonal: bool
    fixed: torch.Tensor | None

    @classmethod
    def of(cls, parameter: torch.Tensor) -> "Initialization":
        """Recognises the initialisation of a parameter that has not learned yet. Biases are taken to be fixed."""
        values = parameter.detach().cpu()
        if values.dim() < 2 or bool((values == values.flatten()[0]).all()):
            return cls(values.shape, 0.0, False, values.clone())
        flat = values.flatten(1)  # (out, in...) -> (out, in)
        product = flat @ flat.T if len(flat) <= flat.shape[1] else flat.T @ flat
        square = product.diagonal().mean()
        off = (product - square * torch.eye(len(product))).abs().max()
        if off < 1e-3 * square:
            return cls(values.shape, float(square.sqrt()), True, None)
        return cls(values.shape, float(values.std()), False, None)

    def draw(self, generator: torch.Generator) -> torch.Tensor:
        """New values: float32, of the same shape, on the CPU."""
        if self.fixed is not None:
            return self.fixed.clone()
        new = torch.empty(self.shape)
        if self.orthogonal:
            return nn.init.orthogonal_(new, self.gain, generator=generator)
        return new.normal_(0.0, self.gain, generator=generator)
