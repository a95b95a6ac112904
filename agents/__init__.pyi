from .curiosity.base import Curiosity as Curiosity
from .curiosity.base import NoBonus as NoBonus
from .curiosity.counts import CountBonus as CountBonus
from .curiosity.counts import PictureCodes as PictureCodes
from .curiosity.counts import PrivilegedCountBonus as PrivilegedCountBonus
from .curiosity.icm import ICM as ICM
from .curiosity.make_curiosity import make_curiosity as make_curiosity
from .curiosity.on_device_counts import OnDeviceCounts as OnDeviceCounts
from .curiosity.prediction import PredictionBonus as PredictionBonus
from .curiosity.rnd import RND as RND
from .evaluation import Evaluation as Evaluation
from .evaluation import Player as Player
from .evaluation import RandomPlayer as RandomPlayer
from .evaluation import evaluate as evaluate
from .imitation.cloning import CloningResult as CloningResult
from .imitation.cloning import clone as clone
from .imitation.demonstrations import Demonstrations as Demonstrations
from .imitation.demonstrations import read_demonstrations as read_demonstrations
from .learners.dqn import DoubleDQN as DoubleDQN
from .learners.make_dqn import make_dqn as make_dqn
from .learners.make_dqn import train_dqn as train_dqn
from .learners.make_ppo import make_ppo as make_ppo
from .learners.make_ppo import train_ppo as train_ppo
from .learners.on_device import OnDevicePPO as OnDevicePPO
from .learners.ppo import PlainPPO as PlainPPO
from .learners.recurrent import RecurrentPolicy as RecurrentPolicy
from .learners.recurrent import RecurrentPPO as RecurrentPPO
from .learners.replay import FrameReplay as FrameReplay
from .learners.self_imitating import SelfImitatingPPO as SelfImitatingPPO
from .learners.two_returns import TwoReturnsPPO as TwoReturnsPPO
from .learners.two_returns import TwoValuesPolicy as TwoValuesPolicy
from .networks.convolution import Convolution as Convolution
from .networks.pixels import PixelNetwork as PixelNetwork
from .networks.pixels import PixelPolicy as PixelPolicy
from .networks.pixels import PixelQPolicy as PixelQPolicy
from .runs.run_learner import make_env as make_env
from .runs.run_learner import run_learner as run_learner
from .runs.run_log import RunLog as RunLog
from .settings import Settings as Settings
from .training import play_at_random as play_at_random
from .training import train as train

__all__ = [
    "ICM",
    "RND",
    "CloningResult",
    "Convolution",
    "CountBonus",
    "Curiosity",
    "Demonstrations",
    "DoubleDQN",
    "Evaluation",
    "FrameReplay",
    "NoBonus",
    "OnDeviceCounts",
    "OnDevicePPO",
    "PictureCodes",
    "PixelNetwork",
    "PixelPolicy",
    "PixelQPolicy",
    "PlainPPO",
    "Player",
    "PredictionBonus",
    "PrivilegedCountBonus",
    "RandomPlayer",
    "RecurrentPPO",
    "RecurrentPolicy",
    "RunLog",
    "SelfImitatingPPO",
    "Settings",
    "TwoReturnsPPO",
    "TwoValuesPolicy",
    "clone",
    "evaluate",
    "make_curiosity",
    "make_dqn",
    "make_env",
    "make_ppo",
    "play_at_random",
    "read_demonstrations",
    "run_learner",
    "train",
    "train_dqn",
    "train_ppo",
]
