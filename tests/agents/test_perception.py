"""Perception: its pictures are the game's, its evidence is true, its files hold only numbers, its raising resumes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from priorlab.agents.priors import weights
from priorlab.agents.priors.cells import as_cells, same_pixels
from priorlab.agents.priors.lives import live
from priorlab.agents.priors.perception import Gaze, Perception, as_tensor, perceiver, pixel_codes, posterior
from priorlab.agents.priors.raising import Raising
from priorlab.agents.priors.reveals import reveal
from priorlab.agents.priors.roles import ROLES
from priorlab.agents.priors.samples import (
    Moment,
    World,
    draw_batch,
    picture_of,
    random_moment,
    roles_at,
    stacked,
)
from priorlab.agents.priors.scenery import Scenery
from priorlab.agents.priors.settings import Architecture, RaiseSettings
from priorlab.envs.engine.games import Games
from priorlab.envs.game.level import Level
from priorlab.envs.game.rules import CLOCK, HAS_KEY, MONSTERS, X, Y
from priorlab.envs.looks.dials import Dials
from priorlab.envs.looks.paint_dials import paint_dials
from priorlab.envs.random_games.bank import Bank

SMALL = RaiseSettings(pictures=8, batch_size=2, levels="small", width=16, appraisal_levels=0)


def test_pictures_to_learn_from_are_those_of_the_game():
    dials, rng = Dials(1, 0.5, 0.5, 0.5), np.random.default_rng(0)
    for number in range(12):
        level = Bank.read("training")[number].level
        games = Games(
            1, level=level, looks=dials, look_seed=number, screen_size=level.side, grayscale_obs=False, stack_size=1
        )
        scene, picture = paint_dials(level, dials, number, "training"), games.reset(0)[0]
        for _ in range(40):
            state = games.state[0]
            alive = np.array([state[MONSTERS] >> i & 1 for i in range(len(level.tiles_of("m")))], bool)
            moment = Moment(int(state[CLOCK]), alive, not state[HAS_KEY], (int(state[X]), int(state[Y])))
            assert np.array_equal(picture_of(level, scene, moment), picture)
            picture = games.step(rng.integers(0, 6, 1))[0][0]


def test_reveals_never_rule_out_the_truth():
    rng = np.random.default_rng(0)
    levels = Bank.read("training").levels(60)
    revealed = 0
    for number, level in enumerate(levels):
        moment = random_moment(rng, level)
        picture = picture_of(level, paint_dials(level, Dials(), number, "training"), moment)
        roles, groups = roles_at(level, moment), same_pixels(picture)
        for _ in range(8):
            ruled_out = reveal(rng, roles, groups)
            assert not np.take_along_axis(ruled_out, roles[..., None].astype(int), -1).any()
            revealed += ruled_out.any()
    assert revealed > 200


def test_cells_of_the_same_pixels_are_one_group_and_no_others():
    levels = Bank.read("training").levels(10)
    for number, level in enumerate(levels):
        picture = paint_dials(level, Dials(edition=2), number, "training").background
        codes = pixel_codes(as_tensor(picture[None]))[0].numpy().ravel()
        groups = same_pixels(picture).ravel()
        cells = as_cells(picture).reshape(len(groups), -1)
        same = (cells[:, None] == cells).all(-1)
        assert np.array_equal(codes[:, None] == codes, same) and np.array_equal(groups[:, None] == groups, same)


def test_a_posterior_is_one_and_keeps_to_the_evidence_for_every_size_and_architecture():
    rng = np.random.default_rng(0)
    for appearance in ("learned", "codes"):
        network = Perception(Architecture(appearance=appearance, width=16)).eval()
        for side in (9, 13, 24):
            picture = rng.integers(0, 256, (15 * side, 15 * side, 3)).astype(np.uint8)
            ruled_out = rng.random((side, side, len(ROLES))) < 0.6
            ruled_out[..., 0] &= ~ruled_out.all(-1)
            believed = posterior(network, picture, ruled_out)
            assert believed.dtype == np.float32 and np.allclose(believed.sum(-1), 1, atol=1e-5)
            assert not believed[ruled_out].any()
            assert np.array_equal(Gaze(network, picture).posterior(ruled_out), believed)


@pytest.mark.parametrize(
    ("picture", "ruled_out", "reason"),
    [
        (np.zeros((120, 120, 3), np.uint8), np.zeros((8, 8, 8), bool), "the picture is uint8 .120, 120, 3.: expected"),
        (np.zeros((375, 375, 3), np.uint8), np.zeros((25, 25, 8), bool), "R from 9 to 24"),
        (np.zeros((140, 140, 3), np.uint8), np.zeros((9, 9, 8), bool), "the picture is"),
        (np.zeros((150, 150, 3), np.uint8), np.zeros((9, 9, 8), bool), "ruled_out is bool .9, 9, 8.: expected"),
        (np.zeros((150, 150, 3), np.uint8), np.ones((10, 10, 8), bool), "no role left at row 0, column 0"),
    ],
)
def test_what_it_can_not_look_at_is_refused_in_a_line(picture, ruled_out, reason):
    with pytest.raises(ValueError, match=reason):
        posterior(Perception(Architecture(width=16)), picture, ruled_out)


@pytest.mark.parametrize("side", [8, 30])
def test_a_player_refuses_levels_of_a_size_that_its_network_does_not_know(side):
    inside = side - 2
    rows = ["|" * side, *[f"|{' ' * inside}|"] * (inside - 1), f"|S{' ' * (inside - 2)}G|", "|" * side]
    level = Level.read("\n".join(['name = "room"', 'game = "princess"', "---", *rows, ""]))
    with pytest.raises(ValueError, match=rf"the picture is uint8 .{15 * side}, .*R from 9 to 24"):
        live(Scenery(level), perceiver(Perception(Architecture(width=16))), limit=5)


def test_a_file_of_weights_gives_back_the_same_network(tmp_path):
    network, path = Perception(Architecture(width=16)), tmp_path / "a" / "p.safetensors"
    weights.save(network, path, {"seed": 3})
    loaded, about = weights.load(path)
    assert about == {"seed": 3} and loaded.architecture == network.architecture
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    with pytest.raises(FileExistsError):
        weights.save(network, path, {})


def test_other_files_of_weights_are_refused_in_a_line(tmp_path):
    network, path = Perception(Architecture(width=16)), tmp_path / "p.safetensors"
    weights.save(network, path, {})
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])

    def with_header(change):
        text = json.dumps(change).encode()
        return len(text).to_bytes(8, "little") + text + data[8 + length :]

    texts, first = header["__metadata__"], next(name for name in header if name != "__metadata__")
    damaged = {
        "not a safetensors file": b"\x80\x02pickle",
        "expected a priorlab perception of edition": with_header(header | {"__metadata__": texts | {"edition": "7"}}),
        "expected a priorlab perception": with_header(
            {name: value for name, value in header.items() if name != "__metadata__"}
        ),
        "holds other tensors": safetensors.torch.save({"a": torch.ones(2)}, texts),
        "damaged, or not": data[:-4],
        "not finite": data[:-4] + np.float32(np.nan).tobytes(),
        "not a safetensors": with_header(header | {first: {"dtype": "F32"}}),
    }
    for reason, content in damaged.items():
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"^[^\\n]*p.safetensors: [^\\n]*{reason}[^\\n]*$"):
            weights.load(path)


def test_a_stopped_raising_resumes_to_the_same_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("priorlab.agents.priors.raising.SAVE_EVERY", 2)
    whole = Raising(SMALL).run().state_dict()
    stopped = Raising(SMALL, tmp_path)
    monkeypatch.setattr(stopped, "learn", stop_after(stopped.learn, 3))
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = Raising(SMALL, tmp_path)
    assert resumed.step == 2
    again = resumed.run().state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in whole.items())
    with pytest.raises(ValueError, match="of other settings"):
        Raising(replace(SMALL, seed=1), tmp_path)


def stop_after(learn, steps):
    """The same function, which is interrupted at that call."""
    calls = iter(range(steps))

    def stopping(batch):
        if next(calls) == steps - 1:
            raise KeyboardInterrupt
        return learn(batch)

    return stopping


def test_a_batch_depends_on_its_seed_alone():
    first, second = (stacked(draw_batch(np.random.default_rng(5), World(sizes=("small",)), 3)) for _ in range(2))
    assert all(np.array_equal(one, other) for one, other in zip(first, second))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"objects": 1.5}, "objects is 1.5: expected 0 or more, at most 1"),
        ({"pictures": 0}, "pictures is 0: expected 1 or more"),
        ({"edition": 1, "semantics": -0.5}, "semantics is -0.5: expected a number from 0 to 1"),
        ({"edition": 1, "treats": 0.5}, "treats is 0.5: expected 0 in edition 1"),
        ({"appearance": "seen"}, "appearance is 'seen': expected one of learned, untrained, codes"),
    ],
)
def test_settings_out_of_range_are_refused_in_a_line(settings, reason):
    with pytest.raises(ValueError, match=f"^{reason}$"):
        RaiseSettings(**settings)
