"""Up to 64 rays from one point at once: which of them meet anything.

The rays walk the eight-wide tree together, as the bits of a number beside each node (in the manner of the ray streams
of Barringer and Akenine-Moeller 2014). What depends on the point alone is computed once for all of them, and tests that
do not wait for each other fill the processor better than a walk that waits for each step. The arithmetic is that of
:mod:`nodes.mesh._eight`, so a ray meets in a bundle just what it meets alone. Import inside kernels' modules only.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # noqa: TID253
from numba import types  # noqa: TID253
from numba.extending import intrinsic  # noqa: TID253
from numpy.typing import NDArray

from nodes.mesh._eight import EIGHT, INT, RIM, Lanes, data_of, lowest_bit, row_of
from nodes.mesh._jit import kernel

Array = NDArray[Any]
BUNDLE = 64
QUEUE = 1024
LINE = 16
BYTE, BYTES = ir.IntType(8), ir.VectorType(ir.IntType(8), BUNDLE)


def _each(builder: Any, rays: Any, kind: Any, step: Any) -> Any:
    """All that ``step``, given the number of each bit of ``rays``, returns, or-ed; of integer type ``kind``."""
    before, body, after = builder.block, builder.append_basic_block("ray"), builder.append_basic_block("rays_done")
    none, start = ir.Constant(INT, 0), ir.Constant(kind, 0)
    builder.cbranch(builder.icmp_unsigned("!=", rays, none), body, after)
    builder.position_at_end(body)
    left, found = builder.phi(INT), builder.phi(kind)
    rest = builder.and_(left, builder.sub(left, ir.Constant(INT, 1)))
    more = builder.or_(found, step(builder.cttz(left, ir.Constant(ir.IntType(1), 1))))
    builder.cbranch(builder.icmp_unsigned("!=", rest, none), body, after)
    for phi, first, later in ((left, rays, rest), (found, start, more)):
        phi.add_incoming(first, before)
        phi.add_incoming(later, body)
    builder.position_at_end(after)
    total = builder.phi(kind)
    total.add_incoming(start, before)
    total.add_incoming(more, body)
    return total


def _three(v: Lanes, base: Any, ray: Any) -> list[Any]:
    """Three numbers of a ray, each in all lanes."""
    return [v.all(v.b.load(v.b.gep(base, [v.b.add(ray, ir.Constant(INT, BUNDLE * i))]))) for i in range(3)]


@intrinsic  # type: ignore[untyped-decorator]
def boxes_met_by(typing: Any, box: Any, node: Any, start: Any, inverse: Any, rays: Any, reach: Any, table: Any) -> Any:
    """int64 whose bit i says whether any of ``rays`` meets box i of ``node`` before ``reach``.

    ``box``: (K, 48) float32. ``start``: (3,) float32; ``inverse``: (3, 64) float32, 1 / direction. ``table``: (64,)
    uint8, becomes for each of the rays the same of it alone.
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        v = Lanes(builder)
        data, start, inverse, table = (data_of(context, builder, signature.args[i], given[i]) for i in (0, 2, 3, 6))
        row = row_of(builder, given[1], 6 * EIGHT)
        edge = [v.load(data, builder.add(row, ir.Constant(INT, EIGHT * i))) for i in range(6)]
        gap = [builder.fsub(edge[i], v.all(v.number(start, i % 3))) for i in range(6)]
        far = v.all(given[5])

        def step(ray: Any) -> Any:
            way = _three(v, inverse, ray)
            low, high = ([builder.fmul(gap[i + k], way[i]) for i in range(3)] for k in (0, 3))
            near, away = ([turn(a, b) for a, b in zip(low, high, strict=True)] for turn in (v.least, v.most))
            enter = v.most(v.most(near[0], near[1]), v.most(near[2], v.all(0.0)))
            leave = v.least(v.least(away[0], away[1]), away[2])
            leave = v.least(builder.fmul(leave, v.all(1.0 + 4e-7)), far)
            met = builder.bitcast(builder.fcmp_ordered("<=", enter, leave), BYTE)
            builder.store(met, builder.gep(table, [ray]))
            return met

        return builder.zext(_each(builder, given[4], BYTE, step), INT)

    return types.int64(box, types.int64, start, inverse, types.int64, types.float32, table), code


