"""The page of the replication: the claim of the matrix once more, beside that of the first experiment."""

from pathlib import Path

from priorlab.scripts.priors import tables
from priorlab.scripts.priors.cells import Cells
from priorlab.scripts.priors.figures import matrix_figure
from priorlab.scripts.priors.matrix import ALL, LEAST_SOLVED, MOST, Matrix, claim_of, matrices_of
from priorlab.scripts.priors.page import cast_of, figure_of, left_out, so_far, unsolved, without_affordance
from priorlab.scripts.priors.recorded import Recorded, read_recorded
from priorlab.scripts.priors.request import FOLDERS
from priorlab.scripts.priors.sealed import LIVES, SOFTWARE, read_rows
from priorlab.scripts.report import readme
from priorlab.scripts.report.summary import percent

FIRST, AGAIN = FOLDERS["knowledge"], FOLDERS["replication"]


def write_page(folder: Path) -> str:
    """Writes README.md and its figure into ``folder``, from its rows; returns the finding, one sentence.

    ValueError, in one line, where there are no rows.
    """
    recorded = read_recorded(folder)
    matrices = matrices_of(Cells.of(recorded))
    finding = recorded.so_far(claim_of(matrices[ALL]))
    figures = {figure_of(matrices[ALL]): matrix_figure(matrices, ALL)} if matrices[ALL].relief else {}
    readme.write(folder, text_of(folder, recorded, matrices, finding), figures)
    return finding


def readme_of(folder: Path) -> str:
    """The text of README.md."""
    recorded = read_recorded(folder)
    matrices = matrices_of(Cells.of(recorded))
    return text_of(folder, recorded, matrices, recorded.so_far(claim_of(matrices[ALL])))


def text_of(folder: Path, recorded: Recorded, matrices: dict[str, Matrix], finding: str) -> str:
    out, matrix = readme.elsewhere(folder, AGAIN), matrices[ALL]
    return readme.readme(
        "replication.md",
        folder,
        title="The claim once more, with new training seeds",
        finding=finding,
        made=[
            readme.command("priors", experiment="replication", fix=True, out=out),
            readme.command("priors", experiment="replication", out=out),
        ],
        again=readme.command("priors", experiment="replication", report_only=True, out=out),
        software=readme.made_with(read_rows(folder / SOFTWARE)["software"], recorded.lives["commit"].astype(str)),
        html=False,
        so_far=so_far(recorded),
        figure=figure_of(matrix) if matrix.relief else "",
        matrix_table=tables.matrix_table(matrices),
        first=first_table(),
        without_affordance=without_affordance(matrix),
        left_out=left_out(matrix),
        unsolved=unsolved(recorded),
        rule={"times": f"{MOST:g}", "solved": percent(LEAST_SOLVED), "limit": f"{recorded.limit:,}"},
        compute=tables.compute_table(recorded),
        cast=cast_of(recorded),
    )


def first_table() -> tables.Table | None:
    """The relief that the first experiment found; None without its rows."""
    return tables.matrix_table(matrices_of(Cells.of(read_recorded(FIRST)))) if (FIRST / LIVES).exists() else None
