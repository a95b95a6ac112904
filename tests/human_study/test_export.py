"""Exports of recordings: tables that pandas reads, Minari datasets that replay, videos."""

import json
import sys
from pathlib import Path

import cv2
import gymnasium
import minari
import numpy as np
import pandas as pd
import pytest
from minari.cli import app
from typer.testing import CliRunner

from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.sessions import find_plays, read_session
from priorlab.envs.results.load import load
from priorlab.human_study.data import video
from priorlab.human_study.data.datasets import datasets_under, write_datasets
from priorlab.human_study.data.export import data_dictionary, dictionary_table, new_folder, write_tables
from priorlab.human_study.data.recorder import Recorder
from priorlab.human_study.data.video import write_video
from priorlab.scripts.commands.export import main
from tests.support.paths import ROOT

SPIKES = 'name = "spikes"\ngame = "key_door"\n---\n|       |\n| kS  ^ |\n|######D|\n'
TEXT = 'a "quoted", long\nanswer: größer'


def record(folder: Path, game: ChosenGame, inputs: np.ndarray, end: bool = True) -> Recorder:
    """A session with answers, a loss of focus in the middle of the play, and a late step."""
    recorder = Recorder.create(folder, study="ladders", block=2, place=17, system="linux", refresh_rate=60)
    recorder.note("answer", question="age", answer="25-34")
    recorder.note("answer", question="aim", answer=TEXT)
    course = recorder.begin(game, 400)
    due = recorder.log.began + 1.0
    for number, action in enumerate(inputs.tolist()):
        if number == len(inputs) // 2:
            recorder.note("focus", what="lost")
            recorder.note("focus", what="gained")
        due += 1 / course.rate
        done = due + (0.6 if number == 3 else 0.03) / course.rate
        if recorder.step(action, due, done):
            break
        recorder.shown(done + 0.004)
    recorder.end("escape")
    if end:
        recorder.finish()
    else:
        recorder.close()
    return recorder


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """Sessions of our games and of an Atari game, a session that ended before any play, a simulated player."""
    folder = tmp_path_factory.mktemp("study")
    random = np.random.default_rng(3)
    record(folder, ChosenGame("princess", "masked_objects", look_seed=4), np.r_[[2] * 40, random.integers(6, size=80)])
    record(folder, ChosenGame("key_door", level=SPIKES), np.r_[[2] * 30, random.integers(6, size=60)], end=False)
    record(folder, ChosenGame("atari/pong", "colours", seed=5), random.integers(18, size=90))
    early = Recorder.create(folder, study="ladders")
    early.note("consent", seconds=3.25)
    early.note("answer", question="age", answer="18-24", seconds=7.125, play=3)
    early.finish()
    Play.of([2] * 50, "original", player="simulated", player_id="robot").save(folder / "simulated" / "robot.play")
    return folder


@pytest.fixture(scope="module")
def tables(study, tmp_path_factory) -> dict[str, pd.DataFrame]:
    out = tmp_path_factory.mktemp("out") / "export"
    main(study, out)
    assert sorted(path.name for path in out.iterdir()) == [
        "dictionary.csv", "events.csv", "participants.csv", "probes.csv", "steps.csv.gz", "wordings.csv",
    ]  # fmt: skip
    return {path.name.split(".")[0]: pd.read_csv(path, dtype={"participant": str}) for path in out.iterdir()}


def test_every_column_is_in_the_dictionary_and_every_entry_is_a_column(tables):
    told = tables["dictionary"]
    for name in ("participants", "steps", "events", "wordings"):
        entries = told[told["file"].str.startswith(f"{name}.")]
        assert entries["column"].tolist() == tables[name].columns.tolist()
    assert not told[["file", "column", "type", "meaning"]].isna().to_numpy().any()
    assert set(told["type"]) <= {"text", "integer", "number", "flag", "date"}
    assert {"answer_age", "answer_aim"} <= set(told["column"])


def test_cells_have_the_types_in_the_dictionary(tables):
    for name, columns in data_dictionary().items():
        for column, (kind, _, _) in columns.items():
            values = tables[name][column].dropna()
            if kind in ("integer", "flag", "number"):
                assert pd.api.types.is_numeric_dtype(values) or not len(values), column
            if kind in ("integer", "flag"):
                assert (values == values.round()).all(), column
            if kind == "flag":
                assert set(values) <= {0, 1}, column
            if kind == "date":
                pd.to_datetime(values, format="%Y-%m-%d")


