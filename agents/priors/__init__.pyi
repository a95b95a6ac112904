from .lives import Life as Life
from .lives import live as live
from .lives import told as told
from .perception import Perception as Perception
from .perception import perceiver as perceiver
from .perception import posterior as posterior
from .player import Player as Player
from .player_settings import WITHOUT_RULES as WITHOUT_RULES
from .player_settings import PlayerSettings as PlayerSettings
from .policy import Policy as Policy
from .raising import Raising as Raising
from .scenery import Scenery as Scenery
from .settings import RaiseSettings as RaiseSettings
from .weights import learned as learned
from .weights import load as load
from .weights import save as save
from .weights import shipped as shipped

__all__ = [
    "WITHOUT_RULES",
    "Life",
    "Perception",
    "Player",
    "PlayerSettings",
    "Policy",
    "RaiseSettings",
    "Raising",
    "Scenery",
    "learned",
    "live",
    "load",
    "perceiver",
    "posterior",
    "save",
    "shipped",
    "told",
]
