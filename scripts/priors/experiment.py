"""`priorlab priors`: fixes the experiment, plays it, reports it; each refuses, in one line, what it can't stand for."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich import box
from rich.table import Table

from priorlab.agents.priors.acting import shipped_acting
from priorlab.agents.priors.weights import digest, shipped
from priorlab.envs.base.provenance import changed_files, git_commit
from priorlab.scripts.console import plain_console
from priorlab.scripts.priors import page, replication_page, variants_page
from priorlab.scripts.priors.fixed import EXPERIMENTS, Fixed, fix, read_experiment, read_fixed
from priorlab.scripts.priors.plan import Chosen
from priorlab.scripts.priors.playing import Where, play, summary
from priorlab.scripts.priors.request import READ_ONCE, Request
from priorlab.scripts.priors.sealed import read_lives

PAGES = {
    "knowledge": page.write_page,
    "replication": replication_page.write_page,
    **{each.name: partial(variants_page.write_page, each) for each in variants_page.PAGES},
}
CODE = ("agents", "envs", "scripts/priors")  # what a life depends on


def run(request: Request) -> list[str]:
    """Does what is asked for; returns a line for each job that failed."""
    weights = request.weights or shipped()
    if request.fix:
        experiment = read_experiment(request.experiment)
        path = fix(request.folder, experiment, digest(weights), commit_of_code(), digest(shipped_acting()))
        plain_console().print(f"Fixed: {path.resolve()}; commit it before the first life.", soft_wrap=True)
        return []
    fixed, failed = read_fixed(request.folder), []
    check_experiment(fixed, request)
    if not request.report_only:
        where = Where(request.folder, Path("runs") / request.folder.name, weights, commit_of_code())
        check_weights(fixed, weights, fixed.weights)
        if fixed.acting:
            check_weights(fixed, shipped_acting(), fixed.acting)
        chosen = Chosen(request.players, request.seeds, request.lives, request.places, request.versions)
        chosen.check(fixed)
        again = request.raise_again
        failed = play(fixed, where, chosen, plain_console(), request.workers, request.minutes, again)
    told = request.report_only or request.experiment not in READ_ONCE
    report(fixed, request.folder, PAGES[request.experiment], told)
    return failed


def commit_of_code() -> str:
    """The commit that rows name. ValueError where it does not hold the code that would be run."""
    commit = git_commit()
    if commit is None:
        raise ValueError("not in a checkout of git: expected one, as each row names its commit")
    if changed := changed_files(*CODE):
        raise ValueError(f"{changed[0]} is changed, or not committed: expected {', '.join(CODE)} as committed")
    return commit


def check_experiment(fixed: Fixed, request: Request) -> None:
    """Raises ValueError where another experiment was fixed in the folder: its page would be overwritten."""
    for name in EXPERIMENTS:
        if name != request.experiment and {*read_experiment(name)["players"]} == {*fixed.players}:
            raise ValueError(
                f"{request.folder}: experiment {name} was fixed there: expected --experiment {name}, or another --out"
            )


def check_weights(fixed: Fixed, path: Path, was: str) -> None:
    """Raises ValueError for a file of another SHA-256 than the fixed one."""
    if (found := digest(path)) != was:
        raise ValueError(
            f"{path}: its SHA-256 begins with {found[:12]}, and {was[:12]} was fixed: expected the weights "
            f"of commit {fixed.commit[:12]}, or a new --out"
        )


def report(fixed: Fixed, folder: Path, write_page: Callable[[Path], str], told: bool) -> None:
    """Prints how far the experiment is, after its rows were checked, and writes the page of what there is. ``told``:
    the result, too, where lives are missing; if not, only how many there are."""
    lives = read_lives(folder, missing_ok=True)
    rows = summary(fixed, lives)
    told = told or all(recorded == planned for _, recorded, planned, _ in rows)
    shown = ("player", "lives", "planned", "won")[: 4 if told else 3]
    table = Table(box=box.SIMPLE_HEAD)
    for column in shown:
        table.add_column(column, justify="left" if column == "player" else "right")
    for player, *counts in rows:
        table.add_row(player, *(f"{count:,}" for count in counts[: len(shown) - 1]))
    plain_console().print(table)
    if len(lives) and told:
        plain_console().print(write_page(folder), soft_wrap=True)
