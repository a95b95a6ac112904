"""Masked Atari: ALE's rules behind every mask, and correct pictures."""

import subprocess
import sys

import ale_py
import cv2
import gymnasium
import numpy as np
import pytest
from ale_py import roms
from gymnasium.utils.env_checker import check_env

import priorlab  # noqa: F401  registers the games
from priorlab.envs.atari import masked_draw as atari_draw
from priorlab.envs.atari.atari_env import AtariEnv
from priorlab.envs.atari.atari_vector import AtariVectorEnv
from priorlab.envs.atari.games import Atari
from priorlab.envs.atari.masked_draw import LEAST_GROUND, WIDTH, observe
from priorlab.envs.atari.masks import MASKS, build_areas, build_canvas, paint_masks, palette

GAMES = ("ms_pacman", "breakout", "space_invaders")
HEIGHT = 210
BACK, BALL, PADDLE = 0, 70, 198  # palette indices


def shown(frames, mask=(), *, seed=0, size=None, grayscale=False):
    """The picture of two frames of palette indices, uint8 (2, H, WIDTH)."""
    frames = np.ascontiguousarray(frames)[None]
    words = frames.view(np.uint64)  # (1, 2, H, WIDTH) -> (1, 2, H, WIDTH / 8)
    look, areas = paint_masks(mask, seed, HEIGHT, grayscale), build_areas(HEIGHT, size, grayscale)
    canvas = build_canvas(HEIGHT, areas, grayscale)
    picture = np.zeros((1, *canvas.picture.shape), np.uint8)
    observe(frames, words, np.zeros(1, np.int64), True, look, areas, canvas, picture)
    return picture[0]


def empty():
    return np.full((2, HEIGHT, WIDTH), BACK, np.uint8)


def noise(seed=0):
    """Frames with spots of all sizes in a few colours."""
    rng = np.random.default_rng(seed)
    frames = empty()
    for _ in range(120):
        y, x, h, w = rng.integers([HEIGHT, WIDTH, 30, 40])
        frames[int(rng.integers(2)), y : y + h, x : x + w] = 2 * rng.integers(128)
    return frames


def unmasked(game, actions, probability=0.0):
    """ale_py's results for the inputs, each held for 4 raw frames: reward, game over and lives per step."""
    ale = ale_py.ALEInterface()
    ale.setFloat("repeat_action_probability", probability)
    ale.setInt("random_seed", int(np.random.SeedSequence(5).generate_state(1)[0] >> 1))
    ale.loadROM(roms.get_rom_path(game))
    ale.reset_game()
    known = ale.getMinimalActionSet()
    for action in actions:
        reward = 0
        for _ in range(4):
            reward += ale.act(known[action])
            if ale.game_over():
                break
        yield reward, ale.game_over(), ale.lives(), ale.getScreenRGB()
        if ale.game_over():
            ale.reset_game()


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("probability", [0.0, 0.25])
def test_the_same_inputs_give_the_rewards_and_ends_of_unmasked_ale(game, probability):
    env = gymnasium.make(
        "PriorLab/Atari-v0", game=game, mask="all", grayscale_obs=True, repeat_action_probability=probability
    )
    env.reset(seed=5)
    actions = np.random.default_rng(0).integers(env.action_space.n, size=700)
    ends = points = 0
    for action, (reward, over, lives, _) in zip(actions, unmasked(game, actions, probability)):
        _, got, terminated, truncated, info = env.step(action)
        assert (got, terminated, truncated, info["lives"]) == (reward, over, False, lives)
        ends, points = ends + over, points + reward
        if terminated:
            env.reset()
    assert points and (ends or game == "ms_pacman")


def test_a_console_starts_once_when_its_game_is_reset_or_asked_about(monkeypatch):
    """It takes a tenth of a second."""
    known, seed, seeded = Atari(1, "pong"), Atari._seed, []
    monkeypatch.setattr(Atari, "_seed", lambda games, *lane: seeded.append(lane) or seed(games, *lane))
    games = Atari(3, "pong", first_lane=2)
    assert games.meanings == known.meanings and not seeded
    assert games.interface(2).getScreenDims() == (HEIGHT, WIDTH) and seeded == [(2, 4)]
    games.reset(seeds=[7, None, None])
    assert seeded == [(2, 4), (0, 7), (1, 3)]


