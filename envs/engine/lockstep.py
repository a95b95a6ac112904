"""N games in lockstep: the kernels that step, count and draw a range of lanes."""

from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.base.generators import GENERATOR, WORD, below, next_draw
from priorlab.envs.engine.draw import Scenes, Scratch, remember, show
from priorlab.envs.game.playing import copy, play_input, visit
from priorlab.envs.game.rules import (
    DEATHS,
    EPISODE_INPUTS,
    FIELDS,
    INPUT_COUNT,
    MAX_INPUTS,
    ONGOING,
    PLACE,
    PLAY_INPUTS,
    SIDE,
    SOLVED,
    UNIQUE_STATES,
    WALK,
    WIN,
    begin,
)

# how a lane chooses the scene of an episode: always its own, the next one, or by a generator's state, 1 or more
OWN, IN_ORDER = -1, 0
START_OVER = -1  # instead of an action


class Lanes(NamedTuple):
    """N games; P is the number of bytes that hold a bit for each position in the frame."""

    scene: np.ndarray  # int64 (N,): the number of its scene
    draws: np.ndarray  # int64 (N,): OWN, IN_ORDER or the state of the generator that draws scenes
    generators: np.ndarray  # int64 (N, GENERATOR): for random starts
    state: np.ndarray  # int32 (N, FIELDS)
    drawn: np.ndarray  # int32 (N, 4): what the picture shows
    visited: np.ndarray  # uint8 (N, P): positions visited in the play
    ever: np.ndarray  # uint8 (N, P): positions visited since the batch was reset
    pictures: np.ndarray  # uint8 (N, S, S * C)
    observations: np.ndarray  # uint8 (N, S, S, stack * C); without stacking, the pictures' memory
    rewards: np.ndarray  # float32 (N,)
    terminated: np.ndarray  # bool (N,)
    truncated: np.ndarray  # bool (N,)


class Turn(NamedTuple):
    """What a step of N lanes on the CPU takes and leaves besides the lanes."""

    actions: np.ndarray  # int64 (N,): an input each, or START_OVER
    ended: np.ndarray  # int64 (N,): lanes that started over; each part lists its own, from its first row on
    observations: np.ndarray  # uint8 (N, S, S, stack * C): in the same rows, what these lanes showed last
    states: np.ndarray  # int32 (N, FIELDS): and their last states


class Pace(NamedTuple):
    """How a step proceeds."""

    frame_skip: int
    random_start: int
    autoreset: bool


class Part(NamedTuple):
    """The lanes from ``start`` to ``stop``, which one thread steps, and its room to draw in."""

    start: int
    stop: int
    scratch: Scratch


def build_lanes(scenes: Scenes, count: int, stack_size: int) -> Lanes:
    """Lanes not yet reset, all in the first scene."""
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
        for k in range(
            source.shape[0] // channels
        ):  # unsigned: numba need not check for negative indices, and is faster
            target[np.uint64(k * depth + first + c)] = source[np.uint64(k * channels + c)]


@function
def stack(observation, picture, channels):
    """Moves the frames of ``observation`` (R, S, stack * C) back by one and puts ``picture`` (R, S * C) last."""
    flat, frame = observation.reshape(-1), picture.reshape(-1)  # (R, S, stack * C) and (R, S * C) -> (all,)
    depth = observation.shape[2]
    if channels == 1 and depth == 2:  # the usual stacks, in loops that vectorise
        for k in range(frame.shape[0]):
            flat[np.uint64(2 * k)] = flat[np.uint64(2 * k + 1)]
            flat[np.uint64(2 * k + 1)] = frame[np.uint64(k)]
    elif channels == 1 and depth == 4:
        for k in range(frame.shape[0]):
            flat[np.uint64(4 * k)] = flat[np.uint64(4 * k + 1)]
            flat[np.uint64(4 * k + 1)] = flat[np.uint64(4 * k + 2)]
            flat[np.uint64(4 * k + 2)] = flat[np.uint64(4 * k + 3)]
            flat[np.uint64(4 * k + 3)] = frame[np.uint64(k)]
    else:
        for k in range(flat.shape[0] - channels):
            flat[np.uint64(k)] = flat[np.uint64(k + channels)]
        put_frame(picture, observation, depth - channels, channels)


@function
def fill_stack(scenes, lanes, lane):
    """Fills a lane's stack of frames with its picture."""
    channels, depth = scenes.starts.shape[3], lanes.observations.shape[3]
    if depth > channels:
        for k in range(0, depth, channels):
            put_frame(lanes.pictures[lane], lanes.observations[lane], k, channels)


