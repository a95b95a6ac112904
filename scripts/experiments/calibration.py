"""Are a raised player's probabilities right? By role and setting of the dials, on held-out levels in held-out looks.

``priorlab raise`` measures it. This copies its rows next to the page, and writes the page from them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tyro

from priorlab.agents.priors.appraisal import BINS, CONDITIONS, SHARES
from priorlab.agents.priors.roles import ROLES
from priorlab.agents.priors.weights import digest
from priorlab.envs.base.files import read_json, read_text, write_whole
from priorlab.scripts.console import plain_console
from priorlab.scripts.experiments.calibration_figures import EDGE, learning_curve, reliability_diagram
from priorlab.scripts.priors.raised import APPRAISAL, CONFIG, PROGRESS, RELIABILITY, WEIGHTS
from priorlab.scripts.report.readme import made_with, readme, table, write

COMMAND = "python -m priorlab.scripts.experiments.calibration"
USUAL = Path("results/raising")
ROWS = (APPRAISAL, RELIABILITY, PROGRESS)
FEWEST = 100  # unsure probabilities of a role in a setting, with fewer of which no error is given
FAR, CHANCE = 0.05, 2  # not calibrated: a larger error, that is so many times what chance would give
WORST = 12  # cases that are listed
TOGETHER = "together"
LAST = 0.1  # of the raising, over which the loss at its end is averaged


def main(raised: Path | None = None, out: Path = USUAL, report_only: bool = False) -> None:
    """Copy the rows of a raised player, and write the page.

    Args:
        raised: folder of `priorlab raise`
        out: folder of the rows and the page
        report_only: write the page from the rows that are there
    """
    if (raised is None) != report_only:
        raise SystemExit("calibration: expected either --raised FOLDER, of `priorlab raise`, or --report-only")
    try:
        if raised:
            copy(raised, out)
        text = readme_of(out)
    except (ValueError, OSError) as error:
        raise SystemExit(f"calibration: {error}") from None
    write(
        out,
        text,
        {
            "reliability.svg": reliability_diagram(pd.read_csv(out / RELIABILITY)),
            "learning.svg": learning_curve(pd.read_csv(out / PROGRESS)),
        },
    )
    plain_console().print(text, soft_wrap=True)


def copy(raised: Path, out: Path) -> None:
    """Copies rows and configuration, with a hash of the weights. ValueError, one line, where rows of other weights are,
    or some are missing."""
    missing = [name for name in (CONFIG, WEIGHTS, *ROWS) if not (raised / name).exists()]
    if missing:
        raise ValueError(f"{raised}: no {', '.join(missing)}: expected a folder of `priorlab raise` that is finished")
    weights = digest(raised / WEIGHTS)
    if (out / CONFIG).exists() and (there := read_json(out / CONFIG).get("weights")) != weights:
        raise ValueError(f"{out} is about weights {str(there)[:12]}, not {weights[:12]}: expected an empty --out")
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / CONFIG, json.dumps(read_json(raised / CONFIG) | {"weights": weights}, indent=2) + "\n")
    for name in ROWS:
        write_whole(out / name, read_text(raised / name))


def readme_of(folder: Path) -> str:
    """The text of README.md."""
    tables: list[Any] = [pd.read_csv(folder / name) for name in ROWS]
    appraisal, reliability, progress = tables
    config = read_json(folder / CONFIG)
    errors = unsure_errors(reliability)
    software = "; ".join(f"{name} {version}" for name, version in config["software"].items())
    settings = {str(name): part.set_index("share") for name, part in appraisal.groupby("condition", sort=False)}
    evidence = [share for share in SHARES if share]
    return readme(
        "calibration.md", folder, title="Raising: are the player's probabilities right?", finding=finding(errors),
        made=["priorlab raise", f"{COMMAND} --raised runs/raise/full/seed_0"], again=f"{COMMAND} --report-only",
        html=False, resumes=False,
        software=made_with([software], [config.get("git_commit") or ""]), config=config, fewest=FEWEST,
        errors=table(["role", TOGETHER, *CONDITIONS], by_role(errors)), worst=worst(errors),
        recalls=table(["role", *settings], (recall_of(role, settings.values()) for role in ROLES)),
        losses=table(
            ["dials", *map(revealed, SHARES), "accuracy"],
            ([name, *losses_of(part), f"{100 * part['accuracy'][0.0]:.1f} %"] for name, part in settings.items()),
        ),
        evidence=table(
            ["dials", *map(revealed, evidence)],
            ([name, *(f"{part['alike_nll'][share]:.4f} ({part['alike_blind'][share]:.4f})" for share in evidence)]
             for name, part in settings.items()),
        ),
        cells=int(appraisal["cells"].max()), pictures=int(progress["pictures"].iloc[-1]),
        minutes=float(progress["seconds"].iloc[-1]) / 60, first=float(progress["loss"].iloc[0]),
        last=float(progress["loss"].tail(max(1, round(LAST * len(progress)))).mean()),
    )  # fmt: skip


def unsure_errors(reliability: pd.DataFrame) -> Any:
    """A DataFrame of each (role, condition), and of all conditions TOGETHER, before any evidence.

    ``count``: how many probabilities are unsure, from EDGE to 1 - EDGE; ``error``: their expected calibration error;
    ``chance``: what it would be about if they were right and cells independent; ``said``, ``happened``: their mean and
    the share that was true.
    """
    rows: Any = reliability[(reliability["share"] == 0) & reliability["mean"].between(EDGE, 1 - EDGE)]
    rows = rows.rename(columns={"probabilities": "count", "mean": "said", "true": "happened"})
    rows = pd.concat([rows, together(rows)])
    count, said, happened = (rows[name] for name in ("count", "said", "happened"))
    spread = np.sqrt(2 / np.pi * said * (1 - said) / count)  # mean absolute error of a share of independent cells
    parts = {"error": (said - happened).abs(), "chance": spread, "said": said, "happened": happened}
    return weighted(rows.assign(**parts), ["role", "condition"], [*parts])


def together(rows: Any) -> Any:
    """The bins of all conditions as one condition."""
    rows = rows.assign(bin=np.floor(rows["said"] * BINS).astype(int), condition=TOGETHER)
    return weighted(rows, ["role", "condition", "bin"], ["said", "happened"]).reset_index()


def weighted(rows: Any, by: list[str], names: list[str]) -> Any:
    """Means of these columns by ``count``, and its sum."""
    products = rows[[*by, "count"]].assign(**{name: rows[name] * rows["count"] for name in names})
    sums = products.groupby(by).sum()
    return sums.assign(**{name: sums[name] / sums["count"] for name in names})


def is_off(errors: Any) -> Any:
    """Whether each is not calibrated."""
    return (errors["count"] >= FEWEST) & (errors["error"] > np.maximum(FAR, CHANCE * errors["chance"]))


def finding(errors: Any) -> str:
    """One sentence: of all settings together, and of each alone."""
    alone = errors.index.get_level_values("condition") != TOGETHER
    both, each = errors[~alone], errors[alone]
    error = float((both["error"] * both["count"]).sum() / both["count"].sum())
    known, off = int((each["count"] >= FEWEST).sum()), int(is_off(each).sum())
    return (
        f"Over all settings of the dials together, the player's unsure probabilities are off by {100 * error:.1f} "
        f"points; in {off} of {known} cases of one role in one setting, they are not calibrated"
    )


def by_role(errors: Any) -> Iterator[list[str]]:
    """A line for each role: the error and what chance would give, in points, and how many probabilities there are;
    bold where it is not calibrated."""
    known, off = errors[errors["count"] >= FEWEST].to_dict("index"), is_off(errors)

    def case(of: tuple[str, str]) -> str:
        if not (one := known.get(of)):
            return "-"
        error, mark = f"{100 * one['error']:.1f}", "**" if off[of] else ""
        return f"{mark}{error}{mark} / {100 * one['chance']:.1f} ({one['count']:,.0f})"

    for role in ROLES:
        yield [role, *(case((role, condition)) for condition in (TOGETHER, *CONDITIONS))]


def worst(errors: Any) -> list[str]:
    """The worst of the cases that are not calibrated."""
    off = errors[is_off(errors)].sort_values("error", ascending=False).head(WORST)
    return [
        f"*{role}*, {condition}: probabilities of {100 * one['said']:.0f} % on average, of which "
        f"{100 * one['happened']:.0f} % were true"
        for (role, condition), one in off.iterrows()
    ]


def recall_of(role: str, settings: Any) -> list[str]:
    """Of each setting: the share of the role's cells of which it is the likeliest role."""
    return [role, *(f"{100 * part[f'recall_{role}'][0.0]:.0f} %" for part in settings)]


def losses_of(part: Any) -> list[str]:
    return [f"{part['nll'][share]:.4f}" for share in SHARES]


def revealed(share: float) -> str:
    return f"{100 * share:.0f} % revealed"


if __name__ == "__main__":
    tyro.cli(main)
