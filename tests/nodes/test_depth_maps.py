"""Depth as geometry: exact on planes, near the truth on a sphere."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine import BadInput, Depth, Image, Mask, Run
from nodes.control.depth import depth_map
from nodes.control.normal import normal_map
from nodes.depth._maps import metres_of, near_white, normals_of, smoothed
from nodes.depth.normals import normals
from nodes.mesh._camera import camera, intrinsics_of, unproject
from nodes.mesh._render import render
from nodes.mesh.primitives import sphere

SIZE = (80, 60)
LENS = intrinsics_of(40, SIZE)


def depth_of(metres: np.ndarray) -> Depth:
    return Depth(np.asarray(metres, np.float32), LENS.astype(np.float32))


def plane(normal: np.ndarray, away: float) -> Depth:
    rays = unproject(np.ones(SIZE[::-1]), LENS)
    return depth_of(away * normal[2] / -(rays @ normal))


@pytest.mark.parametrize("tilt", [(0, 0), (40, 0), (0, -50), (-30, 30)])
def test_normals_of_a_plane_are_exact_everywhere(tilt: tuple[float, float]) -> None:
    x, y = np.radians(tilt)
    normal = np.array([np.sin(x) * np.cos(y), np.sin(y), np.cos(x) * np.cos(y)])
    got = normals_of(plane(normal, 3.0))
    assert np.abs(got - normal).max() < 2e-4


def test_normals_of_a_sphere_are_within_a_degree() -> None:
    size = (240, 240)
    seen = camera(20, 10, 2, 40, size)
    truth = render(sphere(radius=0.5, style="icosphere", detail=96), *seen, size)
    got = normals_of(Depth(truth.depth, seen.intrinsics.astype(np.float32)))
    facing = (truth.face >= 0) & (truth.normal[..., 2] > 0.5)
    angle = np.degrees(np.arccos(np.clip((got * truth.normal).sum(-1)[facing], -1, 1)))
    assert np.median(angle) < 0.5 and np.percentile(angle, 99) < 1
    assert not got[truth.face < 0].any(), "unknown depth has no normal"


def test_a_step_in_depth_is_no_slope() -> None:
    metres = np.full(SIZE[::-1], 3.0)
    metres[20:40, 30:50] = 2.0
    assert np.abs(normals_of(depth_of(metres)) - (0, 0, 1)).max() < 0.02


def test_the_colours_of_a_normal_map() -> None:
    """Seen from the front, a wall that faces right: OpenGL has it red, ControlNet's normal model blue-green."""
    tilt = np.array([0.8, 0.0, 0.6])
    map_ = normals(Run(), plane(tilt, 3.0), smooth=0)
    assert map_.space == "data" and np.allclose(map_.rgb, (tilt + 1) / 2, atol=1e-3)
    turned = normal_map(Run(), map_)
    assert np.allclose(turned.rgb, (tilt * (-1, 1, 1) + 1) / 2, atol=1e-3)
    assert np.allclose(normal_map(Run(), map_, red="right").rgb, map_.rgb, atol=1e-3)
    outside = normal_map(Run(), map_, Mask(np.zeros(SIZE[::-1], np.float32)))
    assert np.allclose(outside.rgb, (0.5, 0.5, 1))


def test_nearest_is_white_and_unknown_is_black() -> None:
    metres = np.array([[1.0, 2.0], [4.0, np.nan]])
    assert np.allclose(near_white(depth_of(metres)), [[1, (0.5 - 0.25) / 0.75], [0, 0]])
    assert np.allclose(near_white(depth_of(metres), floor=0.4)[1], [0.4, 0])
    shown = depth_map(Run(), depth_of(metres))
    assert shown.space == "data" and np.allclose(depth_map(Run(), depth_of(metres), invert=True).rgb, 1 - shown.rgb)
    assert (near_white(depth_of(np.full((2, 2), 3.0))) == 1).all()


def test_relative_disparity_becomes_metres_in_the_range() -> None:
    disparity = np.array([[10.0, 5.0, 0.0]])
    assert np.allclose(metres_of(disparity, 1, 4), [[1, 1 / 0.625, 4]])
    recovered = near_white(depth_of(metres_of(disparity, 0.7, 9)))
    assert np.allclose(recovered, [[1, 0.5, 0]], atol=1e-6)
    assert np.allclose(metres_of(np.ones((2, 2)), 1, 4), 4)


def test_smoothing_keeps_planes_and_gaps() -> None:
    flat = plane(np.array([0.0, 0.0, 1.0]), 2.0)
    assert np.allclose(smoothed(flat, 3).metres, flat.metres, atol=1e-5)
    metres = flat.metres.copy()
    metres[10:20, 10:20] = np.nan
    soft = smoothed(depth_of(metres), 3).metres
    assert np.isnan(soft[10:20, 10:20]).all() and np.allclose(soft[np.isfinite(metres)], 2, atol=1e-5)


def test_hopeless_depth_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match="no known depth"):
        depth_map(Run(), depth_of(np.full((4, 4), np.nan)))
    with pytest.raises(BadInput, match="camera"):
        normals(Run(), Depth(np.ones((4, 4), np.float32), np.zeros((3, 3), np.float32)))
    with pytest.raises(BadInput, match="not numbers"):
        normal_map(Run(), Image(np.full((2, 2, 4), np.nan, np.float32)))
