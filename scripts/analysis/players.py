"""Kinds of players, and the sections of a report: which plays are compared with each other."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from priorlab.envs.game.level import Level
from priorlab.envs.game.versions import TITLES, find_version, games, versions
from priorlab.envs.results.archive import OF_ONE_RUN
from priorlab.scripts.analysis.statistics import Played

NAMES = {
    "person": "People", "simulated": "Simulated players", "ppo": "PPO", "ppo-no-bonus": "PPO, no bonus",
    "ppo-privileged-counts": "PPO, given positions", "ppo-icm": "PPO, ICM", "ppo-rnd": "PPO, RND",
    "dqn": "DQN", "dqn-no-bonus": "DQN, no bonus", "dqn-icm": "DQN, ICM", "dqn-rnd": "DQN, RND",
    "dqn-privileged-counts": "DQN, given positions", "random": "Random",
    "priors": "Player with priors (live)", "priors-sealed": "Player with priors",
}  # fmt: skip
SHORT = {"simulated": "Simulated", "priors": "Priors live", "priors-sealed": "Priors"}
LIVES = ("priors-sealed", "priors")  # a run is one life of a raised player: it ends with its first win
ORDER = {"person": 0, "simulated": 1, "ppo": 2, "dqn": 3, "priors-sealed": 4, "random": 9}
FREE = ("fourth", "fifth", "sixth", "seventh")  # colours of other methods
OWN_COLOURS = {
    **{name: name for name in ("person", "simulated", "ppo", "dqn", "random")},
    "priors-sealed": "fourth", "priors": "sixth",
}  # fmt: skip
WHO = {"person": "recorded here", "simulated": "planted slow-downs"}  # who is behind a curve of people
UNITS = {"person": ("person", "people"), "simulated": ("simulated player", "simulated players")}
SEEDS, ONE_LIFE = ("seed", "seeds"), ("life", "lives")
MOST_SECTIONS = 12


@dataclass(frozen=True)
class Kind:
    """A kind of player: all runs of one method."""

    method: str
    label: str  # with "(privileged)" if it is, and with what it is given
    short: str  # within figures, with a star if it is privileged or given anything
    colour: str  # its name in the style sheet
    privileged: bool
    player: str  # "person", "agent" or "simulated"
    given: tuple[str, ...] = ()  # beyond pictures, by the names of ``agents/priors/player_settings.py``

    @property
    def is_agent(self) -> bool:
        return self.player == "agent"

    @property
    def name(self) -> str:
        """The label without what it is given."""
        return self.label.removesuffix(f", given {', '.join(self.given)}")

    @property
    def heading(self) -> str:
        """Its name where there is no room for what it is given, with a star in its place."""
        return f"{self.name}*" if self.given else self.label

    @property
    def who(self) -> str:
        """The label as legends have it, which says whose curve it is: nobody takes simulated players for people."""
        return f"{self.label}, {WHO[self.player]}" if self.player in WHO else self.label

    @property
    def lives(self) -> bool:
        """Whether its runs are lives of raised players: only these players are independent, as seeds of training."""
        return self.method in LIVES

    @property
    def units(self) -> tuple[str, str]:
        """What is counted, singular and plural."""
        return ONE_LIFE if self.lives else self.independent

    @property
    def independent(self) -> tuple[str, str]:
        """What is resampled, singular and plural."""
        return UNITS.get(self.player, SEEDS)


@dataclass(frozen=True)
class Section:
    """The plays that are compared: of one game on one level, in any versions.

    ``notes`` say which plays were left out, and in which settings the others differ. People's plays are of one
    ``study`` ("": of none; None: there are no people) and one ``limit`` in minutes (None: not recorded), as
    ``about`` says in words. ``later``: the plays that were left out because the person had played before. ``longer``:
    runs of more inputs than can be compared, which only tell whether a kind of player ever won.
    """

    game: str
    level: str  # its text, or its name if it has none
    versions: tuple[str, ...]
    runs: tuple[Played, ...]
    notes: tuple[str, ...] = ()
    study: str | None = None
    limit: float | None = None
    about: tuple[str, ...] = ()
    later: tuple[Played, ...] = ()
    longer: tuple[Played, ...] = ()

    @property
    def name(self) -> str:
        """The game and the level."""
        level = level_name(self.level)
        return title_of_game(self.game) if level in (self.game, "") else f"{title_of_game(self.game)}, level {level}"

    @property
    def title(self) -> str:
        return " · ".join((self.name, *self.about))

    @property
    def kinds(self) -> list[Kind]:
        return kinds_of(self.runs)


def same_rules(section: Section) -> bool:
    """Whether its versions differ only in looks, as masks of Atari's games do."""
    if section.game not in games():
        return True
    return len({find_version(section.game, version).rules for version in section.versions} - {""}) <= 1


