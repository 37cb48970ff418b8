"""Signed distances of simple solids, and ways to join them: negative inside, positive outside, units of length.

Formulas as collected by Inigo Quilez ("distance functions", 2008-2020). All take and give plain floats.
"""

from functools import partial
from math import cos, exp, floor, sin, sqrt

from numba import njit

fast = partial(njit, fastmath=True, error_model="numpy")


@fast()
def clamp(x, low, high):
    return min(max(x, low), high)


@fast()
def mix(a, b, share):
    return a + (b - a) * share


@fast()
def step(low, high, x):
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = clamp((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@fast()
def join(a, b, k):
    """Union with a fillet of size ``k``."""
    h = max(k - abs(a - b), 0.0) / k
    return min(a, b) - h * h * k * 0.25


@fast()
def cut(a, b, k):
    """``a`` without ``b``, with a rounded edge of size ``k``."""
    return -join(-a, b, k)


@fast()
def ellipsoid(x, y, z, rx, ry, rz):
    k0 = sqrt((x / rx) ** 2 + (y / ry) ** 2 + (z / rz) ** 2)
    k1 = sqrt((x / rx**2) ** 2 + (y / ry**2) ** 2 + (z / rz**2) ** 2)
    return (k0 - 1.0) * min(rx, min(ry, rz)) if k1 < 1e-9 else k0 * (k0 - 1.0) / k1


@fast()
def box(x, y, z, hx, hy, hz, r):
    """Half sizes, rounded by ``r`` inside them."""
    qx, qy, qz = abs(x) - hx + r, abs(y) - hy + r, abs(z) - hz + r
    outside = sqrt(max(qx, 0.0) ** 2 + max(qy, 0.0) ** 2 + max(qz, 0.0) ** 2)
    return outside + min(max(qx, max(qy, qz)), 0.0) - r


@fast()
def disc(x, y, z, radius, half, r):
    """Upright cylinder, rounded by ``r`` inside."""
    a, b = sqrt(x * x + z * z) - radius + r, abs(y) - half + r
    return min(max(a, b), 0.0) + sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2) - r


@fast()
def ring(x, y, z, radius, thick):
    """Torus around the z axis."""
    return sqrt((sqrt(x * x + y * y) - radius) ** 2 + z * z) - thick


@fast()
def limb(x, y, z, ax, ay, az, bx, by, bz, ra, rb):
    """Capsule from a to b whose radius goes from ``ra`` to ``rb``."""
    px, py, pz, dx, dy, dz = x - ax, y - ay, z - az, bx - ax, by - ay, bz - az
    t = clamp((px * dx + py * dy + pz * dz) / (dx * dx + dy * dy + dz * dz), 0.0, 1.0)
    return sqrt((px - dx * t) ** 2 + (py - dy * t) ** 2 + (pz - dz * t) ** 2) - mix(ra, rb, t)


@fast()
def turned(a, b, angle):
    """Two coordinates turned by ``angle`` radians."""
    c, s = cos(angle), sin(angle)
    return a * c + b * s, b * c - a * s


@fast()
def lattice(i, j, k):
    """A fixed pseudo-random number in 0..1 for a grid point."""
    n = (int(i) * 374761393 + int(j) * 668265263 + int(k) * 2147483647 + 1013904223) & 0xFFFFFFFF
    n = ((n ^ (n >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((n ^ (n >> 16)) & 0xFFFF) / 65535.0


@fast()
def noise(x, y, z):
    """Smooth value noise, 0..1, about one bump per unit."""
    i, j, k = floor(x), floor(y), floor(z)
    u, v, w = step(0.0, 1.0, x - i), step(0.0, 1.0, y - j), step(0.0, 1.0, z - k)
    total = 0.0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                weight = (u if a else 1 - u) * (v if b else 1 - v) * (w if c else 1 - w)
                total += weight * lattice(i + a, j + b, k + c)
    return total


@fast()
def cloudy(x, y, z):
    """Four octaves of noise, 0..1."""
    total, size = 0.0, 1.0
    for _ in range(4):
        total += noise(x / size, y / size, z / size) * size
        size *= 0.5
    return total / 1.875


@fast()
def bump(x, width):
    return exp(-((x / width) ** 2))
