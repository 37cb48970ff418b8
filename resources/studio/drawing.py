"""A flat drawing with a transparent background: a small dinosaur with a dark outline."""

import numpy as np
from PIL import Image

INK, GREEN = (46, 52, 64), (104, 190, 132)
SPIKES = (
    (0.515, 0.845, 0.055), (0.455, 0.735, 0.062), (0.385, 0.64, 0.068),
    (0.30, 0.55, 0.066), (0.225, 0.445, 0.058), (0.155, 0.36, 0.045),
)  # fmt: skip
SPOTS = (
    (0.40, 0.52, 0.026), (0.33, 0.44, 0.032), (0.42, 0.42, 0.020), (0.27, 0.32, 0.022), (0.37, 0.34, 0.018),
)  # fmt: skip


def circle(x, y, cx, cy, rx, ry=None, turn=0.0):
    """Signed distance, nearly, of an ellipse."""
    ry = ry or rx
    c, s = np.cos(turn), np.sin(turn)
    a, b = (x - cx) * c + (y - cy) * s, (y - cy) * c - (x - cx) * s
    return (np.hypot(a / rx, b / ry) - 1) * min(rx, ry)


def limb(x, y, ax, ay, bx, by, ra, rb):
    dx, dy = bx - ax, by - ay
    t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(x - ax - t * dx, y - ay - t * dy) - (ra + (rb - ra) * t)


def join(a, b, k):
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.minimum(a, b) - h * h * k / 4


def dinosaur(side: int = 1024) -> Image.Image:
    """(side, side) RGBA, drawn at twice the size."""
    n = side * 2
    y, x = np.mgrid[1 - 0.5 / n : 0 : n * 1j, 0.5 / n : 1 : n * 1j]
    body = circle(x, y, 0.47, 0.40, 0.20, 0.23, 0.15)
    neck = limb(x, y, 0.53, 0.52, 0.62, 0.74, 0.125, 0.11)
    head = join(circle(x, y, 0.63, 0.77, 0.145, 0.125), circle(x, y, 0.74, 0.735, 0.11, 0.085), 0.09)
    tail = join(limb(x, y, 0.36, 0.32, 0.18, 0.23, 0.14, 0.075), limb(x, y, 0.18, 0.23, 0.07, 0.30, 0.075, 0.022), 0.05)
    legs = np.minimum(
        limb(x, y, 0.40, 0.28, 0.38, 0.115, 0.095, 0.065), limb(x, y, 0.56, 0.28, 0.57, 0.115, 0.085, 0.062)
    )
    feet = np.minimum(circle(x, y, 0.405, 0.085, 0.095, 0.05), circle(x, y, 0.60, 0.085, 0.095, 0.05))
    arm = limb(x, y, 0.62, 0.47, 0.72, 0.43, 0.050, 0.036)
    legs = np.minimum(legs, limb(x, y, 0.49, 0.25, 0.495, 0.13, 0.09, 0.05))
    shape = join(join(join(body, neck, 0.10), head, 0.08), tail, 0.10)
    shape = join(join(join(shape, legs, 0.05), feet, 0.03), arm, 0.04)
    shape = np.maximum(shape, 0.048 - y)
    spikes = np.full_like(shape, 9.0)
    for cx, cy, size in SPIKES:
        spikes = np.minimum(spikes, circle(x, y, cx, cy, size, size * 0.72, 2.3))
    whole = np.minimum(shape, spikes)
    belly = circle(x, y, 0.585, 0.36, 0.105, 0.21, 0.10)
    picture = np.zeros((n, n, 4))
    paint(picture, whole - 0.012, INK)
    paint(picture, spikes, (242, 166, 84))
    paint(picture, shape - 0.012, INK)
    paint(picture, shape, GREEN)
    paint(picture, np.maximum(shape, -shape_shadow(x, y, shape)), (84, 168, 114))
    paint(picture, np.maximum(belly, shape + 0.004), (222, 232, 176))
    for k in range(4):
        paint(
            picture,
            np.maximum(np.maximum(np.abs(circle(x, y, 0.60, 1.02 - 0.12 * k, 0.56)) - 0.003, belly), shape),
            (178, 196, 132),
        )
    for cx, cy, size in SPOTS:
        paint(picture, circle(x, y, cx, cy, size, size * 0.8), (72, 150, 104))
    paint(picture, circle(x, y, 0.66, 0.80, 0.034, 0.042), INK)
    paint(picture, circle(x, y, 0.672, 0.815, 0.012), (255, 255, 255))
    paint(picture, circle(x, y, 0.66, 0.735, 0.028, 0.018), (240, 150, 140))
    paint(picture, circle(x, y, 0.815, 0.765, 0.010), INK)
    smile = np.maximum(np.abs(circle(x, y, 0.745, 0.775, 0.085)) - 0.005, np.maximum(y - 0.722, 0.69 - x))
    paint(picture, smile, INK)
    paint(picture, arm, GREEN)
    paint(picture, np.maximum(np.abs(arm) - 0.005, shape + 0.006), INK)
    paint(picture, limb(x, y, 0.505, 0.05, 0.50, 0.165, 0.006, 0.005), INK)
    return Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8), "RGBA").resize(
        (side, side), Image.Resampling.BOX
    )


def shape_shadow(x, y, shape):
    """Where light from the upper right does not reach: the shape moved that way."""
    return np.roll(shape, (-int(0.022 * len(x)), int(0.022 * len(x))), (0, 1))


def paint(picture, distance, colour):
    """Lay a colour where the distance is negative, over what is there."""
    n = len(picture)
    cover = np.clip(0.5 - distance * n * 0.7, 0, 1)[..., None]
    ink = np.array([*colour, 255]) / 255
    alpha = cover + picture[..., 3:] * (1 - cover)
    picture[..., :3] = np.where(
        alpha > 0, (ink[:3] * cover + picture[..., :3] * picture[..., 3:] * (1 - cover)) / np.maximum(alpha, 1e-6), 0
    )
    picture[..., 3:] = alpha
