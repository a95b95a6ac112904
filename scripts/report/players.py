"""Kinds of players, and the sections of a report: which plays are compared with which."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from envs.level import Level
from envs.versions import find_version, games, versions
from scripts.report.statistics import Played

NAMES = {
    "person": "People", "simulated": "Simulated players", "ppo": "PPO", "ppo-no-bonus": "PPO, no bonus",
    "ppo-privileged-counts": "PPO, told positions", "ppo-icm": "PPO, ICM", "ppo-rnd": "PPO, RND",
    "dqn": "DQN", "dqn-no-bonus": "DQN, no bonus", "dqn-icm": "DQN, ICM", "dqn-rnd": "DQN, RND",
    "dqn-privileged-counts": "DQN, told positions", "random": "Random",
}  # fmt: skip
SHORT = {"simulated": "Simulated"}
ORDER = {"person": 0, "simulated": 1, "ppo": 2, "dqn": 3, "random": 9}
TITLES = {"princess": "Princess", "key_door": "Key and Door"}
UNITS = {"person": ("person", "people"), "simulated": ("simulated player", "simulated players")}
SEEDS = ("seed", "seeds")
MOST_SECTIONS = 12
MOST_ANSWERS = 8  # different ones, beyond which they are free text


@dataclass(frozen=True)
class Kind:
    """A kind of player: all runs of one method."""

    method: str
    label: str  # as shown, with "(privileged)" where it is
    short: str  # as shown within figures, with a star where it is privileged
    colour: str  # its name in the style sheet
    privileged: bool
    player: str  # "person", "agent" or "simulated"

    @property
    def is_agent(self) -> bool:
        return self.player == "agent"

    @property
    def units(self) -> tuple[str, str]:
        """What is counted: one, and several."""
        return UNITS.get(self.player, SEEDS)


@dataclass(frozen=True)
class Section:
    """The plays of one game on one level, in whatever versions; ``notes`` say what was left out of them, and why."""

    game: str
    level: str  # its text, or its name where it has none
    versions: tuple[str, ...]
    runs: tuple[Played, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        name = level_name(self.level)
        return title_of_game(self.game) if name in (self.game, "") else f"{title_of_game(self.game)}, level {name}"

    @property
    def kinds(self) -> list[Kind]:
        return kinds_of(self.runs)


def same_rules(section: Section) -> bool:
    """Whether its versions differ in looks alone; masks of Atari's games do."""
    if section.game not in games():
        return True
    return len({find_version(section.game, version).rules for version in section.versions} - {""}) <= 1


def kinds_of(runs: Sequence[Played]) -> list[Kind]:
    """People first, then simulated players; random last, privileged methods after the others."""
    found = sorted({(ORDER.get(run.method, 5), run.privileged, run.method, run.player) for run in runs})
    free = itertools.cycle(("fourth", "fifth", "sixth", "seventh"))
    kinds = []
    for _, privileged, method, player in found:
        name = NAMES.get(method, method)
        short = SHORT.get(method, name)
        label, short = (f"{name} (privileged)", f"{name.split(',')[0]}*") if privileged else (name, short)
        colour = method if method in ORDER and not privileged else next(free)
        kinds.append(Kind(method, label, short, colour, privileged, player))
    return kinds


def of_kind(runs: Sequence[Played], kind: Kind, version: str | None = None) -> list[Played]:
    """The runs of that kind of player, on that version where one is given."""
    found = [run for run in runs if run.method == kind.method and run.privileged == kind.privileged]
    return [run for run in found if version in (None, run.version)]


def count(ns: Sequence[int], kind: Kind) -> str:
    """As "3 seeds", "1 person" or "8 to 10 people"."""
    unit = kind.units[max(ns) != 1]
    return f"{min(ns)} {unit}" if min(ns) == max(ns) else f"{min(ns)} to {max(ns)} {unit}"


def sections_of(runs: Sequence[Played], paired: bool = False) -> tuple[list[Section], list[str]]:
    """A section a game and level, those with most plays first, each with the plays that are compared in it.

    And a line on each that finds no room, beyond MOST_SECTIONS.

    Compared are the first plays of each person on that level; ``paired``, on each version of it.
    """
    together: dict[tuple, list[Played]] = {}
    for run in runs:
        together.setdefault((run.game, geometry(run.level)), []).append(run)
    found = sorted(together.values(), key=lambda group: (-len(group), group[0].game))
    sections = []
    for group in found[:MOST_SECTIONS]:
        kept, notes = first_plays(group, paired)
        played = {run.version for run in kept}
        known = versions(group[0].game) if group[0].game in games() else ["original"]
        names = [name for name in known if name in played] + sorted(played - set(known))
        sections.append(Section(group[0].game, group[0].level, tuple(names), tuple(kept), tuple(notes)))
    beyond = [f"{title_of_game(group[0].game)}, level {level_name(group[0].level)}" for group in found[MOST_SECTIONS:]]
    return sections, [f"{name}: not shown, {MOST_SECTIONS} games and levels have more plays" for name in beyond]


