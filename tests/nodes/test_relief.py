"""Heights and normals lead back to each other; combined normals lie where geometry puts them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.engine import BadInput, Image, Mask, Run
from nodes.texture._integrate import integrated, slopes_of
from nodes.texture._maps import normals_from_height
from nodes.texture.combine_normals import combine_normals, combined
from nodes.texture.relief import height_from_normal, normal_from_height


def hills(wrap: bool, size: tuple[int, int] = (96, 128)) -> np.ndarray:
    """Heights in pixels; as a torus where ``wrap``."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=size).astype(np.float32)
    reach = 30
    padded = np.pad(values, reach, mode="wrap" if wrap else "symmetric")
    soft = cv2.GaussianBlur(padded, (0, 0), 3)[reach:-reach, reach:-reach]
    return np.ascontiguousarray(soft / soft.std() * 3)


@pytest.mark.parametrize("wrap", [True, False])
def test_heights_come_back_from_their_normals(wrap: bool) -> None:
    true = hills(wrap)
    normals = normals_from_height(true, wrap)
    got = integrated(*slopes_of(normals), wrap)
    assert np.abs(got - (true - true.mean())).max() < 0.01 * np.ptp(true)


@pytest.mark.parametrize("green", ["OpenGL", "DirectX"])
def test_the_two_nodes_undo_each_other(green: str) -> None:
    true = hills(True)
    level = (true - true.min()) / np.ptp(true)
    depth = 100 * float(np.ptp(true)) / true.shape[1]
    normal = normal_from_height(Run(), Image.of(level, "data"), depth=depth, tiles=True, green=green)  # type: ignore[arg-type]
    back = height_from_normal(Run(), normal, tiles=True, green=green)  # type: ignore[arg-type]
    assert back.depth.value == pytest.approx(depth, rel=0.01)
    assert np.abs(back.height.rgb[..., 0] - level).max() < 0.01
    again = normal_from_height(Run(), back.height, depth=back.depth.value, tiles=True, green=green)  # type: ignore[arg-type]
    angle = np.degrees(np.arccos(np.clip(((normal.rgb * 2 - 1) * (again.rgb * 2 - 1)).sum(axis=2), -1, 1)))
    assert angle.max() < 0.5
    other = normal_from_height(Run(), Image.of(level, "data"), depth=depth, tiles=True)
    assert (green == "OpenGL") == np.array_equal(other.pixels, normal.pixels)


def test_a_ramp_is_a_plane_up_to_its_ends() -> None:
    """Without wrapping, a constant slope is a plane and not a saw, up to the border."""
    x = np.arange(64, dtype=np.float32)
    plane = np.tile(0.2 * x, (48, 1))
    normal = np.broadcast_to(np.float32((-0.2, 0, 1)) / np.sqrt(np.float32(1.04)), (48, 64, 3))
    got = integrated(*slopes_of(normal), False)
    assert np.abs(got - (plane - plane.mean())).max() < 0.02 * np.ptp(plane) + 0.2
    assert np.abs((got[:, 2:] - got[:, :-2]) / 2 - 0.2)[:, 3:-3].max() < 0.03
    run = Run()
    height_from_normal(run, Image.of(normal * 0.5 + 0.5, "data"), depth=1)
    assert "deep" in run.notes[0]


def test_flat_maps_give_even_heights_and_sunk_turns_them_over() -> None:
    flat = Image.of(np.broadcast_to(np.float32((0.5, 0.5, 1)), (16, 16, 3)), "data")
    assert np.allclose(height_from_normal(Run(), flat).height.rgb, 0.5)
    image = Image.of(hills(False) * 0.05 + 0.5, "data")
    one, two = (normal_from_height(Run(), image, bright_is=way).rgb for way in ("raised", "sunk"))
    assert np.allclose(one[..., :2] + two[..., :2], 1, atol=1e-5)


def random_normals(seed: int, tilt: float, size: int = 24) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=(size, size, 3)) * (tilt, tilt, 0) + (0, 0, 1)
    return (vector / np.linalg.norm(vector, axis=2, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("method", ["reoriented", "whiteout", "UDN", "slopes"])
def test_nothing_on_something_is_that(method: str) -> None:
    flat = np.broadcast_to(np.float32((0, 0, 1)), (24, 24, 3))
    some = random_normals(1, 0.5)
    assert np.allclose(combined(some, flat, method), some, atol=1e-6)  # type: ignore[arg-type]
    other = combined(flat, some, method)  # type: ignore[arg-type]
    if method != "UDN":
        assert np.allclose(other, some, atol=1e-6)
    assert np.allclose(np.linalg.norm(other, axis=2), 1, atol=1e-6)


def test_reoriented_is_the_rotation_that_takes_up_to_the_base() -> None:
    base, detail = random_normals(1, 0.6), random_normals(2, 0.4)
    got = combined(base, detail, "reoriented")
    for b, d, g in zip(base.reshape(-1, 3), detail.reshape(-1, 3), got.reshape(-1, 3), strict=True):
        axis = np.cross((0, 0, 1), b)
        angle = np.arccos(b[2])
        turn = Rotation.from_rotvec(axis / max(np.linalg.norm(axis), 1e-12) * angle)
        assert np.allclose(turn.apply(d), g, atol=1e-4)


def test_slopes_are_those_of_the_sum_of_heights() -> None:
    one, two = hills(True), hills(True)[::-1] * 0.3
    got = combined(normals_from_height(one, True), normals_from_height(np.ascontiguousarray(two), True), "slopes")
    assert np.allclose(got, normals_from_height(one + two, True), atol=1e-5)


def test_detail_repeats_is_masked_and_scaled() -> None:
    base = Image.of(np.broadcast_to(np.float32((0.5, 0.5, 1)), (64, 64, 3)), "data")
    detail = Image.of(random_normals(4, 0.4, 16) * 0.5 + 0.5, "data")
    tiled = combine_normals(Run(), base, detail, repeat=4)
    assert np.allclose(tiled.rgb, np.tile(detail.rgb, (4, 4, 1)), atol=1e-5) and tiled.space == "data"
    half = np.zeros((64, 64), np.float32)
    half[:, 32:] = 1
    masked = combine_normals(Run(), base, detail, Mask(half), repeat=4)
    assert np.allclose(masked.rgb[:, :32], (0.5, 0.5, 1), atol=1e-6)
    assert np.allclose(masked.rgb[:, 32:], tiled.rgb[:, 32:], atol=1e-6)
    assert np.allclose(combine_normals(Run(), base, detail, strength=0).rgb, base.rgb, atol=1e-6)


def test_bad_numbers_are_refused() -> None:
    bad = Image(np.full((4, 4, 4), np.nan, np.float32))
    for call in (lambda: height_from_normal(Run(), bad), lambda: normal_from_height(Run(), bad),
                 lambda: combine_normals(Run(), bad, bad)):  # fmt: skip
        with pytest.raises(BadInput, match="not numbers"):
            call()
