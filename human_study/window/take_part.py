"""Taking part in a study at a window, from its file to its end."""

from pathlib import Path

from priorlab.envs.plays.courses import AnyCourse
from priorlab.human_study.protocol.ready import load_study
from priorlab.human_study.study.assignment import Station
from priorlab.human_study.study.study_file import Study
from priorlab.human_study.window.paper import check_fonts
from priorlab.human_study.window.screen_check import check_screen
from priorlab.human_study.window.session import Session
from priorlab.human_study.window.window import Window, require_display


def first_game(study: Study) -> AnyCourse:
    """The game of the first version, with everything compiled that must not be compiled while a participant waits."""
    course = study.settings(study.versions[0]).open()
    course.step(0)
    return course


def take_part(
    path: Path,
    windowed: bool = False,
    station: str = "1/1",
    resume: Path | None = None,
    allow_slow_screen: bool = False,
) -> str:
    """Leads one participant through the study of that file, at a new window; returns how it ended, one line.

    The arguments are the options of `priorlab participate`. Raises ValueError and FileNotFoundError as ``load_study``,
    and ValueError for unusable fonts, stations and screens; NoDisplay; StudyFull and OSError as ``Session.run``.
    """
    machine = Station.read(station)
    study, languages = load_study(path, resume)
    check_fonts(languages)
    require_display()
    course = first_game(study)
    with Window(course.picture.shape[:2], gamepad=study.gamepad, fullscreen=not windowed) as window:
        check_screen(window, course, override="" if allow_slow_screen else "--allow-slow-screen")
        return Session(study, languages, window, machine).run(resume)