def first_plays(runs: Sequence[Played], paired: bool = False) -> tuple[list[Played], list[str]]:
    """The runs of agents, and of each person the first play (``paired``: of each version); and a line on the others.

    A person's plays are in the order of their dates and of their numbers within a session.
    """

    def when(run: Played) -> tuple:
        return str(run.settings.get("date", "")), int(run.settings.get("number") or 0), run.folder

    seen: set[tuple] = set()
    kept, later = [], 0
    for run in sorted(runs, key=when):
        key = (run.method, run.participant, run.version if paired else "")
        if run.participant and key in seen:
            later += 1
            continue
        seen.add(key)
        kept.append(run)
    what = "first plays of each version by each person" if paired else "each person's first play"
    plays = "play that was not a first is" if later == 1 else "plays that were not first are"
    notes = [f"Compared are {what}; {later} {plays} left out."] if later else []
    return kept, notes + (original_first(kept) if paired else [])


def original_first(in_order: Sequence[Played]) -> list[str]:
    """A line of how many of those who played the original and another version played the original first, if any did.

    Who did knows the game when the version begins: where most did, or few, versions and practice can't be told apart.
    """
    played: dict[tuple[str, str], list[str]] = {}  # of each player, versions in the order of playing
    for run in in_order:
        if run.participant:
            played.setdefault((run.method, run.participant), []).append(run.version)
    told = []
    for version in sorted({run.version for run in in_order} - {"original"}):
        both = [names for names in played.values() if version in names and "original" in names]
        first = sum(names.index("original") < names.index(version) for names in both)
        told += [f"{title_of(version)} {first} of {len(both)}"] if both else []
    return [f"Of those who played both, the original was played first: {', '.join(told)}."] if told else []


def without(runs: Sequence[Played], exclude: Sequence[str]) -> tuple[list[Played], list[str]]:
    """The runs but those of people who gave an answer of ``exclude``, each as "question=answer"; and a line on each.

    A person's answer counts for all plays of that person. Raises ValueError for a question that nobody was asked.
    """
    given: dict[str, dict[str, str]] = {}  # of each person
    for run in runs:
        if run.participant:
            given.setdefault(run.participant, {}).update(answers_of(run))
    notes, gone = [], set()
    for condition in exclude:
        question, is_condition, answer = condition.partition("=")
        asked = sorted({name for answers in given.values() for name in answers})
        if not is_condition or question not in asked:
            known = ", ".join(asked) or "none here"
            raise ValueError(f"--exclude {condition!r}: expected QUESTION=ANSWER with a question of {known}")
        who = {person for person, answers in given.items() if answers.get(question, "").lower() == answer.lower()}
        silent = sum(question not in answers for answers in given.values())
        notes.append(f"Without the {len(who)} of {len(given)} people who answered “{answer}” to “{question}”")
        notes[-1] += f"; {silent} gave no answer and are kept." if silent else "."
        gone |= who
    return [run for run in runs if not run.participant or run.participant not in gone], notes


def answers_of(run: Played) -> dict[str, str]:
    """What the person answered, as text."""
    answers = run.settings.get("answers") or {}
    words = {name: ("yes" if value else "no") if isinstance(value, bool) else value for name, value in answers.items()}
    return {str(name): str(value) for name, value in words.items()}


def answer_counts(runs: Sequence[Played]) -> dict[str, Counter[str]]:
    """How many people gave each answer to each question; of free texts, only that they gave one."""
    people = {run.participant: answers_of(run) for run in runs if run.player == "person"}
    counts: dict[str, Counter[str]] = {}
    for answers in people.values():
        for question, answer in answers.items():
            counts.setdefault(question, Counter())[answer] += 1
    return {
        question: found if len(found) <= MOST_ANSWERS else Counter({"(free text)": found.total()})
        for question, found in counts.items()
    }


@cache
def geometry(level: str) -> tuple | str:
    """What makes two levels the same to play, whatever they are called."""
    try:
        read = Level.read(level) if "\n" in level else None
    except ValueError:
        read = None
    return (read.rows, read.start, read.goal, read.goal_size, read.period) if read else level


@cache
def level_name(level: str) -> str:
    try:
        return Level.read(level).name if "\n" in level else level
    except ValueError:
        return level.splitlines()[0]


def title_of(version: str) -> str:
    return version.replace("_", " ")


def title_of_game(game: str) -> str:
    return TITLES.get(game, game.removeprefix("atari/").replace("_", " ").title())
