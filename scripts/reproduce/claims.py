"""What was published of agents, and findings in words that the numbers support."""

from typing import Any

from priorlab.scripts.analysis.efficiency import ALIKE, NEVER, Reached
from priorlab.scripts.analysis.players import Section, title_of_game
from priorlab.scripts.analysis.published import published_figures


def claim_of(section: Section, version: str) -> dict[str, Any] | None:
    """ratio, words and grade of the claim on this version; None where nothing was published of agents on this game."""
    agents = published_figures()["agents"]
    return agents["versions"].get(version) if title_of_game(section.game) == agents["game"] else None


def words(reached: Reached) -> str:
    """As "hardly different: ratio 1.08 (0.95 to 1.21)"; where runs did not get there, with how many did."""
    ratio, original = words_of_ratio(reached), reached.original
    if original is None or reached.verdict == NEVER:
        return reached.verdict
    told = [f"ratio {ratio}"] if ratio else []
    if reached.ratio is None or reached.ratio.bound or reached.verdict != ALIKE:
        got = f"reached by {reached.got} of {reached.n} runs, on the original by {original.got} of {original.n}"
        told += [got] if (reached.got, original.got) != (reached.n, original.n) else []
    return f"{reached.verdict}: {'; '.join(told)}" if told else reached.verdict


def words_of_ratio(reached: Reached) -> str:
    """As "at least 1.08 (0.95 to 1.21)"; "" where there is no ratio."""
    ratio = reached.ratio
    if ratio is None:
        return ""
    sign = {"": "", ">=": "at least ", "<=": "at most ", "~": "about "}[ratio.bound]
    return f"{sign}{ratio.value:.2f}" + (f" ({ratio.low:.2f} to {ratio.high:.2f})" if ratio.low is not None else "")


def standing(reached: Reached, claim: dict[str, Any] | None) -> str:
    """Whether the finding fits the claim; "" where there is none."""
    return reached.against(claim["ratio"]) if claim else ""
