"""Penalties that hold weights where earlier tasks had them: L2, EWC with one penalty a task, and online EWC.

All are quadratic: 1/2 strength sum_i sum_k F_ki (w_i - a_ki)^2, with the importance F of each parameter to task k and
its value a then. Their sum over tasks is one quadratic again, whose gradient is strength (A w - B) with A = sum_k F_k
and B = sum_k F_k a_k: two numbers a parameter, however many tasks there were.
"""

from collections.abc import Mapping

import torch

from priorlab.transfer import steps
from priorlab.transfer.importance import Importance, check_importance, importance_of
from priorlab.transfer.method import Method, Samples
from priorlab.transfer.network import Network


class L2(Method):
    """Holds all weights alike where the last task left them: EWC with every importance equal.

    A parameter that a task's loss doesn't reach is pulled, too, and left alone where the penalty is least.
    """

    adds = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator, strength: float = 1.0):
        super().__init__(network)
        if not 0 <= strength < float("inf"):
            raise ValueError(f"strength is {strength}: expected a number from 0")
        self.strength = strength
        self.names = list(network.shared())
        for number, parameter in enumerate(network.shared().values()):
            for name in ("weight", "pull"):  # A and B above
                wide = torch.promote_types(parameter.dtype, torch.float32)  # 16 bits would round them away
                self.register_buffer(f"{name}_{number}", torch.zeros_like(parameter, dtype=wide))

    def parts(self) -> dict[str, tuple[torch.nn.Parameter, torch.Tensor, torch.Tensor]]:
        """Each parameter w that is held, and its A and B."""
        found, each = self.network.parameters(), enumerate(self.names)
        return {name: (found[name], getattr(self, f"weight_{k}"), getattr(self, f"pull_{k}")) for k, name in each}

    def flip(self, name: str, signs: torch.Tensor) -> None:
        if name in self.names:
            self.parts()[name][2].mul_(signs)

    def acted(self) -> list[str]:
        return self.names

    def before_step(self, factors: Mapping[str, steps.Factor]) -> None:
        for name, (parameter, weight, pull) in self.parts().items():
            if name not in factors:
                continue
            slope, strength = weight * parameter - pull, self.strength
            if isinstance(factors[name], torch.Tensor):
                slope.mul_(factors[name])
            else:
                strength *= float(factors[name])
            if parameter.grad is None and slope.any():
                parameter.grad = torch.zeros_like(parameter)
            if parameter.grad is not None:
                if parameter.grad.is_sparse:
                    parameter.grad = parameter.grad.to_dense()
                parameter.grad.add_(slope, alpha=strength)

    @torch.no_grad()
    def penalty(self, signs: Mapping[str, steps.Factor]) -> float:
        """1/2 strength A (w - B / A)^2, which differs from the sum over tasks by what no weight changes, and keeps its
        digits where that is large."""
        total = 0.0
        for name, (parameter, weight, pull) in self.parts().items():
            if name in signs:
                away = torch.where(weight > 0, parameter - pull / weight, 0.0)
                total += float(signs[name]) * float((weight * away.square()).sum())
        return self.strength / 2 * total

    def consolidate(self, task: int, samples: Samples) -> None:
        for parameter, weight, pull in self.parts().values():
            weight.fill_(1.0)
            pull.copy_(parameter.detach())


class EWC(L2):
    """Elastic weight consolidation, with a penalty of each task's (Kirkpatrick et al. 2017, arXiv 1612.00796).

    importance: exact, sampled or empirical (``importance.py``); strength is their lambda, of a penalty that has a
    factor of 1/2.
    """

    runs = True

    def __init__(
        self,
        network: Network,
        tasks: int,
        generator: torch.Generator,
        strength: float = 400.0,
        importance: Importance = "exact",
    ):
        super().__init__(network, tasks, generator, strength)
        check_importance(importance, network)
        self.importance: Importance = importance
        self.register_buffer("seed", torch.randint(2**62, (), generator=generator))
        self.seed: torch.Tensor

    def consolidate(self, task: int, samples: Samples) -> None:
        generator = torch.Generator().manual_seed(int(self.seed) + task)
        found = importance_of(self.network, self.names, samples, self.importance, generator)
        for name, (parameter, weight, pull) in self.parts().items():
            self.add(found[name], parameter.detach(), weight, pull)

    def add(self, importance: torch.Tensor, parameter: torch.Tensor, weight: torch.Tensor, pull: torch.Tensor) -> None:
        weight.add_(importance)
        pull.add_(importance * parameter)


class OnlineEWC(EWC):
    """One penalty, at where the last task left the weights, with the importance of earlier ones fading by ``decay`` at
    each task (Schwarz et al. 2018, arXiv 1805.06370, section 3.2).

    Their penalty on the next task multiplies the sum by the decay once more, so that the newest importance is faded,
    too. Here it is not: their lambda times the decay is the strength here.
    """

    def __init__(
        self,
        network: Network,
        tasks: int,
        generator: torch.Generator,
        strength: float = 400.0,
        importance: Importance = "exact",
        decay: float = 0.95,
    ):
        super().__init__(network, tasks, generator, strength, importance)
        if not 0 <= decay <= 1:
            raise ValueError(f"decay is {decay}: expected 0 to 1")
        self.decay = decay

    def add(self, importance: torch.Tensor, parameter: torch.Tensor, weight: torch.Tensor, pull: torch.Tensor) -> None:
        weight.mul_(self.decay).add_(importance)
        pull.copy_(weight * parameter)
