"""A small path tracer: one solid on a table before a wall, lit by a soft box, seen through a lens.

The solid is a signed distance function (sphere tracing, Hart 1996); table and wall are planes. Every path gathers the
soft box at each diffuse hit and the room where it leaves the scene; a clear coat reflects by Schlick's formula.
"""

from dataclasses import dataclass
from math import cos, pi, sin, sqrt

import numpy as np
from numba import prange
from studio.shapes import clamp, cloudy, fast, mix, noise, step

WALL_Z = -2.4
CENTRE, REACH = 0.95, 1.5
BOUNCES = 4
NOTHING, TABLE, WALL, SOLID = 0, 1, 2, 3


@dataclass(frozen=True)
class Setting:
    """Linear colours. ``eye``, ``look``: camera and what it looks at. ``zoom``: focal length over sensor height."""

    wall: tuple[float, float, float] = (0.30, 0.36, 0.40)
    table: tuple[float, float, float] = (0.16, 0.09, 0.05)
    grain: tuple[float, float, float] = (0.28, 0.17, 0.09)
    eye: tuple[float, float, float] = (0.0, 1.75, 7.6)
    look: tuple[float, float, float] = (0.0, 0.86, 0.0)
    zoom: float = 2.75
    aperture: float = 0.055
    key: float = 17.0
    fill: float = 0.62


