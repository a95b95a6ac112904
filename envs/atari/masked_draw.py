"""ALE's frames of palette indices -> masked pictures: what is background, what is drawn where, maximum, averaging.

A frame is cut into bands, which are identical rows, and each band into runs, which are stretches of one colour. There
are some hundreds of runs. Everything else is about them: which belong together, which are background, what is copied
there.
"""

from typing import NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, kernel
from priorlab.envs.engine.draw import BLOCK, ROUND
from priorlab.envs.engine.lockstep import put_frame, stack

WIDTH = 160  # pixels of ALE's screen; its height depends on the game
WORD = 8  # pixels compared at once
TAPS = 3  # of the averaging, at least: these are unrolled, which is twice as fast as a loop
COMMON = 20  # a colour that fills at least one part in this many of a frame can be background
LEAST_GROUND = 96  # connected pixels of such a colour; fewer are an object (a ball), except of the commonest colour
MOST_SIDE = 48  # pixels; an object that is wider or higher is a structure, and keeps its shape
OBJECT, GROUND = 0, -1  # kinds of run; while regions of one colour are found, the kind is the colour
START, END, COLOUR, KIND = range(4)  # columns of a run
LEFT, TOP, RIGHT, BOTTOM = range(4)  # a region's bounding box


class MaskPaint(NamedTuple):
    """How a mask paints, in C channels."""

    rows: np.ndarray  # uint8 (256, P, WIDTH * C): row y of the screen shows colour i as rows[i, y % P]
    clutter: np.ndarray  # uint8 (Q, (Q + WIDTH) * C): the filling of the background
    shifts: np.ndarray  # int32 (256, 2): the row and column of the clutter at which a background colour starts
    block: np.ndarray  # uint8 (WIDTH * C,): a row of the objects' one colour
    fills_ground: bool
    blocks_objects: bool


class Areas(NamedTuple):
    """How a screen is averaged into a picture of R x S pixels."""

    down_first: np.ndarray  # int32 (R,): the first row that a pixel covers
    down_weights: np.ndarray  # int32 (R, taps): how much of each row, from there on
    across_first: np.ndarray  # int64 (S * C,): the first byte of a row that a byte of the picture covers
    across_weights: np.ndarray  # int64 (S * C, taps): how much of each byte, from there on in steps of C
    inverse: int  # 2**ROUND / the sum of weights over an area, rounded up


class Canvas(NamedTuple):
    """Scratch memory in which one thread draws; H is the screen's height."""

    tops: np.ndarray  # int32 (H + 1,): each band's first row
    first: np.ndarray  # int32 (H + 1,): each band's first run
    runs: np.ndarray  # int16 (H * WIDTH, 4): START, END, COLOUR, KIND
    parents: np.ndarray  # int32 (H * WIDTH,): an earlier run of the same region, or itself
    sizes: np.ndarray  # int32 (H * WIDTH,): the region's pixels, at its first run
    bounds: np.ndarray  # int16 (H * WIDTH, 4): the region's bounding box, at its first run
    shares: np.ndarray  # int32 (256,): pixels of each colour
    screens: np.ndarray  # uint8 (2, H + taps, WIDTH * C): the last two frames as they are shown
    sums: np.ndarray  # uint16 (WIDTH * C + taps * C,): the weights of at most 250 rows times 255 fit
    picture: np.ndarray  # uint8 (R, S, C)


@function
def same(one, other):
    """Whether two one-dimensional arrays are equal."""
    i = 0
    while i < one.shape[0] and one[i] == other[i]:
        i += 1
    return i == one.shape[0]


@function
def copy_span(source, begin, target, at, length):
    read, written = source[begin:], target[at:]  # so that no index can be negative, and the loop is vectorised
    for i in range(length):
        written[i] = read[i]


@function
def find_runs(frame, words, canvas):
    """The number of bands; frame: uint8 (H, WIDTH); words: the same as uint64 (H, WIDTH / WORD)."""
    tops, first, runs = canvas.tops, canvas.first, canvas.runs
    bands, count = 0, 0
    for y in range(frame.shape[0]):
        if y and same(words[y], words[y - 1]):
            continue
        tops[bands], first[bands] = y, count
        bands += 1
        begin, colour = 0, frame[y, 0]
        for word in range(words.shape[1]):
            if words[y, word] == np.uint64(colour) * np.uint64(0x0101010101010101):
                continue
            for x in range(word * WORD, word * WORD + WORD):
                if frame[y, x] != colour:
                    runs[count, START], runs[count, END], runs[count, COLOUR] = begin, x, colour
                    begin, colour = x, frame[y, x]
                    count += 1
        runs[count, START], runs[count, END], runs[count, COLOUR] = begin, WIDTH, colour
        count += 1
    tops[bands], first[bands] = frame.shape[0], count
    return bands