@pytest.mark.parametrize("game", [*GAMES, "adventure"])
def test_without_a_mask_the_picture_is_ales(game):
    """The maximum of its last two frames per pixel; adventure uses the PAL palette."""
    games = Atari(1, game, frame_skip=1, screen_size=None)
    games.reset(seeds=[5])
    ale = ale_py.ALEInterface()
    ale.setFloat("repeat_action_probability", 0.0)
    ale.setInt("random_seed", int(np.random.SeedSequence(5).generate_state(1)[0] >> 1))
    ale.loadROM(roms.get_rom_path(game))
    ale.reset_game()
    known, last = ale.getMinimalActionSet(), ale.getScreenRGB()
    for action in np.random.default_rng(0).integers(len(known), size=120):
        ale.act(known[action])
        frame = ale.getScreenRGB()
        assert (games.step(np.array([action])).observations[0] == np.maximum(last, frame)).all()
        last = frame


def test_in_gray_at_84_pixels_it_is_gymnasium_s_preprocessing():
    gymnasium.register_envs(ale_py)
    raw = gymnasium.make("ALE/Pong-v5", frameskip=1, repeat_action_probability=0.0)
    peer = gymnasium.wrappers.AtariPreprocessing(raw, noop_max=0)
    env = gymnasium.make("PriorLab/Atari-v0", game="pong", grayscale_obs=True)
    peer.reset(seed=0), env.reset(seed=0)
    for action in np.random.default_rng(0).integers(6, size=100):
        expected, observation = peer.step(action)[0], env.step(action)[0]
        assert np.abs(expected.astype(int) - observation[..., 0]).max() <= 1


@pytest.mark.parametrize("size", [1, 42, 64, 83, 84, 96, 100, 160])
@pytest.mark.parametrize("grayscale", [True, False])
def test_a_picture_is_the_screen_averaged_as_opencv_does(size, grayscale):
    frames = noise()
    whole = shown(frames, ("textures",), grayscale=grayscale)
    expected = cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA).reshape(size, size, -1)
    small = shown(frames, ("textures",), grayscale=grayscale, size=size)
    assert np.abs(small.astype(int) - expected).max() <= 1


def test_what_flickers_is_kept():
    """Two sprites, drawn in alternate frames."""
    frames = empty()
    frames[0, 40:48, 20:28], frames[1, 90:98, 60:68] = BALL, PADDLE
    for mask in MASKS.values():
        look = shown(frames, mask, seed=3).astype(int)
        bare = shown(empty(), mask, seed=3).astype(int)
        if mask in ((), ("objects",), ("background",)):
            assert (look[40:48, 20:28] != bare[40:48, 20:28]).any(axis=2).all()
            assert (look[90:98, 60:68] != bare[90:98, 60:68]).any(axis=2).all()
        alone = [shown(np.stack([frame, frame]), mask, seed=3) for frame in frames]
        assert (look == np.maximum(*alone)).all()


def test_objects_are_blocks_of_one_colour():
    frame = empty()[0]
    frame[50, 50], frame[51, 51], frame[53, 52], frame[52, 51] = BALL, PADDLE, BALL, 14  # a slanting line: one object
    frame[100:104, 30:34] = BALL
    frame[101:103, 31:33] = BACK  # a ring
    picture, bare = shown(np.stack([frame, frame]), ("objects",)), shown(empty(), ())
    touched = (picture != bare).any(axis=2)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[50:54, 50:53] = expected[100:104, 30:34] = True
    assert (touched == expected).all()
    assert len(np.unique(picture[touched], axis=0)) == 1


def test_structures_keep_their_shape():
    frame = empty()[0]
    frame[60:62, 10:150], frame[60:200, 10:12] = PADDLE, PADDLE
    picture = shown(np.stack([frame, frame]), ("objects",))
    assert ((picture != shown(empty())).any(axis=2) == (frame == PADDLE)).all()


