"""Plays as Minari datasets: episodes of observations, actions and rewards, for learners that never play themselves.

Minari (Younis et al. 2024) is the Farama Foundation's format for offline reinforcement learning. One dataset holds the
episodes of one game, version, level, look and kind of player, and the environment in which they replay exactly.
"""

import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec

import envs  # noqa: F401  registers the environments
from envs.dials import Dials
from envs.places import version_on
from envs.play import CHARACTERS, NO_LIMIT, RANDOM, Play
from envs.sessions import Recorded
from envs.versions import id_of

NEEDED = "Minari datasets need the package minari[hdf5]: install priorlab[export]"
ROOT = "MINARI_DATASETS_PATH"  # the variable that tells Minari where datasets are
FRAMES = 32  # observations that are compressed together: each is hardly more than what changed since the last
UNSAID = "`(code_permalink|author|author_email)` is set to None"  # a study's to say, in a dataset that it publishes


def write_datasets(recorded: list[Recorded], root: Path, name: str, settings: Mapping[str, Any]) -> list[str]:
    """Writes all plays under ``root``, as Minari lays datasets out, and gives the datasets' ids: NAME/GAME-VERSION-v0.

    Where the level is not the version's own, the look seed not 0, or the player no person, the id says so, too.
    ``settings`` are the observations', as ``PriorLabEnv`` knows them: screen_size, grayscale_obs, stack_size.
    Raises RuntimeError, one line, where Minari is not installed, ValueError for a name that it refuses.
    """
    try:
        import minari
    except ImportError as error:
        raise RuntimeError(f"{NEEDED} ({error})") from None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"the datasets' name is {name!r}: expected letters, digits, '-' and '_'")
    alike: dict[tuple, list[Recorded]] = {}
    for each in recorded:
        play = each.play
        if play.inputs:
            key = play.player, play.level.game, play.version, play.level.text(), play.look_seed
            alike.setdefault(key, []).append(each)
    ids: list[str] = []
    with datasets_under(root):
        for group in alike.values():
            play = group[0].play
            same = sum(dataset.startswith(f"{name}/{name_of(play)}-") for dataset in ids)
            ids.append(f"{name}/{name_of(play)}{f'-{same + 1}' if same else ''}-v0")
            spec = environment(play, settings)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", UNSAID, UserWarning)
                dataset = minari.create_dataset_from_buffers(
                    ids[-1], [], spec, spec, play.player, description=described(play), jpeg_encoding=False
                )
            env = gymnasium.make(spec)
            for each in group:
                add(dataset.storage, env, each)
            env.close()
    return ids


@contextmanager
def datasets_under(root: Path) -> Iterator[None]:
    """Has Minari read and write datasets there."""
    before = os.environ.get(ROOT)
    os.environ[ROOT] = str(root)
    try:
        yield
    finally:
        os.environ.pop(ROOT)
        if before is not None:
            os.environ[ROOT] = before


def environment(play: Play, settings: Mapping[str, Any]) -> EnvSpec:
    """Of the game that was played, whole in itself: its level as text. The player ends an episode, no limit does."""
    drawn = {"version": play.version, "look_seed": play.look_seed}
    if play.version == RANDOM:
        drawn |= {"version": "original", "looks": asdict(Dials())}
    env = gymnasium.make(
        f"PriorLab/{id_of(play.level.game)}-v0", level=play.level.text(), max_inputs=NO_LIMIT, **drawn, **settings
    )
    env.close()
    assert env.spec
    return env.spec


def name_of(play: Play) -> str:
    parts = [play.level.game, play.version]
    if play.version == RANDOM or play.level != version_on(play.level.game, play.version, None)[1]:
        parts.append(re.sub(r"\W+", "_", play.level.name) or "level")
    parts += [f"look_{play.look_seed}"] * bool(play.look_seed) + [play.player] * (play.player != "person")
    return "-".join(parts)


def described(play: Play) -> str:
    return (
        f"{play.level.game}, version {play.version}, as players of kind {play.player!r} played it, recorded by "
        f"Priorlab: {play.inputs_per_second} inputs a second. A death ends an episode where the game's rules say so; "
        "who quit or was stopped by the time limit was truncated. An episode's metadata tells who played, in which "
        "play, and how it ended."
    )


def add(storage: Any, env: gymnasium.Env, recorded: Recorded) -> None:
    """Appends a play's episodes, observations compressed without loss.

    Minari's own writer would keep them raw, or as JPEG, which loses. It is given the first observation of each episode,
    and all of them take its place.
    """
    import h5py
    from minari.data_collector import EpisodeBuffer

    play = recorded.play
    for episode in episodes(env, play):
        number, seen, last = storage.total_episodes, episode.observations, np.zeros(len(episode.actions), bool)
        last[-1] = True
        buffer = EpisodeBuffer(
            seed=play.seed, observations=seen[:1], actions=episode.actions, rewards=episode.rewards,
            terminations=(last & episode.terminated).tolist(), truncations=(last & (not episode.terminated)).tolist(),
        )  # fmt: skip
        storage.update_episodes([buffer])
        with h5py.File(storage.data_path / "main_data.hdf5", "a", track_order=True) as file:
            group: Any = file[f"episode_{number}"]
            del group["observations"]
            shape = seen[0].shape
            kept = group.create_dataset(
                "observations", (len(seen), *shape), np.uint8, chunks=(min(FRAMES, len(seen)), *shape),
                maxshape=(None, *shape), compression="gzip",
            )  # fmt: skip
            for first in range(0, len(seen), FRAMES):
                kept[first : first + FRAMES] = np.stack(seen[first : first + FRAMES])
        about = {
            "participant": recorded.participant, "study": recorded.study, "play": recorded.number, "play_id": play.id,
            "player": play.player, "ended": episode.ended, "game": play.level.game, "version": play.version,
            "level": play.level.name, "look_seed": play.look_seed,
        }  # fmt: skip
        storage.update_episode_metadata([about], [number])


@dataclass(frozen=True)
class Episode:
    """n inputs, as the environment takes them."""

    observations: list[np.ndarray]  # n + 1
    actions: list[int]
    rewards: list[float]
    terminated: bool
    ended: str  # win, death, limit or quit


def episodes(env: gymnasium.Env, play: Play) -> Iterator[Episode]:
    """The play, cut into episodes where the environment ends them; the last one ends where the play does."""
    observations, actions, rewards = [env.reset(seed=play.seed)[0]], [], []
    for number, character in enumerate(play.inputs, 1):
        actions.append(CHARACTERS.index(character))
        observation, reward, terminated, _, info = env.step(actions[-1])
        observations.append(observation)
        rewards.append(float(reward))
        if terminated or number == len(play.inputs):
            ended = "win" if info["solved"] else "death" if terminated else play.ended
            yield Episode(observations, actions, rewards, terminated, ended)
            observations, actions, rewards = [], [], []
            if number < len(play.inputs):
                observations.append(env.reset()[0])