@function
def root(parents, run):
    """The run that stands for a region; halves the path to it."""
    while parents[run] != run:
        parents[run] = parents[parents[run]]
        run = parents[run]
    return run


@function
def join(runs, parents, one, other):
    if runs[one, KIND] == runs[other, KIND] and runs[one, KIND] != GROUND:
        one, other = root(parents, one), root(parents, other)
        parents[max(one, other)] = min(one, other)


@function
def connect(canvas, bands):
    """Joins runs of one kind that touch, if only at a corner, except background."""
    first, runs, parents = canvas.first, canvas.runs, canvas.parents
    for band in range(bands):
        above = first[band - 1] if band else 0
        for run in range(first[band], first[band + 1]):
            parents[run] = run
            if run > first[band]:
                join(runs, parents, run - 1, run)
            if band:
                while runs[above, END] < runs[run, START]:
                    above += 1
                beside = above
                while beside < first[band] and runs[beside, START] <= runs[run, END]:
                    join(runs, parents, beside, run)
                    beside += 1


@function
def find_ground(canvas, bands):
    """Marks each run as background or object. Background has the frame's commonest colour, or a common one in a region
    that is not small."""
    tops, first, runs, parents, sizes, shares = (
        canvas.tops, canvas.first, canvas.runs, canvas.parents, canvas.sizes, canvas.shares
    )  # fmt: skip
    for run in range(first[bands]):
        runs[run, KIND], sizes[run] = runs[run, COLOUR], 0
    connect(canvas, bands)
    shares[:] = 0
    for band in range(bands):
        for run in range(first[band], first[band + 1]):
            size = (int(runs[run, END]) - int(runs[run, START])) * (tops[band + 1] - tops[band])
            shares[runs[run, COLOUR]] += size
            sizes[root(parents, run)] += size
    commonest = 0
    for colour in range(shares.shape[0]):
        if shares[colour] > shares[commonest]:
            commonest = colour
    least = tops[bands] * WIDTH // COMMON
    for run in range(first[bands]):
        large = shares[runs[run, COLOUR]] >= least and sizes[root(parents, run)] >= LEAST_GROUND
        runs[run, KIND] = GROUND if large or runs[run, COLOUR] == commonest else OBJECT


@function
def draw_blocks(canvas, bands, block, screen):
    """Fills the bounding box of each object that is not a structure."""
    tops, first, runs, parents, bounds = canvas.tops, canvas.first, canvas.runs, canvas.parents, canvas.bounds
    channels = screen.shape[1] // WIDTH
    connect(canvas, bands)
    for band in range(bands):
        for run in range(first[band], first[band + 1]):
            start, end, bottom = runs[run, START], runs[run, END], tops[band + 1]
            if parents[run] == run:  # a region's first run is in its first row
                bounds[run, LEFT], bounds[run, TOP], bounds[run, RIGHT] = start, tops[band], end
                bounds[run, BOTTOM] = bottom
            elif runs[run, KIND] == OBJECT:
                top = root(parents, run)
                bounds[top, LEFT] = min(bounds[top, LEFT], start)
                bounds[top, RIGHT] = max(bounds[top, RIGHT], end)
                bounds[top, BOTTOM] = bottom
    for run in range(first[bands]):
        if parents[run] == run and runs[run, KIND] == OBJECT:
            left, width = int(bounds[run, LEFT]), int(bounds[run, RIGHT]) - int(bounds[run, LEFT])
            if width <= MOST_SIDE and bounds[run, BOTTOM] - bounds[run, TOP] <= MOST_SIDE:
                for y in range(bounds[run, TOP], bounds[run, BOTTOM]):
                    copy_span(block, 0, screen[y], left * channels, width * channels)


