"""The stages of an apprentice, in its folder: record lives, clone them, practise, play what is new."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from priorlab.agents.apprentice.cloning import CHECKPOINT as CLONING
from priorlab.agents.apprentice.cloning import Agreement, Cloning, CloningRow, agreement
from priorlab.agents.apprentice.lessons import Lesson, lesson_of
from priorlab.agents.apprentice.network import Shape, load_network, save_network, shape_of
from priorlab.agents.apprentice.practice import CHECKPOINT as PRACTICE
from priorlab.agents.apprentice.practice import Practice, PracticeRow
from priorlab.agents.apprentice.recording import HELD_OUT, TRAINING, LivesFile
from priorlab.agents.apprentice.settings import ApprenticeSettings
from priorlab.agents.device import device_of
from priorlab.agents.learners.recurrent import RecurrentPolicy
from priorlab.agents.priors.weights import digest, load, shipped
from priorlab.envs.base.files import read_json, write_whole
from priorlab.scripts.apprentice.lived import recorded_life
from priorlab.scripts.apprentice.played import play_sets
from priorlab.scripts.console import plain_console
from priorlab.scripts.priors.raised import prepared, progress_bar, table
from priorlab.scripts.running.side_by_side import side_by_side

CLONED, PRACTISED, IMITATION = "cloned.safetensors", "practised.safetensors", "imitation.json"


def run(settings: ApprenticeSettings) -> None:
    """Does the stages that are missing, up to ``settings.until``, and prints what came of each.

    ValueError, before anything is written, for a folder that holds another apprentice, for weights of another shape,
    and for a device that the machine lacks.
    """
    folder, device = settings.folder, device_of(settings)
    teacher = settings.teacher or shipped()
    load(teacher)  # refused here, if it is
    config = {"method": settings.method, "player": "agent", **settings.config(), "teacher": digest(teacher)}
    if settings.start:
        config["start"] = digest(settings.start)
        check_start(settings.start, settings)
    with prepared(folder, config, "raises this apprentice"):
        if settings.does("record") and not (folder / CLONED).exists():
            record(settings, teacher)
        if settings.does("clone"):
            if not (folder / CLONED).exists():
                clone(settings, device)
            say(f"cloned: {Agreement(**read_json(folder / IMITATION))}")
        if settings.does("practise") and settings.decisions and not (folder / PRACTISED).exists():
            practise(settings, device)
        if settings.does("play"):
            play_sets(settings, final_weights(settings), device)


def check_start(path: Path, settings: ApprenticeSettings) -> None:
    """ValueError, one line, for weights that are not an apprentice's, or of another shape than the settings ask for."""
    _, shape, _ = load_network(path)
    for name, value in asdict(shape_of(settings)).items():
        if getattr(shape, name) != value:
            raise ValueError(f"{path}: {name} is {getattr(shape, name)!r}: expected {value!r}, as in the settings")


def final_weights(settings: ApprenticeSettings) -> Path:
    """The file of the network that the stages so far have led to."""
    practised, cloned = settings.folder / PRACTISED, settings.start or settings.folder / CLONED
    return practised if practised.exists() else cloned


def record(settings: ApprenticeSettings, teacher: Path) -> None:
    """Lives the lives that are missing. They have a folder of their own, which several apprentices can share."""
    config = {**settings.recording(), "teacher": digest(teacher)}
    with prepared(settings.lives_folder, config, "records these lives"):
        for kind, count in ((HELD_OUT, settings.held_out_lives), (TRAINING, settings.lives)):
            file = lives_file(settings, kind)
            jobs = [(life, kind, settings, teacher) for life in file.missing(count)]
            if jobs:
                done = side_by_side(recorded_life, jobs, settings.workers, f"{kind} lives", plain_console())
                file.append(recorded for _, recorded in done)
            lives = file.first(count)
            solved, inputs = sum(life.solved for life in lives), sum(len(life.inputs) for life in lives)
            say(f"{kind}: {count:,} lives of {inputs:,} inputs in all, {solved:,} of them won")


def lives_file(settings: ApprenticeSettings, kind: str) -> LivesFile:
    return LivesFile(settings.lives_folder / f"{kind}.csv")


def lessons(settings: ApprenticeSettings, kind: str, count: int) -> list[Lesson]:
    recorded = lives_file(settings, kind).first(count)
    return [lesson_of(each, settings.frame_skip, settings.gamma) for each in recorded]


def clone(settings: ApprenticeSettings, device: torch.device) -> None:
    """Writes the cloned network, its progress, and how far it agrees with the teacher in held-out lives."""
    folder, learned = settings.folder, lessons(settings, TRAINING, settings.lives)
    cloning = Cloning(settings, learned, device, folder)
    with progress_bar() as bar:
        task = bar.add_task("cloning", total=cloning.updates, completed=cloning.update, loss="")
        network = cloning.run(lambda row: bar.update(task, completed=row.update, loss=f"{row.loss:.3f} nats"))
    result = agreement(network, settings, learned, lessons(settings, HELD_OUT, settings.held_out_lives))
    write_whole(folder / "cloning.csv", table(CloningRow._fields, cloning.rows))
    write_whole(folder / IMITATION, json.dumps(asdict(result), indent=2) + "\n")
    keep(network, shape_of(settings), folder / CLONED, settings, folder / CLONING)


def practise(settings: ApprenticeSettings, device: torch.device) -> None:
    """Writes the practised network and its progress."""
    folder = settings.folder
    network = load_network(final_weights(settings))[0].to(device)
    practice = Practice(settings, network, folder)
    with progress_bar() as bar:
        task = bar.add_task("practice", total=practice.updates, completed=practice.update, loss="")
        practice.run(lambda row: bar.update(task, completed=row.update, loss=f"{row.decisions:,} decisions"))
    write_whole(folder / "practice.csv", table(PracticeRow._fields, practice.rows))
    keep(network, shape_of(settings), folder / PRACTISED, settings, folder / PRACTICE)
    say(f"practised: {in_words(practice.rows)}")


def keep(network: RecurrentPolicy, shape: Shape, path: Path, settings: ApprenticeSettings, checkpoint: Path) -> None:
    """Writes the weights, and deletes the checkpoint that led to them."""
    save_network(network, shape, path, {"settings": settings.config()})
    checkpoint.unlink(missing_ok=True)


def say(text: str) -> None:
    plain_console().print(text, soft_wrap=True)


def in_words(rows: list[PracticeRow]) -> str:
    """The first and the last tenth of a practice."""
    tenth = max(1, len(rows) // 10)
    shares = []
    for part in (rows[:tenth], rows[-tenth:]):
        lives = sum(row.lives for row in part)
        won = sum(row.lives * row.solved for row in part if row.lives)
        shares.append(f"{won:.0f} of {lives} lives won")
    return f"{rows[-1].decisions:,} decisions; {shares[0]} in the first tenth, {shares[1]} in the last"
