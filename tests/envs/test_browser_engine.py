"""The engine for browsers, in wasmtime: the states and pictures that Python gives, for people's and random inputs."""

import json

import numpy as np
import pytest
from hypothesis import given

from priorlab.envs.browser import game_file, object_file, shipped
from priorlab.envs.game.versions import games, versions
from priorlab.envs.plays.courses import ChosenGame
from priorlab.envs.plays.play import Play
from priorlab.envs.plays.play_file import CHARACTERS
from priorlab.envs.random_games.bank import Bank
from tests.support.browser_engine import Compared, WasmGame, WasmKeys, compared, random_inputs
from tests.support.expected_keys import EVENTS, Expected, follows, patiently
from tests.support.paths import DATA, RECORDINGS

PUBLIC = {"original": "princess", "masked": "princess_masked_geometry"}  # recordings of the study's public game
VERSIONS = [(game, version) for game in games() for version in versions(game)]
STEPS, PICTURE_EVERY = 400, 50
LARGE = 23  # the number of a held-out level
SMALLEST = "---\nSG\n##\n"
DEADLY = "---\nS *  G\n### ##\n"  # where a play often dies


def check(game: ChosenGame, inputs: np.ndarray, as_shown: bool = False) -> None:
    pictures = -(-len(inputs) // PICTURE_EVERY)
    assert compared(game, inputs, PICTURE_EVERY, as_shown) == Compared(len(inputs), pictures, 0, 0)


def test_the_engine_is_compiled_from_the_sources_that_are_here():
    assert shipped.edition() > 0


def test_an_engine_of_other_sources_makes_no_game_files(monkeypatch):
    found = shipped.source_hash
    monkeypatch.setattr(shipped, "source_hash", lambda name: "" if name == "game/rules.py" else found(name))
    shipped.edition.cache_clear()
    with pytest.raises(ValueError) as raised:
        game_file(ChosenGame())
    assert str(raised.value) == (
        "the engine for browsers is older than envs/game/rules.py: run `python -m priorlab.envs.browser.build`"
    )


def test_games_that_run_in_no_browser_are_refused():
    with pytest.raises(ValueError, match=r"^game is 'atari/pong': expected princess, key_door or random; .*$"):
        game_file(ChosenGame("atari/pong"))


def test_a_game_file_names_neither_game_nor_version():
    file = game_file(ChosenGame("key_door", "masked_semantics"))
    assert not [name for name in (b"masked", b"key", b"door", b"semantics") if name in file]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_people_played_is_played_the_same(name):
    wasm = WasmGame(game_file(ChosenGame(level=PUBLIC[name])))
    for episode in json.loads((RECORDINGS / f"{name}.json").read_text()):
        play = Play.of(episode["actions"], level=PUBLIC[name])
        wasm.begin()
        for character, state in zip(play.inputs, play.states[1:]):
            wasm.step(CHARACTERS.index(character))
            assert np.array_equal(wasm.state, state)


@pytest.mark.parametrize("path", ["first.play", "before/recorded/old.play"])
def test_recorded_plays_are_played_and_shown_the_same(path):
    play = Play.load(DATA / path)
    game = ChosenGame(play.game, play.version, play.level.text(), play.look_seed)
    check(game, np.array([CHARACTERS.index(character) for character in play.inputs]), as_shown=True)


@pytest.mark.parametrize(("game", "version"), VERSIONS, ids=map("-".join, VERSIONS))
def test_every_version_is_played_and_drawn_the_same(game, version):
    check(ChosenGame(game, version, look_seed=1), random_inputs(STEPS, seed=VERSIONS.index((game, version))))


@pytest.mark.parametrize("version", ["random", "gravity"])
def test_random_levels_are_played_and_drawn_the_same(version):
    check(ChosenGame("random", version, seed=5), random_inputs(STEPS, seed=5))


@pytest.mark.parametrize("level", [SMALLEST, DEADLY, None])
def test_levels_of_any_size_are_played_and_drawn_the_same(level):
    text = level or Bank.read("large_held_out")[LARGE].level.text()
    check(ChosenGame(level=text), random_inputs(STEPS, seed=6))


@pytest.fixture(scope="module")
def keys():
    return WasmKeys()


@patiently
@given(events=EVENTS)
def test_the_key_rule_is_the_same(keys, events):
    keys.release_all()
    follows(keys, Expected(), events)


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (b"\0asm\2\0\0\0", "not WebAssembly of version 1"),
        (object_file.MAGIC + bytes([object_file.DATA, 0]), "holds data"),
        (object_file.MAGIC, "has no step"),
        (object_file.MAGIC + bytes([object_file.IMPORT, 11, 1]) + b"\3env\3abs\0\0", "calls 'abs', which is not in it"),
    ],
)
def test_what_would_need_a_linker_is_refused(module, reason):
    with pytest.raises(ValueError, match=reason):
        object_file.executable(module, ["step"])
