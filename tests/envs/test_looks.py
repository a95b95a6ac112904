"""Every look draws any level, the same for the same seed, and hides what its version masks."""

import numpy as np
import pytest

from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level, level_names
from priorlab.envs.game.versions import find_version, games, id_of, looks, versions
from priorlab.envs.looks.look import Look, look_names, parse
from priorlab.envs.looks.paint import paint
from priorlab.envs.looks.textures import pieces
from priorlab.scripts.probe.probe_looks import (
    OBJECTS_HIDDEN,
    QUESTIONS,
    STRUCTURE_HIDDEN,
    Areas,
    best_by_tile,
    claims,
    gather,
    probe,
)
from priorlab.scripts.probe.probe_places import EXTRA, goal_rectangle, picture, shared_textures

CROWDED = """goal = [3, 400]
start = [-20, 700]
---
m*H#m
"""
LEVELS = [Level.read(source) for source in (*level_names(), *EXTRA, CROWDED)]
PLAIN = [look for look in look_names() if not Look.read(look).has_drawings]
PROCEDURAL = [look for look in look_names() if look not in PLAIN]
SMALL = """
[things]
ground = "#000000"
platform = "brick"
ladder = "#000002"
boundary = "#000003"
fire = "#000004"
monster = "#000005"
goal = "#000006"
player = "#000007"
spikes = "#000008"
key = "#000009"
door = "#00000a"
[palette]
a = "#102030"
--- brick
"""
ROWS = ["a" * 15] * 15


def same(one, other):
    sprites = zip((one.player, *one.monsters), (other.player, *other.monsters))
    return np.array_equal(one.background, other.background) and all(
        np.array_equal(a.rgb, b.rgb) and np.array_equal(a.opaque, b.opaque) for a, b in sprites
    )


@pytest.mark.parametrize("look", look_names())
def test_every_look_draws_every_level_the_same_for_the_same_seed(look):
    for level in LEVELS:
        for seed in (0, 2**40):
            scene = paint(level, look, seed)
            assert scene.background.shape == (level.side, level.side, 3)
            assert scene.background.dtype == np.uint8
            assert len(scene.monsters) == len(level.monsters)
            for sprite in (scene.player, *scene.monsters):
                assert sprite.rgb.shape == (15, 15, 3)
                assert sprite.opaque.shape == (15, 15)
            assert not scene.background[15 * level.height :].any()
            assert not scene.background[:, 15 * level.width :].any()
        assert same(scene, paint(level, look, seed))


def test_the_largest_level_is_drawn():
    rows = ["|" + " " * 62 + "|"] * 62
    rows = ["#" * 64, *("|H" + "###  " * 12 + "H|" if r % 5 == 4 else row for r, row in enumerate(rows)), "#" * 64]
    level = Level.read("start = [40, 40]\ngoal = [900, 900]\n---\n" + "\n".join(rows))
    for look in look_names():
        assert paint(level, look).background.shape == (960, 960, 3)


@pytest.mark.parametrize("look", PROCEDURAL)
def test_another_seed_is_another_drawing(look):
    level = Level.read("princess")
    assert len({picture(level, paint(level, look, seed)).tobytes() for seed in range(8)}) > 3


@pytest.mark.parametrize("look", PLAIN)
def test_plain_looks_are_one_drawing(look):
    level = Level.read("princess")
    assert same(paint(level, look, 0), paint(level, look, 7))


def test_in_every_look_the_boundary_is_the_same_plain_frame():
    level = Level.read("princess")
    frames = [paint(level, look, seed).background[:, :15] for look in look_names() for seed in (0, 3)]
    assert all((frame == frames[0][0, 0]).all() for frame in frames)


@pytest.mark.parametrize("version", looks("princess"))
def test_no_version_hides_the_player_itself(version):
    """In an agent's small gray pictures it stands out at least half as much as in the original."""

    def contrast(version: str) -> int:
        scenes = Games(1, version, screen_size=42).scenes
        shown, empty = scenes.starts[0].astype(int).reshape(42, 42), scenes.empty[0].astype(int)  # one channel
        return int(np.abs(shown - empty).sum())

    assert contrast(version) >= contrast("original") / 2


