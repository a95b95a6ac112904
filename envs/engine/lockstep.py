"""N games in lockstep: the kernels that step, count and draw a range of lanes."""

from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.base.generators import GENERATOR, WORD, below, next_draw
from priorlab.envs.engine.draw import Scenes, Scratch, remember, show
from priorlab.envs.game.playing import copy, play_input, visit
from priorlab.envs.game.rules import (
    DEATHS,
    FIELDS,
    GOES_ON,
    INPUT_NAMES,
    INPUTS,
    MAX_INPUTS,
    PLACE,
    PLAY_INPUTS,
    SIDE,
    SOLVED,
    UNIQUE_STATES,
    WALK,
    WIN,
    begin,
)

# what a lane draws its scenes by: its own always, the next one, or a generator's state, 1 or more
OWN, IN_ORDER = -1, 0
CHOICES = len(INPUT_NAMES)
START_OVER = -1  # instead of an action


class Lanes(NamedTuple):
    """N games; P is the number of bytes that hold a bit for each position in the frame."""

    scene: np.ndarray  # int64 (N,): which of the scenes
    draws: np.ndarray  # int64 (N,): OWN, IN_ORDER or the state of a generator, which scene an episode is played in
    generators: np.ndarray  # int64 (N, GENERATOR): of the random starts
    state: np.ndarray  # int32 (N, FIELDS)
    drawn: np.ndarray  # int32 (N, 4): what the picture shows
    visited: np.ndarray  # uint8 (N, P): positions of the play
    ever: np.ndarray  # uint8 (N, P): positions of all plays since the batch was reset
    pictures: np.ndarray  # uint8 (N, S, S * C)
    observations: np.ndarray  # uint8 (N, S, S, stack * C); the pictures' memory where nothing is stacked
    rewards: np.ndarray  # float32 (N,)
    terminated: np.ndarray  # bool (N,)
    truncated: np.ndarray  # bool (N,)


