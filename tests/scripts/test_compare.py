"""What is compared with what, on plays of known truth; the page and its tables as a user finds them."""

import re
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.plays.play import Play
from priorlab.envs.results.load import load
from priorlab.scripts.analysis.comparison import analyse, order_of
from priorlab.scripts.analysis.excluding import answer_counts, without
from priorlab.scripts.analysis.players import MOST_SECTIONS, Section, first_plays, kinds_of, sections_of
from priorlab.scripts.analysis.published import published_figures
from priorlab.scripts.analysis.statistics import Played, bootstrap_weights, ratio_to_original, restricted_mean, times_of
from priorlab.scripts.analysis.tables import COLUMNS
from priorlab.scripts.main import main
from priorlab.scripts.report.page import longest_limit, write_comparison, write_page
from priorlab.scripts.report.section import limits
from priorlab.scripts.run import run

LEVEL = Level.read("key_door").text()
FULL = 30 * 60 * 30  # inputs
NOWHERE = np.zeros((2, 0))
SPIKES = 'name = "spikes"\ngame = "key_door"\n---\n|       |\n| kS  ^ |\n|######D|\n'


def play(minutes, outcome="win", version="original", person="", player="person", deaths=1, **about):
    inputs = int(minutes * 1800)
    return Played(
        version=version, method=player, player=player, privileged=False, folder=f"{version} {person} {minutes}",
        level=LEVEL, settings={"player_id": person, **about}, frame_skip=1, finished=True, budget=inputs, inputs=inputs,
        won=outcome == "win", deaths=deaths, mastered=float("nan"), curve=np.array([[10, inputs], [5, 50.0]]),
        visits=np.zeros((0, 3), np.int64), game="key_door", outcome=outcome,
    )  # fmt: skip


def people(means, n, seed=0, quits=40.0):
    """Log-normal times with those means in minutes and a spread of .6, exponential quits."""
    generator, runs = np.random.default_rng(seed), []
    for version, mean in means.items():
        solve = generator.lognormal(np.log(mean) - 0.18, 0.6, n)
        leave = generator.exponential(quits, n)
        for i, (a, b) in enumerate(zip(solve, leave)):
            outcome = "win" if a <= min(b, 30) else "quit" if b < 30 else "limit"
            runs.append(play(min(a, b, 30), outcome, version, f"{version}{i}", deaths=int(generator.poisson(3))))
    return runs


def section(runs):
    return Section("key_door", LEVEL, tuple(dict.fromkeys(run.version for run in runs)), tuple(runs))


def test_the_restricted_mean_is_the_area_under_the_curve():
    times, won = times_of(people({"original": 5}, 60))
    grid = np.linspace(0, FULL, 400_001)
    order = np.lexsort((~won, times))
    share, at_risk = np.ones_like(grid), len(times)
    for time, win in zip(times[order], won[order]):
        if win:
            share[grid >= time] *= 1 - 1 / at_risk
        at_risk -= 1
    assert float(restricted_mean(times, won, FULL)) == pytest.approx(np.trapezoid(share, grid), rel=1e-4)


def test_planted_means_and_their_order_are_found():
    means = {name: row["minutes"] for name, row in published_figures()["versions"].items() if name != "gravity"}
    analysis = analyse(section(people(means, 150, quits=200)))
    (kind,) = analysis.section.kinds
    order = order_of(analysis, kind)
    assert order is not None and order.tau.low is not None
    assert order.tau.value > 0.8 and order.tau.low <= order.tau.value + 1e-9
    for cell in analysis.cells:
        assert cell.minutes is not None and cell.worst is not None and cell.minutes.low is not None
        if cell.version != "all_masked":  # many of it are not done by 30 minutes
            assert cell.minutes.value == pytest.approx(means[cell.version], rel=0.16)
        assert cell.worst.value >= cell.minutes.value - 0.02
        assert cell.version == "original" or cell.is_slower
    assert order_of(analyse(section(people({"original": 2, "gravity": 3}, 5))), kind) is None


