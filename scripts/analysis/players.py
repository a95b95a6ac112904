"""Kinds of players, and the sections of a report: which plays are compared with which."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import find_version, games, versions
from priorlab.envs.results.archive import OF_ONE_RUN
from priorlab.scripts.analysis.statistics import Played

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
    """The plays that are compared: of one game on one level, in whatever versions; ``notes`` say what was left out of
    them, and what in them differs.

    People's are of one ``study`` ("" where they belong to none; None where there are no people) and of one ``limit``,
    minutes, None where none was recorded; ``about`` says so in words.
    """

    game: str
    level: str  # its text, or its name where it has none
    versions: tuple[str, ...]
    runs: tuple[Played, ...]
    notes: tuple[str, ...] = ()
    study: str | None = None
    limit: float | None = None
    about: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the game and the level."""
        level = level_name(self.level)
        return title_of_game(self.game) if level in (self.game, "") else f"{title_of_game(self.game)}, level {level}"

    @property
    def title(self) -> str:
        return " · ".join((self.name, *self.about))

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


@dataclass
class Group:
    """Plays of people, or of simulated players, that may be pooled: of one study, time limit and pace."""

    player: str
    study: str
    limit: float | None  # minutes
    rate: float  # inputs a second
    runs: list[Played]

    @property
    def longest(self) -> float:
        """Minutes of play, won or not."""
        return max(run.budget / run.rate / 60 for run in self.runs)

    def about(self) -> tuple[str, ...]:
        study = (
            "simulated players" if self.player == "simulated" else f"study {self.study}" if self.study else "no study"
        )
        return (
            study,
            f"at most {self.limit:g} minute{'s' * (self.limit != 1)}" if self.limit else "time limit not recorded",
        )


def groups_of(runs: Sequence[Played], player: str) -> list[Group]:
    """The plays of people, or of simulated players, in groups that may be pooled.

    A ``.play`` file tells its time limit only where the play ended by it. Others belong to the group of the same study
    whose limit is known, if there is one alone and none of them took longer.
    """
    found: dict[tuple, Group] = {}
    for run in (run for run in runs if run.player == player):
        study = str(run.settings.get("study") or "") if player == "person" else ""
        group = found.setdefault((study, run.rate, run.limit), Group(player, study, run.limit, run.rate, []))
        group.runs.append(run)
    for key, group in [each for each in found.items() if each[1].limit is None]:
        known = [each for each in found.values() if (each.study, each.rate) == (group.study, group.rate) and each.limit]
        if len(known) == 1 and group.longest <= (known[0].limit or 0) + 1e-9:
            known[0].runs += group.runs
            del found[key]
    return list(found.values())


def sections_of(runs: Sequence[Played], paired: bool = False) -> tuple[list[Section], list[str]]:
    """A section a game, level, study and time limit, those with most plays first.

    And a line on each that finds no room, beyond MOST_SECTIONS. Agents, and simulated players of no other time limit,
    stand beside the people of each section; where there are none, in a section of their own.

    Compared are the first plays of each person on that level, in whatever study; ``paired``, on each version of it.
    """
    together: dict[tuple, list[Played]] = {}
    for run in runs:
        together.setdefault((run.game, geometry(run.level)), []).append(run)
    sections = []
    for on_level in together.values():
        agents = [run for run in on_level if run.player == "agent"]
        people, simulated = (groups_of(on_level, player) for player in ("person", "simulated"))
        alone = list(simulated)
        for group in people:
            fit = [each for each in simulated if fits(each, group)]
            beside = fit[0] if len(fit) == 1 else None
            alone = [each for each in alone if each is not beside]
            sections.append(section_of(group, beside, agents, on_level, len(people) > 1, paired))
        sections += [section_of(group, None, agents, on_level, False, paired) for group in alone]
        if not people and not simulated:
            sections.append(section_of(None, None, agents, on_level, False, paired))
    sections.sort(key=lambda section: (-len(section.runs), section.game, section.about))
    beyond = [
        f"{section.title}: not shown, {MOST_SECTIONS} sections have more plays" for section in sections[MOST_SECTIONS:]
    ]
    return sections[:MOST_SECTIONS], beyond


def fits(simulated: Group, people: Group) -> bool:
    """Whether simulated players can stand beside people: nothing says that they had another time limit."""
    if simulated.rate != people.rate:
        return False
    if simulated.limit and people.limit:
        return simulated.limit == people.limit
    return people.limit is None or simulated.longest <= people.limit + 1e-9