def regions(frame):
    """The background by the rule, from OpenCV's labels; bool (H, WIDTH)."""
    ground = frame == np.argmax(np.bincount(frame.ravel()))
    for colour in np.unique(frame):
        of_it = frame == colour
        if of_it.sum() * atari_draw.COMMON >= frame.size:
            _, labels, stats, _ = cv2.connectedComponentsWithStats(of_it.astype(np.uint8), connectivity=8)
            ground |= of_it & (stats[labels, cv2.CC_STAT_AREA] >= LEAST_GROUND)
    return ground


def blocks(ground):
    """Where blocks are; bool (H, WIDTH)."""
    filled = ~ground
    _, _, stats, _ = cv2.connectedComponentsWithStats((~ground).astype(np.uint8), connectivity=8)
    for x, y, w, h, _ in stats[1:]:
        if max(w, h) <= atari_draw.MOST_SIDE:
            filled[y : y + h, x : x + w] = True
    return filled


@pytest.mark.parametrize("game", [*GAMES, "montezuma_revenge", "yars_revenge", None])
def test_objects_and_background_are_opencv_s_regions(game):
    if game is None:
        frames = [noise(seed)[k] for seed in range(10) for k in (0, 1)]
    else:
        games = Atari(1, game)
        games.reset()
        frames = []
        for action in np.random.default_rng(1).integers(len(games.actions), size=(60, 1)):
            games.step(action)
            frames.append(games._frames[0, 0].copy())
    for frame in frames:
        twice, ground = np.stack([frame, frame]), regions(frame)
        plain, objects = shown(twice), shown(twice, ("objects",), seed=1)
        block = paint_masks(("objects",), 1, HEIGHT, False).block[:3]
        expected = np.where(blocks(ground)[..., None], block, plain)
        assert (objects == expected).all()
        filled = shown(twice, ("background",), seed=1)
        assert (filled[~ground] == plain[~ground]).all()
        assert (filled[ground].max(axis=1) < 120).all()  # all its textures are dark