def test_quits_are_counted_apart_from_time_outs_and_in_the_worst_case_take_all_the_time():
    runs = [play(1, "quit", person="a"), play(30, "limit", person="b"), play(2, person="c"), play(4, person="d")]
    (cell,) = analyse(section(runs)).cells
    assert cell.quit is not None and cell.worst is not None and cell.minutes is not None
    assert (cell.quit.value, cell.won) == (0.25, 2)
    assert cell.worst.value == pytest.approx((30 + 30 + 2 + 4) / 4)
    assert cell.minutes.value == pytest.approx(2 + 2 * 2 / 3 + 26 / 3)  # one of three is left after 4 minutes
    assert (cell.quit.low, cell.quit.high) == (pytest.approx(0.0456, abs=1e-3), pytest.approx(0.6994, abs=1e-3))


def test_resampled_are_people_with_all_their_plays():
    both = [[play(i + 1, person=f"p{i}", version=name) for i in range(6)] for name in ("original", "gravity")]
    alone = [play(9, person=f"q{i}", version="gravity") for i in range(3)]
    original, version = bootstrap_weights([both[0], both[1] + alone])
    assert (original == version[:, :6]).all()
    assert (original.sum(axis=1) == 6).all() and (version[:, 6:].sum(axis=1) == 3).all()
    assert len(np.unique(original, axis=0)) > 100
    paired = ratio_to_original(both[1], both[0], FULL)
    assert paired is not None
    assert (paired.value, paired.low, paired.high) == (pytest.approx(1), pytest.approx(1), pytest.approx(1))


def test_resamples_depend_on_who_played_what_and_not_on_what_was_drawn_before():
    both = [[play(i + 1, person=f"p{i}", version=name) for i in range(6)] for name in ("original", "gravity")]
    others = [play(i + 1, person=f"q{i}") for i in range(6)]
    (alone,), (again,) = bootstrap_weights([both[0]]), bootstrap_weights([others])
    assert (alone == again).all() and not (alone == bootstrap_weights([both[0]], seed=1)[0]).all()
    paired, apart = bootstrap_weights(both), bootstrap_weights([both[0], others])
    assert (paired[0] == paired[1]).all() and not (apart[0] == apart[1]).all()
    assert (bootstrap_weights([both[0][::-1]])[0] == alone).all()
    with pytest.raises(ValueError, match="read-only"):
        alone[0] = 0  # others have it, too


def test_only_first_plays_are_compared_and_the_others_are_told():
    session = [play(5, person="a", number=1, version="gravity"), play(9, person="a", number=0)]
    runs = [*(replace(run, folder="a") for run in session), play(3, person="b")]
    runs.append(play(1, player="simulated", person="a"))
    same_day = [replace(run, folder=name) for name, run in zip("xy", 2 * [play(1, person="c", date="2026-01-02")])]
    assert [run.folder for run in first_plays(same_day)[0]] == ["x"]
    assert first_plays(same_day)[1][1].startswith("1 person played in several sessions on one day. Their order")
    kept, notes = first_plays(runs)
    assert sorted((run.player, run.version, run.minutes) for run in kept) == [
        ("person", "original", 3), ("person", "original", 9), ("simulated", "original", 1),
    ]  # fmt: skip
    assert notes == ["Compared are each person's first play; 1 later play is left out."]
    assert len(first_plays(runs, paired=True)[0]) == 4


def test_of_pairs_it_is_told_how_many_played_the_original_first():
    order = {
        "a": ("original", "gravity"),
        "b": ("gravity", "original"),
        "c": ("original", "gravity"),
        "d": ("gravity",),
    }
    runs = [
        play(1, person=person, version=version, number=number)
        for person, versions in order.items()
        for number, version in enumerate(versions)
    ]
    notes = first_plays(runs, paired=True)[1]
    assert notes == ["Of those who played both, the original was played first: gravity 2 of 3."]


def test_pairs_are_of_the_same_people():
    runs = [play(2 + i / 10, person=f"p{i}") for i in range(12)]
    runs += [play(3 + i / 10, person=f"p{i}", version="gravity") for i in range(10)]
    runs.append(play(0.1, person="somebody else", version="gravity"))
    cell = next(cell for cell in analyse(section(runs), paired=True).cells if cell.version == "gravity")
    assert list(cell.tests) == ["signed_rank"]
    assert (cell.tests["signed_rank"].n, cell.tests["signed_rank"].effect) == (10, 1.0)
    assert cell.ratio is not None and cell.ratio.n == 10