@function
def take_input(scenes, lanes, lane, action):
    """One raw input of a lane; returns what ``play_input`` does."""
    scene = int(lanes.scene[lane])
    return play_input(
        scenes.tiles[scene], scenes.numbers[scene], scenes.monsters[scene], lanes.state[lane], action,
        lanes.visited[lane], lanes.ever[lane],
    )  # fmt: skip


@function
def play_lane(scenes, lanes, lane, action, frame_skip):
    """A lane takes its action ``frame_skip`` times or until its episode ends; whether it ended."""
    scene, state = int(lanes.scene[lane]), lanes.state[lane]
    outcome, late = ONGOING, False
    for _ in range(frame_skip):
        outcome = take_input(scenes, lanes, lane, action)
        late = int(state[EPISODE_INPUTS]) >= scenes.numbers[scene, MAX_INPUTS]
        if outcome != ONGOING or late:
            break
    state[SOLVED] = outcome == WIN
    lanes.rewards[lane] = 1.0 if outcome == WIN else 0.0
    lanes.terminated[lane] = outcome != ONGOING
    lanes.truncated[lane] = outcome == ONGOING and late
    return outcome != ONGOING or late


@function
def show_lane(scenes, lanes, lane, scratch):
    """Brings a lane's picture up to date."""
    scene, state, drawn = int(lanes.scene[lane]), lanes.state[lane], lanes.drawn[lane]
    show(scenes, scene, state, drawn, lanes.pictures[lane], scratch)
    remember(scenes.numbers[scene], state, drawn)


@kernel
def advance(scenes: Scenes, lanes: Lanes, actions, frame_skip, part: Part):
    """Each lane of the part takes its action ``frame_skip`` times; how many ended, or wait to START_OVER."""
    ended, channels = 0, scenes.starts.shape[3]
    for lane in range(part.start, part.stop):
        if actions[lane] == START_OVER:
            ended += 1
            continue
        ended += play_lane(scenes, lanes, lane, int(actions[lane]), frame_skip)
        show_lane(scenes, lanes, lane, part.scratch)
        if lanes.observations.shape[3] > channels:
            stack(lanes.observations[lane], lanes.pictures[lane], channels)
    return ended


@function
def next_scene(scenes, lanes, lane):
    """The scene of a lane's next episode: its own, the next in order, or one drawn by ``next_draw`` with the scenes'
    probabilities."""
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
    """Whether a lane that starts over begins a new play: a play continues only after a death, and in the same game."""
    return not lanes.terminated[lane] or lanes.state[lane, SOLVED] != 0 or lanes.draws[lane] != OWN


@function
def start_lane(scenes, lanes, lane, new_play):
    """Puts a lane at the start of its next scene, which is to be drawn then. Clear ``visited`` for a new play."""
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

    If it ends meanwhile it is put back at the start, and the other inputs are drawn but not taken.
    """
    generator, over = lanes.generators[lane], False
    for _ in range(below(generator, random_start + 1)):
        action = below(generator, INPUT_COUNT)
        if not over and take_input(scenes, lanes, lane, action) != ONGOING:
            begin(scenes.numbers[lanes.scene[lane]], lanes.state[lane])
            over = True


@kernel
def start_over(scenes: Scenes, lanes: Lanes, chosen, random_start, observations, states, scratch: Scratch):
    """Puts the chosen lanes, int64 (n,), at the start of their next scene; a play continues only after a death.

    observations, uint8 (n, S, S, stack * C), and states, int32 (n, FIELDS), receive what was there before.
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
def step_range(scenes: Scenes, lanes: Lanes, turn: Turn, pace: Pace, part: Part):
    """Advances the lanes of the part and puts those at their start that are to START_OVER, with ``pace.autoreset`` also
    those that ended; how many these were, which ``turn`` lists."""
    count = advance(scenes, lanes, turn.actions, pace.frame_skip, part)
    if not count:
        return 0
    stop = part.start
    for lane in range(part.start, part.stop):
        over = pace.autoreset and (lanes.terminated[lane] or lanes.truncated[lane])
        if over or turn.actions[lane] == START_OVER:
            turn.ended[stop] = lane
            stop += 1
    chosen = turn.ended[part.start : stop]
    observations, states = turn.observations[part.start :], turn.states[part.start :]
    start_over(scenes, lanes, chosen, pace.random_start, observations, states, part.scratch)
    for i in range(part.start, stop):
        lane = turn.ended[i]
        if turn.actions[lane] == START_OVER:
            lanes.rewards[lane] = 0.0
            lanes.terminated[lane] = lanes.truncated[lane] = False
    return stop - part.start
