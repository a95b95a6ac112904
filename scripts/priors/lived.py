"""What a process of the experiment does: it lives one life, or raises one player."""

import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.lives import live, told
from priorlab.agents.priors.perception import Perception, perceiver, posterior
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.roles import ROLES, roles_of
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.settings import RaiseSettings
from priorlab.agents.priors.weights import digest, load
from priorlab.envs.base.files import read_text
from priorlab.envs.game.numbers import level_numbers
from priorlab.envs.game.replaying import positions_room, replay_inputs
from priorlab.envs.game.rules import DEATHS, FIELDS, INPUT_COUNT, SOLVED, TURNED, UNIQUE_STATES
from priorlab.envs.game.versions import find_rules, find_version
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.progress import covered, progress
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.priors.fixed import RANDOM, TOLD
from priorlab.scripts.priors.plan import Life, level_of
from priorlab.scripts.priors.raised import PROGRESS, WEIGHTS, OutOfTime, config_of, learn, prepared

WARM = 2  # number of a small training level, in which a life that is unsure needs every kernel
SHOWN = 12  # hexadecimal digits of hashes in rows
_loaded: dict[Path, Perception] = {}  # one at most: a process needs the memory of a single network


class Job(NamedTuple):
    """A life to be lived. ``plays``: None for the random player; ``weights``, ``digest``: of a learned one, their file
    and its SHA-256; ``seen``: whether what it perceives at first is recorded already."""

    life: Life
    kind: str
    seed: int
    drawing: int
    limit: int
    plays: PlayerSettings | None
    weights: Path | None
    digest: str
    seen: bool
    commit: str


class Lived(NamedTuple):
    """Rows of the tables of lives, but their check, and of perception."""

    row: tuple
    perceived: tuple[tuple, ...]


class Ended(NamedTuple):
    """What happened in a life: the inputs, uint8 (n,), and the counts of ``lives.Life``."""

    inputs: np.ndarray
    solved: bool
    deaths: int
    unique_states: int
    plans: int = 0
    surprises: int = 0
    contradictions: int = 0
    lost: int = 0


def one_thread() -> None:
    """For a process that stands beside others on as many cores."""
    torch.set_num_threads(1)


@cache
def warm_up() -> None:
    """Compiles what lives need, or loads it, once in a process: no life's seconds are to hold that."""
    level = Bank.read("training")[WARM].level
    unsure = 0.7 * np.eye(len(ROLES), dtype=np.float32)[roles_of(level)] + np.float32(0.3 / len(ROLES))
    live(Scenery(level), lambda picture, ruled_out: unsure)
    random_life(Scenery(level), seed=0, limit=1)


def lived(job: Job) -> Lived:
    """Lives a life."""
    warm_up()
    scenery = Scenery(level_of(job.life.place), job.life.version, look_seed=job.drawing)
    network = loaded(job.weights) if job.weights else None
    began = time.process_time()
    ended = live_it(job, scenery, network)
    seconds = time.process_time() - began
    share = share_covered(ended, scenery)
    row = (
        *job.life, job.drawing, len(ended.inputs), ended.solved, ended.deaths, ended.unique_states,
        "" if share is None else f"{share:.4f}", *ended[4:], f"{seconds:.2f}", job.digest[:SHOWN], job.commit[:SHOWN],
    )  # fmt: skip
    perceived = () if job.seen or network is None else perception_rows(job, scenery, network)
    return Lived(row, tuple(perceived))


def live_it(job: Job, scenery: Scenery, network: Perception | None) -> Ended:
    if job.kind == RANDOM:
        return random_life(scenery, job.seed, job.limit)
    perceive: Perceive | None = told(scenery.level) if job.kind == TOLD else None
    if network is not None:
        perceive = perceiver(network)
    assert perceive is not None and job.plays is not None
    life = live(scenery, perceive, job.plays, job.seed, job.limit)
    counts = life.unique_states, life.plans, life.surprises, life.contradictions, life.lost
    return Ended(life.inputs, life.solved, life.deaths, *counts)


