"""What was fixed before the first life of the experiment: players, places, versions, and the hash of the weights."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from priorlab.agents.priors.player_settings import GONE, LEARNED, PlayerSettings
from priorlab.agents.priors.settings import RaiseSettings
from priorlab.envs.base.files import read_json, writing_new
from priorlab.scripts.priors.sealed import FIXED, LIVES, root_of

EXPERIMENTS = {
    name: Path(__file__).with_name(f"{name}.toml") for name in ("knowledge", "limits", "acting", "replication")
}
RAISED, SHIPPED, TOLD, RANDOM = "raised", "shipped", "told", "random"  # kinds of players


@dataclass(frozen=True)
class Contestant:
    """A player of the experiment. ``kind``: raised; shipped, which is raised but for seed 0; told; or random.

    ``raising``: the player whose weights it has, by default its own; ``raised``, ``plays``: settings as plain data,
    empty where it has none.
    """

    kind: str
    raising: str
    given: tuple[str, ...]
    raised: dict[str, Any]
    plays: dict[str, Any]

    @property
    def learned(self) -> bool:
        return self.kind in (RAISED, SHIPPED)

    def raise_settings(self, seed: int, out: Path) -> RaiseSettings:
        return RaiseSettings(out=out, seed=seed, appraisal_levels=0, **self.raised)

    def player_settings(self) -> PlayerSettings:
        return player_settings(self.plays)


@dataclass(frozen=True)
class Group:
    """Players that are played with as many seeds and lives, side by side; ``first_seed``, ``first_life``: the lowest
    number of either."""

    seeds: int
    lives: int
    players: tuple[str, ...]
    first_seed: int = 0
    first_life: int = 0


@dataclass(frozen=True)
class Fixed:
    """``weights``: SHA-256 of the player that comes with the package; ``acting``: of the network that learned to act,
    "" where no player acts by it; ``commit``: of the code that fixed it; ``limit``: inputs after which a life ends;
    ``hash``: SHA-256 of the file, with which the chain of rows begins."""

    weights: str
    acting: str
    commit: str
    limit: int
    places: tuple[str, ...]
    versions: tuple[str, ...]
    groups: tuple[Group, ...]
    players: dict[str, Contestant]
    hash: str


def fix(folder: Path, experiment: Mapping[str, Any], weights: str, commit: str, acting: str = "") -> Path:
    """Writes the file of an experiment, as ``read_experiment`` reads it. ``weights``, ``acting``: as in Fixed.

    FileExistsError if there is one; ValueError if lives were already recorded.
    """
    lives = folder / LIVES
    if lives.exists():
        raise ValueError(
            f"{lives} holds lives: what they were played with can't be fixed after them; expected a new --out"
        )
    players = {name: described_player(name, experiment) for name in experiment["players"]}
    acts = any(player["plays"].get("acting") == LEARNED for player in players.values())
    described = {
        "weights": weights,
        **({"acting": acting} if acts else {}),
        "commit": commit,
        **{name: experiment[name] for name in ("limit", "pictures", "places", "versions", "groups")},
        "planned": sum(len(group["players"]) * group["seeds"] * group["lives"] for group in experiment["groups"])
        * len(experiment["places"])
        * len(experiment["versions"]),
        "players": players,
    }
    with writing_new(folder / FIXED) as file:
        file.write((json.dumps(described, indent=1) + "\n").encode())
    return folder / FIXED


def described_player(name: str, experiment: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a player, defaults included."""
    player = experiment["players"][name]
    kind, raising = player.get("kind", RAISED), player.get("raising", name)
    plays = player_settings(player.get("plays", {})) if kind != RANDOM else None
    for setting, file in (("movement", plays.movement), ("acting", plays.network)) if plays else ():
        if file:
            raise ValueError(f"player {name!r}: {setting} is {str(file)!r}: expected the one of the package")
    raised = None
    if kind in (RAISED, SHIPPED):
        pictures = {} if kind == SHIPPED else {"pictures": experiment["pictures"]}
        raised = RaiseSettings(**{**pictures, **experiment["players"][raising].get("raised", {})})
    return {
        "kind": kind,
        "raising": raising if raised else "",
        "given": [*(["roles"] if kind == TOLD else []), *(plays.given if plays else ())],
        "raised": {key: value for key, value in raised.config().items() if key != "seed"} if raised else {},
        "plays": plays.config() if plays else {},
    }


def player_settings(plays: Mapping[str, Any]) -> PlayerSettings:
    """From plain data, which has lists where settings are tuples."""
    kept = {name: value for name, value in plays.items() if name not in GONE}
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return PlayerSettings(**values)


def read_experiment(name: str) -> dict[str, Any]:
    """What ``fix`` fixes: one of EXPERIMENTS."""
    return tomllib.loads(EXPERIMENTS[name].read_text(encoding="utf-8"))


def read_fixed(folder: Path) -> Fixed:
    """What was fixed in that folder. ValueError, one line, if nothing was."""
    root, path = root_of(folder), folder / FIXED
    content = read_json(path)
    try:
        fixed = Fixed(
            content["weights"], content.get("acting", ""), content["commit"], content["limit"],
            tuple(content["places"]), tuple(content["versions"]),
            tuple(Group(**{**each, "players": tuple(each["players"])}) for each in content["groups"]),
            {
                name: Contestant(each["kind"], each["raising"], tuple(each["given"]), each["raised"], each["plays"])
                for name, each in content["players"].items()
            },
            root,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not what `priorlab priors --fix` writes: {type(error).__name__} {error}") from None
    return fixed


def check_settings(folder: Path, fixed: Fixed) -> None:
    """Raises ValueError, one line, if this code would play with other settings than those fixed in the folder."""
    for name, player in fixed.players.items():
        check_known(f"{folder / FIXED}, player {name!r}", player, fixed.commit)


def check_known(where: str, player: Contestant, commit: str) -> None:
    """Raises ValueError if this code does not have the settings that were fixed, or has further ones."""
    try:
        raised = player.raise_settings(0, Path()).config() if player.learned else {"seed": 0}
        plays = player.player_settings().config() if player.plays else {}
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}: expected the code that fixed it, commit {commit[:12]}") from None
    for was, now in (({"seed": 0, **player.raised}, raised), (player.plays, plays)):
        for name in sorted({*was, *now}):
            if was.get(name) != now.get(name):
                raise ValueError(
                    f"{where}: {name} was fixed as {was.get(name)!r}, and is {now.get(name)!r} in this code: expected "
                    f"the code that fixed it, commit {commit[:12]}, or a new --out"
                )
