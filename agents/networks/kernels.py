"""Convolutions of small float32 networks on the CPU, compiled by numba: loops around one tile of registers.

The games' pictures are small and have few channels, for which general libraries leave much of a core's speed unused.
All three passes of a convolution are sums of products of ``ROWS`` rows by ``COLUMNS`` channels, so one tile, whose sums
stay in registers (van Zee and van de Geijn 2015, *BLIS*), serves them all. Pictures are channels-last, so that each row
of a window is contiguous.
"""

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from priorlab.envs.base.compile import function, intrinsic, kernel

ir: Any = import_module("llvmlite.ir")
types: Any = import_module("numba.core.types")
cgutils: Any = import_module("numba.core.cgutils")

ROWS, COLUMNS = 6, 16  # with 16 registers of 8 numbers: 12 hold sums, 2 a row of shared factors, 1 a broadcast factor
WIDTH = 8  # float32 in a register
VECTOR = ir.VectorType(ir.FloatType(), WIDTH)


class Windows(NamedTuple):
    """Pictures, and where the windows of a convolution begin in them."""

    pictures: np.ndarray  # float32 or uint8 (n, H * W * C), channels last; or, planar, (n, C * H * W)
    planar: bool
    scale: np.float32  # by which pictures are multiplied
    shape: tuple[int, int, int]  # H, W, C
    padding: int
    padded: np.ndarray  # float32 ((H + 2 padding) * (W + 2 padding) * C,): scratch, zeros at its edge
    starts: np.ndarray  # int64 (h * w,): where in it each window begins
    across: int  # w: windows per row
    rows: int  # of a window
    length: int  # of a window's row: columns * C