def kinds_of(runs: Sequence[Played]) -> list[Kind]:
    """People first, then simulated players; random last, privileged methods after the others."""
    methods = sorted({(ORDER.get(run.method, 5), run.privileged, run.method, run.player) for run in runs})
    given = {run.method: tuple(run.settings.get("given", ())) for run in runs}
    used = {OWN_COLOURS.get(method) for _, _, method, _ in methods}
    free = itertools.cycle([colour for colour in FREE if colour not in used])
    kinds = []
    for _, privileged, method, player in methods:
        name = NAMES.get(method, method)
        short = SHORT.get(method, name)
        label, short = (f"{name} (privileged)", f"{name.split(',')[0]}*") if privileged else (name, short)
        if given[method]:
            label, short = f"{label}, given {', '.join(given[method])}", f"{short.removesuffix('*')}*"
        colour = OWN_COLOURS[method] if method in OWN_COLOURS and not privileged else next(free)
        kinds.append(Kind(method, label, short, colour, privileged, player, given[method]))
    return kinds


def of_kind(runs: Sequence[Played], kind: Kind, version: str | None = None) -> list[Played]:
    """The runs of that kind of player, on one version if given."""
    by_kind = [run for run in runs if run.method == kind.method and run.privileged == kind.privileged]
    return [run for run in by_kind if version in (None, run.version)]


def count(ns: Sequence[int], kind: Kind) -> str:
    """Of independent players, such as "3 seeds", "1 person" or "8 to 10 people"."""
    return count_of(ns, kind.independent)


def count_of(ns: Sequence[int], units: tuple[str, str]) -> str:
    """Such as "3 lives", in units that are given singular and plural."""
    unit = units[max(ns) != 1]
    return f"{min(ns)} {unit}" if min(ns) == max(ns) else f"{min(ns)} to {max(ns)} {unit}"


@dataclass
class Pool:
    """Plays of people or of simulated players that may be pooled: they share study, time limit and pace."""

    player: str
    study: str
    limit: float | None  # minutes
    rate: float  # inputs per second
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


def pools_of(runs: Sequence[Played], player: str) -> list[Pool]:
    """The plays of people or of simulated players in groups that may be pooled.

    A ``.play`` file records its time limit only if the limit ended the play. Plays without one join the group of their
    study with a known limit, if there is only one and none of them took longer.
    """
    groups: dict[tuple, Pool] = {}
    for run in (run for run in runs if run.player == player):
        study = str(run.settings.get("study") or "") if player == "person" else ""
        group = groups.setdefault((study, run.rate, run.limit), Pool(player, study, run.limit, run.rate, []))
        group.runs.append(run)
    for key, group in [each for each in groups.items() if each[1].limit is None]:
        same = [each for each in groups.values() if (each.study, each.rate) == (group.study, group.rate)]
        known = [each for each in same if each.limit]
        if len(known) == 1 and group.longest <= (known[0].limit or 0) + 1e-9:
            known[0].runs += group.runs
            del groups[key]
    return list(groups.values())


def sections_of(runs: Sequence[Played], paired: bool = False) -> tuple[list[Section], list[str]]:
    """One section per game, level, study and time limit, those with most plays first; and a line on each section beyond
    MOST_SECTIONS, which is not shown.

    Every section of people also has the agents, and the simulated players unless their time limit differs; without
    people, these have separate sections. Compared are each person's first plays on the level in any study; with
    ``paired``, on each version of it.
    """
    together: dict[tuple, list[Played]] = {}
    for run in runs:
        together.setdefault((run.game, geometry(run.level)), []).append(run)
    sections = []
    for on_level in together.values():
        agents = [run for run in on_level if run.player == "agent"]
        people, simulated = (pools_of(on_level, player) for player in ("person", "simulated"))
        alone = list(simulated)
        for group in people:
            fit = [each for each in simulated if fits(each, group)]
            joined = fit[0] if len(fit) == 1 else None
            alone = [each for each in alone if each is not joined]
            sections.append(section_of(group, joined, agents, on_level, len(people) > 1, paired))
        sections += [section_of(group, None, agents, on_level, False, paired) for group in alone]
        if not people and not simulated:
            sections.append(section_of(None, None, agents, on_level, False, paired))
    sections.sort(key=lambda section: (-len(section.runs), section.game, section.about))
    beyond = [
        f"{section.title}: not shown, {MOST_SECTIONS} sections have more plays" for section in sections[MOST_SECTIONS:]
    ]
    return sections[:MOST_SECTIONS], beyond


def fits(simulated: Pool, people: Pool) -> bool:
    """Whether simulated players can be compared with people: they are not known to have another time limit."""
    if simulated.rate != people.rate:
        return False
    if simulated.limit and people.limit:
        return simulated.limit == people.limit
    return people.limit is None or simulated.longest <= people.limit + 1e-9


