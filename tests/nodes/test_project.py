"""Pictures put back onto a mesh: colours land where they were seen, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import bumpy, surface_points

from app.engine import BadInput, Image, Material, Mesh, Pictures, Run, Views
from nodes.control.from_mesh import from_mesh
from nodes.image._pixels import to_linear, to_srgb
from nodes.mesh._camera import camera
from nodes.mesh._render import render
from nodes.mesh.primitives import box, plane, sphere
from nodes.mesh.unwrap import unwrap
from nodes.texture._spread import spread
from nodes.texture.project import project
from nodes.texture.views import gather_views

SIX = ((0, 0), (90, 0), (180, 0), (270, 0), (0, 90), (0, -90))


def waves(points: np.ndarray) -> np.ndarray:
    """A smooth colour for every place, (N, 3) sRGB."""
    return 0.5 + 0.4 * np.sin(4 * points @ np.array([[1.0, 0.2, -0.5], [0.3, 1, 0.4], [-0.4, 0.6, 1]]))


def field_views(mesh: Mesh, angles: tuple[tuple[float, float], ...], size: int = 192) -> Views:
    """Pictures of the field of colours as cameras see it on the surface, computed from the surface points alone."""
    images, intrinsics, poses = [], [], []
    for azimuth, elevation in angles:
        view = camera(azimuth, elevation, 5.0, 30, (size, size))
        seen = render(mesh, view.pose, view.intrinsics, (size, size))
        face, at = np.maximum(seen.face, 0), seen.at.astype(np.float64)
        corners = mesh.vertices[mesh.faces[face]].astype(np.float64)
        weights = np.stack([1 - at.sum(-1), at[..., 0], at[..., 1]], axis=-1)
        points = np.einsum("hwk,hwkj->hwj", weights, corners)
        shown = np.where((seen.face >= 0)[..., None], waves(points), 0)
        images.append(Image.of(np.dstack([shown, seen.face >= 0])))
        intrinsics.append(view.intrinsics.astype(np.float32))
        poses.append(view.pose.astype(np.float32))
    return Views(tuple(images), np.stack(intrinsics), np.stack(poses))


def read(image: Image, uv: np.ndarray) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    width, height = image.size
    at = np.stack([(1 - uv[:, 1]) * height - 0.5, uv[:, 0] * width - 0.5])
    return np.stack([map_coordinates(image.pixels[..., c], at, order=1, mode="nearest") for c in range(4)], axis=1)


def at_points(mesh: Mesh, count: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(points, uv, colours in the texture)."""
    points, face, weights = surface_points(mesh, count)
    uv = np.einsum("nk,nkj->nj", weights, mesh.uv[mesh.faces[face]].astype(np.float64))
    return points, uv, read(mesh.material.base_colour, uv)[:, :3]


@pytest.fixture(scope="module")
def rock() -> Mesh:
    return unwrap(Run(), bumpy(4), texture_size=512)


def test_six_views_give_the_field_back_on_the_whole_surface(rock: Mesh) -> None:
    got = project(Run(), rock, field_views(rock, SIX), size=512)
    points, uv, colours = at_points(got.mesh)
    error = np.abs(colours - waves(points))
    seen = read(Image.of(got.painted.values, "data"), uv)[:, 0] > 0.98
    assert seen.mean() > 0.9
    assert error[seen].mean() < 0.006 and np.quantile(error[seen], 0.999) < 0.05


def test_a_render_from_the_same_camera_shows_the_picture_again(rock: Mesh) -> None:
    views = field_views(rock, ((30.0, 20.0),), 256)
    got = project(Run(), rock, views, size=1024)
    pose, intrinsics = views.poses[0].astype(np.float64), views.intrinsics[0].astype(np.float64)
    again = render(got.mesh, pose, intrinsics, (256, 256))
    marks = Material(base_colour=Image.of(got.painted.values, "data"))
    share = render(replace(got.mesh, material=marks), pose, intrinsics, (256, 256)).colour[..., 0]
    painted = share > 0.99
    error = np.abs(again.colour - views.images[0].rgb)[painted]
    assert painted.sum() > 0.6 * (again.face >= 0).sum()
    assert error.mean() < 0.003 and error.max() < 0.06


