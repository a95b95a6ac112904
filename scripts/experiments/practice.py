"""What ``practice`` does to the times of simulated players, and the power of within-subjects studies of them.

``python -m priorlab.scripts.experiments.practice`` prints, for each version, the ratio of mean times of a second play
to a first of the same players; and, for a study planned from a pilot of simulated players, in how many fresh studies
its test finds the version, and in how many where nothing is planted.
"""

import numpy as np
import tyro
from statsmodels.stats.proportion import proportion_confint

from priorlab.envs.players.simulated import LIMIT_MINUTES, MINUTE, SimulatedSetting, Turn, simulate, simulated_setting
from priorlab.scripts.analysis.designs import Design, counterbalanced
from priorlab.scripts.analysis.hypotheses import signed_rank
from priorlab.scripts.analysis.planning import enough_of, from_pilot, smallest_n
from priorlab.scripts.analysis.statistics import Played, restricted_mean

PILOT_SEED, FRESH_SEED = 1, 1000
EMPTY = {
    "method": "simulated", "player": "simulated", "privileged": False, "folder": "", "level": "", "frame_skip": 1,
    "finished": True, "deaths": 0, "mastered": np.nan, "curve": np.zeros((2, 0)), "visits": np.zeros((0, 3), int),
}  # fmt: skip


def main(
    game: str = "princess", version: str = "gravity", practice: float = 0.8, players: int = 2000, pilot: int = 40,
    studies: int = 300, geometric: bool = False,
) -> None:  # fmt: skip
    """Print the ratios of second to first plays, and the power of planned studies.

    Args:
        game: princess or key_door
        version: the version that is compared with the original
        practice: factor on a player's pace for each earlier play
        players: players whose first and second plays are compared
        pilot: players of the pilot
        studies: fresh studies
        geometric: plan with the ratio of geometric instead of restricted mean times
    """
    for name in ("original", version):
        setting = simulated_setting(game, name)
        first, second = (plays_of(setting, 0, players, turn) for turn in (Turn(0), Turn(1, practice)))
        means = [float(restricted_mean(*group, LIMIT_MINUTES * MINUTE)) for group in (first, second)]
        logs = [np.log(group[0]) for group in (first, second)]
        print(f"{name}: second over first play {means[1] / means[0]:.3f}; correlation {np.corrcoef(logs)[0, 1]:.2f}")
    runs = study(game, version, "published", practice, PILOT_SEED, pilot)
    effect = ratio_of(game, version, players, geometric)
    design = from_pilot(Design({version: effect}, test="signed-rank", within=True), runs)
    tried = smallest_n(design)
    n = enough_of(tried, 0.8)
    print(
        f"pilot of {pilot}: spread {design.spread:.2f}, correlation {design.correlation:.2f}, practice "
        f"{design.practice:.2f}, original {design.minutes:.2f} min; {effect:.2f} times as long: {n} people"
    )
    for plant in ("published", "none"):
        found = sum(
            is_found(study(game, version, plant, practice, FRESH_SEED + each, n), version) for each in range(studies)
        )
        low, high = proportion_confint(found, studies, method="wilson")
        print(f"{plant}: found in {found / studies:.3f} ({low:.3f} to {high:.3f}) of {studies} studies of {n} people")


def plays_of(setting: SimulatedSetting, seed: int, players: int, turn: Turn) -> tuple[np.ndarray, np.ndarray]:
    plays = [simulate(setting, seed, number, turn=turn) for number in range(players)]
    return np.array([len(inputs) for inputs, _ in plays], float), np.array([ended == "win" for _, ended in plays])


def ratio_of(game: str, version: str, players: int, geometric: bool) -> float:
    """Of the restricted or geometric mean times of many first plays."""
    groups = [plays_of(simulated_setting(game, name), 0, players, Turn()) for name in (version, "original")]
    if geometric:
        return float(np.exp(np.log(groups[0][0]).mean() - np.log(groups[1][0]).mean()))
    means = [float(restricted_mean(*group, LIMIT_MINUTES * MINUTE)) for group in groups]
    return means[0] / means[1]


def study(game: str, version: str, plant: str, practice: float, seed: int, n: int) -> list[Played]:
    """The plays of n players, each on the original and the version, in counterbalanced order."""
    places = counterbalanced(2, n, np.random.default_rng(seed))
    runs = []
    for column, name in enumerate(("original", version)):
        setting = simulated_setting(game, name, plant)
        for number in range(n):
            turn = Turn(int(places[number, column]), practice, shared=True)
            inputs, ended = simulate(setting, seed, number, turn=turn)
            about = {"player_id": str(number), "number": turn.number}
            more = {"budget": len(inputs), "inputs": len(inputs), "won": ended == "win", "outcome": ended}
            runs.append(Played(**EMPTY, **more, version=name, settings=about))
    return runs


def is_found(runs: list[Played], version: str) -> bool:
    """Whether the signed-rank test of the version is below 5 %."""
    groups = []
    for name in (version, "original"):
        ordered = [run for run in runs if run.version == name]
        groups.append((np.array([run.inputs for run in ordered], float), np.array([run.won for run in ordered])))
    (test,) = signed_rank({version: (groups[0], groups[1])}, effects=False)
    return test.p_holm < 0.05


if __name__ == "__main__":
    tyro.cli(main)
