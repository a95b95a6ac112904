"""The player with priors in the study: one life on every version, each at first sight, with the shipped weights."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.lives import LIMIT, live
from priorlab.agents.priors.player_settings import PlayerSettings
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs.base.files import read_json
from priorlab.envs.engine.places import version_on
from priorlab.envs.game.level import Level
from priorlab.envs.plays.play import Play
from priorlab.envs.results.play_rows import write_play
from priorlab.envs.results.rows import check_same, is_finished
from priorlab.scripts.analysis.players import title_of

METHOD = "priors"


@dataclass(frozen=True)
class FirstSight:
    """A life of a raised player on a version of a level: deaths included, until it wins or ``limit`` inputs."""

    version: str
    level: Level
    weights: str  # SHA-256 of their file
    out: Path  # folder of the study's runs
    seed: int = 0
    limit: int = LIMIT
    settings: PlayerSettings = field(default_factory=PlayerSettings)

    @property
    def folder(self) -> Path:
        return self.out / self.version / METHOD / f"seed_{self.seed}"

    def scenery(self) -> Scenery:
        return Scenery(self.level, self.version)

    def config(self) -> dict[str, Any]:
        """The contents of config.json; ``given``: what the player is given beyond pictures."""
        return {
            "method": METHOD, "player": "agent", "privileged": False, "game": self.level.game, "version": self.version,
            "level": self.level.text(), "look_seed": 0, "seed": self.seed, "limit": self.limit, "frame_skip": 1,
            "weights": self.weights, **self.settings.config(),
        }  # fmt: skip

    def live(self, perceive: Perceive) -> Play:
        """Plays the life and writes its rows, which are derived by replaying it, as people's are."""
        lived = live(self.scenery(), perceive, self.settings, self.seed, self.limit)
        play = Play.of(
            lived.inputs, self.version, level=self.level, seed=self.seed, ended="limit", player="agent",
            player_id=METHOD,
        )  # fmt: skip
        write_play(self.folder, self.config(), play)
        return play


def plan_lives(
    out: Path, versions: Sequence[str], weights: Path | None = None, level: Level | None = None, limit: int = LIMIT
) -> list[FirstSight]:
    """The lives that are not finished yet; ``weights``, ``level``: by default those shipped, and the study's.

    Raises ValueError if a folder holds a life with other settings or weights: they are never mixed; ValueError or
    OSError if the weights can't be read.
    """
    from priorlab.agents.priors.weights import digest, learned, shipped  # torch, which --help need not wait for

    hashed = digest(weights or shipped())
    lives = [FirstSight(name, version_on(None, name, level)[1], hashed, out, limit=limit) for name in versions]
    for each in lives:
        described = each.folder / "config.json"
        if described.exists():
            check_same(read_json(described), each.config(), each.folder)
    missing = [each for each in lives if not is_finished(each.folder)]
    if missing:
        learned(weights)  # refused before anything is trained
    return missing


def live_through(lives: Sequence[FirstSight], weights: Path | None, console: Console) -> None:
    """Lives these lives, one after the other, each in seconds; a life that is stopped begins again."""
    if not lives:
        return
    from priorlab.agents.priors.weights import learned  # torch, which --help need not wait for

    perceive = learned(weights)
    for each in lives:
        name = f"{METHOD} · {title_of(each.version)} · seed {each.seed}"
        with console.status(name):
            play = each.live(perceive)
        console.print(f"finished  {name}  {len(play.inputs):,} inputs", highlight=False)
