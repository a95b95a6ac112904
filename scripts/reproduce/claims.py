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
    ratio, original = reached.ratio, reached.original
    if original is None or reached.verdict == NEVER:
        return reached.verdict
    told = []
    if ratio:
        sign = {"": "", ">=": "at least ", "<=": "at most ", "~": "about "}[ratio.bound]
        told.append(f"ratio {sign}{ratio.value:.2f}")
        told[0] += f" ({ratio.low:.2f} to {ratio.high:.2f})" if ratio.low is not None else ""
    if not ratio or ratio.bound or reached.verdict not in (ALIKE,):
        got = f"{reached.got} of {reached.n} runs got there, on the original {original.got} of {original.n}"
        told += [got] if (reached.got, original.got) != (reached.n, original.n) else []
    return f"{reached.verdict}: {'; '.join(told)}" if told else reached.verdict


def standing(reached: Reached, claim: dict[str, Any] | None) -> str:
    """Whether the finding fits the claim; "" where there is none."""
    return reached.against(claim["ratio"]) if claim else ""
