"""Plays as Minari datasets: episodes of observations, actions and rewards, for offline reinforcement learning.

Minari (Younis et al. 2024) is the Farama Foundation's format. One dataset holds the episodes of one game, version,
level, look and kind of player, and the environment in which they replay exactly.
"""

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

import priorlab  # noqa: F401  registers the environments
from priorlab.envs.engine.places import version_on
from priorlab.envs.game.versions import id_of
from priorlab.envs.looks.dials import Dials
from priorlab.envs.plays.atari_course import ATARI, AtariPlay
from priorlab.envs.plays.play import CHARACTERS, NO_LIMIT, RANDOM, Play
from priorlab.envs.plays.sessions import Recorded

NEEDED = "Minari datasets need the package minari[hdf5]: pip install '.[export]' in the checkout"
ROOT = "MINARI_DATASETS_PATH"  # the environment variable that names Minari's folder of datasets
RESERVED = "data"  # in a root with a folder of this name, `minari list local` finds nothing else
FRAMES = 32  # observations compressed together: each costs hardly more than its changes since the last
DESCRIPTION = (
    "Plays recorded by Priorlab; each input is one step. A death, or the end of an Atari game, terminates an episode "
    "if the environment's rules say so; a quit or the time limit truncates it. An episode's metadata says who "
    "played, in which play of which session, and how the episode ended."
)
UNSAID = "`(code_permalink|author|author_email)` is set to None"  # left to the study that publishes a dataset


def write_datasets(recorded: Iterable[Recorded], root: Path, name: str, settings: Mapping[str, Any]) -> list[str]:
    """Writes all plays as Minari datasets under ``root``, and returns their ids: NAME/GAME-VERSION-v0.

    If the level is not the version's default, the look seed not 0, or the player not a person, the id says so, too.
    ``settings`` are those of the environments' observations: screen_size, grayscale_obs, stack_size. Observations are
    uint8 (height, width, channels), rewards float64. Raises RuntimeError, one line, if Minari is not installed,
    ValueError for a name that it rejects.
    """
    try:
        import minari
    except ImportError as error:
        raise RuntimeError(f"{NEEDED} ({error})") from None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]+", name):
        raise ValueError(f"name is {name!r}: expected two or more letters, digits, '-' or '_'")
    if name == RESERVED:
        raise ValueError(f"name is {name!r}: expected another: Minari takes a folder of this name for a dataset")
    datasets: dict[str, tuple[Any, gymnasium.Env]] = {}  # by what their episodes share
    ids: list[str] = []
    with datasets_under(root):
        for each in recorded:
            if not each.play.inputs:
                continue
            shared = Shared.of(each.play)
            key = repr(shared)
            if key not in datasets:
                same = sum(re.sub(r"-\d+-v0$", "-v0", known) == f"{name}/{shared.name}-v0" for known in ids)
                ids.append(f"{name}/{shared.name}{f'-{same + 1}' if same else ''}-v0")
                env = gymnasium.make(shared.environment, **shared.arguments, **settings)
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", UNSAID, UserWarning)
                    dataset = minari.create_dataset_from_buffers(
                        ids[-1], [], env, env.spec, shared.player, description=DESCRIPTION, jpeg_encoding=False
                    )
                datasets[key] = dataset.storage, env
            append_episodes(*datasets[key], each, shared.about)
    for _, env in datasets.values():
        env.close()
    return ids


@contextmanager
def datasets_under(root: Path) -> Iterator[None]:
    """Makes Minari read and write datasets there; it needs an absolute path to write."""
    before = os.environ.get(ROOT)
    os.environ[ROOT] = str(root.resolve())
    try:
        yield
    finally:
        os.environ.pop(ROOT)
        if before is not None:
            os.environ[ROOT] = before