@intrinsic
def add_products(_typing: Any, sums: Any, rows: Any, shared: Any, at: Any, starts: Any, first: Any, loops: Any) -> Any:
    """add_products(sums, rows, shared, at, starts, first, loops): a tile of products is added to its sums.

    sums, rows, shared: float32, flat. at, starts: where each row's sums begin and where its factors; first: where the
    ``COLUMNS`` shared factors begin. loops: (count, step in rows, step in shared) of the inner loop, then of the outer.
    For all i and c: sums[at[i] + c] += sum over both loops of rows[starts[i] + ...] * shared[first + ... + c].
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums, rows, shared = (
            context.make_array(kind)(context, builder, value).data for kind, value in zip(signature.args, arguments[:3])
        )
        at, starts, loops = (cgutils.unpack_tuple(builder, arguments[k]) for k in (3, 4, 6))
        broadcast = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        multiply_add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(VECTOR, [VECTOR] * 3), f"llvm.fma.v{WIDTH}f32"
        )

        def vectors(data: Any, index: Any) -> list[Any]:
            """Pointers to the ``COLUMNS`` numbers from ``index`` on."""
            places = (builder.add(index, ir.Constant(index.type, k)) for k in range(0, COLUMNS, WIDTH))
            return [builder.bitcast(builder.gep(data, [place]), VECTOR.as_pointer()) for place in places]

        targets = [place for index in at for place in vectors(sums, index)]
        held = [cgutils.alloca_once(builder, VECTOR) for _ in targets]  # the compiler turns these into registers
        for target, kept in zip(targets, held):
            builder.store(builder.load(target, align=4), kept)
        with cgutils.for_range(builder, loops[3]) as outer, cgutils.for_range(builder, loops[0]) as inner:
            row_step = builder.add(builder.mul(outer.index, loops[4]), builder.mul(inner.index, loops[1]))
            shared_step = builder.add(builder.mul(outer.index, loops[5]), builder.mul(inner.index, loops[2]))
            factors = [
                builder.load(place, align=4) for place in vectors(shared, builder.add(arguments[5], shared_step))
            ]
            for i, start in enumerate(starts):
                one = builder.load(builder.gep(rows, [builder.add(start, row_step)]))
                empty = ir.Constant(VECTOR, ir.Undefined)
                wide = builder.insert_element(empty, one, ir.Constant(ir.IntType(32), 0))
                wide = builder.shuffle_vector(wide, empty, broadcast)
                for kept, factor in zip(held[i * len(factors) :], factors):
                    builder.store(builder.call(multiply_add, [wide, factor, builder.load(kept)]), kept)
        for target, kept in zip(targets, held):
            builder.store(builder.load(kept), target, align=4)
        return context.get_dummy_value()

    indices = types.UniTuple(types.int64, ROWS)
    return types.void(sums, rows, shared, indices, indices, types.int64, types.UniTuple(types.int64, 6)), generate


# Short loops below use unsigned indices: numba then need not check whether they are negative, and vectorises.


@function
def take_in(windows, n):
    """Copies a picture, scaled, into the middle of ``padded``."""
    picture, scale, padded = windows.pictures[n], windows.scale, windows.padded
    height, width, channels = windows.shape
    wide = (width + 2 * windows.padding) * channels
    for y in range(height):
        target = np.uint64((y + windows.padding) * wide + windows.padding * channels)
        if not windows.planar:
            source = np.uint64(y * width * channels)
            for k in range(width * channels):
                padded[target + np.uint64(k)] = np.float32(picture[source + np.uint64(k)]) * scale
        elif channels == 2:  # two frames, the usual case, in one loop that vectorises
            first, second = np.uint64(y * width), np.uint64((height + y) * width)
            for x in range(width):
                padded[target + np.uint64(2 * x)] = np.float32(picture[first + np.uint64(x)]) * scale
                padded[target + np.uint64(2 * x + 1)] = np.float32(picture[second + np.uint64(x)]) * scale
        else:
            for c in range(channels):
                source, to = np.uint64((c * height + y) * width), target + np.uint64(c)
                for x in range(width):
                    padded[to + np.uint64(x * channels)] = np.float32(picture[source + np.uint64(x)]) * scale


@kernel
def convolve(windows, weights, bias, slope, out):
    """out float32 (n, h * w * O): the convolution, and where it is below 0 ``slope`` times that.

    weights: float32 (rows * length * O,) of a window; bias: float32 (O,).
    """
    outs, pixels, wide = bias.shape[0], windows.starts.shape[0], line(windows)
    loops = (windows.length, 1, outs, windows.rows, wide, windows.length * outs)
    for n in range(out.shape[0]):
        take_in(windows, n)
        row = out[n]
        for p in range(pixels):
            first = np.uint64(p * outs)
            for c in range(outs):
                row[first + np.uint64(c)] = bias[np.uint64(c)]
        for p in range(0, pixels, ROWS):
            at, begins = six_pixels(windows.starts, p, outs)
            for c in range(0, outs, COLUMNS):
                add_products(row, windows.padded, weights, shifted(at, c), begins, c, loops)
        if slope != 1:
            for k in range(pixels * outs):
                row[np.uint64(k)] = max(row[np.uint64(k)], row[np.uint64(k)] * slope)


@kernel
def convolve_back(windows, turned, slope, out, grads, row_grads, weight_grads, bias_grads, padded_grads, picture_grads):
    """Adds to ``weight_grads`` (rows * length * O,) and ``bias_grads`` (O,), and writes ``picture_grads``.

    All float32. grads: (n, h * w * O), of ``out``; turned: the weights as (rows, O, length), flat; row_grads,
    padded_grads: scratch like a row of ``out`` and like ``padded``; picture_grads: (n, H * W * C), or (0, ...) if not
    needed. They need C to be a multiple of ``COLUMNS``, which keeps the sums of a tile's rows apart.
    """
    padded, starts, across, length = windows.padded, windows.starts, windows.across, windows.length
    outs, pixels, wide = bias_grads.shape[0], starts.shape[0], line(windows)
    right = starts[1] - starts[0] if across > 1 else 0
    down = starts[across] - starts[0] if across < pixels else 0
    loops = (across, right, outs, pixels // across, down, across * outs)
    for n in range(out.shape[0]):
        take_in(windows, n)
        for k in range(pixels * outs):
            u = np.uint64(k)
            row_grads[u] = grads[n, u] if out[n, u] > 0 else grads[n, u] * slope
        for p in range(pixels):
            first = np.uint64(p * outs)
            for c in range(outs):
                bias_grads[np.uint64(c)] += row_grads[first + np.uint64(c)]
        for row in range(windows.rows):
            for t in range(0, length, ROWS):
                six = six_from(t, length)
                at, factors = shifted(scaled(six, outs), row * length * outs), shifted(six, row * wide)
                for c in range(0, outs, COLUMNS):
                    add_products(weight_grads, padded, row_grads, shifted(at, c), factors, c, loops)
        if picture_grads.shape[0]:
            write_picture_grads(windows, n, row_grads, turned, outs, padded_grads, picture_grads[n])


@function
def write_picture_grads(windows, n, row_grads, turned, outs, padded_grads, grads):
    """The gradients of one picture; ``row_grads``: those of its convolution's output, (h * w * O,)."""
    starts, length, padding, wide = windows.starts, windows.length, windows.padding, line(windows)
    height, width, channels = windows.shape
    padded_grads[:] = 0
    for row in range(windows.rows):
        for t in range(0, length, COLUMNS):
            for p in range(0, starts.shape[0], ROWS):
                factors, begins = six_pixels(starts, p, outs)
                at, first = shifted(begins, row * wide + t), row * outs * length + t
                add_products(padded_grads, row_grads, turned, at, factors, first, (outs, 1, length, 1, 0, 0))
    for y in range(height):
        source, target = np.uint64((y + padding) * wide + padding * channels), np.uint64(y * width * channels)
        for k in range(width * channels):
            grads[target + np.uint64(k)] = padded_grads[source + np.uint64(k)]


@function
def line(windows):
    """Numbers in a line of ``padded``."""
    return (windows.shape[1] + 2 * windows.padding) * windows.shape[2]


@function
def six_from(first, count):
    """``ROWS`` whole numbers from ``first`` on, with the last one, count - 1, repeated where there are no more.

    Repeating is harmless: both results are equal, and a tile writes its sums only at its end.
    """
    last = count - 1
    return (
        first,
        min(first + 1, last),
        min(first + 2, last),
        min(first + 3, last),
        min(first + 4, last),
        min(first + 5, last),
    )


@function
def six_pixels(starts, p, outs):
    """Where in a row of ``out`` six pixels from p on begin, and where in ``padded`` their windows."""
    a, b, c, d, e, f = six_from(p, starts.shape[0])
    return scaled((a, b, c, d, e, f), outs), (starts[a], starts[b], starts[c], starts[d], starts[e], starts[f])


@function
def shifted(six, by):
    return six[0] + by, six[1] + by, six[2] + by, six[3] + by, six[4] + by, six[5] + by


@function
def scaled(six, by):
    return six[0] * by, six[1] * by, six[2] * by, six[3] * by, six[4] * by, six[5] * by
