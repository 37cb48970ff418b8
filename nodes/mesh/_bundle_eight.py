"""Eight boxes or eight triangles against up to 64 rays from one point, which are told by the bits of a number.

What depends on the point alone is computed once for all of them. The arithmetic is that of :mod:`nodes.mesh._eight`, so
that a ray meets in a bundle just what it meets alone. Import inside kernels' modules only.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # noqa: TID253
from numba import types  # noqa: TID253
from numba.extending import intrinsic  # noqa: TID253

from nodes.mesh._eight import EIGHT, INT, LANES, RIM, Lanes, data_of, row_of

BUNDLE = 64
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
    """int64 whose bit i says whether any of ``rays`` meets box i of ``node`` before its ``reach``.

    ``box``: (K, 48) float32. ``start``: (3,) float32; ``inverse``: (3, 64) float32, 1 / direction; ``reach``: (64,)
    float32. ``table``: (64,) uint8, becomes for each of the rays the same of it alone.
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        v = Lanes(builder)
        data, start, inverse, reach, table = (
            data_of(context, builder, signature.args[i], given[i]) for i in (0, 2, 3, 5, 6)
        )
        row = row_of(builder, given[1], 6 * EIGHT)
        edge = [v.load(data, builder.add(row, ir.Constant(INT, EIGHT * i))) for i in range(6)]
        gap = [builder.fsub(edge[i], v.all(v.number(start, i % 3))) for i in range(6)]

        def step(ray: Any) -> Any:
            way, far = _three(v, inverse, ray), v.all(builder.load(builder.gep(reach, [ray])))
            low, high = ([builder.fmul(gap[i + k], way[i]) for i in range(3)] for k in (0, 3))
            near, away = ([turn(a, b) for a, b in zip(low, high, strict=True)] for turn in (v.least, v.most))
            enter = v.most(v.most(near[0], near[1]), v.most(near[2], v.all(0.0)))
            leave = v.least(v.least(away[0], away[1]), away[2])
            leave = v.least(builder.fmul(leave, v.all(1.0 + 4e-7)), far)
            met = builder.bitcast(builder.fcmp_ordered("<=", enter, leave), BYTE)
            builder.store(met, builder.gep(table, [ray]))
            return met

        return builder.zext(_each(builder, given[4], BYTE, step), INT)

    return types.int64(box, types.int64, start, inverse, types.int64, reach, table), code


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


class _Triangles:
    """Eight triangles and what of a meeting with them depends on the start of the rays alone (Moeller, Trumbore)."""

    def __init__(self, v: Lanes, data: Any, row: Any, start: Any) -> None:
        spot = [v.load(data, v.b.add(row, ir.Constant(INT, EIGHT * i))) for i in range(9)]
        self.v, self.one, self.two = v, spot[3:6], spot[6:]
        self.offset = [v.b.fsub(v.all(v.number(start, i)), spot[i]) for i in range(3)]
        self.q = v.cross(self.offset, self.one)
        self.long = v.dot(self.two, self.q)

    def meet(self, way: list[Any], reach: Any) -> tuple[Any, Any, Any]:
        """(whether they are met before ``reach``, how far on, the normal's cosine with ``-way`` but for a factor)."""
        v, b = self.v, self.v.b
        p = v.cross(way, self.two)
        lean = v.dot(self.one, p)
        over = b.fdiv(v.all(1.0), lean)
        u, w, t = b.fmul(v.dot(self.offset, p), over), b.fmul(v.dot(way, self.q), over), b.fmul(self.long, over)
        met = b.and_(v.less(v.all(-RIM), u), v.less(v.all(-RIM), w))
        met = b.and_(met, v.less(b.fadd(u, w), v.all(1.0 + RIM)))
        return b.and_(met, b.and_(v.less(v.all(0.0), t), v.less(t, reach))), t, lean


@intrinsic  # type: ignore[untyped-decorator]
def triangles_met_by(typing: Any, corner: Any, block: Any, start: Any, way: Any, rays: Any, reach: Any) -> Any:
    """int64: those of ``rays`` that meet a triangle of ``block`` before their ``reach`` (64,) float32.

    ``corner``: (B, 72) float32. ``start``: (3,) float32; ``way``: (3, 64) float32 directions.
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        v = Lanes(builder)
        data, start, way, reach = (data_of(context, builder, signature.args[i], given[i]) for i in (0, 2, 3, 5))
        those = _Triangles(v, data, row_of(builder, given[1], 9 * EIGHT), start)

        def step(ray: Any) -> Any:
            met, _, _ = those.meet(_three(v, way, ray), v.all(builder.load(builder.gep(reach, [ray]))))
            any_met = builder.icmp_unsigned("!=", builder.bitcast(met, BYTE), ir.Constant(BYTE, 0))
            return builder.shl(builder.zext(any_met, INT), ray)

        return _each(builder, given[4], INT, step)

    return types.int64(corner, types.int64, start, way, types.int64, reach), code


@intrinsic  # type: ignore[untyped-decorator]
def come_nearer(typing: Any, corner: Any, block: Any, start: Any, way: Any, rays: Any, reach: Any) -> Any:
    """``reach`` (64,) float32 shrinks to where its ray meets a triangle of ``block`` that looks the way of the ray."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        v = Lanes(builder)
        data, start, way, reach = (data_of(context, builder, signature.args[i], given[i]) for i in (0, 2, 3, 5))
        those = _Triangles(v, data, row_of(builder, given[1], 9 * EIGHT), start)

        def step(ray: Any) -> Any:
            place = builder.gep(reach, [ray])
            far = v.all(builder.load(place))
            met, t, lean = those.meet(_three(v, way, ray), far)
            t = builder.select(builder.and_(met, v.less(lean, v.all(0.0))), t, far)
            for turn in (4, 2, 1):
                order = [(i + turn) % EIGHT for i in range(EIGHT)]
                kind = ir.VectorType(ir.IntType(32), EIGHT)
                t = v.least(t, builder.shuffle_vector(t, ir.Constant(LANES, ir.Undefined), ir.Constant(kind, order)))
            builder.store(builder.extract_element(t, ir.Constant(ir.IntType(32), 0)), place)
            return ir.Constant(BYTE, 0)

        _each(builder, given[4], BYTE, step)
        return context.get_dummy_value()

    return types.void(corner, types.int64, start, way, types.int64, reach), code


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
