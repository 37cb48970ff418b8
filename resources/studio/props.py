"""The things that are photographed: for each a ``distance`` and a ``surface`` (see ``photo.camera_for``), +Y up."""

from math import atan2, cos, pi, sqrt

import numpy as np
from studio.shapes import (
    box,
    bump,
    clamp,
    cloudy,
    cut,
    disc,
    ellipsoid,
    fast,
    join,
    limb,
    mix,
    noise,
    ring,
    step,
    turned,
)  # fmt: skip

DOTS = np.array(
    [
        (0.92 * flat * np.sin(turn), 0.90 + 0.80 * up, 0.92 * flat * np.cos(turn), size)
        for up, turn, size in (
            (0.95 - 0.90 * i / 22, 2.39996 * i + 1.9, 0.095 + 0.05 * (i * 7 % 5) / 4) for i in range(22)
        )
        for flat in (np.sqrt(1 - up * up),)
    ]
)


@fast()
def arch(x, y, z, half, straight, deep):
    """A slab with a round top: ``half`` wide, up to ``straight`` and a half circle more."""
    flat = sqrt(x * x + max(y - straight, 0.0) ** 2) - half
    return max(flat, abs(z) - deep)


@fast()
def mushroom_distance(x, y, z):
    stem = max(limb(x, y, z, 0.0, 0.08, 0.0, 0.0, 0.95, 0.0, 0.56, 0.38), -y)
    cap = ellipsoid(x, y - 0.90, z, 0.92, 0.80, 0.92)
    cap = cut(cap, y - 0.84, 0.12)
    if cap < 0.05:
        cap -= 0.016 * mushroom_dots(x, y, z)
    body = join(stem, cap, 0.08)
    if z > 0.3 and y < 0.85:
        body = cut(body, arch(x + 0.02, y, z - 0.60, 0.185, 0.42, 0.14), 0.02)
        leaf = arch(x + 0.02, y, z - 0.44, 0.175, 0.42, 0.06)
        plank = (x + 0.02) / 0.1166 + 0.5
        body = min(body, leaf + 0.008 * bump(plank - round(plank), 0.09))
        body = min(body, sqrt((x - 0.09) ** 2 + (y - 0.32) ** 2 + (z - 0.515) ** 2) - 0.026)
        body = min(body, box(x + 0.02, y - 0.03, z - 0.64, 0.27, 0.03, 0.10, 0.025))
        wx, wz = turned(x, z, -0.46)
        body = min(
            body,
            min(ring(wx, y - 0.68, wz - 0.435, 0.09, 0.024), ellipsoid(wx, y - 0.68, wz - 0.42, 0.09, 0.09, 0.035)),
        )
    chimney = disc(x - 0.42, y - 1.62, z + 0.05, 0.11, 0.22, 0.02)
    chimney = min(chimney, disc(x - 0.42, y - 1.83, z + 0.05, 0.135, 0.035, 0.015))
    return min(body, cut(chimney, disc(x - 0.42, y - 1.95, z + 0.05, 0.075, 0.2, 0.01), 0.01))


@fast()
def mushroom_dots(x, y, z):
    """0..1: where the white dots of the cap are."""
    best = 0.0
    for i in range(len(DOTS)):
        away = sqrt((x - DOTS[i, 0]) ** 2 + (y - DOTS[i, 1]) ** 2 + (z - DOTS[i, 2]) ** 2)
        best = max(best, step(DOTS[i, 3] + 0.012, DOTS[i, 3] - 0.012, away))
    return best


@fast()
def mushroom_surface(x, y, z, nx, ny, nz):
    if sqrt((x - 0.42) ** 2 + (z + 0.05) ** 2) < 0.15 and y > 1.40 and (y > 1.62 or ny < 0.3):
        tone = 0.75 + 0.4 * noise(x * 14, y * 14, z * 14)
        return 0.34 * tone, 0.16 * tone, 0.11 * tone, 0.8, 0.3
    if z > 0.3 and y < 0.8:
        if y < 0.062 and z > 0.52:
            tone = 0.7 + 0.5 * cloudy(x * 9, y * 9, z * 9)
            return 0.26 * tone, 0.25 * tone, 0.24 * tone, 0.9, 0.2
        if sqrt((x - 0.09) ** 2 + (y - 0.32) ** 2 + (z - 0.515) ** 2) < 0.032:
            return 0.65, 0.42, 0.12, 0.3, 1.0
        if arch(x + 0.02, y, z - 0.44, 0.183, 0.42, 0.066) < 0.0 and nz > 0.5:
            grain = 0.7 + 0.5 * noise(x * 60, y * 4, 1.0)
            return 0.20 * grain, 0.10 * grain, 0.045 * grain, 0.5, 0.6
        wx, _ = turned(x, z, -0.46)
        window = sqrt(wx * wx + (y - 0.68) ** 2)
        if window < 0.117:
            if window > 0.07 or min(abs(wx), abs(y - 0.68)) < 0.010:
                return 0.20, 0.10, 0.045, 0.6, 0.5
            return 0.75, 0.50, 0.16, 0.12, 1.0
    if y > 0.82 and (ny > -0.35 or y > 0.92):
        dot = mushroom_dots(x, y, z)
        tone = 0.9 + 0.2 * cloudy(x * 5, y * 5, z * 5)
        return mix(0.58 * tone, 0.82, dot), mix(0.035 * tone, 0.76, dot), mix(0.03 * tone, 0.66, dot), 0.22, 1.0
    ribs = 0.92 + 0.16 * cloudy(x * 6, y * 1.6, z * 6)
    return 0.70 * ribs, 0.60 * ribs, 0.44 * ribs, 0.6, 0.5


