"""Convolutions of small float32 networks on the CPU, compiled by numba: loops around one tile of registers.

Frames of games are small and have few channels, where general libraries reach a third of what a core can do. All three
passes of a convolution are sums of products of ``ROWS`` rows by ``COLUMNS`` channels, so one tile, whose sums stay in
registers (van Zee and van de Geijn 2015, *BLIS*, section 2), does them all. Pictures lie channels last, so that a row of
the kernel's window lies in one piece.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from envs.compile import function, intrinsic, kernel

ROWS, COLUMNS = 6, 16  # with 256-bit registers: 12 of 16 hold sums, 2 a row of weights, 1 a broadcast number
LANES = 8  # float32 in a register
FLOAT, VECTOR = ir.FloatType(), ir.VectorType(ir.FloatType(), LANES)


@intrinsic
def add_products(_typing: Any, sums: Any, rows: Any, shared: Any, at: Any, starts: Any, first: Any, loops: Any) -> Any:
    """add_products(sums, rows, shared, at, starts, first, loops): a tile's products are added to its sums.

    sums, rows, shared: float32, flat; at, starts: of each row of the tile, where its sums begin and where its factors;
    first: where the ``COLUMNS`` shared factors begin. loops: (count, step in rows, step in shared) of the inner loop, then
    of the outer one. sums[at[i] + c] += sum over both loops of rows[starts[i] + ...] * shared[first + ... + c].
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = [
            context.make_array(kind)(context, builder, value).data for kind, value in zip(signature.args, arguments[:3])
        ]
        at, starts, loops = (cgutils.unpack_tuple(builder, arguments[k]) for k in (3, 4, 6))
        places = [
            builder.bitcast(
                builder.gep(data[0], [builder.add(at[i], ir.Constant(at[i].type, k))]), VECTOR.as_pointer()
            )
            for i in range(ROWS)
            for k in range(0, COLUMNS, LANES)
        ]
        held = [cgutils.alloca_once(builder, VECTOR) for _ in places]
        for place, sum_ in zip(places, held):
            builder.store(builder.load(place, align=4), sum_)
        fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(VECTOR, [VECTOR] * 3), "llvm.fma.v8f32")
        zero = ir.Constant(ir.IntType(32), 0)
        with cgutils.for_range(builder, loops[3]) as outer:
            row_outer, shared_outer = builder.mul(outer.index, loops[4]), builder.mul(outer.index, loops[5])
            with cgutils.for_range(builder, loops[0]) as inner:
                row_at = builder.add(row_outer, builder.mul(inner.index, loops[1]))
                shared_at = builder.add(arguments[5], builder.add(shared_outer, builder.mul(inner.index, loops[2])))
                factors = [
                    builder.load(
                        builder.bitcast(
                            builder.gep(data[2], [builder.add(shared_at, ir.Constant(shared_at.type, k))]),
                            VECTOR.as_pointer(),
                        ),
                        align=4,
                    )
                    for k in range(0, COLUMNS, LANES)
                ]
                for i in range(ROWS):
                    one = builder.load(builder.gep(data[1], [builder.add(starts[i], row_at)]))
                    wide = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), one, zero)
                    wide = builder.shuffle_vector(
                        wide, ir.Constant(VECTOR, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
                    )
                    for k, factor in enumerate(factors):
                        sum_ = held[i * len(factors) + k]
                        builder.store(builder.call(fma, [wide, factor, builder.load(sum_)]), sum_)
        for place, sum_ in zip(places, held):
            builder.store(builder.load(sum_), place, align=4)
        return context.get_dummy_value()

    rows_of = types.UniTuple(types.int64, ROWS)
    return types.void(sums, rows, shared, rows_of, rows_of, types.int64, types.UniTuple(types.int64, 6)), generate


@function
def take_in(picture, scale, shape, planar, padding, padded):
    """Copies a picture, flat, times ``scale``, into the middle of a float32 one, flat too and channels last.

    shape: (H, W, C); planar: whether ``picture`` is (C, H, W) instead.
    """
    height, width, channels = shape
    row, wide = width * channels, (width + 2 * padding) * channels
    for y in range(height):
        target = np.uint64((y + padding) * wide + padding * channels)
        if planar:
            for c in range(channels):
                source, to = np.uint64((c * height + y) * width), target + np.uint64(c)
                for _ in range(width):
                    padded[to] = np.float32(picture[source]) * scale
                    source += np.uint64(1)
                    to += np.uint64(channels)
        else:
            source = np.uint64(y * row)
            for k in range(row):
                padded[target + np.uint64(k)] = np.float32(picture[source + np.uint64(k)]) * scale


@kernel
def convolve(pictures, scale, shape, planar, padding, padded, starts, weights, window, bias, slope, out):
    """out float32 (n, h * w * O) = convolution of scale * pictures (n, H, W, C); below 0 times ``slope``.

    padded: float32 scratch, flat, of (H + 2 padding, width = W + 2 padding, C), zeros at its edge; starts: int64 (h * w,), where in it
    each window begins; weights: float32, flat, of (rows, columns * C, O), and window: (rows, columns * C).
    """
    rows, length = window
    outs, pixels = bias.shape[0], starts.shape[0]
    loops = (length, 1, outs, rows, (shape[1] + 2 * padding) * shape[2], length * outs)
    for n in range(pictures.shape[0]):
        take_in(pictures[n], scale, shape, planar, padding, padded)
        own = out[n]
        for p in range(pixels):
            first = np.uint64(p * outs)
            for c in range(outs):
                own[first + np.uint64(c)] = bias[c]
        for p in range(0, pixels, ROWS):
            pixel, begins = six(p, pixels, outs, starts)
            for c in range(0, outs, COLUMNS):
                add_products(own, padded, weights, shifted(pixel, c), begins, c, loops)
        if slope != 1:
            for k in range(pixels * outs):
                own[np.uint64(k)] = max(own[np.uint64(k)], own[np.uint64(k)] * slope)


@function
def six(p, pixels, outs, starts):
    """Where the sums of pixels p, p + 1, ... begin and where their windows; the last pixel again where there are fewer."""
    last = pixels - 1
    a, b, c, d, e = min(p + 1, last), min(p + 2, last), min(p + 3, last), min(p + 4, last), min(p + 5, last)
    return (
        (p * outs, a * outs, b * outs, c * outs, d * outs, e * outs),
        (starts[p], starts[a], starts[b], starts[c], starts[d], starts[e]),
    )


@function
def shifted(at, by):
    return at[0] + by, at[1] + by, at[2] + by, at[3] + by, at[4] + by, at[5] + by


@kernel
def convolve_back(
    pictures, scale, shape, planar, padding, padded, starts, turned, window, across, slope, out, grads, own, weight_grads,
    bias_grads, padded_grads, picture_grads,
):  # fmt: skip
    """Adds to ``weight_grads`` and ``bias_grads``, and writes ``picture_grads`` (n, H * W * C) unless it has no rows.

    Arguments are as ``convolve``'s; grads: float32 (n, h * w * O), of ``out``; turned: the weights as (rows, O, columns *
    C), flat; across: w, the windows in a line; own and padded_grads: float32 scratch like a row of ``out`` and ``padded``.
    For gradients of the pictures C must be a multiple of ``COLUMNS``: then a tile's sums never overlap.
    """
    rows, length = window
    height, width, channels = shape
    outs, pixels, wide = bias_grads.shape[0], starts.shape[0], (width + 2 * padding) * channels
    step, down = starts[1] - starts[0] if across > 1 else 0, starts[across] - starts[0] if across < pixels else 0
    windows = (across, step, outs, pixels // across, down, across * outs)
    for n in range(pictures.shape[0]):
        take_in(pictures[n], scale, shape, planar, padding, padded)
        for k in range(pixels * outs):
            u = np.uint64(k)
            own[u] = grads[n, u] if out[n, u] > 0 else grads[n, u] * slope
        for p in range(pixels):
            first = np.uint64(p * outs)
            for c in range(outs):
                bias_grads[np.uint64(c)] += own[first + np.uint64(c)]
        for row in range(rows):
            for t in range(0, length, ROWS):
                at, begins = six_factors(row, t, length, wide, outs)
                for c in range(0, outs, COLUMNS):
                    add_products(weight_grads, padded, own, shifted(at, c), begins, c, windows)
        if picture_grads.shape[0]:
            padded_grads[:] = 0
            for row in range(rows):
                for t in range(0, length, COLUMNS):
                    for p in range(0, pixels, ROWS):
                        pixel, begins = six(p, pixels, outs, starts)
                        first = row * outs * length + t
                        target = shifted(begins, row * wide + t)
                        add_products(padded_grads, own, turned, target, pixel, first, (outs, 1, length, 1, 0, 0))
            for y in range(height):
                source, line = np.uint64((y + padding) * wide + padding * channels), np.uint64(y * width * channels)
                for k in range(width * channels):
                    picture_grads[n, line + np.uint64(k)] = padded_grads[source + np.uint64(k)]


@function
def six_factors(row, t, length, wide, outs):
    """Where the gradients of weights t, t + 1, ... of a window's row begin, and their factors in the first window."""
    last = length - 1
    a, b, c, d, e = min(t + 1, last), min(t + 2, last), min(t + 3, last), min(t + 4, last), min(t + 5, last)
    first, line = row * length * outs, row * wide
    return (
        (first + t * outs, first + a * outs, first + b * outs, first + c * outs, first + d * outs, first + e * outs),
        (line + t, line + a, line + b, line + c, line + d, line + e),
    )