def test_answers_leave_people_out_with_all_their_plays():
    runs = [play(1, person="a", answers={"knew": True}), play(2, person="a", version="gravity")]
    runs += [play(3, person="b", answers={"knew": False, "aim": "reach the door"}), play(4, person="c")]
    kept, (note,) = without(runs, ["knew=yes"])
    assert [run.participant for run in kept] == ["b", "c"]
    assert note == "Without the 1 of 3 people who answered “yes” to “knew”; 1 gave no answer and is kept."
    with pytest.raises(
        ValueError, match=r"--exclude 'seen=yes': expected QUESTION=ANSWER, .*, with a question of aim, knew"
    ):
        without(runs, ["seen=yes"])
    assert answer_counts(runs[2:])["knew"] == {"no": 1}


def test_not_equal_keeps_only_those_who_gave_the_answer_and_numbers_are_compared():
    runs = [play(i, person=f"p{i}", answers={"age": str(15 + i), "aim": "Reach  the door"}) for i in (1, 2, 3, 4)]
    runs[3].settings["answers"] = {"age": "17,5", "aim": "none"}
    runs += [play(9, person="silent"), play(9, person="bot", player="simulated")]
    kept, (note,) = without(runs, ["aim!= reach the DOOR "])
    assert [run.participant for run in kept] == ["p1", "p2", "p3", "bot"]
    assert note == (
        "Without the 2 of 5 people who did not answer “reach the DOOR” to “aim”: 1 gave another answer, 1 none."
    )
    kept, (note,) = without(runs, ["age<17"])
    assert [run.participant for run in kept] == ["p2", "p3", "p4", "silent", "bot"]
    assert note == "Without the 1 of 5 people whose answer to “age” is < 17; 1 gave no answer, and is kept."
    assert len(without(runs, ["age>=17", "aim=none"])[0]) == 3
    runs[0].settings["answers"]["band"] = "18_24"
    for condition, reason in {
        "aim=win": "nobody answered 'win' to 'aim': expected one of 'Reach the door' (3), 'none' (1)",
        "age!=200": "nobody answered '200' to 'age': expected one of '16' (1), '17' (1), '18' (1), '17,5' (1)",
        "age<old": "expected a number after <, got 'old'",
        "age<nan": "expected a number after <, got 'nan'",
        "aim>3": "no answer to 'aim' is a number: expected one of 'Reach the door' (3), 'none' (1)",
        "band<30": "no answer to 'band' is a number: expected one of '18_24' (1)",
        "aim": "expected QUESTION=ANSWER",
    }.items():
        with pytest.raises(ValueError, match=re.escape(f"--exclude {condition!r}: {reason}")):
            without(runs, [condition])


def test_answers_are_found_however_they_are_written():
    answers = {"first": {"hours": 1.5, "town": "K\u00f6ln"}, "second": {"hours": 2.0, "town": "Bonn"}}
    runs = [play(1, person=person, answers=each) for person, each in answers.items()]
    for conditions, left in {
        ("hours=1,5", "hours = 1.50", "hours<1,6", "town=Ko\u0308LN", "town!=bonn"): "second",
        ("hours=2", "hours=2.00", "hours>1.9"): "first",
    }.items():
        for condition in conditions:
            assert [run.participant for run in without(runs, [condition])[0]] == [left], condition
    assert answer_counts(runs)["hours"] == {"1.5": 1, "2": 1}
    many = [play(1, person=f"{i}", answers={"age": 20 + i, "why": f"reason {i}"}) for i in range(20)]
    assert answer_counts(many) == {"age": {"(numbers from 20 to 39)": 20}, "why": {"(free text)": 20}}


def agent(version="original", **settings):
    run = replace(play(1, version=version), method="ppo", player="agent", settings=settings)
    return replace(run, folder=f"ppo {version} {settings}")