@fast()
def duck_distance(x, y, z):
    y += 0.05
    body = ellipsoid(x, y - 0.50, z, 0.86, 0.50, 0.60)
    body = join(body, limb(x, y, z, -0.55, 0.60, 0.0, -0.95, 0.98, 0.0, 0.26, 0.07), 0.30)
    head = sqrt((x - 0.44) ** 2 + (y - 1.24) ** 2 + z * z) - 0.43
    head = join(head, sqrt((x - 0.36) ** 2 + (y - 1.66) ** 2 + z * z) - 0.07, 0.12)
    body = join(body, head, 0.24)
    wx, wy = turned(x + 0.12, y - 0.60, 0.35)
    wing = ellipsoid(wx, wy, abs(z) - 0.52, 0.46, 0.24, 0.10)
    wing += 0.010 * bump(wy + 0.06 - 0.15 * wx, 0.022) + 0.010 * bump(wy - 0.06 - 0.10 * wx, 0.022)
    body = join(body, wing, 0.05)
    body = cut(body, y - 0.05, 0.04)
    upper = ellipsoid(x - 0.92, y - 1.20 - 0.25 * (x - 0.85) ** 2, z, 0.25, 0.065, 0.20)
    lower = ellipsoid(x - 0.88, y - 1.11, z, 0.19, 0.05, 0.16)
    body = join(body, join(upper, lower, 0.02), 0.02)
    return min(body, ellipsoid(x - 0.60, y - 1.36, abs(z) - 0.345, 0.075, 0.095, 0.07))


@fast()
def duck_surface(x, y, z, nx, ny, nz):
    y += 0.05
    if sqrt(((x - 0.60) / 0.083) ** 2 + ((y - 1.36) / 0.105) ** 2) < 1.0 and abs(z) > 0.28:
        white = (x - 0.625) ** 2 + (y - 1.395) ** 2 < 0.0007
        return (0.9, 0.9, 0.9, 0.1, 1.0) if white else (0.012, 0.012, 0.015, 0.08, 1.0)
    if x > 0.80 and 1.02 < y < 1.34 and (x - 0.44) ** 2 + (y - 1.24) ** 2 + z * z > 0.436**2:
        return 0.80, 0.20, 0.02, 0.3, 1.0
    tone = 0.97 + 0.06 * noise(x * 3, y * 3, z * 3)
    return 0.86 * tone, 0.54 * tone, 0.025, 0.24, 1.0


@fast()
def rocket_radius(y):
    t = clamp((y - 0.28) / 1.55, 0.0, 1.0)
    return 0.46 * sqrt(max(1e-4, 1.0 - t**2.6)) * (0.74 + 0.26 * step(-0.05, 0.45, t))


@fast()
def rocket_distance(x, y, z):
    r = sqrt(x * x + z * z)
    body = max((r - rocket_radius(y)) * 0.72, max(0.28 - y, y - 1.83))
    body = join(body, disc(x, y - 0.24, z, 0.24, 0.10, 0.03), 0.03)
    body = min(body, sqrt(max(r - 0.01, 0.0) ** 2 + max(abs(y - 1.86) - 0.06, 0.0) ** 2) - 0.025)
    fins = 10.0
    for side in (0.0, pi, -pi / 2):
        a, b = turned(x, z, side)
        sweep = limb(a, y, 0.0, 0.34, 0.62, 0.0, 0.80, 0.06, 0.0, 0.17, 0.06)
        fin = sqrt(max(sweep + 0.03, 0.0) ** 2 + max(abs(b) - 0.035, 0.0) ** 2) - 0.03
        fin = cut(fin, limb(a, y, 0.0, 0.20, 0.0, 0.0, 0.42, 0.02, 0.0, 0.24, 0.16), 0.05)
        fins = min(fins, max(fin, -y))
    body = join(body, fins, 0.035)
    port = min(ring(x, y - 1.14, z - 0.405, 0.165, 0.04), ring(x, y - 0.66, z - 0.445, 0.085, 0.025))
    glass = min(ellipsoid(x, y - 1.14, z - 0.37, 0.16, 0.16, 0.07), ellipsoid(x, y - 0.66, z - 0.43, 0.08, 0.08, 0.045))
    return min(min(body, port), glass)