def test_masked_semantics_draws_each_kind_of_object_in_one_colour():
    level = Level.read("princess")
    scene = paint(level, "masked_semantics")
    left, top, right, bottom = goal_rectangle(level)
    fire = scene.background[15 * 14 : 15 * 15, 15 * 9 : 15 * 12]
    colours = [
        {tuple(colour) for colour in part.reshape(-1, 3).tolist()}
        for part in (scene.background[top:bottom, left:right], fire, scene.monsters[0].rgb, scene.player.rgb)
    ]
    assert [len(found) for found in colours] == [1, 1, 1, 1]
    assert len(set.union(*colours)) == 4


def test_masked_objects_begin_with_the_colours_of_masked_semantics_and_keep_platforms():
    level = Level.read("princess")
    scene, plain = paint(level, "masked_objects"), paint(level, "masked_semantics")
    assert np.array_equal(scene.monsters[0].rgb, plain.monsters[0].rgb)
    fire = np.s_[15 * 14 : 15 * 15, 15 * 9 : 15 * 12]
    assert np.array_equal(scene.background[fire], plain.background[fire])
    ladders = np.kron(level.tiles == 2, np.ones((15, 15), bool))
    assert np.array_equal(scene.background[ladders], plain.background[ladders])
    platforms = [(15 * r, 15 * c) for r, c in level.tiles_of("#")]
    alike = (scene.background == plain.background).all(axis=2)
    kept = [alike[y : y + 15, x : x + 15].all() for y, x in platforms]
    assert 0.2 < np.mean(kept) < 0.9


def test_masked_affordances_keeps_like_things_alike_and_apart_from_free_space():
    for level in LEVELS[:2]:
        for seed in range(5):
            background = paint(level, "masked_affordances", seed).background
            left, top, right, bottom = goal_rectangle(level)
            tiles = {kind: set() for kind in "#H "}
            for kind, found in tiles.items():
                for r, c in level.tiles_of(kind):
                    if not (15 * c < right and 15 * c + 15 > left and 15 * r < bottom and 15 * r + 15 > top):
                        found.add(background[15 * r : 15 * r + 15, 15 * c : 15 * c + 15].tobytes())
            assert [len(tiles[kind]) for kind in "#H"] == [1, 1]
            assert len(tiles[" "]) > 3
            assert not tiles["#"] & tiles["H"] and not tiles[" "] & (tiles["#"] | tiles["H"])


@pytest.mark.parametrize("level", LEVELS[:-1], ids=lambda level: level.name)
def test_masked_similarity_gives_nothing_the_texture_of_a_platform_or_ladder(level):
    for seed in range(5):
        assert shared_textures(level, paint(level, "masked_similarity", seed)) == 0
    assert shared_textures(Level.read("princess"), paint(Level.read("princess"), "masked_affordances")) > 0


def test_free_space_is_cut_into_pieces_completely_and_once():
    for level in LEVELS:
        kinds = np.array([list(row) for row in level.rows])
        free = ~np.isin(kinds, list("#H|"))
        parts = pieces(free, kinds == "#", kinds == "H", np.random.default_rng(0))
        covered = np.zeros(free.shape, int)
        for part in parts:
            covered[part[:, 0], part[:, 1]] += 1
        assert np.array_equal(covered, free.astype(int))


@pytest.mark.parametrize("version", looks())
def test_the_probe_finds_what_the_look_claims(version):
    seeds = 5 if version in STRUCTURE_HIDDEN + OBJECTS_HIDDEN else 2
    if version == "original":
        figures = probe(version, seeds)
    else:  # no claim depends on the context, which takes longest
        figures = {name: Areas(best_by_tile(each, seeds), np.nan) for name, each in gather(version, seeds).items()}
    assert [claim for claim, holds in claims(version, figures, seeds=2) if not holds] == []


