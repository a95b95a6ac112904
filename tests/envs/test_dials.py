"""Random looks: each dial has its effect and no other; training never shows held-out drawings."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level, level_names
from priorlab.envs.looks.dials import SPLITS, Dials
from priorlab.envs.looks.exemplars import CHANCES, ROLES, drawings, exemplars
from priorlab.envs.looks.paint import paint
from priorlab.envs.looks.paint_dials import cast, paint_dials
from priorlab.envs.looks.painting import PALE, goal_corner
from priorlab.scripts.probe.probe_dials import LEVELS as PROBED
from priorlab.scripts.probe.probe_dials import MEASURES, cells, claims, probe, settings

CROWDED = "goal = [3, 400]\nstart = [-20, 700]\n---\nm*H#m\n"
LEVELS = [Level.read(source) for source in (*level_names(), *PROBED, CROWDED)]
LEVEL = Level.read(PROBED[1])
CORNERS = [Dials(*corner) for corner in product((0, 1), repeat=4)]
KINDS = np.array([list(row) for row in LEVEL.rows])


def same(one, other):
    sprites = zip((one.player, *one.monsters), (other.player, *other.monsters))
    return np.array_equal(one.background, other.background) and all(
        np.array_equal(a.rgb, b.rgb) and np.array_equal(a.opaque, b.opaque) for a, b in sprites
    )


@pytest.mark.parametrize("dial", MEASURES)
@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan"), True, "1", None])
def test_a_dial_is_a_number_from_0_to_1(dial, value):
    with pytest.raises(ValueError, match=rf"{dial} is {value!r}: expected a number from 0 to 1"):
        Dials(**{dial: value})


def test_a_split_and_a_look_seed_are_checked():
    with pytest.raises(ValueError, match="split is 'test': expected one of training, held_out"):
        paint_dials(LEVEL, Dials(), 0, "test")
    for seed in (-1, 1.5, True, "0"):
        with pytest.raises(ValueError, match=r"look_seed is .*: expected a whole number, 0 or more"):
            paint_dials(LEVEL, Dials(), seed, "training")


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.name)
def test_every_level_is_drawn_the_same_for_the_same_arguments(level):
    for dials, split, seed in product((Dials(), Dials(0, 0, 0, 0), Dials(0.3, 0.4, 0.5, 0.6)), SPLITS, (0, 2**40)):
        scene = paint_dials(level, dials, seed, split)
        assert scene.background.shape == (level.side, level.side, 3) and scene.background.dtype == np.uint8
        assert len(scene.monsters) == len(level.monsters)
        for sprite in (scene.player, *scene.monsters):
            assert sprite.rgb.shape == (15, 15, 3) and sprite.opaque.shape == (15, 15)
            assert not sprite.rgb[~sprite.opaque].any()
        assert not scene.background[15 * level.height :].any() and not scene.background[:, 15 * level.width :].any()
        assert same(scene, paint_dials(level, dials, seed, split))


def test_the_largest_level_is_drawn_with_the_frame_of_all_looks():
    rows = ["#" * 64, *["|H" + "###  " * 12 + "H|"] * 62, "#" * 64]
    level = Level.read("start = [40, 40]\ngoal = [900, 900]\n---\n" + "\n".join(rows))
    scene = paint_dials(level, Dials(0, 0, 0, 0), 0, "training")
    assert np.array_equal(scene.background[15:-15, :15], paint(level, "original").background[15:-15, :15])


def test_another_seed_and_another_split_are_another_look():
    scenes = [paint_dials(LEVEL, Dials(), seed, split) for seed in range(10) for split in SPLITS]
    assert len({scene.background.tobytes() for scene in scenes}) == 20


def test_no_drawing_of_training_is_held_out():
    training, held_out = ({drawing.tobytes() for family in drawings(split) for drawing in family} for split in SPLITS)
    assert not training & held_out
    assert min(len({drawing.tobytes() for drawing in family}) for family in drawings("held_out")) > 50


def test_two_exemplars_are_practically_never_equal():
    chances = np.random.default_rng(0).random((900, CHANCES))
    pictures = exemplars(np.arange(900) % len(ROLES), "training", chances)
    assert len({picture.tobytes() for picture in pictures}) == 900


def test_a_role_keeps_to_its_family_as_often_as_semantics_says():
    families = [{(drawing > 0).tobytes() for drawing in family} for family in drawings("training")]

    def kept(semantics: float) -> float:
        things = [t for i in range(30) for t in cast(LEVEL, Dials(semantics, 1, 1, 0), i, "training")]
        return np.mean([(t.picture[..., 3] > 0).tobytes() in families[ROLES.index(t.role)] for t in things])

    assert kept(1) == 1
    assert kept(0) < 0.2 < kept(0.5) < 0.7


def test_like_things_look_alike_as_often_as_similarity_says():
    for similarity, seed in product((0, 1), range(5)):
        things = cast(LEVEL, Dials(0.5, 0.5, 0.5, similarity), seed, "training")
        roles = {thing.role for thing in things}
        pictures = {(thing.role, thing.picture.tobytes()) for thing in things}
        assert len(pictures) == (len(roles) if similarity else len(things))


@pytest.mark.parametrize("dials", CORNERS, ids=str)
def test_every_thing_is_drawn_whole_within_its_cell(dials):
    """At any dials, nothing overlaps it, and the boundary shows nothing."""
    scene = paint_dials(LEVEL, dials, 3, "training")
    shown = cells(scene.background)
    for thing in cast(LEVEL, dials, 3, "training"):
        opaque = thing.picture[..., 3] > 0
        if thing.role in ("platform", "ladder", "fire", "spikes", "door"):
            for row, column in thing.tiles:
                assert np.array_equal(shown[row, column][opaque], thing.picture[opaque, :3])
    assert len(np.unique(shown[KINDS == "|"].reshape(-1, 3), axis=0)) == 1


def test_a_goal_between_tiles_stands_on_the_floor_of_its_row():
    level = Level.read("princess")
    assert goal_corner(level) == (22, 45)
    left, top = goal_corner(LEVEL)
    assert [(top // 15, left // 15)] == LEVEL.tiles_of("D")


def test_with_all_dials_at_1_free_space_is_one_plain_ground():
    shown = cells(paint_dials(LEVEL, Dials(), 0, "training").background)[np.isin(KINDS, list(" ~S"))]
    assert (shown == shown[0]).all() and shown.max() < 80


@pytest.mark.parametrize("dial", ["objects", "affordance"])
@pytest.mark.parametrize("others", [0.0, 0.5, 1.0])
def test_objects_and_affordance_change_free_space_alone_and_step_by_step(dial, others):
    def shown(value: float) -> np.ndarray:
        dials = replace(Dials(others, 1, 1, others), **{dial: value})
        return cells(paint_dials(LEVEL, dials, 1, "training").background)

    pictures = [shown(value) for value in (1, 0.7, 0.3, 0)]
    changed = [(picture != pictures[0]).any(axis=(2, 3, 4)) for picture in pictures]
    assert not changed[3][~np.isin(KINDS, list(" ~"))].any()
    for (less, more), (before, after) in zip(pairwise(changed), pairwise(pictures)):
        assert less.sum() < more.sum() and np.array_equal(before[less], after[less])


@pytest.mark.parametrize("dial", ["objects", "affordance"])
def test_objects_and_affordance_leave_all_things_as_they_are(dial):
    one, other = (cast(LEVEL, replace(Dials(0.5, 1, 1, 0.5), **{dial: v}), 1, "training") for v in (0, 1))
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("level", [LEVEL, Level.read("princess")], ids=lambda level: level.name)
def test_the_player_is_found_in_any_look(level):
    """Its pale edge is its own; in an agent's small gray picture it stands out a third as much as in the original or
    more, be it drawn as a thin key."""

    def contrast(**look):
        built = Games(1, level=level, screen_size=42, **look).scenes
        return int(np.abs(built.starts[0].astype(int)[..., 0] - built.empty[0].astype(int)).sum())

    least = contrast(version="original") / 3
    for dials, seed in product((*CORNERS, Dials(0.5, 0.5, 0.5, 0.5)), range(3)):
        scene = paint_dials(level, dials, seed, "training")
        assert (scene.player.rgb == PALE).all(axis=2).sum() >= 20
        assert not (scene.background == PALE).all(axis=2).any()
        assert contrast(looks=dials, look_seed=seed) >= least


def test_the_probe_finds_that_each_dial_moves_its_own_measure_alone():
    figures = {name: probe(dials, seeds=16) for name, dials in settings() if name.endswith("1") or name == "all 0"}
    assert [claim for claim, holds in claims(figures) if not holds] == []


def test_the_probe_fails_dials_that_do_nothing_or_too_much():
    for figure in (1.0, 0.5):
        found = {name: dict.fromkeys(MEASURES, figure) for name, _ in settings()}
        assert sum(not holds for _, holds in claims(found)) >= 9