def test_what_no_picture_shows_keeps_its_colour(rock: Mesh) -> None:
    """The old texture has the same size, so where nothing is painted each texel is read at its own centre."""
    old = Image.of(np.random.default_rng(2).random((256, 256, 3)))
    mesh = replace(rock, material=Material(base_colour=old, roughness=Image.of(np.full((4, 4), 0.3), "data")))
    got = project(Run(), mesh, field_views(rock, ((0.0, 0.0),)), size=256)
    charts = _on_charts(rock, 256)
    hidden = (got.painted.values == 0) & charts
    assert 0.5 < hidden.sum() / charts.sum() < 0.85
    new = got.mesh.material
    assert np.abs(new.base_colour.rgb - old.rgb)[hidden].max() < 1e-3
    assert new.roughness is not None and np.array_equal(new.roughness.pixels, mesh.material.roughness.pixels)


def _on_charts(mesh: Mesh, size: int) -> np.ndarray:
    from nodes.mesh._raster import draw, texel_corners

    return draw(texel_corners(mesh.uv, mesh.faces, size), size, range(size), 0.0)[2]


def two_walls() -> Mesh:
    """A small wall half a metre before a large one, both facing +Z, side by side on the texture."""
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float64)
    small, square = corners * 0.5 + (0, 0, 0.5), (corners[:, :2] + 1) / 2
    uv = np.concatenate([square * 0.48 + 0.01, square * 0.48 + (0.51, 0.01)])
    return Mesh.of(np.concatenate([corners, small]), [[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]],
                   uv=uv.astype(np.float32))  # fmt: skip


def test_what_stands_in_front_leaves_no_paint_behind_it() -> None:
    walls = two_walls()
    view = camera(0, 0, 4, 40, (128, 128))
    seen = render(walls, view.pose, view.intrinsics, (128, 128))
    picture = Image.of(np.where((seen.face >= 2)[..., None], (1.0, 0, 0), (0, 0, 1.0)))
    views = Views((picture,), view.intrinsics[None].astype(np.float32), view.pose[None].astype(np.float32))
    black = replace(walls, material=Material(base_factor=(0.0, 0.0, 0.0, 1.0)))
    got = project(Run(), black, views, size=256, border=1)
    texture, share = got.mesh.material.base_colour.rgb, got.painted.values
    large, small = (slice(134, 253), slice(3, 125)), (slice(134, 253), slice(131, 253))
    assert texture[large][..., 0][share[large] > 0].max() < 0.02, "no red on the wall behind"
    assert texture[small][..., 2][share[small] > 0].max() < 0.02, "no blue on the wall in front"
    shadow = float((share[large] == 0).mean())
    assert (0.5 * 4 / 3.5) ** 2 < shadow < (0.5 * 4 / 3.5 + 0.13) ** 2, "the shadow of the front wall stays unpainted"
    assert (share[small] > 0.9).mean() > 0.78


def test_sides_that_look_away_get_nothing() -> None:
    cube = box()
    got = project(Run(), cube, field_views(cube, ((0.0, 0.0),)), size=192)
    _, face, weights = surface_points(cube, 4000)
    uv = np.einsum("nk,nkj->nj", weights, cube.uv[cube.faces[face]].astype(np.float64))
    share = read(Image.of(got.painted.values, "data"), uv)[:, 0]
    front = np.isclose(cube.vertices[cube.faces[face]][..., 2].min(axis=1), 0.5)
    assert share[~front].max() == 0 and np.median(share[front]) == 1


def test_spreading_fills_the_rest_with_what_lies_near() -> None:
    ball = unwrap(Run(), sphere(0.5, segments=24), texture_size=256)
    views = field_views(ball, SIX[:4])
    red = Pictures(tuple(Image.of(np.broadcast_to(np.float32((0.8, 0.2, 0.1)), (192, 192, 3))) for _ in range(4)))
    got = project(Run(), ball, views, pictures=red, size=256, unseen="spread", steepest=45)
    assert (got.painted.values[_on_charts(ball, 256)] == 0).mean() > 0.1, "the poles are seen by none"
    assert np.abs(at_points(got.mesh)[2] - (0.8, 0.2, 0.1)).max() < 1e-3


def test_where_views_overlap_the_straighter_one_wins() -> None:
    wall = plane()
    low, high = wall.bounds
    assert low[1] == high[1] == 0, "a floor"
    views = field_views(wall, ((0.0, 85.0), (0.0, 40.0)))
    pair = Pictures(tuple(Image.of(np.broadcast_to(np.float32(c), (192, 192, 3))) for c in ((1, 0, 0), (0, 0, 1))))
    sharp, even = (project(Run(), wall, views, pictures=pair, size=64, sharpness=s).mesh for s in (16, 0))
    assert sharp.material.base_colour.rgb[32, 32, 0] > 0.99
    assert abs(even.material.base_colour.rgb[32, 32, 0] - even.material.base_colour.rgb[32, 32, 2]) < 0.02