def test_the_probe_fails_a_look_that_shows_what_it_masks_or_hides_what_it_shows():
    seen, hidden = ({question: Areas(area, area) for question in QUESTIONS} for area in (1.0, 0.5))
    for version in looks():
        masks = version in STRUCTURE_HIDDEN + OBJECTS_HIDDEN
        assert all(holds for _, holds in claims(version, seen, seeds=1)) != masks
        assert all(holds for _, holds in claims(version, hidden, seeds=1)) == (version in OBJECTS_HIDDEN)


def test_versions_are_listed_found_and_named():
    assert games() == ["princess", "key_door"]
    assert id_of("masked_semantics") == "MaskedSemantics"
    for game in games():
        assert versions(game)[0] == "original"
        assert set(versions(game)) - set(looks(game)) == {"ladder_interaction", "gravity"}
        for name in versions(game):
            version = find_version(game, name)
            assert Look.read(version.look).name == version.look
            assert Level.read(version.level).name == game
    with pytest.raises(ValueError, match="unknown version 'x': expected one of original, retextured, "):
        find_version("princess", "x")
    with pytest.raises(ValueError, match="unknown game 'chess': expected one of princess, key_door"):
        find_version("chess", "original")
    with pytest.raises(ValueError, match="unknown look 'x': expected one of all_masked, "):
        paint(Level.read("princess"), "x")


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
def test_a_look_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match=r"look_seed is .*: expected a whole number, 0 or more"):
        paint(Level.read("princess"), "original", seed)


def text(*rows):
    return SMALL + "\n".join(rows)


@pytest.mark.parametrize(
    "look, message",
    [
        (text(*ROWS[:3], "aaa?" + "a" * 11, *ROWS[4:]), r"bad.txt: row 3, column 3 \(line 20\): '\?'; expected"),
        (text(*ROWS[:6], "a" * 14, *ROWS[7:]), r"bad.txt: row 6, column 14 \(line 23\): .* expected 15"),
        (text(*ROWS[:6], "a" * 16, *ROWS[7:]), r"bad.txt: row 6, column 15 \(line 23\): .* expected 15"),
        (text(*ROWS[:14]), r"bad.txt: grid 'brick' is 15 x 14: expected 15 x 15 for platform"),
        (text(), r"bad.txt: line 17: no rows after '---'; expected a grid"),
        (text(*ROWS).replace("#102030", "red"), r"bad.txt: palette 'a': colour 'red': expected '#rrggbb'"),
        (text(*ROWS).replace('"brick"', '"bricks"'), r"bad.txt: platform = 'bricks': expected '#rrggbb', .*brick"),
        (text(*ROWS).replace("platform", "floor"), r"bad.txt: unknown thing 'floor': expected ground, platform, "),
        (text(*ROWS).replace('fire = "#000004"', ""), r"bad.txt: things has no 'fire': expected all of ground, "),
        (text(*ROWS).replace('"#000004"', '"block"'), r"bad.txt: fire = 'block': expected '#rrggbb', "),
        ("[things\n", r"bad.txt: settings are not TOML: "),
        ("things = 3\n", r"bad.txt: things is 3: expected a table, \[things\]"),
        ('base = "nothing"\n', r"unknown look 'nothing': expected one of all_masked, "),
        ('base = "original"\npieces = 1\n', r"bad.txt: pieces is 1: expected true or false"),
        ('base = "original"\npieces = true\n', r"bad.txt: pieces = true: expected ground, platform and ladder of one "),
        ('base = "original"\n[blocks]\nplace = "sky"\n', r"bad.txt: blocks place is 'sky': expected one of plat"),
        ('base = "original"\n[families.x]\ncolours = []\n', r"bad.txt: family 'x' is empty: expected patterns and "),
        ('base = "original"\n[families.x]\npatterns = ["fur"]\n', r"bad.txt: family 'x' has pattern 'fur': expected "),
    ],
)
def test_a_malformed_look_is_refused_with_what_where_and_what_was_expected(look, message):
    parse(text(*ROWS), "good.txt")
    with pytest.raises(ValueError, match=message):
        parse(look, "bad.txt")
