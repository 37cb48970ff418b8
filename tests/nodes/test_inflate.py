"""Inflate: shapes whose answer is known, closedness, silhouette, texture and bad input."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.engine import BadInput, Cancelled, Depth, Image, Mask, Mesh, Run
from nodes.image_to_3d.inflate import inflate

SIDE = 256


def grid(side=SIDE):
    y, x = np.mgrid[:side, :side] + 0.5
    return x - side / 2, y - side / 2


def picture(inside, seed=3):
    """``inside``: signed distance in pixels, positive within. Smooth random colours, antialiased alpha."""
    noise = np.random.default_rng(seed).random((16, 16, 3)).astype(np.float32)
    rgb = np.clip(cv2.resize(noise, inside.shape[::-1], interpolation=cv2.INTER_CUBIC), 0, 1)
    alpha = np.clip(inside + 0.5, 0, 1)
    return Image(np.dstack([rgb, alpha]).astype(np.float32))


def disc(radius=100.0, at=(0, 0), side=SIDE):
    x, y = grid(side)
    return radius - np.hypot(x - at[0], y - at[1])


def slab(half_width, half_height):
    x, y = grid()
    return np.minimum(half_width - abs(x), half_height - abs(y))


SHAPES = {
    "disc": (disc(), 2),
    "ring": (30 - abs(np.hypot(*grid()) - 80), 0),
    "two discs": (np.maximum(disc(50, (-60, 0)), disc(40, (60, 20))), 4),
    "slab": (slab(100, 40), 2),
    "cup": (np.maximum(slab(50, 80), 8 - abs(np.hypot(grid()[0] - 60, grid()[1]) - 40)), 0),
    "thin cross": (np.maximum(slab(3, 110), slab(110, 2)), 2),
    "star": (70 + 40 * np.cos(5 * np.arctan2(*grid())) - np.hypot(*grid()), 2),
}
PLAIN = {"relief": 0.0, "flatness": 0.0, "thickness": 1.0, "faces": 16_000, "resolution": 160}


@cache
def made(name, **settings) -> Mesh:
    return inflate(Run(), picture(SHAPES[name][0]), **{**PLAIN, **settings})


def welded(mesh):
    points, number = np.unique(mesh.vertices, axis=0, return_inverse=True)
    return points.astype(float), number.ravel()[mesh.faces]


def sides(faces):
    return faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)


def volume(points, faces):
    a, b, c = (points[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def smallest_angles(points, faces):
    corner = points[faces]
    edge = np.roll(corner, -1, axis=1) - corner
    edge = edge / np.linalg.norm(edge, axis=2, keepdims=True)
    cosine = -np.einsum("ijk,ijk->ij", edge, np.roll(edge, 1, axis=1))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1))).min(axis=1)


@pytest.mark.parametrize("name", SHAPES)
def test_closed_oriented_and_of_the_right_genus(name):
    points, faces = welded(made(name))
    pairs, uses = np.unique(sides(faces), axis=0, return_counts=True)
    assert (uses == 1).all()  # each side once in each direction: no side is shared by faces that disagree
    assert {tuple(p) for p in pairs} == {tuple(p[::-1]) for p in pairs}
    assert len(points) - len(pairs) // 2 + len(faces) == SHAPES[name][1]
    assert volume(points, faces) > 0
    assert len(np.unique(faces)) == len(points)


@pytest.mark.parametrize("name", SHAPES)
def test_triangles_are_well_shaped(name):
    points, faces = welded(made(name))
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    assert area.min() > 1e-5 * np.median(area)
    angles = smallest_angles(points, faces)
    assert np.median(angles) > 35
    assert np.percentile(angles, 1) > 10


def extent(inside, axis):
    """Lowest and highest position of the zero line along an axis, between pixels, from the centre."""
    most = inside.max(axis=1 - axis)
    first, last = np.flatnonzero(most > 0)[[0, -1]]
    low = first - most[first] / (most[first] - most[first - 1])
    high = last + most[last] / (most[last] - most[last + 1])
    return low + 0.5, high + 0.5


def front_view(mesh, inside, fine):
    """The front half drawn flat over the picture, ``fine`` times larger."""
    (left, right), (top, bottom) = extent(inside, 1), extent(inside, 0)
    scale = (bottom - top) / np.ptp(mesh.vertices[:, 1])
    x, y = mesh.vertices[:, 0] * scale + (left + right) / 2, bottom - mesh.vertices[:, 1] * scale
    drawn = np.zeros((SIDE * fine, SIDE * fine), np.uint8)
    for face in (np.stack([x, y], axis=1) * fine - 0.5)[mesh.faces[: len(mesh.faces) // 2]]:
        cv2.fillConvexPoly(drawn, np.round(face * 16).astype(np.int32), 1, shift=4)
    return drawn > 0


@pytest.mark.parametrize("name", SHAPES)
def test_front_view_is_the_silhouette_to_half_a_pixel(name):
    inside, fine = SHAPES[name][0], 8
    drawn = front_view(made(name), inside, fine)
    wanted = cv2.resize(inside.astype(np.float32), None, fx=fine, fy=fine, interpolation=cv2.INTER_LINEAR) > 0
    assert (drawn & wanted).sum() / (drawn | wanted).sum() > (0.9 if name == "thin cross" else 0.99)
    border = cv2.morphologyEx(wanted.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    away = cv2.distanceTransform(1 - border, cv2.DIST_L2, 5) / fine
    rounded = {"slab": 1.5, "cup": 1.5, "thin cross": 1.5, "star": 1.0}.get(name, 0.5)  # sharp corners turn round
    assert away[drawn != wanted].max(initial=0) < rounded


def test_a_disc_becomes_a_sphere():
    mesh = made("disc")
    radius = 0.5
    off = np.linalg.norm(mesh.vertices - np.array([0, radius, 0]), axis=1) - radius
    assert abs(off).max() < 0.006 * radius
    assert volume(*welded(mesh)) == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.01)
    outward = (mesh.vertices - np.array([0, radius, 0])) / radius
    assert np.percentile((mesh.normals * outward).sum(axis=1), 0.1) > 0.995


def test_an_ellipse_becomes_as_deep_as_it_is_narrow():
    x, y = grid()
    mesh = inflate(Run(), picture((1 - np.hypot(x / 40, y / 110)) * 40), **PLAIN)
    assert np.ptp(mesh.vertices, axis=0) == pytest.approx([40 / 110, 1, 40 / 110], rel=0.015)
    assert volume(*welded(mesh)) == pytest.approx(np.pi / 6 * (40 / 110) ** 2, rel=0.02)


def test_a_ring_becomes_a_round_tube():
    points, faces = welded(made("ring"))
    radius, tube = 80 / 220, 30 / 220
    away = np.hypot(np.hypot(points[:, 0], points[:, 1] - 0.5) - radius, points[:, 2])
    assert abs(away - tube).max() < 0.12 * tube
    assert volume(points, faces) == pytest.approx(2 * np.pi**2 * radius * tube**2, rel=0.05)


def test_every_part_is_as_deep_as_it_is_wide():
    """A wide body with a narrow leg: both are round."""
    body, leg = disc(60, (0, -50)), np.minimum(10 - abs(grid()[0]), 110 - abs(grid()[1] - 0))
    mesh = inflate(Run(), picture(np.maximum(body, np.where(grid()[1] > 0, leg, -99))), **PLAIN)
    low = mesh.vertices[(mesh.vertices[:, 1] > 0.15) & (mesh.vertices[:, 1] < 0.3)]
    size = np.ptp(low, axis=0)
    assert size[2] == pytest.approx(size[0], rel=0.06)
    high = mesh.vertices[mesh.vertices[:, 1] > 0.5]
    assert np.ptp(high[:, 2]) == pytest.approx(np.ptp(high[:, 0]), rel=0.12)


@pytest.mark.parametrize("name", SHAPES)
def test_the_back_mirrors_the_front(name):
    mesh = made(name)
    half = len(mesh.vertices) // 2
    assert np.allclose(mesh.vertices[:half, :2], mesh.vertices[half:, :2], atol=1e-6)
    assert np.allclose(mesh.vertices[:half, 2], -mesh.vertices[half:, 2], atol=1e-6)
    assert np.allclose(mesh.normals[:half] * [1, 1, -1], mesh.normals[half:], atol=1e-3)


def test_thickness_scales_depth_and_the_back_has_its_own():
    round_, thin = made("disc"), made("disc", thickness=0.5, back_thickness=0.4)
    assert np.ptp(thin.vertices[:, 2]) == pytest.approx(np.ptp(round_.vertices[:, 2]) * 0.5 * 0.7, rel=0.01)
    assert abs(thin.vertices[:, 2].max() + thin.vertices[:, 2].min()) < 1e-6


def test_flatness_levels_wide_parts_and_keeps_the_rim_round():
    flat = made("disc", flatness=0.8)
    front = flat.vertices[flat.normals[:, 2] > 0.995]
    assert np.ptp(front[:, 0]) > 0.55
    rim = np.hypot(flat.vertices[:, 0], flat.vertices[:, 1] - 0.5) > 0.4995
    assert rim.sum() > 50
    assert abs(flat.normals[rim][:, 2]).max() < 0.35


def test_stands_on_the_floor_facing_plus_z_in_metres():
    mesh = inflate(Run(), picture(slab(60, 100)), height_m=1.7, faces=4_000, resolution=96)
    low, high = mesh.bounds
    assert [low[1], high[1]] == pytest.approx([0, 1.7], abs=1e-5)
    assert low[0] + high[0] == pytest.approx(0, abs=1e-5)
    assert low[2] + high[2] == pytest.approx(0, abs=1e-5)
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-5)
    assert mesh.normals[mesh.vertices[:, 2].argmax(), 2] > 0.9


def sample(image, uv):
    height, width = image.pixels.shape[:2]
    x, y = (uv[:, 0] * width - 0.5).astype(np.float32), ((1 - uv[:, 1]) * height - 0.5).astype(np.float32)
    return cv2.remap(image.pixels[..., :3], x[:, None], y[:, None], cv2.INTER_LINEAR)[:, 0]


def test_front_shows_the_photograph_and_meets_the_back_in_colour():
    image, mesh = picture(disc()), made("disc")
    texture, half = mesh.material.base_colour, len(mesh.vertices) // 2
    assert mesh.uv.min() > 0 and mesh.uv.max() < 1
    seen = sample(texture, mesh.uv)
    front = np.flatnonzero((mesh.normals[:, 2] > 0.4) & (np.arange(2 * half) < half))
    at = mesh.vertices[front, :2] * 200
    uv = np.stack([(at[:, 0] + 128) / 256, 1 - (228 - at[:, 1]) / 256], axis=1)
    assert abs(seen[front] - sample(image, uv)).max() < 0.05
    rim = np.flatnonzero(mesh.vertices[:half, 2] == 0)
    assert len(rim) > 50
    assert abs(seen[rim] - seen[rim + half]).max() < 0.02


def test_no_chart_is_mirrored_and_the_halves_do_not_overlap():
    mesh = made("cup")
    a, b, c = (mesh.uv[mesh.faces[:, k]].astype(float) for k in range(3))
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    assert (turn > 0).mean() > 0.999
    half = len(mesh.vertices) // 2
    assert mesh.uv[:half, 0].max() < 0.5 < mesh.uv[half:, 0].min()


def test_background_colour_does_not_reach_the_surface():
    rgb = np.zeros((SIDE, SIDE, 3), np.float32)
    rgb[..., 1] = 1
    rgb[disc(97) > 0] = (1, 0, 0)  # the cut-out is 3 pixels too generous
    image = Image(np.dstack([rgb, np.clip(disc() + 0.5, 0, 1)]).astype(np.float32))
    mesh = inflate(Run(), image, clean_rim=True, **PLAIN)
    seen = sample(mesh.material.base_colour, mesh.uv)
    assert seen[:, 1].max() < 0.1
    assert seen[:, 0].min() > 0.9


def test_backs_differ_but_agree_at_the_rim():
    soft, mirror, plain = (made("disc", back=back) for back in ("soft", "mirror", "plain"))
    tiles = [m.material.base_colour.rgb[:, m.material.base_colour.size[0] // 2 :] for m in (soft, mirror, plain)]
    front = mirror.material.base_colour.rgb[:, : mirror.material.base_colour.size[0] // 2]
    assert np.array_equal(tiles[1], front[:, ::-1])
    detail = [float(np.abs(np.diff(tile, axis=1)).mean()) for tile in tiles]
    assert detail[2] < detail[0] < detail[1]


def test_relief_rises_with_light_and_is_bounded():
    rgb = np.full((SIDE, SIDE, 3), 0.3, np.float32)
    rgb[disc(12) > 0] = 0.9
    image = Image(np.dstack([rgb, np.clip(disc() + 0.5, 0, 1)]).astype(np.float32))
    flat, bumpy = (inflate(Run(), image, **{**PLAIN, "relief": r}) for r in (0.0, 1.0))
    rise = (bumpy.vertices - flat.vertices)[: len(flat.vertices) // 2]
    rise[:, 2] -= rise[flat.vertices[: len(rise), 2].argmin(), 2]
    near = np.hypot(flat.vertices[: len(rise), 0], flat.vertices[: len(rise), 1] - 0.5) < 0.03
    assert rise[near, 2].min() > 0.004
    assert abs(rise[:, 2]).max() <= 0.0225
    assert abs(rise[:, :2]).max() < 1e-6


def test_depth_moves_the_front_and_stays_closed():
    x, y = grid()
    metres = (3.0 - 0.3 * np.exp(-((x - 30) ** 2 + y**2) / 800) + 0.001 * x).astype(np.float32)
    metres[:20] = np.nan
    depth = Depth(metres, np.array([[600, 0, 128], [0, 600, 128], [0, 0, 1]], np.float32))
    image = picture(disc())
    bare, deep = inflate(Run(), image, **PLAIN), inflate(Run(), image, depth=depth, **PLAIN)
    points, faces = welded(deep)
    pairs, uses = np.unique(np.sort(sides(faces), axis=1), axis=0, return_counts=True)
    assert (uses == 2).all() and len(points) - len(pairs) + len(faces) == 2
    half = len(deep.vertices) // 2
    top = deep.vertices[:half][deep.vertices[:half, 2].argmax()]
    assert top[:2] == pytest.approx([30 / 200, 0.5], abs=0.03)
    assert bare.vertices[bare.vertices[:, 2].argmax()][:2] == pytest.approx([0, 0.5], abs=0.02)
    assert volume(points, faces) > 0
    with pytest.raises(BadInput, match="depth"):
        inflate(Run(), image, depth=replace(depth, metres=np.full_like(metres, np.nan)), **PLAIN)


def test_hard_edged_masks_leave_no_staircase():
    hard = Image(np.dstack([np.full((SIDE, SIDE, 3), 0.5), disc(100) > 0]).astype(np.float32))
    mesh = inflate(Run(), hard, **PLAIN)
    rim = mesh.vertices[: len(mesh.vertices) // 2][mesh.vertices[: len(mesh.vertices) // 2, 2] == 0]
    away = np.hypot(rim[:, 0], rim[:, 1] - 0.5) * 200
    assert away == pytest.approx(100, abs=0.5)
    order = np.argsort(np.arctan2(rim[:, 1] - 0.5, rim[:, 0]))
    step = np.diff(rim[order][:, :2], axis=0)
    turn = np.degrees(np.diff(np.unwrap(np.arctan2(step[:, 1], step[:, 0]))))
    assert abs(turn).max() < 3 * 360 / len(rim) + 2


def test_mask_input_and_specks():
    run = Run()
    values = np.clip(np.maximum(disc(60), disc(3, (110, 110))) + 0.5, 0, 1).astype(np.float32)
    opaque = Image.of(np.full((SIDE, SIDE, 3), 0.5, np.float32))
    mesh = inflate(run, opaque, mask=Mask(values), **PLAIN)
    points, faces = welded(mesh)
    assert len(points) - len(faces) * 3 // 2 + len(faces) == 2
    assert any("small separate part" in note for note in run.notes)


def test_equal_inputs_give_equal_bytes():
    image = picture(SHAPES["cup"][0])
    one, two = (inflate(Run(), image, faces=6_000, resolution=128) for _ in range(2))
    for name in ("vertices", "faces", "uv", "normals"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert one.material.base_colour.pixels.tobytes() == two.material.base_colour.pixels.tobytes()


def test_face_count_is_about_what_was_asked():
    for faces in (3_000, 40_000):
        assert len(made("star", faces=faces).faces) == pytest.approx(faces, rel=0.3)


def one_pixel():
    pixels = np.zeros((64, 64, 4), np.float32)
    pixels[30, 30] = 1
    return Image(pixels)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (Image(np.zeros((64, 64, 4), np.float32)), "opaque"),
        (Image(np.ones((64, 64, 4), np.float32)), "no silhouette"),
        (one_pixel(), "pixels large"),
        (Image(np.full((64, 64, 4), np.nan, np.float32)), "not numbers"),
    ],
)
def test_bad_pictures_are_refused_in_words(image, words):
    with pytest.raises(BadInput, match=words) as caught:
        inflate(Run(), image)
    assert caught.value.advice


@pytest.mark.parametrize("side", [12, 40])
def test_tiny_pictures_work(side):
    mesh = inflate(Run(), picture(disc(side * 0.4, side=side)), faces=2_000, resolution=96)
    points, faces = welded(mesh)
    assert volume(points, faces) > 0
    assert (np.unique(np.sort(sides(faces), axis=1), axis=0, return_counts=True)[1] == 2).all()


def test_noise_as_a_silhouette_still_closes():
    noise = cv2.GaussianBlur(np.random.default_rng(1).random((160, 160)).astype(np.float32), (0, 0), 2)
    alpha = (noise > np.median(noise)).astype(np.float32)
    image = Image(np.dstack([np.full((160, 160, 3), 0.5, np.float32), alpha]))
    _, faces = welded(inflate(Run(), image, faces=20_000, resolution=160))
    pairs, uses = np.unique(sides(faces), axis=0, return_counts=True)
    assert (uses == 1).all()
    assert {tuple(p) for p in pairs} == {tuple(p[::-1]) for p in pairs}


PHOTO = Path(__file__).parents[3] / "shared/data/photos/chair.png"


@pytest.mark.skipif(not PHOTO.exists(), reason="the photographs to try are not on this machine")
def test_a_photographed_chair_keeps_its_two_openings():
    bgra = cv2.imread(str(PHOTO), cv2.IMREAD_UNCHANGED)
    mesh = inflate(Run(), Image.of(bgra[..., [2, 1, 0, 3]]))
    points, faces = welded(mesh)
    pairs, uses = np.unique(np.sort(sides(faces), axis=1), axis=0, return_counts=True)
    assert (uses == 2).all() and len(points) - len(pairs) + len(faces) == 2 - 2 * 2
    legs = mesh.vertices[mesh.vertices[:, 1] < 0.3]
    assert np.ptp(legs[:, 2]) < 0.12 < np.ptp(mesh.vertices[:, 2])
    assert len(mesh.faces) == pytest.approx(60_000, rel=0.1)


def test_cancel_stops_it():
    run = Run()
    run.stop.set()
    with pytest.raises(Cancelled):
        inflate(run, picture(disc()))