def section_of(
    group: Pool | None, simulated: Pool | None, agents: Sequence[Played], on_level: Sequence[Played], several: bool,
    paired: bool,
) -> Section:  # fmt: skip
    """The section of a group, simulated players and agents; ``several``: other groups of people played the level."""
    members = [*(group.runs if group else ()), *(simulated.runs if simulated else ()), *agents]
    kept, notes = first_plays(members, paired, on_level if several else None)
    notes += differences(kept)
    if simulated and simulated.limit is None and group and group.limit:
        notes.append("The time limit of simulated players is not recorded; none played longer than people could.")
    compared = set(map(id, kept))
    later = tuple(run for run in members if id(run) not in compared)
    played, game = {run.version for run in kept}, members[0].game
    known = versions(game) if game in games() else ["original"]
    names = [name for name in known if name in played] + sorted(played - set(known))
    study = group.study if group and group.player == "person" else None
    return Section(
        game, members[0].level, tuple(names), tuple(kept), tuple(notes), study, group.limit if group else None,
        group.about() if group else (), later,
    )  # fmt: skip


def first_plays(
    runs: Sequence[Played], paired: bool = False, on_level: Sequence[Played] | None = None
) -> tuple[list[Played], list[str]]:
    """The runs of agents and each person's first play (``paired``: of each version); and lines on what was left out.

    A person's plays are ordered by date, and within a session by number; the order of sessions on one day is unknown,
    and a line says so. ``on_level``: all plays of the level, if there are others than ``runs``: people who played it in
    another study know the game, too.
    """

    def when(run: Played) -> tuple[str, int]:
        return str(run.settings.get("date", "")), int(run.settings.get("number") or 0)

    seen: dict[tuple, Played] = {}
    kept, later, unclear = [], 0, set[str]()
    included = set(map(id, runs))
    for run in sorted(runs if on_level is None else on_level, key=lambda run: (*when(run), run.folder)):
        key = (run.method, run.participant, run.version if paired else "")
        if run.participant and key in seen:
            later += id(run) in included
            if when(run)[0] == when(seen[key])[0] and run.folder != seen[key].folder:
                unclear.add(run.participant)
            continue
        seen[key] = run
        if id(run) in included:
            kept.append(run)
    what = "first plays of each version by each person" if paired else "each person's first play"
    what += " on this level in any study" if on_level is not None else ""
    plays = "later play is" if later == 1 else "later plays are"
    notes = [f"Compared are {what}; {later} {plays} left out."] if later else []
    if unclear and later:
        people = f"{len(unclear)} {'person' if len(unclear) == 1 else 'people'}"
        notes.append(
            f"{people} played in several sessions on one day. Their order is not recorded; the one whose file name "
            "comes first counts."
        )
    return kept, notes + (original_first(kept) if paired else [])


def differences(runs: Sequence[Played]) -> list[str]:
    """One line for each setting that differs between runs compared together: look seeds, engines, agents' settings.

    Study and time limit too: sections from ``sections_of`` have one of each, but others may not.
    """
    lines = []
    for kind in kinds_of(runs):
        theirs = of_kind(runs, kind)
        if kind.is_agent:
            names = sorted({name for run in theirs for name in run.settings} - set(OF_ONE_RUN))
            varied = [name for name in names if varies(theirs, name)]
            lines += [f"{kind.label}: runs of the same version differ in {', '.join(varied)}."] if varied else []
            continue
        compared = {
            "study": [run.settings.get("study") or "none" for run in theirs if kind.player == "person"],
            "time limit (minutes)": [f"{run.limit:g}" for run in theirs if run.limit],
            "look seed": [run.settings.get("look_seed") for run in theirs],
            "engine version": [run.settings.get("engine") for run in theirs],
        }
        for what, values in compared.items():
            counts = Counter(str(value) for value in values if value is not None)
            words = ", ".join(f"{value} ({n} play{'s' * (n > 1)})" for value, n in sorted(counts.items()))
            lines += [f"{kind.label}: the plays pooled here differ in {what}: {words}."] if len(counts) > 1 else []
    return lines


def varies(runs: Sequence[Played], name: str) -> bool:
    """Whether the setting differs between runs of the same version."""
    values: dict[str, set[str]] = {}
    for run in runs:
        values.setdefault(run.version, set()).add(repr(run.settings.get(name)))
    return any(len(each) > 1 for each in values.values())


def original_first(in_order: Sequence[Played]) -> list[str]:
    """A line on how many players of the original and another version played the original first, if any played both.

    They know the game when the version starts: if most did, or few, practice is confounded with the version.
    """
    played: dict[tuple[str, str], list[str]] = {}  # per player, versions in the order of playing
    for run in in_order:
        if run.participant:
            played.setdefault((run.method, run.participant), []).append(run.version)
    counts = []
    for version in sorted({run.version for run in in_order} - {"original"}):
        both = [names for names in played.values() if version in names and "original" in names]
        first = sum(names.index("original") < names.index(version) for names in both)
        counts += [f"{title_of(version)} {first} of {len(both)}"] if both else []
    return [f"Of those who played both, the original was played first: {', '.join(counts)}."] if counts else []


@cache
def geometry(level: str) -> tuple | str:
    """What decides whether two levels play the same, whatever their names."""
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