@fast()
def rocket_surface(x, y, z, nx, ny, nz):
    r = sqrt(x * x + z * z)
    big, small = sqrt(x * x + (y - 1.14) ** 2), sqrt(x * x + (y - 0.66) ** 2)
    if z > 0.2 and (big < 0.125 or small < 0.06):
        return 0.05, 0.22, 0.42, 0.06, 1.0
    if z > 0.2 and (big < 0.21 or small < 0.112):
        return 0.72, 0.50, 0.16, 0.25, 1.0
    if r > rocket_radius(y) + 0.015 and y < 1.0 and r > 0.28:
        return 0.62, 0.05, 0.03, 0.28, 1.0
    if y > 1.44:
        return 0.62, 0.05, 0.03, 0.28, 1.0
    if y < 0.30:
        return 0.12, 0.12, 0.13, 0.35, 1.0
    if 0.40 < y < 0.47 or 1.39 < y < 1.44:
        return 0.06, 0.16, 0.34, 0.28, 1.0
    tone = 0.96 + 0.08 * cloudy(x * 4, y * 4, z * 4)
    return 0.78 * tone, 0.74 * tone, 0.66 * tone, 0.28, 1.0


@fast()
def mug_distance(x, y, z):
    x = x + 0.22
    radius = 0.60 + 0.025 * y
    wall = disc(x, y - 0.72, z, radius, 0.72, 0.08)
    wall = cut(wall, disc(x, y - 0.85, z, radius - 0.075, 0.75, 0.10), 0.03)
    wall += 0.004 * cos(y * 70.0) * step(0.1, 0.2, y) * step(1.3, 1.2, y)
    hx, hy = x - 0.62, y - 0.74
    loop = sqrt((sqrt((hx * 1.05) ** 2 + (hy * 0.86) ** 2) - 0.37) ** 2 + (z * 0.72) ** 2) - 0.066
    loop = max(loop, -(sqrt(x * x + z * z) - radius + 0.04))
    return join(wall, loop, 0.06) * 0.9


@fast()
def mug_surface(x, y, z, nx, ny, nz):
    raw = step(0.20, 0.17, y + 0.03 * noise(atan2(z, x + 0.22) * 3, 0.0, 0.0))
    drip = 0.96 + 0.10 * noise(atan2(z, x + 0.22) * 5.0, 0.5, 0.0)
    cream = step(drip, drip + 0.02, y)
    speck = 0.8 * step(0.80, 0.86, noise(x * 34, y * 34, z * 34))
    tone = 0.85 + 0.3 * cloudy(x * 2.4, y * 2.4, z * 2.4)
    r, g, b = mix(0.03 * tone, 0.70, cream), mix(0.19 * tone, 0.62, cream), mix(0.24 * tone, 0.50, cream)
    r, g, b = mix(r, r * 0.35, speck), mix(g, g * 0.35, speck), mix(b, b * 0.35, speck)
    return mix(r, 0.42, raw), mix(g, 0.25, raw), mix(b, 0.15, raw), mix(0.14, 0.8, raw), mix(1.0, 0.2, raw)


@fast()
def chair_distance(x, y, z):
    x, z = turned(x, z, 0.55)
    seat = box(x, y - 0.86, z, 0.50, 0.045, 0.47, 0.035) + 0.05 * bump(sqrt(x * x + (z - 0.05) ** 2), 0.34) * step(
        0.86, 0.90, y
    )
    legs = limb(abs(x), y, z, 0.40, 0.84, 0.37, 0.46, 0.03, 0.43, 0.055, 0.036)
    legs = min(legs, limb(abs(x), y, z, 0.40, 0.84, -0.37, 0.45, 0.03, -0.47, 0.055, 0.036))
    legs = min(legs, limb(abs(x), y, z, 0.425, 0.40, 0.38, 0.425, 0.40, -0.40, 0.026, 0.026))
    legs = min(legs, limb(x, y, z, -0.42, 0.46, -0.02, 0.42, 0.46, -0.02, 0.026, 0.026))
    posts = limb(abs(x), y, z, 0.40, 0.88, -0.39, 0.43, 1.72, -0.56, 0.045, 0.038)
    bow = -0.09 * (1.0 - (x / 0.45) ** 2)
    rail = box(x, y - 1.66, z + 0.545 - bow, 0.45, 0.10, 0.030, 0.028)
    bars = 10.0
    for i in range(4):
        at = -0.24 + 0.16 * i
        bars = min(bars, limb(x, y, z, at, 0.88, -0.40, at, 1.62, -0.545 - 0.08, 0.020, 0.020))
    return min(max(min(join(seat, legs, 0.02), posts), -y), min(rail, bars)) * 0.85


@fast()
def chair_surface(x, y, z, nx, ny, nz):
    x, z = turned(x, z, 0.55)
    if abs(y - 0.86) < 0.06:
        a, b, c = x * 26, y * 6, z * 2.5
    elif y > 1.55:
        a, b, c = x * 2.5, y * 26, z * 8
    else:
        a, b, c = x * 24, y * 2.5, z * 24
    grain = 0.6 * noise(a, b, c) + 0.4 * noise(a * 3, b * 3, c * 3)
    tone = 0.62 + 0.62 * grain
    return 0.46 * tone, 0.23 * tone, 0.085 * tone, 0.38, 0.8