def test_the_documentation_shows_the_dictionary():
    told = dictionary_table().fillna("")
    rows = [f"| {row.column} | {row.type} | {row.unit} | {row.meaning} |" for row in told.itertuples()]
    text = (ROOT / "docs" / "export-reference.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in text if line in rows] == rows


def test_each_play_has_a_row_with_its_measures(tables, study):
    rows = tables["participants"]
    recorded, problems = find_plays(study)
    people = [each for each in recorded if each.play.player == "person"]
    assert set(rows["player"]) == {"person"} and set(rows["study"]) == {"ladders"}
    rows = rows[rows["play"].notna()]
    assert not problems and len(rows) == len(people) == 3
    assert set(rows["answer_aim"]) == {TEXT} and set(rows["block"]) == {2} and set(rows["place"]) == {17}
    for each in people:
        row = rows[rows["participant"] == each.participant].iloc[0]
        assert (row["inputs"], row["ended"], row["won"]) == (len(each.play.inputs), "quit", 0)
        assert (row["late"], row["quit_reason"]) == (1, "escape")
        assert row["wall_seconds"] == pytest.approx(each.about["wall_seconds"])
        if isinstance(each.play, Play):
            found = each.play.measure()
            assert (row["deaths"], row["unique_states"]) == (found.total_deaths, found.total_unique_states)
            assert row["minutes"] == pytest.approx(found.minutes) and found.total_deaths
        else:
            assert row["game"] == "atari/pong" and row["version"] == "colours" and row["look_seed"] == 0


def test_each_step_has_a_row_with_its_state_and_times(tables, study):
    for path in study.glob("*.session.jsonl"):
        for each in read_session(path):
            rows = tables["steps"][tables["steps"]["participant"] == each.participant]
            assert rows["step"].tolist() == list(range(1, len(each.play.inputs) + 1))
            assert rows[["due", "done", "shown"]].to_numpy() == pytest.approx(each.times, abs=1e-6, nan_ok=True)
            assert rows["late"].tolist() == [number == 3 for number in range(len(rows))]
            if isinstance(each.play, Play):
                found = each.play.measure()
                assert np.array_equal(rows["x"], found.x) and np.array_equal(rows["y"], found.y)
                assert np.array_equal(rows["deaths"], found.deaths)
                again = [["none", "left", "right", "jump", "up", "down"].index(name) for name in rows["input"]]
                assert Play.of(again, each.play.version, level=each.play.level).last_state == each.play.last_state
            else:
                assert rows["x"].isna().all() and rows["points"].notna().all() and rows["input"].nunique() > 9


def test_each_event_has_a_row_also_in_sessions_without_a_play(tables, study):
    rows = tables["events"]
    assert rows["participant"].nunique() == 4
    assert not set(rows["event"]) & {"step", "state"}
    played = tables["participants"].dropna(subset="play")
    early = rows[~rows["participant"].isin(played["participant"])]
    assert early["event"].tolist() == ["session", "consent", "answer", "finish"]
    assert json.loads(early["details"].iloc[1]) == {"seconds": 3.25}
    assert json.loads(early["details"].iloc[2]) == {"question": "age", "answer": "18-24", "seconds": 7.125, "play": 3}
    assert (early["t"] < 3).all() and early["t"].is_monotonic_increasing, "when it was, not how long it took"
    focus = rows[rows["event"] == "focus"]
    halves = played.set_index("participant")["inputs"] // 2
    assert (focus["step"] == focus["participant"].map(halves)).all() and set(focus["play"]) == {0}
    answers = [json.loads(text) for text in rows.loc[rows["event"] == "answer", "details"]]
    assert {"question": "aim", "answer": TEXT} in answers
    assert rows[rows["event"] == "answer"]["play"].isna().all()


def test_the_clock_continues_after_a_crash(tmp_path):
    recorder = record(tmp_path, ChosenGame("princess"), np.full(40, 2), end=False)
    again = Recorder.resume(recorder.path)
    again.note("page", name="thanks")
    again.finish()
    out = tmp_path / "export"
    main(tmp_path, out)
    events = pd.read_csv(out / "events.csv")
    assert events["event"].tolist()[-3:] == ["resumed", "page", "finish"]
    assert events["t"].is_monotonic_increasing


def test_simulated_players_are_exported_on_request_and_marked(study, tmp_path):
    main(study, tmp_path / "both", players=("person", "simulated"))
    rows = pd.read_csv(tmp_path / "both" / "participants.csv")
    assert rows["player"].value_counts().to_dict() == {"person": 4, "simulated": 1}
    main(study, tmp_path / "one", players=("simulated",))
    assert len(pd.read_csv(tmp_path / "one" / "events.csv")) == 0
    steps = pd.read_csv(tmp_path / "one" / "steps.csv.gz")
    assert len(steps) == 50 and steps[["due", "done", "shown", "late"]].isna().all(axis=None)


def test_an_export_overwrites_nothing_and_is_complete_or_absent(study, tmp_path, capsys):
    kept = tmp_path / "export" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(SystemExit, match="expected a new or an empty folder; nothing was overwritten"):
        main(study, kept.parent)
    assert kept.read_text() == "mine" and [path.name for path in tmp_path.iterdir()] == ["export"]
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "new") as draft:
        (draft / "half.csv").write_text("a,b")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
    (tmp_path / "none").mkdir()
    for folder in (tmp_path / "none", tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=r"expected plays by person"):
            main(folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_damaged_log_is_reported_and_the_others_are_exported(study, tmp_path, capsys):
    for path in study.glob("*.session.jsonl"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    broken = min(tmp_path.iterdir(), key=lambda path: -path.stat().st_size)
    broken.write_bytes(broken.read_bytes().replace(b'"input":', b'"input": ', 1))
    main(tmp_path, tmp_path / "export")
    assert f"left out  {broken}: line" in capsys.readouterr().out.replace("\n", "")
    assert len(pd.read_csv(tmp_path / "export" / "participants.csv").dropna(subset="play")) == 2
    assert pd.read_csv(tmp_path / "export" / "events.csv")["participant"].nunique() == 3


def replays(dataset: minari.MinariDataset) -> list[str]:
    """How the episodes ended, after checking that each replays to the same observations, rewards and ends."""
    env = dataset.recover_environment()
    assert env.observation_space == dataset.observation_space and env.action_space == dataset.action_space
    ends = []
    for episode, about in zip(
        dataset.iterate_episodes(), dataset.storage.get_episode_metadata(dataset.episode_indices)
    ):
        observation, _ = env.reset(seed=about["seed"])
        assert np.array_equal(observation, episode.observations[0])
        for k, action in enumerate(episode.actions):
            observation, reward, terminated, truncated, _ = env.step(int(action))
            assert np.array_equal(observation, episode.observations[k + 1])
            assert (reward, terminated, truncated) == (episode.rewards[k], episode.terminations[k], False)
            is_last = k == len(episode.actions) - 1
            assert episode.truncations[k] == (is_last and about["ended"] in ("quit", "limit"))
            assert bool(terminated) == (is_last and about["ended"] in ("win", "death"))
        ends.append(about["ended"])
    env.close()
    return ends


@pytest.mark.parametrize("settings", [{"screen_size": 84}, {"screen_size": 42, "grayscale_obs": True, "stack_size": 2}])
def test_a_minari_dataset_replays_exactly(study, tmp_path, settings):
    recorded, _ = find_plays(study)
    ids = write_datasets(recorded, tmp_path, "ladders", settings)
    assert sorted(ids) == [
        "ladders/atari_pong-colours-v0", "ladders/key_door-original-spikes-v0",
        "ladders/princess-masked_objects-look_4-v0", "ladders/princess-original-simulated-v0",
    ]  # fmt: skip
    with datasets_under(tmp_path):
        found = {name: minari.load_dataset(name) for name in ids}
        assert set(minari.list_local_datasets()) == set(ids)
    ends = {name: replays(dataset) for name, dataset in found.items()}
    masked = found["ladders/princess-masked_objects-look_4-v0"]
    assert ends[masked.id][0] == "death" and ends[masked.id][-1] == "quit"
    assert ends["ladders/key_door-original-spikes-v0"] == ["quit"]  # there a death ends no episode
    play = next(each for each in recorded if each.play.version == "masked_objects")
    assert masked.total_steps == len(play.play.inputs)
    about = next(iter(masked.storage.get_episode_metadata([0])))
    assert about["participant"] == play.participant and about["version"] == "masked_objects"
    shape = (settings["screen_size"],) * 2 + (3 if settings["screen_size"] == 84 else 2,)
    assert masked.observation_space == gymnasium.spaces.Box(0, 255, shape, np.uint8)


def test_levels_with_the_same_name_get_separate_datasets_also_under_a_relative_path(tmp_path, monkeypatch):
    other = SPIKES.replace(" kS  ^ ", " kS   ^")
    for number, level in enumerate((SPIKES, other, SPIKES)):
        Play.of([2] * 5, level=level, id=f"play{number}").save(tmp_path / "people" / f"{number}.play")
    monkeypatch.chdir(tmp_path)
    ids = write_datasets(find_plays(tmp_path)[0], Path("minari"), "xy", {"screen_size": 24})
    assert ids == ["xy/key_door-original-spikes-v0", "xy/key_door-original-spikes-2-v0"]
    with datasets_under(tmp_path / "minari"):
        assert [minari.load_dataset(name).total_episodes for name in ids] == [2, 1]


def test_minari_lists_the_datasets_and_combined_ones_still_say_who_played(tmp_path):
    for number, (player, seed) in enumerate((("person", 0), ("agent", 0), ("person", 3))):
        play = Play.of([2] * 12, level=SPIKES, player=player, look_seed=seed, id=f"play{number}")
        play.save(tmp_path / "plays" / f"{number}.play")
    ids = [
        dataset
        for wave in ("wave1", "wave2")
        for dataset in write_datasets(find_plays(tmp_path / "plays")[0], tmp_path / "minari", wave, {"screen_size": 24})
    ]
    people = [f"{wave}/key_door-original-spikes-v0" for wave in ("wave1", "wave2")]
    with datasets_under(tmp_path / "minari"):
        listed = CliRunner().invoke(app, ["list", "local"], env={"COLUMNS": "200", "TERM": "dumb"})
        assert listed.exit_code == 0 and all(each in listed.output for each in ids)
        for together in (people, ids[:2]):
            combined = minari.combine_datasets(
                [minari.load_dataset(each) for each in together], f"all-v{len(together[1])}"
            )
            episodes = list(combined.iterate_episodes())
            sources = [episode for each in together for episode in minari.load_dataset(each).iterate_episodes()]
            assert len(episodes) == len(sources)
            env = combined.recover_environment()
            for episode, source in zip(episodes, sources):
                assert np.array_equal(episode.observations, source.observations)
                assert {name: values[0] for name, values in episode.infos.items()} == {
                    name: values[0] for name, values in source.infos.items()
                }
                assert np.array_equal(env.reset(seed=int(episode.infos["episode_seed"][0]))[0], episode.observations[0])
            env.close()
            players = {episode.infos["episode_player"][0].decode() for episode in episodes}
            assert players == ({"person"} if together is people else {"person", "agent"})
    with pytest.raises(ValueError, match=r"name is 'data': expected another: Minari takes"):
        write_datasets([], tmp_path, "data", {})


def test_without_minari_it_says_what_to_install(study, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(SystemExit, match=r"priorlab export: .*pip install '\.\[export\]'"):
        main(study, tmp_path / "export", formats=("minari",))
    assert not (tmp_path / "export").exists()
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"name is '../x': expected two or more letters"):
        main(study, tmp_path / "export", formats=("minari",), name="../x")


def frames_of(path: Path) -> list[np.ndarray]:
    reader, frames = cv2.VideoCapture(str(path)), []
    while (read := reader.read())[0]:
        frames.append(read[1][::3, ::3, ::-1])
    return frames


def test_every_play_gets_a_video_and_lossless_ones_keep_every_pixel(tmp_path, monkeypatch):
    monkeypatch.setattr(video, "END_SECONDS", 0.2)  # each picture takes as long to write as several steps
    record(tmp_path, ChosenGame("princess", "masked_affordances"), np.array([2, 2, 3, 2, 1]))
    record(tmp_path, ChosenGame("atari/pong", "colours"), np.array([1, 2, 2, 5, 5]))
    main(tmp_path, tmp_path / "export", formats=("videos",), lossless=True)
    found, _ = find_plays(tmp_path)
    for each in found:
        path = tmp_path / "export" / "videos" / f"{each.participant}-0.mkv"
        seen, shown = list(each.play.frames()), frames_of(path)
        assert len(shown) == len(seen) + 0.2 * each.play.inputs_per_second
        assert all(np.array_equal(a, b) for a, b in zip(seen, shown))
    with pytest.raises(ValueError, match=r"ends in \.mp4 or \.mkv"):
        write_video(found[0].play, tmp_path / "a.avi")


def test_tables_and_results_agree(study, tables):
    """What `priorlab compare` reads is what is exported."""
    configs = load(study).configs
    people, rows = configs[configs["player"] == "person"], tables["participants"].dropna(subset="play")
    for name in ("inputs", "version", "game"):
        assert sorted(people[name]) == sorted(rows[name])


def test_empty_tables_have_their_columns(tmp_path):
    write_tables([], tmp_path, tmp_path)
    assert pd.read_csv(tmp_path / "participants.csv").columns.tolist() == list(data_dictionary()["participants"])
    assert pd.read_csv(tmp_path / "steps.csv.gz").columns.tolist() == list(data_dictionary()["steps"])