def test_colours_are_permuted_and_textures_are_all_different():
    even = np.arange(0, 256, 2, dtype=np.uint8)
    frame = np.repeat(even, HEIGHT * WIDTH // 128 + 1)[: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH)  # in reading order
    picture = shown(np.stack([frame, frame]), ("colours",), seed=1)
    pairs = np.unique(np.column_stack([frame.ravel(), picture.reshape(-1, 3)]), axis=0)  # (H, WIDTH, 3) -> (all, 3)
    assert len(pairs) == 128  # one colour each
    assert sorted(map(tuple, pairs[:, 1:])) == sorted(map(tuple, palette(HEIGHT)[::2]))
    rows = paint_masks(("textures",), 1, HEIGHT, False).rows
    assert len({texture.tobytes() for texture in rows}) == 256


def test_a_mask_seed_is_one_drawing():
    frames = noise()
    for mask in ("colours", "textures", "objects", "background"):
        pictures = [shown(frames, (mask,), seed=seed) for seed in (0, 0, 1, 2)]
        assert (pictures[0] == pictures[1]).all()
        assert (pictures[0] != pictures[2]).any() or (pictures[0] != pictures[3]).any()
        assert (pictures[0] != shown(frames)).any()


def test_masks_combine():
    frame = empty()[0]
    frame[100:110, 60:70] = PADDLE
    twice = np.stack([frame, frame])
    both, ground = shown(twice, ("background", "objects")), shown(twice, ("background",))
    assert (both[100:110, 60:70] == shown(twice, ("objects",))[100:110, 60:70]).all()
    assert (both[:100] == ground[:100]).all()
    one = Atari(1, "pong", mask=("objects", "background"))
    other = Atari(1, "pong", mask=["background", "none", "objects"])
    assert (one.reset().observations == other.reset().observations).all()


SETTINGS = {"mask": "all", "stack_size": 2, "screen_size": 40, "noop_max": 9, "repeat_action_probability": 0.25}


def test_a_batch_is_its_games_alone_on_any_threads():
    actions = np.random.default_rng(0).integers(4, size=(330, 3))
    runs = []
    for threads in (1, 2):
        batch = gymnasium.make_vec("PriorLab/Atari-v0", num_envs=3, game="breakout", num_threads=threads, **SETTINGS)
        run = [batch.reset(seed=7)] + [batch.step(row) for row in actions]
        runs.append(run)
        batch.close()
    for one, two in zip(*runs):
        assert all((a == b).all() for a, b in zip(one[:-1], two[:-1]))
        assert (one[-1]["inputs"] == two[-1]["inputs"]).all()
    assert any("final_info" in step[-1] for step in runs[0])
    for lane in (0, 2):
        env = gymnasium.make("PriorLab/Atari-v0", game="breakout", **SETTINGS)
        observation, _ = env.reset(seed=7 + lane)
        assert (observation == runs[0][0][0][lane]).all()
        for action, (observations, rewards, terminated, _, infos) in zip(actions[:, lane], runs[1][1:]):
            observation, reward, over, _, info = env.step(action)
            assert (reward, over) == (rewards[lane], terminated[lane])
            if over:
                assert (observation == infos["final_obs"][lane]).all()
                assert info["inputs"] == infos["final_info"]["inputs"][lane]
                observation, info = env.reset()
            assert (observation == observations[lane]).all()
            assert info["inputs"] == infos["inputs"][lane]


def test_gymnasium_finds_nothing_to_say():
    check_env(gymnasium.make("PriorLab/Atari-v0", game="pong", mask="all", render_mode="rgb_array").unwrapped)


def test_settings_do_what_they_say():
    env = gymnasium.make("PriorLab/Atari-v0", max_inputs=10, full_action_space=True, screen_size=None, stack_size=2)
    assert env.action_space.n == 18
    assert env.reset(seed=0)[0].shape == (210, 160, 6)
    first, _, _, truncated, _ = env.step(0)
    assert not truncated
    second, _, _, truncated, _ = env.step(0)
    assert (second[..., :3] == first[..., 3:]).all()
    _, _, terminated, truncated, info = env.step(0)
    assert (terminated, truncated, info["inputs"]) == (False, True, 10)
    with pytest.raises(RuntimeError, match="reset first"):
        env.step(0)
    batch = AtariVectorEnv(3, num_threads=2, render_mode="rgb_array")
    with pytest.raises(RuntimeError, match="before the first reset of all"):
        batch.reset(options={"reset_mask": np.array([True, False, False])})
    batch.reset(seed=0)
    assert [picture.shape for picture in batch.render()] == [(210, 160, 3)] * 3
    before = batch.step(np.zeros(3, int))[4]["inputs"]
    after = batch.reset(options={"reset_mask": np.array([False, False, True])})[1]
    assert after["_inputs"].tolist() == [False, False, True] and after["inputs"][2] == 0  # the others have no infos
    assert (batch.step(np.zeros(3, int))[4]["inputs"] == [*(before[:2] + 4), 4]).all()
    batch.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"game": "montezuma"}, "game is 'montezuma': expected one of ale_py's 1.., such as montezuma_revenge"),
        ({"game": "combat"}, "game is 'combat': expected"),
        ({"mask": "colour"}, "mask is 'colour': expected one or several of none, colours"),
        ({"mask": ("objects", 3)}, "mask is 3: expected"),
        ({"frame_skip": 0}, "frame_skip is 0: expected a whole number, 1 or more"),
        ({"repeat_action_probability": 2.0}, "repeat_action_probability is 2.0: expected 0 to 1"),
        ({"max_inputs": 5, "noop_max": 5}, "max_inputs is 5: expected more than noop_max, 5"),
        ({"render_mode": "human"}, "render_mode is 'human': expected None or rgb_array"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(settings, said):
    for make in (AtariEnv, AtariVectorEnv):
        with pytest.raises(ValueError, match=said):
            make(**settings)


def test_wrong_actions_are_refused():
    env = gymnasium.make("PriorLab/Atari-v0", game="pong")
    env.reset(seed=0)
    for action, said in ((6, "action 6 of game 0: expected 0 to 5"), (0.5, "expected 1 whole numbers")):
        with pytest.raises(ValueError, match=said):
            env.step(action)


def test_importing_the_games_does_not_import_ale():
    code = "import sys, envs; print([name for name in ('ale_py', 'cv2', 'numba') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
