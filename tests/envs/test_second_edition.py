"""Random looks, second edition: what is harmless is like what is not, and nothing misleads unless it is asked for."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from priorlab.envs.game.level import Level
from priorlab.envs.looks.dials import SPLITS, Dials
from priorlab.envs.looks.exemplars import ROLES
from priorlab.envs.looks.families import ALL_ROLES, FAMILIES, GOOD, OPPOSITE, THREATS, TREAT, Style, families_of, pool
from priorlab.envs.looks.paint_dials import cast, paint_dials
from priorlab.envs.looks.painting import PALE
from priorlab.scripts.probe.probe_dials import LEVELS, cells

LEVEL = Level.read(LEVELS[1])
KINDS = np.array([list(row) for row in LEVEL.rows])
ONES = Dials(edition=2)
CORNERS = [Dials(*corner, edition=2) for corner in product((0, 1), repeat=4)]
HARMLESS = ("inlay", "scenery")


def shown(dials, seed, level=LEVEL):
    """The level in cells, (rows, columns, 15, 15, 3)."""
    return cells(paint_dials(level, dials, seed, "training").background)


def harmless(dials, seed):
    return [thing for thing in cast(LEVEL, dials, seed, "training") if thing.role in HARMLESS]


def test_no_drawing_of_training_is_held_out_but_the_plain_tile():
    training, held_out = ({drawing.tobytes() for family in pool(split) for drawing in family} for split in SPLITS)
    assert len(training & held_out) == 1
    for family, name in zip(pool("held_out"), FAMILIES):
        assert name == "plain" or len({drawing.tobytes() for drawing in family}) > 50


@pytest.mark.parametrize("dials", CORNERS, ids=str)
def test_harmless_things_are_there_only_where_pictures_mean_little(dials):
    things = [thing for seed in range(8) for thing in harmless(dials, seed)]
    assert bool(things) == (dials.semantics == 0)
    for thing in things:
        at = tuple(thing.tiles.T)
        assert np.isin(KINDS[at], list("#" if thing.role == "inlay" else " ~")).all()
        assert (KINDS[at[0] + (thing.role == "scenery"), at[1]] == "#").all()


def test_goals_and_scenery_are_as_often_larger_than_a_cell_and_nothing_else_is():
    large: dict[str, list[bool]] = {}
    for seed in range(250):
        for thing in cast(LEVEL, replace(ONES, semantics=0, similarity=0), seed, "training"):
            large.setdefault(thing.role, []).append(thing.picture.shape[0] > 15)
    shares = {role: np.mean(each) for role, each in large.items()}
    assert 0.02 < shares.pop("door") < 0.15 and 0.02 < shares.pop("scenery") < 0.1
    assert not any(shares.values())


def test_without_objects_every_place_to_stand_shows_something():
    standing = np.zeros(KINDS.shape, bool)
    standing[:-1] = np.isin(KINDS[1:], list("#*^")) & (KINDS[:-1] == " ")
    for seed in range(10):
        plain, strewn = (shown(replace(ONES, objects=value), seed) for value in (1, 0))
        assert (plain != strewn).any(axis=(2, 3, 4))[standing].mean() > 0.97  # some is as large as a pixel or two
        some = shown(replace(ONES, objects=0.5), seed)
        assert 0.2 < (plain != some).any(axis=(2, 3, 4))[standing].mean() < 0.8


def test_a_distractor_shows_mostly_what_the_objects_show():
    for seed in range(10):
        objects = [t for t in cast(LEVEL, ONES, seed, "training") if t.role in ("monster", "key", "door")]
        masks = {(t.picture.shape, t.picture.tobytes()) for t in objects if t.picture.shape[0] == 15}
        strewn = shown(replace(ONES, objects=0), seed)
        background = shown(ONES, seed)[0, 1]

        def same(cell, picture, ground=background):
            return np.array_equal(cell, np.where(picture[..., 3:] > 0, picture[..., :3], ground))

        pictures = [np.frombuffer(data, np.uint8).reshape(shape) for shape, data in masks]
        changed = np.argwhere((strewn != shown(ONES, seed)).any(axis=(2, 3, 4)) & (KINDS == " "))
        alike = [any(same(strewn[r, c], picture) for picture in pictures) for r, c in changed]
        assert np.mean(alike) > 0.3


@pytest.mark.parametrize("semantics", [1.0, 0.5, 0.0])
def test_no_look_has_treats_unless_they_are_asked_for(semantics):
    roles, rng = np.repeat(np.arange(len(ALL_ROLES)), 300), np.random.default_rng(0)
    for style in (Style(False, False), Style(True, True)):
        assert TREAT not in families_of(roles, replace(ONES, semantics=semantics), style, rng)
    tempted = families_of(roles, Dials(semantics, edition=2, treats=1.0), Style(False, False), rng)
    assert (tempted[roles >= len(ROLES)] == TREAT).all() and not (tempted[THREATS[roles]] == TREAT).any()
    assert any(harmless(Dials(semantics, edition=2, treats=1.0), seed) for seed in range(3))


def test_below_0_pictures_promise_the_opposite():
    roles, rng = np.repeat(np.arange(len(ALL_ROLES)), 300), np.random.default_rng(0)
    families = families_of(roles, Dials(-1.0, edition=2), Style(False, False), rng)
    assert (families[THREATS[roles]] == TREAT).all() and np.isin(families[GOOD[roles]], OPPOSITE).all()
    half = families_of(roles, Dials(-0.5, edition=2), Style(False, False), rng)
    assert 0.35 < (half[THREATS[roles]] == TREAT).mean() < 0.65


def test_the_player_has_an_edge_of_its_own_in_any_look():
    for dials, seed in product(CORNERS, range(4)):
        scene = paint_dials(LEVEL, dials, seed, "training")
        assert (scene.player.rgb == PALE).all(axis=2).sum() >= 20
        assert not (scene.background == PALE).all(axis=2).any()
