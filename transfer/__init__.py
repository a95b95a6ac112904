"""Networks that keep what they learned, under any training loop of torch. Imports none of the other rooms.

Public: the names in ``__all__``, and those of ``priorlab.transfer.fewshot``. Each is loaded when it is first used, as
torch and stable-baselines3 take seconds.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if __name__ == "transfer":  # the short name, from a checkout's root: the same module
    sys.modules[__name__] = import_module("priorlab.transfer")

if TYPE_CHECKING:
    from priorlab.transfer.keeping import METHODS, keep, parse
    from priorlab.transfer.kept import Kept
    from priorlab.transfer.methods.method import Method
    from priorlab.transfer.metrics import (
        area_under_curve,
        average_performance,
        backward_transfer,
        dormant_units,
        effective_rank,
        forgetting,
        relative_gains,
        sensitivity_to_others,
    )
    from priorlab.transfer.networks.network import Network
    from priorlab.transfer.networks.samples import Samples
    from priorlab.transfer.pruning import PruningRound, WeightMask, shrink_and_learn
    from priorlab.transfer.sb3.learning import consolidate, learn_task, meet
    from priorlab.transfer.sb3.policies import (
        KeptActor,
        KeptCnnPolicy,
        KeptMlpPolicy,
        KeptQ,
        KeptQCnnPolicy,
        KeptQPolicy,
    )

__all__ = [
    "METHODS", "Kept", "KeptActor", "KeptCnnPolicy", "KeptMlpPolicy", "KeptQ", "KeptQCnnPolicy", "KeptQPolicy",
    "Method", "Network", "PruningRound", "Samples", "WeightMask", "area_under_curve", "average_performance",
    "backward_transfer", "consolidate", "dormant_units", "effective_rank", "forgetting", "keep", "learn_task", "meet",
    "parse", "relative_gains", "sensitivity_to_others", "shrink_and_learn",
]  # fmt: skip
SOURCES = {
    "keeping": ("METHODS", "keep", "parse"),
    "kept": ("Kept",),
    "methods.method": ("Method",),
    "metrics": (
        "area_under_curve", "average_performance", "backward_transfer", "dormant_units", "effective_rank", "forgetting",
        "relative_gains", "sensitivity_to_others",
    ),
    "networks.network": ("Network",),
    "networks.samples": ("Samples",),
    "pruning": ("PruningRound", "WeightMask", "shrink_and_learn"),
    "sb3.learning": ("consolidate", "learn_task", "meet"),
    "sb3.policies": ("KeptActor", "KeptCnnPolicy", "KeptMlpPolicy", "KeptQ", "KeptQCnnPolicy", "KeptQPolicy"),
}  # fmt: skip
SOURCE_OF = {name: source for source, names in SOURCES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in SOURCE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{SOURCE_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