def test_transparent_parts_of_a_picture_do_not_paint() -> None:
    cube = box()
    views = field_views(cube, ((0.0, 0.0),))
    half = views.images[0].pixels.copy()
    half[:, :96, 3] = 0
    got = project(Run(), cube, views, picture=Image(half), size=192)
    column = got.painted.values[:, 192 * 2 // 3 :].max(axis=0)
    assert (column[:26] == 0).all() and column[36:54].min() == 1


def test_a_picture_of_another_size_fits_and_one_of_another_shape_is_refused() -> None:
    cube = box()
    views = field_views(cube, ((20.0, 10.0),))
    large = Image(np.repeat(np.repeat(views.images[0].pixels, 2, axis=0), 2, axis=1))
    one, two = (project(Run(), cube, views, picture=p, size=128).mesh.material.base_colour for p in (None, large))
    assert np.abs(one.rgb - two.rgb).mean() < 0.01
    with pytest.raises(BadInput, match="shapes differ"):
        project(Run(), cube, views, picture=Image(views.images[0].pixels[:96]))
    with pytest.raises(BadInput, match="2 pictures for 1 views"):
        project(Run(), cube, views, pictures=Pictures(views.images * 2))
    with pytest.raises(BadInput, match="see nothing"):
        away = replace(cube, vertices=cube.vertices + np.float32((0, 50, 0)))
        project(Run(), away, views, size=64)


def test_gathered_views_are_the_same_as_one_set(rock: Mesh) -> None:
    every = field_views(rock, SIX[:3])
    single = [field_views(rock, (angle,)) for angle in SIX[:3]]
    chain = gather_views(single[2], more=gather_views(single[1], more=single[0]))
    assert np.array_equal(chain.poses, every.poses)
    one, two = (project(Run(), rock, v, size=128).mesh.material.base_colour.pixels for v in (every, chain))
    assert np.array_equal(one, two)
    larger = Image(np.repeat(np.repeat(every.images[0].pixels, 2, axis=0), 2, axis=1))
    grown = gather_views(single[0], larger)
    assert grown.images[0].size == (384, 384) and grown.intrinsics[0, 0, 0] == 2 * single[0].intrinsics[0, 0, 0]


def test_the_loop_of_control_from_mesh_closes() -> None:
    """A mesh seen by the node itself, put back by this one: the same texture where it was seen straight on."""
    checks = np.indices((8, 8)).sum(0) % 2 * 0.6 + 0.2
    texture = Image.of(np.kron(checks, np.ones((32, 32)))[..., None].repeat(3, axis=2).astype(np.float32))
    mesh = replace(box(), material=Material(base_colour=texture, base_factor=(1.0, 0.5, 0.25, 1.0)))
    seen = from_mesh(Run(), mesh, azimuth=0, elevation=0, width=512, height=512)
    bare = replace(mesh, material=None)
    got = project(Run(), bare, seen.views, seen.colour, size=256)
    share = got.painted.values
    tint = project(Run(), mesh, seen.views, seen.colour, size=256)
    inner = share > 0.99
    assert inner.sum() > 4000
    difference = np.abs(got.mesh.material.base_colour.rgb - tint.mesh.material.base_colour.rgb)[inner]
    assert difference.max() < 1e-5, "what was there does not show through"
    true = to_srgb(to_linear(texture.rgb) * np.float32((1, 0.5, 0.25)))
    assert np.median(np.abs(got.mesh.material.base_colour.rgb - true)[inner]) < 0.01
    assert tint.mesh.material.base_factor == (1, 1, 1, 1)


def test_what_spreads_is_smooth_and_takes_the_colour_of_what_is_near() -> None:
    """Red known on the left, blue on the right: in between they meet, at each end they stay."""
    rng = np.random.default_rng(0)
    left, right = rng.random((500, 3)) * (0.2, 1, 1), rng.random((500, 3)) * (0.2, 1, 1) + (3, 0, 0)
    colours = np.repeat(np.float32([[1, 0, 0], [0, 0, 1]]), 500, axis=0)
    line = np.linspace(0, 3.2, 400)[:, None] * (1, 0, 0) + (0, 0.5, 0.5)
    got = spread(np.concatenate([left, right]), colours, line)
    assert got[:15, 0].min() > 0.99 and got[-15:, 2].min() > 0.99
    assert (np.diff(got[:, 2]) > -0.02).all() and np.abs(np.diff(got, axis=0)).max() < 0.05
    assert np.abs(got.sum(axis=1) - 1).max() < 1e-5
