"""One run of one agent, from its settings to its folder, and what came of it in a few lines."""

import json
from typing import Any

import numpy as np

from priorlab.agents.evaluate import Chance, Player, evaluate
from priorlab.agents.runs.record import Record
from priorlab.agents.settings import Settings
from priorlab.envs.base.files import write_whole
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.envs.results.rows import RunWriter, check_same, is_finished

EVALUATION = "evaluation.json"


def train(settings: Settings) -> str:
    """Trains or plays at random to ``settings.inputs``, evaluates, and says how it went.

    A run that was stopped in its evaluation is evaluated alone.
    """
    if lacks_evaluation(settings):
        config = settings.folder / "config.json"
        check_same(json.loads(config.read_text(encoding="utf-8")), config_of(settings), settings.folder)
        found, player = f"{settings.method} in {settings.folder} was trained before", kept(settings)
    else:
        player, record = trained(settings)
        found = told(settings, record)
    return "\n".join([found, *learned_before(settings), *evaluations(settings, player)])


def trained(settings: Settings) -> tuple[Player, Record]:
    """Who plays after the run, and what it left behind."""
    if settings.agent == "random":
        return Chance(settings.seed), play_at_random(settings)
    if settings.agent == "dqn":
        from priorlab.agents.learners.dqn import train_dqn  # torch and stable-baselines3 take seconds to import

        return train_dqn(settings)
    from priorlab.agents.learners.ppo import train_ppo

    return train_ppo(settings)


def lacks_evaluation(settings: Settings) -> bool:
    """Whether the folder holds a finished run whose evaluation is asked for and is not there."""
    there = is_finished(settings.folder) and not (settings.folder / EVALUATION).exists()
    return there and settings.evaluation_episodes > 0


def config_of(settings: Settings) -> dict[str, Any]:
    """What stands in the run's config.json."""
    if not settings.demonstrations:
        return settings.config()
    from priorlab.agents.imitation.demonstrations import read

    return settings.config() | {"demonstrations": read(settings).digest}


def kept(settings: Settings) -> Player:
    """Who played in the finished run of the folder."""
    if settings.agent == "random":
        return Chance(settings.seed)
    from priorlab.agents.device import device_of
    from priorlab.agents.learners.dqn import DoubleDQN
    from priorlab.agents.learners.ppo import learner_of
    from priorlab.agents.runs.run import MODEL

    kind = DoubleDQN if settings.agent == "dqn" else learner_of(settings)
    return kind.load(settings.folder / MODEL, device=device_of(settings))


def play_at_random(settings: Settings) -> Record:
    """The random agent, on as many games side by side as a learner has, so that their curves compare.

    It has no checkpoints: a run of a million inputs takes seconds, and begins anew.
    """
    games = Games(**settings.of_games())
    record = Record(games, RunWriter(settings.folder, settings.config(), resume_at=0))
    generator = np.random.default_rng(settings.seed)
    games.reset(settings.seed)
    record.begin()
    while record.inputs < settings.inputs:
        games.step(generator.integers(INPUT_COUNT, size=settings.num_games))
        record.step()
    record.finish()
    return record


def told(settings: Settings, record: Record) -> str:
    """The run in a line."""
    won = sum(record.wins)
    privileged = " (privileged: its curiosity counts positions that no player sees)" if settings.privileged else ""
    return (
        f"{settings.method}{privileged} on {settings.version}, seed {settings.seed}: {record.inputs:,} inputs, "
        f"{record.episodes} episodes, first win: {after(record.first_win)}, {won} of the last {len(record.wins)} won, "
        f"90 of the last 100 won: {after(record.learned)}"
    )


def learned_before(settings: Settings) -> list[str]:
    """A line on what it learned from demonstrations, if it was shown any."""
    if not settings.demonstrations:
        return []
    from priorlab.agents.imitation.cloning import Cloned

    return [str(Cloned.read(settings.folder))]


def after(inputs: int | None) -> str:
    return "never" if inputs is None else f"after {inputs:,} inputs"


def evaluations(settings: Settings, player: Player) -> list[str]:
    """A line each for how the player does as trained, and with random starts; also in evaluation.json."""
    if not settings.evaluation_episodes:
        return []
    lines, rows = [], []
    for random_start in sorted({settings.random_start, 30}):
        for deterministic in (False,) if settings.agent == "random" else (False, True):
            arguments = settings.of_games() | {"num_games": settings.evaluation_episodes, "random_start": random_start}
            found = evaluate(player, arguments, deterministic=deterministic, seed=settings.seed)
            how = "most probable actions" if deterministic else "sampled actions"
            lines.append(f"  {found}; {how}, 0 to {random_start} random inputs first")
            rows.append({"deterministic": deterministic, "random_start": random_start, **found.row()})
    write_whole(settings.folder / EVALUATION, json.dumps(rows, indent=2) + "\n")
    return lines