@fast()
def chance(state):
    """Uniform in 0..1 (xorshift64*, Vigna 2016)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.float64((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@fast()
def unit(x, y, z):
    n = 1.0 / sqrt(x * x + y * y + z * z + 1e-18)
    return x * n, y * n, z * n


@fast()
def about(nx, ny, nz, state):
    """A direction around a normal, as often as its cosine."""
    c, turn = 1.0 - 2.0 * chance(state), 2.0 * pi * chance(state)
    s = sqrt(max(0.0, 1.0 - c * c))
    return unit(nx + s * cos(turn), ny + s * sin(turn), nz + c)


@fast()
def wood(x, z, room):
    """Planks along x."""
    plank = np.floor(z / 0.9 + 100.0)
    along, across = x * 0.55 + plank * 7.3, z * 6.0 + plank * 3.1
    rings = across + 1.6 * noise(along * 0.8, plank, across * 0.15)
    fibre = 0.55 * noise(along * 2.0, plank, rings * 2.2) + 0.45 * noise(along * 7.0, plank + 9.0, rings * 9.0)
    share = clamp(0.15 + 0.8 * fibre + 0.18 * (noise(plank * 5.0, 1.5, 2.5) - 0.5), 0.0, 1.0)
    seam = 1.0 - 0.55 * step(0.016, 0.004, min(z / 0.9 + 100.0 - plank, plank + 1.0 - z / 0.9 - 100.0))
    return (
        mix(room[3], room[6], share) * seam,
        mix(room[4], room[7], share) * seam,
        mix(room[5], room[8], share) * seam,
        0.28 + 0.2 * fibre,
        0.55,
    )


@fast()
def plaster(x, y, room):
    tone = 0.86 + 0.2 * cloudy(x * 0.9, y * 0.9, 3.0) + 0.08 * (noise(x * 26.0, y * 26.0, 1.0) - 0.5)
    return room[0] * tone, room[1] * tone, room[2] * tone, 1.0, 0.0


@fast()
def sky(dx, dy, dz, room):
    """The rest of the room: brighter above and on the side of the window."""
    glow = room[10] * (0.45 + 0.55 * max(dy, 0.0) + 0.25 * max(-dx, 0.0))
    return glow * 0.97, glow, glow * 1.04


LIGHT = (-3.0, 4.0, 3.4)
LIGHT_SIZE = 1.25


@fast()
def light_axes():
    wx, wy, wz = unit(-LIGHT[0], 0.8 - LIGHT[1], -LIGHT[2])
    ux, uy, uz = unit(wz, 0.0, -wx)
    return wx, wy, wz, ux, uy, uz, wy * uz - wz * uy, wz * ux - wx * uz, wx * uy - wy * ux


@fast()
def gloss(nx, ny, nz, dx, dy, dz, lx, ly, lz, rough):
    """Highlight of a clear coat: GGX (Walter et al. 2007), visibility after Kelemen."""
    hx, hy, hz = unit(lx - dx, ly - dy, lz - dz)
    nh, lh = nx * hx + ny * hy + nz * hz, lx * hx + ly * hy + lz * hz
    a = max(rough * rough, 0.02) ** 2
    spread = a / (pi * (nh * nh * (a - 1.0) + 1.0) ** 2)
    return spread * (0.04 + 0.96 * (1.0 - lh) ** 5) / (4.0 * lh * lh + 1e-6)


def camera_for(distance, surface):  # noqa: C901 (one set of compiled functions for one solid)
    """Compile a picture taker. ``distance(x, y, z)``; ``surface(x, y, z, nx, ny, nz)`` -> (r, g, b, roughness, coat).

    The result is called as ``take(room, side, samples, seed)`` and gives (side, side, 3) float64 linear light.
    """

    @fast()
    def to_solid(ox, oy, oz, dx, dy, dz, far):
        """Distance along the ray, or -1."""
        qy = oy - CENTRE
        b = ox * dx + qy * dy + oz * dz
        inside = b * b - (ox * ox + qy * qy + oz * oz - REACH * REACH)
        if inside <= 0.0:
            return -1.0
        root = sqrt(inside)
        t, end = max(-b - root, 0.0), min(-b + root, far)
        for _ in range(140):
            if t > end:
                return -1.0
            d = distance(ox + dx * t, oy + dy * t, oz + dz * t)
            if d < 0.0005:
                return t
            t += 0.85 * d
        return -1.0

    @fast()
    def normal_at(x, y, z):
        e = 0.0008
        a, b = distance(x + e, y - e, z - e), distance(x - e, y - e, z + e)
        c, d = distance(x - e, y + e, z - e), distance(x + e, y + e, z + e)
        return unit(a - b - c + d, -a - b + c + d, -a + b - c + d)

    @fast()
    def meet(ox, oy, oz, dx, dy, dz):
        """(what, distance) of the nearest thing."""
        far, what = 60.0, NOTHING
        if dy < -1e-7 and -oy / dy > 1e-6:
            far, what = -oy / dy, TABLE
        if dz < -1e-7 and 1e-6 < (WALL_Z - oz) / dz < far:
            far, what = (WALL_Z - oz) / dz, WALL
        t = to_solid(ox, oy, oz, dx, dy, dz, far)
        return (SOLID, t) if t > 0 else (what, far)

    @fast()
    def lit(x, y, z, nx, ny, nz, dx, dy, dz, rough, room, state):
        """(matt, gloss): light of the soft box at a point seen along d, one sample."""
        wx, wy, wz, ux, uy, uz, vx, vy, vz = light_axes()
        u, v = (2 * chance(state) - 1) * LIGHT_SIZE, (2 * chance(state) - 1) * LIGHT_SIZE
        lx, ly, lz = LIGHT[0] + u * ux + v * vx - x, LIGHT[1] + u * uy + v * vy - y, LIGHT[2] + u * uz + v * vz - z
        r = sqrt(lx * lx + ly * ly + lz * lz)
        lx, ly, lz = lx / r, ly / r, lz / r
        facing, away = lx * nx + ly * ny + lz * nz, -(lx * wx + ly * wy + lz * wz)
        if facing <= 0 or away <= 0 or to_solid(x, y, z, lx, ly, lz, r) > 0:
            return 0.0, 0.0
        power = room[9] * facing * away * 4 * LIGHT_SIZE * LIGHT_SIZE / (r * r)
        return power / pi, power * gloss(nx, ny, nz, dx, dy, dz, lx, ly, lz, rough)

    @fast()
    def look_along(ox, oy, oz, dx, dy, dz, room, state):
        red, green, blue, tr, tg, tb = 0.0, 0.0, 0.0, 1.0, 1.0, 1.0
        for bounce in range(BOUNCES):
            what, t = meet(ox, oy, oz, dx, dy, dz)
            if what == NOTHING:
                r, g, b = sky(dx, dy, dz, room)
                return red + tr * r, green + tg * g, blue + tb * b
            x, y, z = ox + dx * t, oy + dy * t, oz + dz * t
            nx, ny, nz = 0.0, 0.0, 1.0
            if what == TABLE:
                nx, ny, nz = 0.0, 1.0, 0.0
                r, g, b, rough, coat = wood(x, z, room)
            elif what == WALL:
                r, g, b, rough, coat = plaster(x, y, room)
            else:
                nx, ny, nz = normal_at(x, y, z)
                r, g, b, rough, coat = surface(x, y, z, nx, ny, nz)
            facing = clamp(-(dx * nx + dy * ny + dz * nz), 0.0, 1.0)
            ox, oy, oz = x + nx * 0.002, y + ny * 0.002, z + nz * 0.002
            matt, shine = lit(ox, oy, oz, nx, ny, nz, dx, dy, dz, rough, room, state)
            if bounce == 0:
                shine *= coat
                red, green, blue = red + shine, green + shine * 0.97, blue + shine * 0.92
            if chance(state) < coat * (0.04 + 0.96 * (1.0 - facing) ** 5):
                mx, my, mz = about(nx, ny, nz, state)
                mx, my, mz = unit(mix(nx, mx, rough * rough), mix(ny, my, rough * rough), mix(nz, mz, rough * rough))
                k = 2.0 * (dx * mx + dy * my + dz * mz)
                dx, dy, dz = dx - k * mx, dy - k * my, dz - k * mz
                if dx * nx + dy * ny + dz * nz <= 0:
                    break
                continue
            tr, tg, tb = tr * r, tg * g, tb * b
            red, green, blue = red + tr * matt, green + tg * matt * 0.97, blue + tb * matt * 0.92
            dx, dy, dz = about(nx, ny, nz, state)
        return red, green, blue

    @fast(parallel=True)
    def take(room, side, samples, seed):
        picture = np.zeros((side, side, 3))
        ex, ey, ez = room[11], room[12], room[13]
        fx, fy, fz = unit(room[14] - ex, room[15] - ey, room[16] - ez)
        rx, ry, rz = unit(-fz, 0.0, fx)
        ux, uy, uz = ry * fz - rz * fy, rz * fx - rx * fz, rx * fy - ry * fx
        focus = sqrt((room[14] - ex) ** 2 + (room[15] - ey) ** 2 + (room[16] - ez) ** 2) - 0.35
        for row in prange(side):
            state = np.empty(1, np.uint64)
            state[0] = np.uint64(seed * 7919 + row * 2654435761 + 88172645463325252)
            for _ in range(8):
                chance(state)
            for column in range(side):
                for _ in range(samples):
                    a = (2 * (column + chance(state)) / side - 1) * 0.5 / room[17]
                    b = (1 - 2 * (row + chance(state)) / side) * 0.5 / room[17]
                    px, py, pz = fx + a * rx + b * ux, fy + a * ry + b * uy, fz + a * rz + b * uz
                    turn, far = 2 * pi * chance(state), room[18] * sqrt(chance(state))
                    c, s = far * cos(turn), far * sin(turn)
                    ox, oy, oz = ex + c * rx + s * ux, ey + c * ry + s * uy, ez + c * rz + s * uz
                    dx, dy, dz = unit(ex + px * focus - ox, ey + py * focus - oy, ez + pz * focus - oz)
                    r, g, b2 = look_along(ox, oy, oz, dx, dy, dz, room, state)
                    picture[row, column, 0] += min(r, 5.0)
                    picture[row, column, 1] += min(g, 5.0)
                    picture[row, column, 2] += min(b2, 5.0)
        return picture / samples

    return take


def numbers(s: Setting) -> np.ndarray:
    """The setting as the picture taker wants it."""
    return np.array([*s.wall, *s.table, *s.grain, s.key, s.fill, *s.eye, *s.look, s.zoom, s.aperture])


def developed(light: np.ndarray, seed: int, exposure: float = 1.0, smooth: float = 4.0) -> np.ndarray:
    """(H, W, 3) uint8: exposure, a film-like shoulder, vignette, noise taken out by ``smooth``, an even grain."""
    from cv2 import fastNlMeansDenoisingColored

    h, w, _ = light.shape
    y, x = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    light = light * exposure * (1 - 0.16 * (x * x + y * y) ** 1.3)[..., None]
    shown = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
    encoded = np.where(shown < 0.0031308, shown * 12.92, 1.055 * np.maximum(shown, 1e-9) ** (1 / 2.4) - 0.055)
    calm = fastNlMeansDenoisingColored(
        (np.clip(encoded, 0, 1) * 255 + 0.5).astype(np.uint8), None, smooth, smooth, 5, 15
    )
    grain = np.random.default_rng(seed).normal(0, 1.3, (h, w, 1))
    return np.clip(np.rint(calm + grain), 0, 255).astype(np.uint8)
