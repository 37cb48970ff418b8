"""A sculpted owl on a stump, as a signed distance and its paint, +Y up, about two units tall."""

from math import atan2, floor, pi, sqrt

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
)


@fast()
def shingles(x, y, z, rows, around):
    """0..1: overlapping feathers in rows, thick at their lower, rounded edge."""
    v = y * rows
    u = atan2(x, z) / (2 * pi) * around
    row = floor(v)
    at = u + 0.5 * (row % 2)
    edge = v - row - 0.55 * (2 * (at - floor(at)) - 1) ** 2
    if edge < 0:
        at = u + 0.5 * ((row - 1) % 2)
        edge = v - row + 1 - 0.55 * (2 * (at - floor(at)) - 1) ** 2
    return clamp(1.0 - edge, 0.0, 1.0) * step(0.0, 0.10, edge)


@fast()
def toes(x, y, z):
    found = 9.0
    for i in range(3):
        found = min(found, limb(abs(x), y, z, 0.24, 0.24, 0.34, 0.12 + 0.12 * i, 0.20, 0.56, 0.07, 0.045))
    return found


@fast()
def owl_distance(x, y, z):
    side = abs(x)
    body = ellipsoid(x, y - 0.82, z, 0.56, 0.70, 0.48)
    head = ellipsoid(x, y - 1.48, z - 0.02, 0.50, 0.40, 0.44)
    bird = join(body, head, 0.16)
    bird = join(bird, limb(side, y, z, 0.30, 1.74, 0.02, 0.47, 2.02, -0.03, 0.13, 0.03), 0.12)
    if bird < 0.12:
        chest = step(0.15, 0.30, z) * step(1.22, 1.08, y)
        bird -= 0.030 * chest * shingles(x, y, z, 7.0, 22.0)
        bird -= 0.012 * (1.0 - chest) * noise(x * 22, y * 9, z * 22)
    wx, wy = turned(side - 0.50, y - 0.86, 0.18)
    wing = ellipsoid(wx, wy, z + 0.04, 0.15, 0.60, 0.36)
    if wing < 0.12:
        wing -= 0.034 * shingles(z + 0.04, wy, 0.55, 6.0, 34.0)
    bird = join(bird, wing, 0.05)
    face = ellipsoid(side - 0.20, y - 1.50, z - 0.44, 0.235, 0.235, 0.16)
    bird = join(bird, face, 0.05)
    bird = cut(bird, ellipsoid(side - 0.205, y - 1.50, z - 0.66, 0.20, 0.20, 0.16), 0.05)
    bird = min(bird, sqrt((side - 0.20) ** 2 + (y - 1.50) ** 2 + (z - 0.485) ** 2) - 0.118)
    bird = min(bird, ring(side - 0.20, y - 1.50, z - 0.525, 0.125, 0.022))
    bird = join(bird, limb(x, y, z, 0.0, 1.45, 0.52, 0.0, 1.25, 0.60, 0.075, 0.025), 0.03)
    bird = join(bird, toes(x, y, z), 0.03)
    bird = join(bird, box(x, y - 0.36, z + 0.46, 0.24, 0.34, 0.07, 0.06), 0.10)
    stump = disc(x, y - 0.10, z - 0.06, 0.66, 0.10, 0.04)
    if stump < 0.15:
        stump -= 0.035 * cloudy(atan2(x, z) * 7, 1.0 + y * 0.8, 2.0) * step(0.55, 0.62, sqrt(x * x + (z - 0.06) ** 2))
        stump += 0.008 * bump(sqrt(x * x + (z - 0.06) ** 2) % 0.11 - 0.055, 0.02)
    return join(bird, stump, 0.03)


@fast()
def owl_paint(x, y, z):
    """sRGB-encoded (r, g, b), 0..1."""
    side = abs(x)
    tone = 0.86 + 0.28 * cloudy(x * 6, y * 6, z * 6)
    eye = sqrt((side - 0.20) ** 2 + (y - 1.50) ** 2)
    if z > 0.42 and abs(y - 1.5) < 0.2:
        if eye < 0.052:
            return 0.06, 0.05, 0.06
        if eye < 0.104:
            return 0.95, 0.66, 0.12
        if eye < 0.152:
            return 0.20, 0.14, 0.11
    if z > 0.50 and side < 0.09 and 1.20 < y < 1.54:
        return 0.83 * tone, 0.55 * tone, 0.18 * tone
    if toes(x, y, z) < 0.008:
        return 0.82 * tone, 0.56 * tone, 0.22 * tone
    if y < 0.235:
        rings = 0.5 + 0.5 * bump(sqrt(x * x + (z - 0.06) ** 2) % 0.11 - 0.055, 0.03) if y > 0.17 else 0.8
        return 0.52 * tone * rings + 0.1, 0.38 * tone * rings + 0.06, 0.26 * tone * rings + 0.03
    if z > 0.33 and eye < 0.27 and y > 1.2:
        return 0.86 * tone, 0.76 * tone, 0.60 * tone
    chest = step(0.18, 0.30, z) * step(1.24, 1.10, y) * step(0.26, 0.30, y) * step(0.48, 0.40, side)
    feather = shingles(x, y, z, 7.0, 22.0) if chest > 0.5 else shingles(z + 0.04, y - 0.86, 0.55, 6.0, 34.0)
    dark = 0.62 + 0.38 * (1.0 - feather) if y < 1.25 else 0.9
    return (
        mix(0.47, 0.88, chest) * mix(dark, 0.75 + 0.25 * dark, chest) * tone,
        mix(0.33, 0.77, chest) * mix(dark, 0.75 + 0.25 * dark, chest) * tone,
        mix(0.23, 0.58, chest) * mix(dark, 0.75 + 0.25 * dark, chest) * tone,
    )