@function
def draw_row(runs, begin, end, y, look, row):
    """Draws the runs from ``begin`` to ``end`` as row y of the screen; row: uint8 (WIDTH * C,)."""
    channels, phase, cycle = row.shape[0] // WIDTH, y % look.rows.shape[1], look.clutter.shape[0]
    for run in range(begin, end):
        colour, kind, at = int(runs[run, COLOUR]), runs[run, KIND], int(runs[run, START]) * channels
        length = int(runs[run, END]) * channels - at
        if look.blocks_objects and kind == OBJECT:
            copy_span(look.block, at, row, at, length)
        elif look.fills_ground and kind == GROUND:
            down, along = y + int(look.shifts[colour, 0]), int(look.shifts[colour, 1]) * channels
            if down >= cycle:  # faster than a division; the clutter is at least as high as the screen
                down -= cycle
            copy_span(look.clutter[down], along + at, row, at, length)
        else:
            copy_span(look.rows[colour, phase], at, row, at, length)


@function
def draw_screen(frame, words, look, canvas, screen):
    """Draws one frame with the mask; screen: uint8 (H + taps, WIDTH * C)."""
    tops, first = canvas.tops, canvas.first
    bands = find_runs(frame, words, canvas)
    if look.fills_ground or look.blocks_objects:
        find_ground(canvas, bands)
    alike = look.rows.shape[1] == 1 and not look.fills_ground  # whether all rows of a band look the same
    for band in range(bands):
        top = tops[band]
        for y in range(top, tops[band + 1]):
            if alike and y > top:
                copy_span(screen[top], 0, screen[y], 0, screen.shape[1])
            else:
                draw_row(canvas.runs, first[band], first[band + 1], y, look, screen[y])
    if look.blocks_objects:
        draw_blocks(canvas, bands, look.block, screen)


@function
def average(screen, areas, sums, picture):
    """Averages the screen over areas, exactly, rounded halves up; picture: uint8 (R, S * C)."""
    down, across, first, inverse = areas.down_weights, areas.across_weights, areas.across_first, areas.inverse
    step = screen.shape[1] // WIDTH
    for row in range(picture.shape[0]):
        top, pixels = areas.down_first[row], picture[row]
        for block in range(0, screen.shape[1], BLOCK):
            for c in range(block, block + BLOCK):
                sums[c] = (
                    down[row, 0] * screen[top, c]
                    + down[row, 1] * screen[top + 1, c]
                    + down[row, 2] * screen[top + 2, c]
                )
            for tap in range(TAPS, down.shape[1]):
                for c in range(block, block + BLOCK):
                    sums[c] += down[row, tap] * screen[top + tap, c]
        for i in range(pixels.shape[0]):
            at = first[i]
            total = across[i, 0] * sums[at] + across[i, 1] * sums[at + step] + across[i, 2] * sums[at + 2 * step]
            for tap in range(TAPS, across.shape[1]):
                total += across[i, tap] * sums[at + tap * step]
            pixels[i] = (2 * total * inverse + (1 << ROUND)) >> (ROUND + 1)


@function
def show(frames, words, look, areas, canvas, picture):
    """The maximum, per pixel and channel, of two frames drawn with the mask, averaged over areas.

    frames: uint8 (2, H, WIDTH) palette indices; words: the same as uint64 (2, H, WIDTH / WORD).
    """
    screen, other = canvas.screens[0], canvas.screens[1]
    draw_screen(frames[0], words[0], look, canvas, screen)
    if not same(words[0].reshape(-1), words[1].reshape(-1)):  # (H, WIDTH / WORD) -> (all,)
        draw_screen(frames[1], words[1], look, canvas, other)
        for y in range(frames.shape[1]):
            for c in range(screen.shape[1]):
                screen[y, c] = max(screen[y, c], other[y, c])
    average(screen, areas, canvas.sums, picture.reshape(picture.shape[0], -1))  # (R, S, C) -> (R, S * C)


@kernel
def observe(frames, words, chosen, fresh, look: MaskPaint, areas: Areas, canvas: Canvas, observations):
    """Puts the pictures of the chosen lanes, int64 (n,), into observations, uint8 (N, R, S, stack * C), as their newest
    frame or, where ``fresh``, as all their frames. frames, words: as for ``show``, of N lanes."""
    channels = canvas.picture.shape[2]
    for i in range(chosen.shape[0]):
        lane = chosen[i]
        observation = observations[lane]
        if observation.shape[2] == channels:
            show(frames[lane], words[lane], look, areas, canvas, observation)
            continue
        show(frames[lane], words[lane], look, areas, canvas, canvas.picture)
        rows = canvas.picture.reshape(canvas.picture.shape[0], -1)  # (R, S, C) -> (R, S * C)
        if not fresh:
            stack(observation, rows, channels)
            continue
        for k in range(0, observation.shape[2], channels):
            put_frame(rows, observation, k, channels)
