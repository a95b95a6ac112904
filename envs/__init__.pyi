from .atari.atari_env import AtariEnv as AtariEnv
from .atari.atari_sb3 import AtariVecEnv as AtariVecEnv
from .atari.atari_settings import AleSettings as AleSettings
from .atari.atari_settings import AtariSettings as AtariSettings
from .atari.atari_vector import AtariVectorEnv as AtariVectorEnv
from .atari.games import Atari as Atari
from .engine.engine import Saved as Saved
from .engine.game_settings import GameSettings as GameSettings
from .engine.games import Games as Games
from .game.level import Level as Level
from .game.level import level_names as level_names
from .game.routes import Routes as Routes
from .game.routes import routes as routes
from .game.routes import routes_of as routes_of
from .game.sequences import TOWER as TOWER
from .game.sequences import Sequence as Sequence
from .game.sequences import Task as Task
from .game.sequences import find_sequence as find_sequence
from .game.sequences import sequences as sequences
from .game.solver import Labels as Labels
from .game.solver import Solution as Solution
from .game.solver import Solver as Solver
from .game.versions import Rules as Rules
from .game.versions import Version as Version
from .game.versions import find_rules as find_rules
from .game.versions import find_version as find_version
from .game.versions import games as games
from .game.versions import versions as versions
from .interfaces.batch import BatchSettings as BatchSettings
from .interfaces.env import PriorLabEnv as PriorLabEnv
from .interfaces.sb3 import PriorLabVecEnv as PriorLabVecEnv
from .interfaces.vector import PriorLabVectorEnv as PriorLabVectorEnv
from .looks.dials import Dials as Dials
from .looks.look import look_names as look_names
from .looks.paint import PaintedScene as PaintedScene
from .looks.paint import paint as paint
from .looks.paint_dials import paint_dials as paint_dials
from .players.planner import Knowledge as Knowledge
from .players.simulated import SimulatedSetting as SimulatedSetting
from .players.simulated import simulated_play as simulated_play
from .players.simulated import simulated_setting as simulated_setting
from .plays.atari_course import AtariPlay as AtariPlay
from .plays.courses import ChosenGame as ChosenGame
from .plays.lane_recorder import LaneRecorder as LaneRecorder
from .plays.play import Measures as Measures
from .plays.play import Play as Play
from .plays.sessions import Recorded as Recorded
from .plays.sessions import find_play as find_play
from .plays.sessions import find_plays as find_plays
from .plays.sessions import plays_under as plays_under
from .random_games.bank import Bank as Bank
from .random_games.generate import generate as generate
from .random_games.layouts import Solved as Solved
from .random_games.layouts import split_of as split_of
from .random_games.random_levels import random_env as random_env
from .random_games.random_levels import random_settings as random_settings
from .random_games.random_levels import random_vector_env as random_vector_env
from .results.archive import Archive as Archive
from .results.load import Results as Results
from .results.load import load as load
from .results.rows import RunWriter as RunWriter

__all__ = [
    "TOWER", "AleSettings", "Archive", "Atari", "AtariEnv", "AtariPlay", "AtariSettings", "AtariVecEnv",
    "AtariVectorEnv", "Bank", "BatchSettings", "ChosenGame", "Dials", "GameSettings", "Games", "Knowledge", "Labels",
    "LaneRecorder", "Level", "Measures", "PaintedScene", "Play", "PriorLabEnv", "PriorLabVecEnv", "PriorLabVectorEnv",
    "Recorded", "Results", "Routes", "Rules", "RunWriter", "Saved", "Sequence", "SimulatedSetting", "Solution",
    "Solved", "Solver", "Task", "Version", "find_play", "find_plays", "find_rules", "find_sequence", "find_version",
    "games", "generate", "level_names", "load", "look_names", "paint", "paint_dials", "plays_under", "random_env",
    "random_settings", "random_vector_env", "routes", "routes_of", "sequences", "simulated_play", "simulated_setting",
    "split_of", "versions",
]  # fmt: skip