def test_studies_and_time_limits_are_never_pooled():
    def limited(minutes, study="", limit=None, **about):
        return play(minutes, study=study, **({"limit": 1800 * limit} if limit else {}), **about)

    runs = [
        limited(5, "pilot", 10, person="a"),
        limited(6, "pilot", 10, person="b"),
        limited(2, "pilot", 30, person="c"),
    ]
    runs += [limited(7, "main", 30, person="d"), limited(7, "main", 30, person="a", date="2026-01-02")]
    runs += [limited(8, person="e"), limited(9, person="f", limit=9), limited(11, person="g", limit=12)]
    runs += [
        limited(30, "", 30, person="s", player="simulated", outcome="limit"),
        limited(3, person="t", player="simulated"),
    ]
    runs += [agent(skip=4), agent(skip=6)]
    found, beyond = sections_of(runs)
    people = {
        each.about: [run.participant for run in each.runs if run.player == "person"] for each in found
    }  # fmt: skip
    assert beyond == []
    assert people == {
        ("study pilot", "at most 10 minutes"): ["a", "b"], ("study pilot", "at most 30 minutes"): ["c"],
        ("study main", "at most 30 minutes"): ["d"],  # a played in the pilot first
        ("no study", "at most 9 minutes"): ["f"], ("no study", "at most 12 minutes"): ["g"],
        ("no study", "time limit not recorded"): ["e"],  # it may have been 9 or 12
    }  # fmt: skip
    by = {each.about: each for each in found}
    assert all(sum(run.player == "agent" for run in each.runs) == 2 for each in found)
    simulated = {
        about: [run.participant for run in each.runs if run.player == "simulated"] for about, each in by.items()
    }
    thirty = [about for about in by if about[1] == "at most 30 minutes"]
    assert all(simulated[about] == (["s", "t"] if about in thirty or "not" in about[1] else []) for about in by)
    main = by["study main", "at most 30 minutes"]
    assert main.notes == (
        "Compared are each person's first play on this level in any study; 1 later play is left out.",
        "PPO: runs of the same version differ in skip.",
    )
    assert (main.study, main.limit) == ("main", 30)