@intrinsic  # type: ignore[untyped-decorator]
def by_box(typing: Any, table: Any, rays: Any, lane: Any) -> Any:
    """``lane`` (8,) int64 become the bits of those of ``rays`` for which ``table`` (64,) has bit 0, 1 ... 7."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        table, lane = (data_of(context, builder, signature.args[i], given[i]) for i in (0, 2))
        met = builder.load(builder.bitcast(table, BYTES.as_pointer()), align=1)
        for i in range(EIGHT):
            bit = builder.and_(met, ir.Constant(BYTES, [1 << i] * BUNDLE))
            those = builder.bitcast(builder.icmp_unsigned("!=", bit, ir.Constant(BYTES, [0] * BUNDLE)), INT)
            builder.store(builder.and_(those, given[1]), builder.gep(lane, [ir.Constant(INT, i)]))
        return context.get_dummy_value()

    return types.void(table, types.int64, lane), code


@intrinsic  # type: ignore[untyped-decorator]
def triangles_met_by(typing: Any, corner: Any, block: Any, start: Any, way: Any, rays: Any, reach: Any) -> Any:
    """int64: those of ``rays`` that meet a triangle of ``block`` before ``reach``.

    ``corner``: (B, 72) float32. ``start``: (3,) float32; ``way``: (3, 64) float32 directions.
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        v = Lanes(builder)
        data, start, way = (data_of(context, builder, signature.args[i], given[i]) for i in (0, 2, 3))
        row = row_of(builder, given[1], 9 * EIGHT)
        spot = [v.load(data, builder.add(row, ir.Constant(INT, EIGHT * i))) for i in range(9)]
        one, two, far = spot[3:6], spot[6:], v.all(given[5])
        offset = [builder.fsub(v.all(v.number(start, i)), spot[i]) for i in range(3)]
        q = v.cross(offset, one)
        long = v.dot(two, q)

        def step(ray: Any) -> Any:
            d = _three(v, way, ray)
            p = v.cross(d, two)
            over = builder.fdiv(v.all(1.0), v.dot(one, p))
            u, w, t = builder.fmul(v.dot(offset, p), over), builder.fmul(v.dot(d, q), over), builder.fmul(long, over)
            met = builder.and_(v.less(v.all(-RIM), u), v.less(v.all(-RIM), w))
            met = builder.and_(met, v.less(builder.fadd(u, w), v.all(1.0 + RIM)))
            met = builder.and_(met, builder.and_(v.less(v.all(0.0), t), v.less(t, far)))
            any_met = builder.icmp_unsigned("!=", builder.bitcast(met, BYTE), ir.Constant(BYTE, 0))
            return builder.shl(builder.zext(any_met, INT), ray)

        return _each(builder, given[4], INT, step)

    return types.int64(corner, types.int64, start, way, types.int64, types.float32), code


def _asking(width: int) -> Any:
    """A call that asks memory for a row of an array of rows of ``width`` float32, which is read a little later."""

    @intrinsic  # type: ignore[untyped-decorator]
    def soon(typing: Any, rows: Any, row: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            data, small = data_of(context, builder, signature.args[0], given[0]), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [BYTE.as_pointer(), small, small, small])
            ask = builder.module.declare_intrinsic("llvm.prefetch", [BYTE.as_pointer()], kind)
            for first in range(0, width, LINE):
                place = builder.gep(data, [builder.add(row_of(builder, given[1], width), ir.Constant(INT, first))])
                how = [ir.Constant(small, n) for n in (0, 3, 1)]
                builder.call(ask, [builder.bitcast(place, BYTE.as_pointer()), *how])
            return context.get_dummy_value()

        return types.void(rows, types.int64), code

    return soon


boxes_soon, triangles_soon = _asking(6 * EIGHT), _asking(9 * EIGHT)


@kernel
def _met_in(corner: Array, more: Array, block: int, start: Array, way: Array, rays: int, reach: Any) -> int:
    met = triangles_met_by(corner, block, start, way, rays, reach)
    while more[block]:
        block += 1
        met |= triangles_met_by(corner, block, start, way, rays & ~met, reach)
    return int(met)


@kernel
def blocked_of(
    box: Array, below: Array, corner: Array, more: Array, start: Array, way: Array, inverse: Array, rays: int,
    reach: Any, queue: Array, table: Array, lane: Array,
) -> int:  # fmt: skip
    """Which of ``rays``, as bits, meet anything before ``reach``.

    ``start``: (3,) float32. ``way``, ``inverse``: (3, 64) float32, unit directions and one by them. Scratch: ``queue``
    (1024, 2) and ``lane`` (8,) int64, ``table`` (64,) uint8. What is found is looked at in turn, so that memory has
    time to bring it; the newest first only while the queue is long.
    """
    queue[0, 0], queue[0, 1], head, tail, met = 0, rays, 0, 1, 0
    while head != tail:
        if tail - head > QUEUE // 2:
            tail -= 1
            node, left = queue[tail % QUEUE, 0], queue[tail % QUEUE, 1] & ~met
        else:
            node, left = queue[head % QUEUE, 0], queue[head % QUEUE, 1] & ~met
            head += 1
        if left == 0:
            continue
        if node < 0:
            met |= _met_in(corner, more, -1 - node, start, way, left, reach)
            continue
        some, alone = boxes_met_by(box, node, start, inverse, left, reach, table), left & (left - 1) == 0
        if not alone:
            by_box(table, left, lane)
        while some != 0:
            i = lowest_bit(some)
            some &= some - 1
            down = below[node, i]
            queue[tail % QUEUE, 0], queue[tail % QUEUE, 1] = down, left if alone else lane[i]
            tail += 1
            if down >= 0:
                boxes_soon(box, down)
            else:
                triangles_soon(corner, -1 - down)
    return met