def random_life(scenery: Scenery, seed: int, limit: int) -> Ended:
    """A life of uniformly random inputs, a new one each step."""
    level, rules = scenery.level, find_rules(find_version(scenery.level.game, scenery.version).rules)
    inputs = np.random.default_rng(seed).integers(0, INPUT_COUNT, limit).astype(np.uint8)
    numbers = level_numbers(level, rules)
    states, state = np.zeros((limit + 1, FIELDS), np.int32), np.zeros(FIELDS, np.int32)
    room = positions_room(numbers)
    taken = replay_inputs(level.tiles, numbers, level.monsters, inputs, room, state, states)
    solved, deaths, unique_states = states[taken, [SOLVED, DEATHS, UNIQUE_STATES]].tolist()
    return Ended(inputs[:taken], bool(solved), deaths, unique_states)


def share_covered(ended: Ended, scenery: Scenery) -> float | None:
    """The share of the shortest way that was covered; None where the level is too large to search for it."""
    if ended.solved:
        return 1.0
    rows = progress(Play.of(ended.inputs, scenery.version, level=scenery.level))
    shares = covered(rows["inputs"].to_numpy(), rows["remaining"].to_numpy())
    return float(shares[1, -1]) if shares.size else None


def perception_rows(job: Job, scenery: Scenery, network: Perception) -> list[tuple]:
    """Rows of the table of perception: for each role in the level, its cells' mean probability of that role, the share
    of them of which it is the likeliest, and the mean negative log likelihood in nats, before any evidence."""
    chances, truth = first_sight(scenery, network), roles_of(scenery.level)
    rows = []
    for role, name in enumerate(ROLES):
        there = truth == role
        if there.any():
            probability = chances[there][:, role].astype(np.float64)
            recall, nll = (chances[there].argmax(-1) == role).mean(), -np.log(probability.clip(1e-12)).mean()
            found = float(probability.mean()), float(recall), float(nll)
            rows.append((*job.life[:4], job.drawing, name, int(there.sum()), *found))
    return rows


def first_sight(scenery: Scenery, network: Perception) -> np.ndarray:
    """float32 (R, R, 8): the posterior at the first picture, upright."""
    games = scenery.games()
    games.reset(0)
    picture = np.rot90(games.lanes.observations[0], int(scenery.world().numbers[TURNED])).copy()
    return posterior(network, picture, np.zeros((*roles_of(scenery.level).shape, len(ROLES)), bool))


def loaded(weights: Path) -> Perception:
    """The network in that file, which is read once as long as no other is asked for."""
    if weights not in _loaded:
        _loaded.clear()
        _loaded[weights] = load(weights)[0]
    return _loaded[weights]


class Raised(NamedTuple):
    """A player that was raised: the last row of its progress, and the SHA-256 of its weights."""

    pictures: int
    seconds: float
    loss: float
    digest: str


def raised(settings: RaiseSettings, until: float) -> Raised | None:
    """Raises a player in the folder of the settings, or what is missing of it; None if it was not done by ``until``,
    seconds since the epoch: then its checkpoint stays."""

    def on_time(_: object) -> None:
        if time.time() > until:
            raise OutOfTime

    with prepared(settings.folder, config_of(settings)):
        if not (settings.folder / WEIGHTS).exists():
            try:
                learn(settings, on_time)
            except OutOfTime:
                return None
    return raised_in(settings.folder)


def raised_in(folder: Path) -> Raised:
    """What was raised in a folder."""
    columns, *_, last = read_text(folder / PROGRESS).splitlines()
    row = dict(zip(columns.split(","), last.split(",")))
    return Raised(int(row["pictures"]), float(row["seconds"]), float(row["loss"]), digest(folder / WEIGHTS))
