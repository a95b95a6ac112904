"""One run of one agent, from its settings to its folder, and what came of it in a few lines."""

import json

import numpy as np

from agents.evaluate import Chance, Player, evaluate
from agents.record import Record
from agents.settings import Settings
from envs.files import write_whole
from envs.games import INPUTS, Games
from envs.results import RunWriter


def train(settings: Settings) -> str:
    """Trains or plays at random to ``settings.inputs``, evaluates, and says how it went."""
    if settings.agent == "random":
        record, player = play_at_random(settings), Chance(settings.seed)
    elif settings.agent == "dqn":
        from agents.dqn import train_dqn  # torch and stable-baselines3 take seconds to import

        player, record = train_dqn(settings)
    else:
        from agents.ppo import train_ppo

        player, record = train_ppo(settings)
    return "\n".join([told(settings, record), *learned_before(settings), *evaluations(settings, player)])


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
        games.step(generator.integers(INPUTS, size=settings.num_games))
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
    from agents.cloning import Cloned

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
    write_whole(settings.folder / "evaluation.json", json.dumps(rows, indent=2) + "\n")
    return lines
