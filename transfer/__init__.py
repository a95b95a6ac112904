"""Networks that keep what they learned, under any training loop of torch. Imports none of the other rooms.

Public: the names in ``__all__``, and those of ``transfer.fewshot``. Each is loaded when it is first used, as torch and
stable-baselines3 take seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transfer.keeping import METHODS, keep, parse
    from transfer.kept import Kept
    from transfer.methods.method import Method
    from transfer.metrics import (
        area_under_curve,
        average_performance,
        backward_transfer,
        dormant_units,
        effective_rank,
        forgetting,
        relative_gains,
        sensitivity_to_others,
    )
    from transfer.networks.network import Network
    from transfer.networks.samples import Samples
    from transfer.pruning import PruningRound, WeightMask, shrink_and_learn
    from transfer.sb3.learning import consolidate, learn_task, meet
    from transfer.sb3.policies import KeptActor, KeptCnnPolicy, KeptMlpPolicy, KeptQ, KeptQCnnPolicy, KeptQPolicy

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
