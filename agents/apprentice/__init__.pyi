from .cloning import Agreement as Agreement
from .cloning import Cloning as Cloning
from .cloning import agreement as agreement
from .lessons import lesson_of as lesson_of
from .network import Shape as Shape
from .network import load_network as load_network
from .network import new_network as new_network
from .network import save_network as save_network
from .playing import play_lives as play_lives
from .practice import Practice as Practice
from .recording import LivesFile as LivesFile
from .recording import record as record
from .settings import ApprenticeSettings as ApprenticeSettings

__all__ = [
    "Agreement",
    "ApprenticeSettings",
    "Cloning",
    "LivesFile",
    "Practice",
    "Shape",
    "agreement",
    "lesson_of",
    "load_network",
    "new_network",
    "play_lives",
    "record",
    "save_network",
]
