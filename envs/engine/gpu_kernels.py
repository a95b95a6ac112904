"""The games' kernels for an NVIDIA GPU, made of the functions that also run on the CPU: one copy of rules and drawing.

One thread per game steps the rules, and several threads per picture draw it. These never wait for each other: each byte
of a picture belongs to one thread, which alone reads and writes it there and in the stack, so what it writes later
covers what it wrote earlier. For the same reason no kernel that draws changes what it draws from: the rules' kernel
records what a picture shows, which is the state before the step.
"""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numba import int32

from priorlab.envs.base.compile import function, gpu_kernel
from priorlab.envs.engine.draw import PLAYER, Scenes, corner_of, mean, pixels_of, remember, showing, shown
from priorlab.envs.engine.lockstep import Lanes, begins_play, open_lane, play_lane, start_lane
from priorlab.envs.game.level import MAX_MONSTERS
from priorlab.envs.game.playing import copy
from priorlab.envs.game.rules import CLOCK, KEYS, MONSTER_COUNT, SIDE, TILE, X, Y

cuda: Any = import_module("numba.cuda")  # its type hints are those of the compiler, not of what kernels see
import_module("numba").config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # a small batch is intended
ACROSS = 8  # threads that draw side by side; the others draw the rows below
MOST_THINGS = MAX_MONSTERS + 2  # the monsters, a key, the player
NEAR = (MOST_THINGS, 3)  # for each: the sprite's number, left, top


class GpuTurn(NamedTuple):
    """What a step of N lanes on a GPU takes and leaves besides the lanes."""

    actions: np.ndarray  # int64 (N,)
    ended: np.ndarray  # bool (N,): whether a lane ended and started over
    observations: np.ndarray  # uint8 (N, S, S, stack * C): by lane, the last one when it last ended
    states: np.ndarray  # int32 (N, FIELDS): by lane, the last one when it last ended


