"""One run of one agent: trained, saved, evaluated, and summarised in a few lines."""

import json
from typing import Any

import numpy as np

from priorlab.agents.evaluation import Player, RandomPlayer, evaluate
from priorlab.agents.runs.run_log import RunLog
from priorlab.agents.settings import Settings
from priorlab.envs.base.files import write_whole
from priorlab.envs.engine.games import Games
from priorlab.envs.game.rules import INPUT_COUNT
from priorlab.envs.results.rows import RunWriter, check_same, is_finished

EVALUATION = "evaluation.json"


def train(settings: Settings) -> str:
    """Trains the agent for ``settings.inputs`` raw inputs, evaluates it, and returns a summary, a few lines of text.

    Writes config.json, rows (episodes.csv, exploration.csv, visits.csv), model.zip and evaluation.json into
    ``settings.folder``. A stopped run resumes from its last checkpoint; a run that was stopped during its evaluation is
    only evaluated. Raises ValueError before anything is written for a run that the machine can't carry and for a folder
    that holds another run or a finished one; FloatingPointError for a run that diverges.
    """
    if lacks_evaluation(settings):
        config = json.loads((settings.folder / "config.json").read_text(encoding="utf-8"))
        check_same(config, config_of(settings), settings.folder)
        headline, player = f"{settings.method} in {settings.folder} was trained before", load_player(settings)
    else:
        player, log = train_player(settings)
        headline = summary(settings, log)
    return "\n".join([headline, *cloning_summary(settings), *evaluate_player(settings, player)])


def train_player(settings: Settings) -> tuple[Player, RunLog]:
    """Trains, without an evaluation; the player that results, and the log of its run."""
    if settings.agent == "random":
        return RandomPlayer(settings.seed), play_at_random(settings)
    if settings.agent == "dqn":
        from priorlab.agents.learners.make_dqn import train_dqn  # torch and stable-baselines3 take seconds to import

        return train_dqn(settings)
    from priorlab.agents.learners.make_ppo import train_ppo

    return train_ppo(settings)


def lacks_evaluation(settings: Settings) -> bool:
    """Whether the folder holds a finished run without the evaluation that the settings ask for."""
    unevaluated = is_finished(settings.folder) and not (settings.folder / EVALUATION).exists()
    return unevaluated and settings.evaluation_episodes > 0


def config_of(settings: Settings) -> dict[str, Any]:
    """The contents of the run's config.json."""
    if not settings.demonstrations:
        return settings.config()
    from priorlab.agents.imitation.demonstrations import read_demonstrations

    return settings.config() | {"demonstrations": read_demonstrations(settings).digest}


def load_player(settings: Settings) -> Player:
    """The player of the finished run in the folder."""
    if settings.agent == "random":
        return RandomPlayer(settings.seed)
    from priorlab.agents.device import device_of
    from priorlab.agents.learners.dqn import DoubleDQN
    from priorlab.agents.learners.make_ppo import learner_and_policy
    from priorlab.agents.runs.saved_model import load_model

    learner = DoubleDQN if settings.agent == "dqn" else learner_and_policy(settings)[0]
    return load_model(learner, settings.folder, device=device_of(settings))


def play_at_random(settings: Settings) -> RunLog:
    """Runs the random agent, on as many parallel games as a learner has, so that their curves compare.

    It writes no checkpoints: a run of a million inputs takes seconds, and starts again from the beginning.
    """
    games = Games(**settings.game_arguments())
    log = RunLog(games, RunWriter(settings.folder, settings.config(), resume_at=0))
    generator = np.random.default_rng(settings.seed)
    games.reset(settings.seed)
    log.begin()
    while log.inputs < settings.inputs:
        games.step(generator.integers(INPUT_COUNT, size=settings.num_games))
        log.step()
    log.finish()
    return log


def summary(settings: Settings, log: RunLog) -> str:
    """The run in one line."""
    wins = sum(log.wins)
    privileged = " (privileged: its curiosity counts positions that no player sees)" if settings.privileged else ""
    return (
        f"{settings.method}{privileged} on {settings.version}, seed {settings.seed}: {log.inputs:,} inputs, "
        f"{log.episodes} episodes, first win: {after(log.first_win)}, {wins} of the last {len(log.wins)} won, "
        f"90 of the last 100 won: {after(log.learned)}"
    )


def after(inputs: int | None) -> str:
    return "never" if inputs is None else f"after {inputs:,} inputs"


def cloning_summary(settings: Settings) -> list[str]:
    """One line on what the agent learned from demonstrations, if there were any."""
    if not settings.demonstrations:
        return []
    from priorlab.agents.imitation.cloning import CloningResult

    return [str(CloningResult.read(settings.folder))]


def evaluate_player(settings: Settings, player: Player) -> list[str]:
    """Evaluates with and without random starts; writes evaluation.json, and returns one line per evaluation."""
    if not settings.evaluation_episodes:
        return []
    lines, rows = [], []
    for random_start in sorted({settings.random_start, 30}):
        for deterministic in (False,) if settings.agent == "random" else (False, True):
            games = {"num_games": settings.evaluation_episodes, "random_start": random_start}
            result = evaluate(player, settings.game_arguments() | games, deterministic, settings.seed)
            actions = "most probable actions" if deterministic else "sampled actions"
            lines.append(f"  {result}; {actions}, 0 to {random_start} random inputs first")
            rows.append({"deterministic": deterministic, "random_start": random_start, **result.row()})
    write_whole(settings.folder / EVALUATION, json.dumps(rows, indent=2) + "\n")
    return lines
