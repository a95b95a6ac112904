from .data.datasets import datasets_under as datasets_under
from .data.datasets import write_datasets as write_datasets
from .data.export import data_dictionary as data_dictionary
from .data.export import new_folder as new_folder
from .data.export import write_tables as write_tables
from .data.imported import Imported as Imported
from .data.imported import import_study as import_study
from .data.progress import STATES as STATES
from .data.progress import progress as progress
from .data.recorder import Recorder as Recorder
from .data.recorder import unfinished as unfinished
from .data.verify import Verified as Verified
from .data.verify import verify as verify
from .data.video import write_video as write_video
from .data.video import write_videos as write_videos
from .data.withdraw import ParticipantRecord as ParticipantRecord
from .data.withdraw import delete_record as delete_record
from .data.withdraw import find_record as find_record
from .data.withdraw import withdraw as withdraw
from .protocol.described import described as described
from .protocol.ready import load_study as load_study
from .protocol.script import Script as Script
from .server.serving import Address as Address
from .server.serving import serve as serve
from .study.assignment import Station as Station
from .study.assignment import StudyFull as StudyFull
from .study.assignment import StudyPlace as StudyPlace
from .study.assignment import arms as arms
from .study.assignment import capacity as capacity
from .study.assignment import taken_places as taken_places
from .study.study_file import Study as Study
from .study.study_file import write_example as write_example
from .study.texts import Question as Question
from .study.texts import Texts as Texts
from .window.game_loop import play as play
from .window.game_loop import resume as resume
from .window.game_loop import show_play as show_play
from .window.preview import preview_study as preview_study
from .window.screen_check import ScreenTooSlow as ScreenTooSlow
from .window.take_part import take_part as take_part
from .window.window import NoDisplay as NoDisplay

__all__ = [
    "STATES", "Address", "Imported", "NoDisplay", "ParticipantRecord", "Question", "Recorder", "ScreenTooSlow",
    "Script", "Station", "Study", "StudyFull", "StudyPlace", "Texts", "Verified", "arms", "capacity", "data_dictionary",
    "datasets_under", "delete_record", "described", "find_record", "import_study", "load_study", "new_folder", "play",
    "preview_study", "progress", "resume", "serve", "show_play", "take_part", "taken_places", "unfinished", "verify",
    "withdraw", "write_datasets", "write_example", "write_tables", "write_video", "write_videos",
]  # fmt: skip