def test_plays_whose_limit_is_not_recorded_belong_where_they_can_only_belong():
    known = play(9, person="a", limit=1800 * 10)
    assert len(sections_of([known, play(4, person="b")])[0]) == 1
    assert len(sections_of([known, play(11, person="b")])[0]) == 2
    assert len(sections_of([known, play(4, person="b", player="simulated")])[0]) == 1
    alone = sections_of([known, play(11, person="b", player="simulated")])[0]
    assert {each.about[0] for each in alone} == {"no study", "simulated players"}
    drawn = [play(i, person=f"p{i}", look_seed=i // 3) for i in (1, 2, 3)]
    assert sections_of(drawn)[0][0].notes == (
        "People: the plays pooled here differ in look seed: 0 (2 plays), 1 (1 play).",
    )


def test_means_are_never_counted_beyond_what_the_plays_could_last():
    ends = {1: "win", 2: "win", 9: "quit"}
    runs = [play(minutes, end, person=f"p{minutes}", limit=18000) for minutes, end in ends.items()]
    analysis = analyse(sections_of(runs)[0][0], 30)
    note = "Means are counted to 10 minutes instead of 30: these plays could not last longer."
    assert limits(analysis, 30) == [note] and limits(analysis, 10) == []
    assert longest_limit([*runs, play(1, limit=9000), agent()]) == 10  # as in the report of a study of agents
    assert longest_limit([*runs, play(1)]) is None and longest_limit([agent()]) is None
    (cell,) = analysis.cells
    assert cell.minutes is not None and cell.minutes.value == pytest.approx((1 + 2 + 10) / 3)


def test_simulated_players_are_never_among_people():
    runs = [play(1, person="a"), play(2, person="b", player="simulated")]
    assert [kind.label for kind in kinds_of(runs)] == ["People", "Simulated players"]
    assert [(cell.kind.label, cell.n) for cell in analyse(section(runs)).cells] == [
        ("People", 1), ("Simulated players", 1),
    ]  # fmt: skip


def test_each_level_is_a_section_whatever_its_level_is_called():
    one = play(1, person="a")
    same = replace(play(2, person="b"), level=LEVEL.replace('name = "key_door"', 'name = "copy"'))
    other = replace(play(3, person="c"), level=SPIKES)
    atari = replace(play(3, person="d"), level="", game="atari/breakout", version="objects", curve=NOWHERE)
    found, beyond = sections_of([one, same, other, atari])
    assert beyond == []
    assert [(each.title, len(each.runs)) for each in found] == [
        (f"{name} · no study · time limit not recorded", n)
        for name, n in (("Key and Door", 2), ("Breakout", 1), ("Key and Door, level spikes", 1))
    ]


def test_a_level_that_finds_no_room_on_the_page_is_named():
    runs = [replace(play(1, person=f"p{k}"), level=f"level {k}") for k in range(MOST_SECTIONS + 1)]
    found, beyond = sections_of(runs)
    assert (
        len(found) == MOST_SECTIONS
        and len(beyond) == 1
        and beyond[0].startswith("Key and Door, level level 12 · no study")
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Plays of random inputs on two versions of two games, and simulated ones."""
    root, generator = tmp_path_factory.mktemp("plays"), np.random.default_rng(0)
    for game in ("princess", "key_door"):
        for version in ("original", "gravity"):
            for i, player in enumerate(("person", "person", "simulated")):
                inputs = generator.integers(0, 6, 300)
                made = Play.of(inputs, version, game=game, player=player, player_id=f"{game}{version}{i}")
                made.save(root / "plays" / f"{made.id}.play")
    return root


def test_the_command_writes_a_page_and_tables_whose_columns_are_explained(recorded, capsys):
    run("compare", [str(recorded), str(recorded / "plays"), "--out", str(recorded / "out")])
    assert "left out" not in capsys.readouterr().out
    page = (recorded / "out" / "index.html").read_text(encoding="utf-8")
    assert "Simulated players</b> are programs, not people" in page
    assert not re.search(r"<(script|link|iframe|object|embed)\b", page)
    for title in ("Key and Door", "Princess"):
        assert f'<h2 class="game">{title} · no study · time limit not recorded: ' in page
    explained = (recorded / "out" / "data" / "README.md").read_text(encoding="utf-8")
    for path in (recorded / "out" / "data").glob("*.csv*"):
        frame = pd.read_csv(path)
        assert set(frame.columns) <= set(COLUMNS), path
        assert f"## {path.name}" in explained
    reached = pd.read_csv(recorded / "out" / "data" / "reached.csv")
    seen = set(reached.loc[reached["inputs"].notna(), "thing"])  # chance leads no play of Key and Door to anything
    assert len(reached) == 6 * (13 + 5) and page.count('reached">') == 1
    assert seen and all((f"{thing} <small" in page) == (thing in seen) for thing in set(reached["thing"]))
    numbers = pd.read_csv(recorded / "out" / "data" / "numbers.csv")
    assert numbers["n"].sum() == 12 and set(numbers["player"]) == {"People", "Simulated players"}


def test_a_copied_play_counts_once_and_is_told(recorded, tmp_path):
    path = next(recorded.rglob("*.play"))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / path.name).write_bytes(path.read_bytes())
    found = load([tmp_path / "a", tmp_path / "b"])
    assert len(found.configs) == 1 and "which alone counts" in found.problems[0]


def test_one_person_alone_is_an_example(tmp_path):
    Play.of([0] * 90, "original", player_id="a").save(tmp_path / "a.play")  # and reaches nothing
    page = write_comparison(load(tmp_path), tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "Too few have played yet" in page and 'id="reached"' not in page


def test_a_game_that_tells_no_places_is_compared_without_them(tmp_path):
    runs = [
        replace(play(3 + i, person=f"{version}{i}", version=version), level="", game="atari/breakout", curve=NOWHERE)
        for version in ("original", "colours")
        for i in range(6)
    ]
    path = write_page(tmp_path / "index.html", sections_of(runs)[0])
    page = path.read_text(encoding="utf-8")
    assert "left out: the game does not report the player" in page
    assert "Breakout · no study · time limit not recorded · one game in 2 versions" in page
    assert 'id="minutes"' in page and 'id="tests"' in page
    assert not re.search('id="(progress|where|tracks|reached)"', page)
    assert not (tmp_path / "data" / "exploration.csv").exists()


BAD = {
    "nowhere: no such folder": ["nowhere"],
    "limit must be a finite number above 0, got 0": [".", "--limit", "0"],
    "missed must be at least 0 and less than 1, got 5": [".", "--missed", "5"],
    "nothing to compare in empty": ["empty"],
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_gets_one_line(message, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["priorlab", "compare", *BAD[message]])
    with pytest.raises(SystemExit, match=f"^priorlab compare: {message}"):
        main()