@function
def first_row(row):
    """(how far after ``row`` this thread's first row is, how far apart its rows are).

    threadIdx.x numbers the threads of a picture.
    """
    down = cuda.blockDim.x // min(ACROSS, cuda.blockDim.x)
    return (cuda.threadIdx.x // min(ACROSS, cuda.blockDim.x) - row) & (down - 1), down


@function
def first_byte(byte):
    """The same for the bytes of a row."""
    across = min(ACROSS, cuda.blockDim.x)
    return (cuda.threadIdx.x - byte) & (across - 1), across


@function
def paste_ours(source, source_row, source_byte, picture, row, byte, rows, width):
    """``paste`` by all threads of a picture, each for its bytes."""
    row_from, down = first_row(row)
    byte_from, across = first_byte(byte)
    for r in range(row_from, rows, down):
        for b in range(byte_from, width, across):
            picture[row + r, byte + b] = source[source_row + r, source_byte + b]


@function
def redraw_ours(scenes, scene, state, picture, left, top, right, bottom, _scratch):
    """``redraw`` by all threads of a picture, each for its bytes."""
    size, channels = picture.shape[0], scenes.starts.shape[3]
    left, top, right, bottom = pixels_of(int(scenes.numbers[scene, SIDE]), size, left, top, right, bottom)
    if left == right:
        return
    first, weights, inverse = scenes.first[scene], scenes.weights[scene], int(scenes.inverse[scene])
    taps = weights.shape[1]
    near = cuda.local.array(NEAR, int32)
    count = things_near(
        scenes.numbers[scene], scenes.monsters[scene], state, near,
        int(first[left]), int(first[top]), int(first[right - 1]) + taps, int(first[bottom - 1]) + taps,
    )  # fmt: skip
    layers = scenes.native[scene], scenes.sprites[scene], scenes.holes[scene]
    row_from, down = first_row(top)
    byte_from, across = first_byte(left * channels)
    for row in range(top + row_from, bottom, down):
        for byte in range(left * channels + byte_from, right * channels, across):
            column, channel = pixel_of(byte, channels)
            total = 0
            for r in range(taps):
                for c in range(taps):
                    weight = int(weights[row, r]) * int(weights[column, c])
                    at_row, at_column = int(first[row]) + r, int(first[column]) + c
                    total += weight * colour_at(layers, near, count, at_row, at_column, channel, channels)
            picture[row, byte] = mean(total, inverse)


@function
def pixel_of(byte, channels):
    """(column, channel) of a byte of a row."""
    if channels == 1:
        return byte, 0
    return byte // channels, byte % channels


@function
def things_near(level, monsters, state, near, left, top, right, bottom):
    """Lists in ``near`` what shows in a native rectangle, the player last; how many things there are."""
    there, count, listed = shown(level, state), level[MONSTER_COUNT] + level[KEYS] + 1, 0
    for k in range(1, count + 1):
        thing = k if k < count else PLAYER
        if thing == PLAYER or there >> (thing - 1) & 1:
            at_x, at_y = corner_of(level, monsters, thing, int(state[X]), int(state[Y]), int(state[CLOCK]))
            if left - TILE < at_x < right and top - TILE < at_y < bottom:
                near[listed, 0], near[listed, 1], near[listed, 2] = thing, at_x, at_y
                listed += 1
    return listed


@function
def colour_at(layers, near, count, row, column, channel, channels):
    """A byte of the native picture."""
    native, sprites, holes = layers
    colour = int(native[row, column * channels + channel])
    for k in range(count):
        x, y = column - int(near[k, 1]), row - int(near[k, 2])
        if 0 <= x < TILE and 0 <= y < TILE:
            at = x * channels + channel
            colour = colour & int(holes[near[k, 0], y, at]) | int(sprites[near[k, 0], y, at])
    return colour


show_ours = showing(paste_ours, redraw_ours)


@function
def show_lane_ours(scenes, lanes, lane):
    show_ours(scenes, int(lanes.scene[lane]), lanes.state[lane], lanes.drawn[lane], lanes.pictures[lane], None)


@function
def stack_ours(picture, observation, channels, kept):
    """Puts ``picture`` (S, S * C) last in ``observation`` (S, S, stack * C), after moving ``kept`` channels back.

    Earlier frames that are not kept are filled with the picture, too.
    """
    depth = observation.shape[2]
    row_from, down = first_row(0)
    byte_from, across = first_byte(0)
    for row in range(row_from, picture.shape[0], down):
        for byte in range(byte_from, picture.shape[1], across):
            column, channel = pixel_of(byte, channels)
            for c in range(channel, kept, channels):
                observation[row, column, c] = observation[row, column, c + channels]
            for c in range(kept + channel, depth, channels):
                observation[row, column, c] = picture[row, byte]


@function
def copy_ours(source, target, channels):
    """Copies between observations (S, S, stack * C)."""
    row_from, down = first_row(0)
    byte_from, across = first_byte(0)
    for row in range(row_from, source.shape[0], down):
        for byte in range(byte_from, source.shape[1] * channels, across):
            column, channel = pixel_of(byte, channels)
            for c in range(channel, source.shape[2], channels):
                target[row, column, c] = source[row, column, c]


@function
def start_ours(start, picture, channels):
    """Copies a scene's first picture, (S, S, C), into (S, S * C)."""
    row_from, down = first_row(0)
    byte_from, across = first_byte(0)
    for row in range(row_from, picture.shape[0], down):
        for byte in range(byte_from, picture.shape[1], across):
            column, channel = pixel_of(byte, channels)
            picture[row, byte] = start[row, column, channel]


@gpu_kernel
def play_lanes(scenes: Scenes, lanes: Lanes, turn: GpuTurn, frame_skip, autoreset):
    """One thread per lane: each lane takes its action ``frame_skip`` times."""
    lane = cuda.grid(1)
    if lane < lanes.scene.shape[0]:
        remember(scenes.numbers[lanes.scene[lane]], lanes.state[lane], lanes.drawn[lane])
        ended = play_lane(scenes, lanes, lane, int(turn.actions[lane]), frame_skip)
        turn.ended[lane] = ended and autoreset


@gpu_kernel
def draw_lanes(scenes: Scenes, lanes: Lanes):
    """blockDim.x threads per lane: brings pictures up to date after ``play_lanes``, and stacks them."""
    lane, channels = cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y, scenes.starts.shape[3]
    if lane < lanes.scene.shape[0]:
        show_lane_ours(scenes, lanes, lane)
        depth = lanes.observations.shape[3]
        if depth > channels:
            stack_ours(lanes.pictures[lane], lanes.observations[lane], channels, depth - channels)


@gpu_kernel
def start_lanes(scenes: Scenes, lanes: Lanes, turn: GpuTurn, chosen, random_start, keeps):
    """One block per lane: puts the chosen ones, bool (N,), at their start and takes their random inputs.

    With ``keeps``, ``turn`` receives what was there before.
    """
    lane = cuda.blockIdx.x
    if not chosen[lane]:
        return
    new_play = begins_play(lanes, lane)
    if new_play:
        for i in range(cuda.threadIdx.x, lanes.visited.shape[1], cuda.blockDim.x):
            lanes.visited[lane, i] = 0
    cuda.syncthreads()
    if cuda.threadIdx.x == 0:
        if keeps:
            copy(lanes.state[lane], turn.states[lane])
        start_lane(scenes, lanes, lane, new_play)
        if random_start:
            open_lane(scenes, lanes, lane, random_start)


@gpu_kernel
def draw_starts(scenes: Scenes, lanes: Lanes, turn: GpuTurn, chosen, keeps):
    """blockDim.x threads per lane: draws the chosen ones after ``start_lanes``."""
    lane, channels = cuda.blockIdx.x * cuda.blockDim.y + cuda.threadIdx.y, scenes.starts.shape[3]
    if lane < lanes.scene.shape[0] and chosen[lane]:
        if keeps:
            copy_ours(lanes.observations[lane], turn.observations[lane], channels)
        start_ours(scenes.starts[lanes.scene[lane]], lanes.pictures[lane], channels)
        show_lane_ours(scenes, lanes, lane)
        if lanes.observations.shape[3] > channels:
            stack_ours(lanes.pictures[lane], lanes.observations[lane], channels, 0)