@dataclass(frozen=True)
class Shared:
    """What the episodes of one dataset share."""

    name: str  # GAME-VERSION, and what else distinguishes it
    player: str
    environment: str  # gymnasium's id
    arguments: dict[str, Any]  # of ``gymnasium.make``; plain data that needs no other file: a level is text
    about: dict[str, Any]  # for the metadata of an episode

    @staticmethod
    def of(play: Play | AtariPlay) -> "Shared":
        """Environments are made without a limit: the player or the rules end an episode."""
        if isinstance(play, AtariPlay):
            seed, level, environment = play.about["look_seed"], "", "PriorLab/Atari-v0"
            game = play.game
            arguments: dict[str, Any] = {
                "game": game.removeprefix(ATARI), "mask": play.version.split("+"), "mask_seed": seed, "frame_skip": 1,
                "full_action_space": True,
            }  # fmt: skip
            parts = [game, play.version]
        else:
            seed, level, game = play.look_seed, play.level.name, play.level.game
            environment = f"PriorLab/{id_of(game)}-v0"
            arguments = {"version": play.version, "level": play.level.text(), "look_seed": seed}
            if play.version == RANDOM:
                arguments |= {"version": "original", "looks": Dials().values()}
            is_default = play.version != RANDOM and play.level == version_on(game, play.version, None)[1]
            parts = [game, play.version, *([] if is_default else [level or "level"])]
        parts += [f"look_{seed}"] * bool(seed) + [play.player] * (play.player != "person")
        name = "-".join(re.sub(r"\W+", "_", part) for part in parts)
        about = {"player": play.player, "game": game, "version": play.version, "level": level, "look_seed": seed}
        return Shared(name, play.player, environment, arguments | {"max_inputs": NO_LIMIT}, about)


def append_episodes(storage: Any, env: gymnasium.Env, recorded: Recorded, about: Mapping[str, Any]) -> None:
    """Appends a play's episodes, with losslessly compressed observations.

    Minari's writer would store them raw, or as JPEG, which is lossy. It writes only the first observation of each
    episode, which all of them then replace.
    """
    import h5py
    from minari.data_collector import EpisodeBuffer

    play = recorded.play
    for episode in episodes(env, play):
        number, seen, last = storage.total_episodes, episode.observations, np.zeros(len(episode.actions), bool)
        last[-1] = True
        episode_about = {
            "participant": recorded.participant, "study": recorded.study, "play": recorded.number, "play_id": play.id,
            "ended": episode.ended,
        }  # fmt: skip
        buffer = EpisodeBuffer(
            seed=seed_of(play), observations=seen[:1], actions=episode.actions, rewards=episode.rewards,
            terminations=(last & episode.terminated).tolist(), truncations=(last & (not episode.terminated)).tolist(),
            infos=infos_of({"seed": seed_of(play), **about, **episode_about}, len(seen)),
        )  # fmt: skip
        storage.update_episodes([buffer])
        with h5py.File(storage.data_path / "main_data.hdf5", "a", track_order=True) as file:
            group: Any = file[f"episode_{number}"]
            del group["observations"]
            shape = seen[0].shape
            pictures = group.create_dataset(
                "observations", (len(seen), *shape), np.uint8, chunks=(min(FRAMES, len(seen)), *shape),
                maxshape=(None, *shape), compression="gzip",
            )  # fmt: skip
            for first in range(0, len(seen), FRAMES):
                pictures[first : first + FRAMES] = np.stack(seen[first : first + FRAMES])
        storage.update_episode_metadata([{**about, **episode_about}], [number])


def infos_of(about: Mapping[str, Any], count: int) -> dict[str, np.ndarray]:
    """An episode's metadata for each of its ``count`` observations, because combined datasets keep infos, but lose the
    metadata of episodes. Text becomes UTF-8."""
    return {
        f"episode_{name}": np.full(count, value.encode() if isinstance(value, str) else value)
        for name, value in about.items()
        if value is not None
    }


@dataclass(frozen=True)
class Episode:
    """n inputs in the environment."""

    observations: list[np.ndarray]  # n + 1
    actions: list[int]
    rewards: list[float]
    terminated: bool
    ended: str  # win, death, limit or quit


def episodes(env: gymnasium.Env, play: Play | AtariPlay) -> Iterator[Episode]:
    """The play, cut into episodes where the environment ends them; the last one ends with the play."""
    inputs = list(play.inputs) if isinstance(play, AtariPlay) else [CHARACTERS.index(each) for each in play.inputs]
    observations, actions, rewards = [env.reset(seed=seed_of(play))[0]], [], []
    for number, action in enumerate(inputs, 1):
        observation, reward, terminated, _, info = env.step(action)
        actions.append(action)
        observations.append(observation)
        rewards.append(float(reward))
        if terminated or number == len(inputs):
            ended = "win" if info.get("solved") else "death" if terminated else play.ended
            yield Episode(observations, actions, rewards, terminated, ended)
            observations, actions, rewards = [], [], []
            if number < len(inputs):
                observations.append(env.reset()[0])


def seed_of(play: Play | AtariPlay) -> int:
    return play.about["seed"] if isinstance(play, AtariPlay) else play.seed