def section_of(
    group: Group | None, beside: Group | None, agents: Sequence[Played], on_level: Sequence[Played], several: bool,
    paired: bool,
) -> Section:  # fmt: skip
    """The section of a group, with simulated players and agents beside; ``several``: other people played the level."""
    members = [*(group.runs if group else ()), *(beside.runs if beside else ()), *agents]
    kept, notes = first_plays(members, paired, on_level if several else None)
    notes += differences(kept)
    if beside and beside.limit is None and group and group.limit:
        notes.append(
            "How long simulated players could play at most is not recorded; none played longer than people could."
        )
    played, game = {run.version for run in kept}, members[0].game
    known = versions(game) if game in games() else ["original"]
    names = [name for name in known if name in played] + sorted(played - set(known))
    study = group.study if group and group.player == "person" else None
    return Section(
        game, members[0].level, tuple(names), tuple(kept), tuple(notes), study, group.limit if group else None,
        group.about() if group else (),
    )  # fmt: skip


def first_plays(
    runs: Sequence[Played], paired: bool = False, on_level: Sequence[Played] | None = None
) -> tuple[list[Played], list[str]]:
    """The runs of agents, and of each person the first play (``paired``: of each version); and a line on the others.

    A person's plays are in the order of their dates and of their numbers within a session; of sessions of one day
    nobody knows the order, and a line says so. ``on_level`` are all plays of the level, where there are others than
    ``runs``: whoever played it in another study knows the game, too.
    """

    def when(run: Played) -> tuple[str, int]:
        return str(run.settings.get("date", "")), int(run.settings.get("number") or 0)

    seen: dict[tuple, Played] = {}
    kept, later, unclear = [], 0, set[str]()
    own = set(map(id, runs))
    for run in sorted(runs if on_level is None else on_level, key=lambda run: (*when(run), run.folder)):
        key = (run.method, run.participant, run.version if paired else "")
        if run.participant and key in seen:
            later += id(run) in own
            if when(run)[0] == when(seen[key])[0] and run.folder != seen[key].folder:
                unclear.add(run.participant)
            continue
        seen[key] = run
        if id(run) in own:
            kept.append(run)
    what = "first plays of each version by each person" if paired else "each person's first play"
    what += " on this level in any study" if on_level is not None else ""
    plays = "play that was not a first is" if later == 1 else "plays that were not first are"
    notes = [f"Compared are {what}; {later} {plays} left out."] if later else []
    if unclear and later:
        people = f"{len(unclear)} {'person' if len(unclear) == 1 else 'people'}"
        notes.append(
            f"{people} played in several sessions on one day. Which was first is not recorded; the one whose file name "
            "comes first counts."
        )
    return kept, notes + (original_first(kept) if paired else [])


def differences(runs: Sequence[Played]) -> list[str]:
    """A line on each setting in which plays or runs differ that stand together: look seeds, engines, agents' settings.

    Study and time limit as well: a section of ``sections_of`` has one of each, others may not.
    """
    lines = []
    for kind in kinds_of(runs):
        own = of_kind(runs, kind)
        if kind.is_agent:
            names = sorted({name for run in own for name in run.settings} - set(OF_ONE_RUN))
            varied = [name for name in names if varies(own, name)]
            lines += [f"{kind.label}: the runs of a version differ in {', '.join(varied)}."] if varied else []
            continue
        found = {
            "study": [run.settings.get("study") or "none" for run in own if kind.player == "person"],
            "time limit (minutes)": [f"{run.limit:g}" for run in own if run.limit],
            "look seed": [run.settings.get("look_seed") for run in own],
            "engine version": [run.settings.get("engine") for run in own],
        }
        for what, values in found.items():
            counts = Counter(str(value) for value in values if value is not None)
            words = ", ".join(f"{value} ({n} play{'s' * (n > 1)})" for value, n in sorted(counts.items()))
            lines += [f"{kind.label}: plays that are pooled here differ in {what}: {words}."] if len(counts) > 1 else []
    return lines


def varies(runs: Sequence[Played], name: str) -> bool:
    """Whether the setting differs among the runs of a version."""
    values: dict[str, set[str]] = {}
    for run in runs:
        values.setdefault(run.version, set()).add(repr(run.settings.get(name)))
    return any(len(each) > 1 for each in values.values())


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
