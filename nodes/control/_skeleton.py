"""People as 18 joints in OpenPose's order, colours and file format, drawn as ControlNet was trained on them.

Joints: (P, 18, 3) float: x and y in pixels from the top left corner, and how sure, 0 = not seen. Colours and limbs
follow the drawing of OpenPose (Cao et al. 2017) that ControlNet uses; the order of 17 joints is that of COCO.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput

Array = NDArray[Any]
Size = tuple[int, int]
JOINTS = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist",
    "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle", "right eye", "left eye",
    "right ear", "left ear",
)  # fmt: skip
NECK, SHOULDERS = 1, (5, 6)
FROM_COCO = (0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13), (1, 0),
    (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
COLOURS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255),
    (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
LIMB_SHADE = 0.6
PEN, NORMAL_SIDE = 4.0, 512
MOST_PEOPLE, MOST_SIDE = 200, 8192


def from_coco(points: Array) -> Array:
    """(P, 18, 3) from COCO's 17 joints (P, 17, 3); the neck lies midway between the shoulders."""
    neck = points[:, SHOULDERS, :].mean(axis=1)
    neck[:, 2] = points[:, SHOULDERS, 2].min(axis=1)
    return np.stack([neck if k < 0 else points[:, k] for k in FROM_COCO], axis=1)


def drawn(people: Array, size: Size, least: float, thickness: float = 1.0) -> NDArray[np.uint8]:
    """(H, W, 3) uint8: limbs in darkened colours, and over them every joint in its own.

    Joints that are less sure than ``least`` are left out, and so are their limbs. ``thickness``: times ControlNet's
    own pen, which is 4 pixels in a picture whose shorter side has 512.
    """
    import cv2

    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    radius = max(1, round(PEN * thickness * min(size) / NORMAL_SIDE))
    seen = (people[..., 2] >= max(least, 1e-6)) & np.isfinite(people).all(axis=-1)
    for person, there in zip(people, seen, strict=True):
        for (a, b), colour in zip(LIMBS, COLOURS, strict=False):
            if there[a] and there[b]:
                shade = [int(c * LIMB_SHADE) for c in colour]
                cv2.fillConvexPoly(canvas, _bone(person[a, :2], person[b, :2], radius), shade)
    for person, there in zip(people, seen, strict=True):
        for k in np.flatnonzero(there):
            cv2.circle(canvas, _pixel(person[k, :2]), radius, COLOURS[k], -1)
    return canvas


def _bone(one: Array, two: Array, radius: int) -> Array:
    import cv2

    middle, along = (one + two) / 2, two - one
    half = max(1, round(float(np.hypot(*along)) / 2))
    angle = round(float(np.degrees(np.arctan2(along[1], along[0]))))
    return np.asarray(cv2.ellipse2Poly(_pixel(middle), (half, radius), angle, 0, 360, 1))


def _pixel(point: Array) -> tuple[int, int]:
    x, y = (int(np.clip(np.floor(v), -(2**14), 2**14)) for v in point)
    return x, y


def as_text(people: Array, size: Size) -> str:
    """OpenPose's JSON: three numbers for each joint, in pixels of a canvas of ``size``; a line for each joint."""
    rows = [",\n".join(", ".join(f"{v:.3f}" for v in joint) for joint in person) for person in people]
    entries = ", ".join(f'{{"pose_keypoints_2d": [\n{row}]}}' for row in rows)
    return f'{{"canvas_width": {size[0]}, "canvas_height": {size[1]}, "people": [{entries}]}}\n'


def from_text(text: str) -> tuple[Array, Size]:
    """(joints (P, 18, 3), (width, height)) of such a JSON text. Raises :class:`BadInput`."""
    try:
        found = json.loads(text)
        found = found[0] if isinstance(found, list) else found
        size = (int(found["canvas_width"]), int(found["canvas_height"]))
        rows = [entry["pose_keypoints_2d"] for entry in found["people"]][:MOST_PEOPLE]
        people = np.array(rows, np.float64).reshape(len(rows), len(JOINTS), 3)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
        raise BadInput(
            "The joints cannot be read.",
            "Give OpenPose's JSON: canvas_width, canvas_height, and people with 54 numbers in pose_keypoints_2d.",
        ) from None
    if not (min(size) >= 1 and max(size) <= MOST_SIDE):
        raise BadInput(f"A canvas of {size[0]} x {size[1]} pixels cannot be drawn.", f"Use 1 to {MOST_SIDE} pixels.")
    return people, size
