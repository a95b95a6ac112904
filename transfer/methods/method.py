"""What a method is: the narrow protocol by which ``priorlab.transfer.kept.Kept`` runs it.

Everything a method must remember is in its buffers and parameters. It lies in the network's module, so its memory is
part of the module's ``state_dict``.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from priorlab.transfer.networks.network import Network
from priorlab.transfer.networks.samples import Samples

Factor = float | torch.Tensor  # what the gradient of a term of the loss is multiplied by in an optimizer's step


class Method(nn.Module):
    """One way to keep or to reuse what a network learned; the base class of all methods, which override what they need.

    The constructor of a subclass takes the network, the number of tasks, a generator for all that is random, and its
    own settings, each with a default. It may replace layers of the network. It raises ValueError, naming the layer and
    the reason, for a network that it can't keep. A subclass becomes available by a name in ``METHODS``.
    """

    accepts_drift = False  # whether state that drifts, such as running statistics, does it no harm
    assigns_weights = False  # whether it decides which task has which weights: only one method of a network can
    starts_fresh = False  # whether each task starts with weights that no earlier task touched
    needs_own_heads = False  # whether it makes sense only if each task has its own heads
    adds_to_gradients = False  # whether ``before_step`` adds to gradients
    runs_network = False  # whether it runs the network itself

    def __init__(self, network: Network):
        super().__init__()
        self.network = network  # no submodule: the network's module holds this method, not the reverse

    def per_task(self) -> Iterable[str]:
        """Names of the parameters that it gives each task its own values of, and which other methods then ignore."""
        return ()

    def move(self, task: int, before: int) -> None:
        """Replaces the weights of task ``before`` in the network by those of ``task``."""

    def meet(self, task: int, samples: Samples) -> None:
        """Looks at samples of a new task before it is learned; its weights are in place."""

    def learn(self, task: int) -> None:
        """Prepares to learn a task whose weights are in place."""

    def refresh(self, task: int) -> None:
        """Derives everything that is not a tensor, such as which parameters learn; also after tensors are loaded."""

    def advance(self, task: int, share: float) -> bool:
        """Called while a task is learned, when ``share`` of its training, from 0 to 1, is done. Returns whether it
        changed weights, or which of them learn."""
        return False

    def consolidate(self, task: int, samples: Samples) -> None:
        """Keeps the task that was learned, of which these are samples."""

    def flip(self, name: str, signs: torch.Tensor) -> None:
        """Called when another method flipped the signs of a parameter: +1 or -1, of its shape."""

    def acts_on(self) -> Iterable[str]:
        """Names of the parameters that no optimizer may step without ``before_step`` and ``after_step``."""
        return ()

    def before_step(self, factors: Mapping[str, Factor]) -> None:
        """Called before an optimizer's step, once the gradients are there, after clipping: may change them. factors:
        by name of the parameters that this step moves, what any gradient added to theirs must be multiplied by."""

    def penalty(self, signs: Mapping[str, Factor]) -> float:
        """The value whose gradient ``before_step`` adds, up to a constant: over these parameters, each times its
        sign."""
        return 0.0

    def after_step(self) -> None:
        """Called after each step of the optimizer: may restore what must not move."""

    def bytes(self) -> int:
        """Bytes that must be stored for it, in addition to the network's weights in place."""
        return sum(tensor.numel() * tensor.element_size() for tensor in [*self.buffers(), *self.parameters()])
