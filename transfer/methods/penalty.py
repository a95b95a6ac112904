"""Penalties that hold weights where earlier tasks left them: L2, EWC with one penalty per task, and online EWC.

All are quadratic: 1/2 strength sum_k sum_i F_ki (w_i - a_ki)^2, with the importance F_ki of parameter i for task k and
the value a_ki that it had after that task. Their sum is one quadratic again, whose gradient is strength (A w - B) with
A = sum_k F_k and B = sum_k F_k a_k: two numbers per parameter, however many tasks there were.
"""

from collections.abc import Mapping

import torch

from priorlab.transfer.methods.method import Factor, Method
from priorlab.transfer.networks.importance import Importance, check_importance, importance_of
from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples


class L2(Method):
    """Holds all weights equally where the last task left them: EWC with equal importances (the L2 baseline of
    Kirkpatrick et al. 2017, arXiv 1612.00796).

    strength: at least 0. Also pulls a parameter that a task's loss doesn't reach, except at the penalty's minimum.
    """

    adds_to_gradients = True

    def __init__(self, network: Network, tasks: int, generator: torch.Generator, strength: float = 1.0):
        super().__init__(network)
        if not 0 <= strength < float("inf"):
            raise ValueError(f"strength is {strength}: expected 0 or more")
        self.strength = strength
        self.names = list(network.shared())
        for number, parameter in enumerate(network.shared().values()):
            for name in ("weight", "pull"):  # A and B above
                wide = torch.promote_types(parameter.dtype, torch.float32)  # 16 bits would round them away
                self.register_buffer(f"{name}_{number}", torch.zeros_like(parameter, dtype=wide))

    def parts(self) -> dict[str, tuple[torch.nn.Parameter, torch.Tensor, torch.Tensor]]:
        """Each parameter w that is held, and its A and B, by name."""
        parameters, each = self.network.parameters(), enumerate(self.names)
        return {name: (parameters[name], getattr(self, f"weight_{k}"), getattr(self, f"pull_{k}")) for k, name in each}

    def flip(self, name: str, signs: torch.Tensor) -> None:
        if name in self.names:
            self.parts()[name][2].mul_(signs)

    def acts_on(self) -> list[str]:
        return self.names

    def before_step(self, factors: Mapping[str, Factor]) -> None:
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
    def penalty(self, signs: Mapping[str, Factor]) -> float:
        """1/2 strength A (w - B / A)^2. It differs from the sum over tasks by a constant, without which it keeps its
        digits where that sum is large."""
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
    """Elastic weight consolidation with one penalty per task (Kirkpatrick et al. 2017, arXiv 1612.00796).

    strength: their lambda, of a penalty with a factor of 1/2. importance: exact, sampled or empirical
    (``priorlab.transfer.networks.importance``).
    """

    runs_network = True

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
        importances = importance_of(self.network, self.names, samples, self.importance, generator)
        for name, (parameter, weight, pull) in self.parts().items():
            self.accumulate(importances[name], parameter.detach(), weight, pull)

    def accumulate(
        self, importance: torch.Tensor, parameter: torch.Tensor, weight: torch.Tensor, pull: torch.Tensor
    ) -> None:
        """Updates A and B for the task that was learned."""
        weight.add_(importance)
        pull.add_(importance * parameter)


class OnlineEWC(EWC):
    """EWC with a single penalty, anchored where the last task left the weights. The importances of earlier tasks fade
    by ``decay``, from 0 to 1, at each task (Schwarz et al. 2018, arXiv 1805.06370, section 3.2).

    In the paper the penalty on the next task multiplies the sum by the decay once more, so that the newest importance
    fades, too. Here it does not: the paper's lambda times the decay is the strength here.
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

    def accumulate(
        self, importance: torch.Tensor, parameter: torch.Tensor, weight: torch.Tensor, pull: torch.Tensor
    ) -> None:
        weight.mul_(self.decay).add_(importance)
        pull.copy_(weight * parameter)
