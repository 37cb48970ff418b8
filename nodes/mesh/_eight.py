"""Eight boxes or eight triangles against one ray at a time, in the processor's vector registers.

Written for LLVM through numba, because loops over eight numbers are unrolled there before they could be made vectors;
LLVM splits them for processors with shorter registers. Boxes: slabs (Kay and Kajiya 1986), widened by rounding (Ize
2013). Triangles: Möller and Trumbore 1997. Import inside kernels' modules only.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # noqa: TID253
from numba import types  # noqa: TID253
from numba.extending import intrinsic  # noqa: TID253

EIGHT = 8
LANES = ir.VectorType(ir.FloatType(), EIGHT)
INT = ir.IntType(64)
RIM = 1e-6


class Lanes:
    """Arithmetic on eight floats at once, as instructions of one function being compiled."""

    def __init__(self, builder: Any) -> None:
        self.b = builder

    def all(self, value: Any) -> Any:
        """The same number in each lane."""
        if isinstance(value, float):
            return ir.Constant(LANES, [value] * EIGHT)
        one = self.b.insert_element(ir.Constant(LANES, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        same = ir.Constant(ir.VectorType(ir.IntType(32), EIGHT), [0] * EIGHT)
        return self.b.shuffle_vector(one, ir.Constant(LANES, ir.Undefined), same)

    def load(self, base: Any, offset: Any) -> Any:
        """Eight floats from the ``offset``-th of the array at ``base``."""
        place = self.b.bitcast(self.b.gep(base, [offset]), LANES.as_pointer())
        return self.b.load(place, align=4)

    def number(self, base: Any, i: int) -> Any:
        """The ``i``-th number of the array at ``base``."""
        return self.b.load(self.b.gep(base, [ir.Constant(INT, i)]))

    def store(self, base: Any, value: Any) -> None:
        self.b.store(value, self.b.bitcast(base, LANES.as_pointer()), align=4)

    def less(self, a: Any, b: Any) -> Any:
        return self.b.fcmp_ordered("<", a, b)

    def most(self, a: Any, b: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered(">", a, b), a, b)

    def least(self, a: Any, b: Any) -> Any:
        return self.b.select(self.less(a, b), a, b)

    def cross(self, a: list[Any], b: list[Any]) -> list[Any]:
        pairs = ((1, 2), (2, 0), (0, 1))
        return [self.b.fsub(self.b.fmul(a[i], b[j]), self.b.fmul(a[j], b[i])) for i, j in pairs]

    def dot(self, a: list[Any], b: list[Any]) -> Any:
        x, y, z = (self.b.fmul(p, q) for p, q in zip(a, b, strict=True))
        return self.b.fadd(self.b.fadd(x, y), z)

    def mask(self, bits: Any) -> Any:
        """Lane i as bit i of an int64."""
        return self.b.zext(self.b.bitcast(bits, ir.IntType(8)), INT)


def data_of(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.make_array(kind)(context, builder, value).data


def row_of(builder: Any, row: Any, width: int) -> Any:
    return builder.mul(row, ir.Constant(INT, width))


@intrinsic  # type: ignore[untyped-decorator]
def boxes_met(typing: Any, box: Any, node: Any, ray: Any, side: Any, reach: Any, near: Any) -> Any:
    """int64 whose bit i says whether the ray meets box i of ``node`` before ``reach``; ``near`` (8,): where it enters.

    ``box``: (K, 48) float32. ``ray``: (9,) float32 origin, direction, 1 / direction. ``side``: (6,) int64, where in
    a row of ``box`` the nearer and the farther sides stand for x, y, z.
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        v, kinds = Lanes(builder), signature.args
        data = data_of(context, builder, kinds[0], given[0])
        rays, sides = data_of(context, builder, kinds[2], given[2]), data_of(context, builder, kinds[3], given[3])
        row = row_of(builder, given[1], 6 * EIGHT)

        def slab(axis: int, far: int) -> Any:
            edge = v.load(data, builder.add(row, v.number(sides, axis + far)))
            return builder.fmul(builder.fsub(edge, v.all(v.number(rays, axis))), v.all(v.number(rays, 6 + axis)))

        enter = v.most(v.most(slab(0, 0), slab(1, 0)), v.most(slab(2, 0), v.all(0.0)))
        leave = v.least(v.least(slab(0, 3), slab(1, 3)), slab(2, 3))
        leave = v.least(builder.fmul(leave, v.all(1.0 + 4e-7)), v.all(given[4]))
        v.store(data_of(context, builder, kinds[5], given[5]), enter)
        return v.mask(builder.fcmp_ordered("<=", enter, leave))

    return types.int64(box, types.int64, ray, side, types.float32, near), code


@intrinsic  # type: ignore[untyped-decorator]
def triangles_met(typing: Any, corner: Any, block: Any, ray: Any, least: Any, reach: Any, found: Any) -> Any:
    """int64 whose bit i says whether the ray meets triangle i of ``block`` between ``least`` and ``reach``.

    ``corner``: (B, 72) float32, first corner and two sides of eight triangles, lane by lane. ``found``: (24,), becomes
    distance, u and v of each.
    """

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        v, kinds = Lanes(builder), signature.args
        data, rays = data_of(context, builder, kinds[0], given[0]), data_of(context, builder, kinds[2], given[2])
        row = row_of(builder, given[1], 9 * EIGHT)
        spot = [v.load(data, builder.add(row, ir.Constant(INT, EIGHT * i))) for i in range(9)]
        ray = [v.all(v.number(rays, i)) for i in range(6)]
        origin, way, one, two = ray[:3], ray[3:], spot[3:6], spot[6:]
        p = v.cross(way, two)
        over = builder.fdiv(v.all(1.0), v.dot(one, p))
        start = [builder.fsub(o, c) for o, c in zip(origin, spot[:3], strict=True)]
        q = v.cross(start, one)
        u, w = builder.fmul(v.dot(start, p), over), builder.fmul(v.dot(way, q), over)
        t = builder.fmul(v.dot(two, q), over)
        met = builder.and_(v.less(v.all(-RIM), u), v.less(v.all(-RIM), w))
        met = builder.and_(met, v.less(builder.fadd(u, w), v.all(1.0 + RIM)))
        met = builder.and_(met, builder.and_(v.less(v.all(given[3]), t), v.less(t, v.all(given[4]))))
        out = data_of(context, builder, kinds[5], given[5])
        for i, value in enumerate((t, u, w)):
            v.store(builder.gep(out, [ir.Constant(INT, EIGHT * i)]), value)
        return v.mask(met)

    return types.int64(corner, types.int64, ray, types.float32, types.float32, found), code


@intrinsic  # type: ignore[untyped-decorator]
def lowest_bit(typing: Any, bits: Any) -> Any:
    """The number of the lowest bit that is set in an int64."""

    def code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.cttz(given[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), code