def build_lanes(scenes: Scenes, count: int, stack_size: int) -> Lanes:
    """Lanes that were never reset, all in the first scene."""
    size, _, channels = scenes.starts.shape[1:]
    sides, walks = 2 * scenes.numbers[:, SIDE], scenes.numbers[:, WALK]
    positions = int(((sides // walks + 1) * sides).max())
    pictures = np.zeros((count, size, size * channels), np.uint8)
    stacked = (count, size, size, stack_size * channels)
    return Lanes(
        scene=np.zeros(count, np.int64),
        draws=np.zeros(count, np.int64),
        generators=np.zeros((count, GENERATOR), np.int64),
        state=np.zeros((count, FIELDS), np.int32),
        drawn=np.zeros((count, 4), np.int32),
        visited=np.zeros((count, positions // 8 + 1), np.uint8),
        ever=np.zeros((count, positions // 8 + 1), np.uint8),
        pictures=pictures,
        observations=np.zeros(stacked, np.uint8) if stack_size > 1 else pictures.reshape(stacked),
        rewards=np.zeros(count, np.float32),
        terminated=np.zeros(count, np.bool_),
        truncated=np.zeros(count, np.bool_),
    )


@function
def put_frame(picture, observation, first, channels):
    """Copies ``picture`` (R, S * C) to the channels of ``observation`` (R, S, stack * C) from ``first`` on."""
    depth = observation.shape[2]
    source, target = picture.reshape(-1), observation.reshape(-1)  # (R, S * C) and (R, S, stack * C) -> (all,)
    for c in range(channels):
        for k in range(source.shape[0] // channels):  # unsigned: numba then looks for no negative ones, and is faster
            target[np.uint64(k * depth + first + c)] = source[np.uint64(k * channels + c)]


@function
def stack(observation, picture, channels):
    """Moves the frames of ``observation`` (R, S, stack * C) one back and puts ``picture`` (R, S * C) last."""
    flat, own = observation.reshape(-1), picture.reshape(-1)  # (R, S, stack * C) and (R, S * C) -> (all,)
    depth = observation.shape[2]
    if channels == 1 and depth == 2:  # the usual stacks, in loops that vectorise
        for k in range(own.shape[0]):
            flat[np.uint64(2 * k)] = flat[np.uint64(2 * k + 1)]
            flat[np.uint64(2 * k + 1)] = own[np.uint64(k)]
    elif channels == 1 and depth == 4:
        for k in range(own.shape[0]):
            flat[np.uint64(4 * k)] = flat[np.uint64(4 * k + 1)]
            flat[np.uint64(4 * k + 1)] = flat[np.uint64(4 * k + 2)]
            flat[np.uint64(4 * k + 2)] = flat[np.uint64(4 * k + 3)]
            flat[np.uint64(4 * k + 3)] = own[np.uint64(k)]
    else:
        for k in range(flat.shape[0] - channels):
            flat[np.uint64(k)] = flat[np.uint64(k + channels)]
        put_frame(picture, observation, depth - channels, channels)


@function
def fill_stack(scenes, lanes, lane):
    """Makes every frame that a lane has stacked its picture."""
    channels, depth = scenes.starts.shape[3], lanes.observations.shape[3]
    if depth > channels:
        for k in range(0, depth, channels):
            put_frame(lanes.pictures[lane], lanes.observations[lane], k, channels)


@function
def take_input(scenes, lanes, lane, action):
    """One raw input of a lane, as ``play_input``."""
    scene = int(lanes.scene[lane])
    return play_input(
        scenes.tiles[scene], scenes.numbers[scene], scenes.monsters[scene], lanes.state[lane], action,
        lanes.visited[lane], lanes.ever[lane],
    )  # fmt: skip


@function
def play_lane(scenes, lanes, lane, action, frame_skip):
    """A lane takes its action ``frame_skip`` times or until its episode ends; whether that did."""
    scene, state = int(lanes.scene[lane]), lanes.state[lane]
    outcome, late = GOES_ON, False
    for _ in range(frame_skip):
        outcome = take_input(scenes, lanes, lane, action)
        late = int(state[INPUTS]) >= scenes.numbers[scene, MAX_INPUTS]
        if outcome != GOES_ON or late:
            break
    state[SOLVED] = outcome == WIN
    lanes.rewards[lane] = 1.0 if outcome == WIN else 0.0
    lanes.terminated[lane] = outcome != GOES_ON
    lanes.truncated[lane] = outcome == GOES_ON and late
    return outcome != GOES_ON or late


@function
def show_lane(scenes, lanes, lane, scratch):
    """Brings a lane's picture up to date."""
    scene, state, drawn = int(lanes.scene[lane]), lanes.state[lane], lanes.drawn[lane]
    show(scenes, scene, state, drawn, lanes.pictures[lane], scratch)
    remember(scenes.numbers[scene], state, drawn)


@kernel
def advance(scenes: Scenes, lanes: Lanes, actions, frame_skip, start, stop, scratch: Scratch):
    """Each lane from ``start`` to ``stop`` takes its action ``frame_skip`` times; how many ended, or are to START_OVER,
    for which they wait."""
    ended, channels = 0, scenes.starts.shape[3]
    for lane in range(start, stop):
        if actions[lane] == START_OVER:
            ended += 1
            continue
        ended += play_lane(scenes, lanes, lane, int(actions[lane]), frame_skip)
        show_lane(scenes, lanes, lane, scratch)
        if lanes.observations.shape[3] > channels:
            stack(lanes.observations[lane], lanes.pictures[lane], channels)
    return ended


@function
def next_scene(scenes, lanes, lane):
    """The scene of a lane's next episode: its own, the next in order, or one drawn with the scenes' chances.

    Its generator is ``next_draw``'s.
    """
    draw, chances = int(lanes.draws[lane]), scenes.chances
    if draw == OWN:
        return int(lanes.scene[lane])
    if draw == IN_ORDER:
        return (int(lanes.scene[lane]) + 1) % chances.shape[0]
    lanes.draws[lane] = draw = next_draw(draw)
    low, high, chance = 0, chances.shape[0] - 1, draw / (WORD + 1)
    while low < high:
        middle = (low + high) // 2
        if chances[middle] > chance:
            high = middle
        else:
            low = middle + 1
    return low


@function
def begins_play(lanes, lane):
    """Whether a lane that starts over begins a play: one goes on only through a death, and only in its own game."""
    return not lanes.terminated[lane] or lanes.state[lane, SOLVED] != 0 or lanes.draws[lane] != OWN


@function
def start_lane(scenes, lanes, lane, new_play):
    """Puts a lane at the start of its next scene, which its picture shall show; where a play begins, nothing may be
    ``visited``."""
    state, scene = lanes.state[lane], next_scene(scenes, lanes, lane)
    lanes.scene[lane] = state[PLACE] = scene
    level = scenes.numbers[scene]
    if new_play:
        state[PLAY_INPUTS] = state[DEATHS] = state[UNIQUE_STATES] = state[SOLVED] = 0
    begin(level, state)
    visit(level, state, lanes.visited[lane], lanes.ever[lane])
    remember(level, state, lanes.drawn[lane])


@function
def open_lane(scenes, lanes, lane, random_start):
    """A lane that just started takes 0 to ``random_start`` random inputs before the player's first.

    One that ends in them is put at the start. All are drawn, whether it ends or not.
    """
    generator, over = lanes.generators[lane], False
    for _ in range(below(generator, random_start + 1)):
        action = below(generator, CHOICES)
        if not over and take_input(scenes, lanes, lane, action) != GOES_ON:
            begin(scenes.numbers[lanes.scene[lane]], lanes.state[lane])
            over = True


@kernel
def start_over(scenes: Scenes, lanes: Lanes, chosen, random_start, observations, states, scratch: Scratch):
    """Puts the chosen lanes, int64 (n,), at the start of their next scene; a play goes on only through a death.

    Into observations, uint8 (n, S, S, stack * C), and states, int32 (n, FIELDS), goes what was there before.
    """
    for i in range(chosen.shape[0]):
        lane = chosen[i]
        copy(lanes.observations[lane].reshape(-1), observations[i].reshape(-1))  # (S, S, stack * C) -> (all,)
        copy(lanes.state[lane], states[i])
        new_play = begins_play(lanes, lane)
        if new_play:
            lanes.visited[lane][:] = 0
        start_lane(scenes, lanes, lane, new_play)
        # (S, S, C) -> (all,), (S, S * C) -> (all,)
        copy(scenes.starts[lanes.scene[lane]].reshape(-1), lanes.pictures[lane].reshape(-1))
        if random_start:
            open_lane(scenes, lanes, lane, random_start)
            show_lane(scenes, lanes, lane, scratch)
        fill_stack(scenes, lanes, lane)


@kernel
def step_range(
    scenes: Scenes,
    lanes: Lanes,
    actions,
    frame_skip,
    random_start,
    autoreset,
    start,
    stop,
    scratch: Scratch,
    ended,
    observations,
    states,
):
    """Advances the lanes from ``start`` to ``stop``, and puts those at the start that are to START_OVER, with
    ``autoreset`` also those that ended; how many these were.

    They are listed in ended, int64 (N,), and observations and states keep their last ones, from row ``start`` on.
    """
    count = advance(scenes, lanes, actions, frame_skip, start, stop, scratch)
    if not count:
        return 0
    found = start
    for lane in range(start, stop):
        if actions[lane] == START_OVER or (autoreset and (lanes.terminated[lane] or lanes.truncated[lane])):
            ended[found] = lane
            found += 1
    start_over(scenes, lanes, ended[start:found], random_start, observations[start:], states[start:], scratch)
    for i in range(start, found):
        lane = ended[i]
        if actions[lane] == START_OVER:
            lanes.rewards[lane] = 0.0
            lanes.terminated[lane] = lanes.truncated[lane] = False
    return found - start
