"""What a page says first of a section: who is slowed by which versions, with how many players each, in one sentence."""

from priorlab.scripts.analysis.comparison import Analysis, Cell
from priorlab.scripts.analysis.players import LIVES, Kind, count, count_of, of_kind, same_rules, title_of
from priorlab.scripts.report import summary
from priorlab.scripts.report.summary import among, is_bare, number, ratio_text

PLAYER = "the player with priors"
MOST_NAMED = 2  # versions that are named one by one


def headline(analysis: Analysis) -> str:
    """The finding in one sentence, without its full stop.

    With lives of a player with priors: which versions clearly slow it, beside people and the first agent that learns
    from pictures alone; and whether that agent ever won. Otherwise as ``summary.headline``, unless there are only an
    agent that never won and random play.
    """
    lives = life_of(analysis)
    others = [kind for kind in analysis.section.kinds if not kind.lives and is_bare(kind) and kind.method != "random"]
    agents = [kind for kind in others if kind.is_agent][:1]
    if lives is None:
        never = [words for kind in agents if (words := never_words(analysis, kind))]
        return never[0] if never and others == agents else summary.headline(analysis)
    if summary.main_contrasts(analysis):
        slowed = slowed_words(analysis, lives, named=False)
        words = f"they clearly slow {slowed}" if slowed else won_words(analysis, lives)
        return f"{summary.headline(analysis)}; {words}"
    compared = [*(kind for kind in others if not kind.is_agent), lives, *agents]
    slowed = [words for kind in compared if (words := slowed_words(analysis, kind))]
    what = "Changed looks" if same_rules(analysis.section) else "Changed looks or rules"
    parts = [f"{what} clearly slow {', '.join(slowed)}"] if slowed else []
    if not slowed_words(analysis, lives):
        parts.append(won_words(analysis, lives))
    parts += [words for kind in agents if (words := never_words(analysis, kind))]
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def life_of(analysis: Analysis) -> Kind | None:
    """The player with priors that the headline is about: by committed lives if there are any, else by the live ones."""
    kinds = {kind.method: kind for kind in analysis.section.kinds if kind.lives}
    return next((kinds[method] for method in LIVES if method in kinds), None)


def slowed_words(analysis: Analysis, kind: Kind, named: bool = True) -> str:
    """Such as "PPO in none of 7 versions (3 seeds)"; "" without intervals. ``named``: with the versions that slow it
    most."""
    known = [cell for cell in analysis.of_kind(kind) if cell.ratio and cell.ratio.low is not None]
    if not known:
        return ""
    slower = sorted((cell for cell in known if cell.is_slower), key=lambda cell: -ratio_of(cell))
    where = f"in {among(len(slower), len(known))}"
    many = count([min(cell.ratio.n, cell.ratio.n_original) for cell in known if cell.ratio], kind)
    if named and 0 < len(slower) <= MOST_NAMED:
        many = f"{' and '.join(title_of(cell.version) for cell in slower)}; {many}"
    elif named and slower:
        many = f"most in {title_of(slower[0].version)}, {ratio_text(slower[0].ratio)}; {many}"
    return f"{name_of(kind)} {where} ({many})"


def ratio_of(cell: Cell) -> float:
    return cell.ratio.value if cell.ratio else 0.0


def won_words(analysis: Analysis, kind: Kind) -> str:
    """How many versions a player without intervals won, such as "the player with priors won all 8 versions at first
    sight (1 life each)"."""
    cells = analysis.of_kind(kind)
    won = sum(cell.won == cell.n for cell in cells)
    many = f"all {len(cells)} versions" if won == len(cells) else f"{won} of {len(cells)} versions"
    lives = count_of([cell.n for cell in cells], kind.units)
    return f"{PLAYER} won {many} at first sight ({lives} each)"


def never_words(analysis: Analysis, kind: Kind) -> str:
    """Such as "PPO never won (27 runs of up to 1M inputs)"; "" if it won, also in the longer runs of the section."""
    section = analysis.section
    runs = of_kind([*section.runs, *section.longer], kind)
    if any(run.won for run in runs):
        return ""
    most = max(run.budget for run in runs)
    return f"{name_of(kind)} never won ({len(runs)} run{'s' * (len(runs) > 1)} of up to {number(most)} inputs)"


def name_of(kind: Kind) -> str:
    return PLAYER if kind.lives else kind.label if kind.is_agent else kind.label.lower()
