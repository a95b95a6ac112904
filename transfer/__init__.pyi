from .keeping import METHODS as METHODS
from .keeping import keep as keep
from .keeping import parse as parse
from .kept import Kept as Kept
from .methods.method import Method as Method
from .metrics import area_under_curve as area_under_curve
from .metrics import average_performance as average_performance
from .metrics import backward_transfer as backward_transfer
from .metrics import dormant_units as dormant_units
from .metrics import effective_rank as effective_rank
from .metrics import forgetting as forgetting
from .metrics import relative_gains as relative_gains
from .metrics import sensitivity_to_others as sensitivity_to_others
from .networks.network import Network as Network
from .networks.samples import Samples as Samples
from .pruning import PruningRound as PruningRound
from .pruning import WeightMask as WeightMask
from .pruning import shrink_and_learn as shrink_and_learn
from .sb3.learning import consolidate as consolidate
from .sb3.learning import learn_task as learn_task
from .sb3.learning import meet as meet
from .sb3.policies import KeptActor as KeptActor
from .sb3.policies import KeptCnnPolicy as KeptCnnPolicy
from .sb3.policies import KeptMlpPolicy as KeptMlpPolicy
from .sb3.policies import KeptQ as KeptQ
from .sb3.policies import KeptQCnnPolicy as KeptQCnnPolicy
from .sb3.policies import KeptQPolicy as KeptQPolicy

__all__ = [
    "METHODS", "Kept", "KeptActor", "KeptCnnPolicy", "KeptMlpPolicy", "KeptQ", "KeptQCnnPolicy", "KeptQPolicy",
    "Method", "Network", "PruningRound", "Samples", "WeightMask", "area_under_curve", "average_performance",
    "backward_transfer", "consolidate", "dormant_units", "effective_rank", "forgetting", "keep", "learn_task", "meet",
    "parse", "relative_gains", "sensitivity_to_others", "shrink_and_learn",
]  # fmt: skip
