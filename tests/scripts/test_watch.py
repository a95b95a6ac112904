"""Watching a player with priors: frames of its life, and a life that does not change because somebody watches."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pygame
import pytest

from priorlab.agents.priors.belief import Perceive
from priorlab.agents.priors.lives import live
from priorlab.agents.priors.movement import shipped_movement
from priorlab.agents.priors.player_settings import NEEDED, WITHOUT_RULES, PlayerSettings
from priorlab.agents.priors.roles import MONSTER, ROLES, roles_of
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.weights import shipped
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import FIELDS, X
from priorlab.envs.looks.dials import Dials
from priorlab.envs.random_games.bank import Bank
from priorlab.scripts.watch.choosing import Chosen, caption, given_caption
from priorlab.scripts.watch.film import film
from priorlab.scripts.watch.game_panel import GamePanel, enlarged
from priorlab.scripts.watch.happenings import Happening, Kind, surprise
from priorlab.scripts.watch.inks import fitted, words
from priorlab.scripts.watch.moment import moment_of
from priorlab.scripts.watch.projector import RESTS, Projector
from priorlab.scripts.watch.stage import HOLDS, STAYS, Stage
from priorlab.scripts.watch.watched import Watched


def muddled(level: Level, seed: int) -> Perceive:
    """Perceives the true roles, mixed with nonsense."""
    truth = np.eye(len(ROLES))[roles_of(level)]
    mixed = 0.8 * truth + 0.2 * np.random.default_rng(seed).dirichlet(np.full(len(ROLES), 0.2), truth.shape[:2])

    def perceive(picture: np.ndarray, ruled_out: np.ndarray) -> np.ndarray:
        chances = np.where(ruled_out, 0, mixed + 1e-6)
        return (chances / chances.sum(-1, keepdims=True)).astype(np.float32)

    return perceive


def test_a_life_is_the_same_whether_it_is_watched_or_not():
    level, settings = Bank.read("held_out")[4].level, PlayerSettings(loss=5.0, temper=2.0)
    scenery, perceive = Scenery(level, looks=Dials(), look_seed=4), muddled(level, 6)
    watched = Watched(scenery, perceive, settings, limit=300)
    stage = Stage(640, 360, len(watched.picture) // 15)
    projector, happened = Projector(watched, stage, speed=1.0), set()
    while not watched.over:
        projector.step()
        happened |= {watched.happened.kind} if watched.happened else set()
        if len(watched.inputs) % 5 == 0 or watched.happened:
            frame, moment = stage.frame(watched), moment_of(watched.player)
            assert frame.shape == (360, 640, 3) and frame.dtype == np.uint8
            shown = moment.chances > 0
            assert np.allclose(moment.chances.sum(-1), 1) and not moment.chances[..., MONSTER].any()  # it knows them
            assert not (shown & watched.player.facts.ruled_out)[..., 1:].any()
    life = live(scenery, perceive, settings, limit=300)
    assert watched.inputs == life.inputs.tolist()
    assert (watched.counts.deaths, watched.counts.surprises) == (life.deaths, life.surprises)
    assert happened >= {"found", "death", "surprise", "win"} and len(stage.deaths) == life.deaths


def test_a_life_is_filmed(tmp_path: Path):
    path, begin = tmp_path / "life.mp4", Chosen(number=3, limit=8).begin
    film(begin, path, width=640, speed=1.0)
    video = cv2.VideoCapture(str(path))
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (640, 360)
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) > 8
    picture = tmp_path / "life.png"
    film(begin, picture, width=640, speed=1.0)
    assert cv2.imread(str(picture)).shape == (360, 640, 3)
    with pytest.raises(FileExistsError, match="already exists"):
        film(begin, path, width=640, speed=1.0)
    with pytest.raises(ValueError, match="width is 656: expected a multiple of 32 from 640"):
        film(begin, tmp_path / "odd.mp4", width=656, speed=1.0)


def test_a_picture_that_can_not_be_written_is_refused_before_the_life(tmp_path: Path):
    (tmp_path / "file").touch()
    watched, captions = Chosen(number=3).begin()
    with pytest.raises(OSError):
        film(lambda: (watched, captions), tmp_path / "file" / "life.png", width=640, speed=1.0)
    assert not watched.inputs


@pytest.fixture
def begun() -> tuple[Watched, Stage]:
    watched, captions = Chosen(player="hand_designed", number=3).begin()
    return watched, Stage(640, 360, len(watched.picture) // 15, captions)


def pixels(sheet: pygame.Surface) -> np.ndarray:
    return pygame.surfarray.array3d(sheet).astype(int)


def happening(kind: Kind, place: tuple[int, int] = (200, 200)) -> Happening:
    return Happening(kind, kind, "in other words", place)


def test_what_happened_stays_on_the_screen_while_the_life_is_paused(begun: tuple[Watched, Stage]):
    watched, stage = begun
    stage.sheet(watched)
    stage.map.chances[3:5, 3:5] = 0  # so that these cells flash
    stage.note(happening("surprise"), 1)
    first = pixels(stage.sheet(watched, stands=True))
    left, flash = stage.left, stage.map.flash.copy()
    assert left == STAYS and flash.any()
    assert (pixels(stage.sheet(watched, stands=True)) == first).all()
    assert stage.left == left and (stage.map.flash == flash).all()
    stage.sheet(watched)
    assert stage.left == left - 1 and (stage.map.flash <= flash).all() and stage.map.flash.sum() < flash.sum()


def test_a_single_input_lets_only_flash_what_it_changed(begun: tuple[Watched, Stage]):
    watched, stage = begun
    stage.sheet(watched)
    stage.map.chances[3:5, 3:5] = 0  # as if these cells had changed since they were drawn
    stage.note(happening("surprise"), 1)
    Projector(watched, stage, speed=1.0).step_alone()
    stage.sheet(watched, stands=True)
    assert stage.left == 0 and not stage.map.flash[3:5, 3:5].any()


def test_a_surprise_leaves_time_to_read_that_it_died(begun: tuple[Watched, Stage]):
    watched, stage = begun
    noted: tuple[tuple[Kind, Kind], ...] = (("surprise", "surprise"), ("death", "death"), ("surprise", "death"))
    for kind, shown in noted:
        stage.note(happening(kind), 1)
        stage.sheet(watched)
        assert stage.news and stage.news.kind == shown
    stage.left -= HOLDS
    stage.note(happening("surprise"), 2)
    assert stage.news and stage.news.kind == "surprise"


def test_a_death_gets_its_whole_rest_close_after_a_surprise(begun: tuple[Watched, Stage], monkeypatch):
    watched, stage = begun
    rests, projector = [], Projector(watched, stage, speed=1.0)
    kinds: tuple[Kind, ...] = ("surprise", "death", "surprise")
    for kind in kinds:
        monkeypatch.setattr(watched, "advance", partial(happening, kind))
        projector.step()
        rests.append(projector.rest)
    assert rests[:2] == [RESTS["surprise"], RESTS["death"]] and 0 < rests[2] < rests[0]


def test_a_burst_stands_clear_of_the_aim(begun: tuple[Watched, Stage]):
    _, stage = begun
    side, size = stage.layout.panel(1).width, 30
    for x, y in ((0, 0), (side / 2, side / 2), (side, side), (side - 20, 10)):
        for across, down in ((20, -20), (-20, -20), (20, 20)):
            label = pygame.Rect(0, 0, 60, 20).move_to(center=(x + across, y + down))
            stage.map.aimed = [label.clamp(stage.map.ground.get_rect())]
            offset = stage.beside(x, y, size, on_map=True)
            burst = pygame.Rect(0, 0, size, size).move_to(center=(x + offset[0], y + offset[1]))
            assert not burst.colliderect(stage.map.aimed[0]) and burst.clamp(stage.map.ground.get_rect()) == burst


def test_a_line_is_never_wider_than_its_room():
    text = "semantics 0.1, objects 0.2, affordance 0.3"
    for size in (8, 22):
        assert 80 < fitted(text, size, 120).get_width() <= 120  # cut short
    whole = {words(text, size).get_width() for size in range(8, 22)}
    assert all(fitted(text, 22, room).get_width() in whole for room in range(300, 420, 7))  # smaller


@pytest.mark.parametrize(("cell", "apart"), [(30, 0), (26, 4)])
def test_the_games_picture_is_drawn_tile_by_tile_as_it_is_as_a_whole(cell: int, apart: int):
    rng, side = np.random.default_rng(0), 9
    panel, picture = GamePanel(side, cell), rng.integers(0, 256, (15 * side, 15 * side, 3), np.uint8)
    for _ in range(3):
        assert np.abs(pixels(panel.draw(picture)) - pixels(enlarged(picture, cell))).max() <= apart
        row, column = rng.integers(0, 15 * side, 2)
        picture[row : row + 16, column : column + 16] = rng.integers(0, 256, 3)


def test_a_surprise_says_what_is_there_in_large_letters():
    foreseen, state = np.zeros((2, FIELDS), np.int32)
    foreseen[X] = 4
    told = surprise(foreseen, state, None, (0, 0))
    assert (told.headline, told.detail) == ("Something blocks it", "surprise: it expected to pass")


def test_the_studys_games_are_called_by_their_titles_and_other_levels_by_their_names():
    assert caption(Scenery(Level.read("key_door"), "masked_objects")) == "Key and Door, masked objects"
    assert caption(Scenery(Level.read("princess"))) == "Princess, original"
    other = Bank.read("held_out")[4].level
    assert caption(Scenery(other)) == f"{other.name}, original"


def test_movement_that_is_learned_and_a_persons_limits_stand_beside_what_is_watched():
    watched, captions = Chosen(player="hand_designed", movement="learned", slips=0.01, delay=6).begin()
    assert (captions.player, captions.given) == (
        "hand-designed player",
        "It is given: roles, contact, patrols, upright; movement learned; delay 6; slips 0.01",
    )
    assert watched.player.world.movement is not None
    assert (watched.player.settings.slips, watched.player.settings.delay) == (0.01, 6)
    own = Chosen(movement=shipped_movement()).settings()
    assert own == PlayerSettings(given=WITHOUT_RULES, movement=shipped_movement())
    assert Chosen().settings() == PlayerSettings()
    assert given_caption(NEEDED, PlayerSettings()) == "It is given: rules, patrols, upright"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"number": 2000}, "number is 2000: expected a level of the bank, 0 to 199"),
        ({"bank": "nowhere"}, "no bank 'nowhere'"),
        ({"level": "nowhere"}, "nowhere"),
        ({"dials": (0.0, 0.0, 0.0, 2.0)}, "similarity is 2.0: expected a number from 0 to 1"),
        ({"version": "masked_objects", "dials": (0.0, 0.0, 0.0, 0.0)}, "expected one of them"),
        ({"player": "hand_designed", "weights": Path("some.safetensors")}, "expected none for a hand_designed player"),
        ({"movement": Path("nowhere.safetensors")}, "nowhere.safetensors"),
        ({"movement": shipped()}, "full.safetensors: expected a priorlab movement of edition 1"),
        ({"acting": shipped()}, "full.safetensors: expected a priorlab acting of edition 1"),
        ({"limit": 0}, "limit must be at least 1"),
    ],
)
def test_what_does_not_exist_is_refused_in_one_line(settings, message):
    with pytest.raises((ValueError, OSError), match=message) as raised:
        Chosen(**settings).scenery()
    assert "\n" not in str(raised.value)
