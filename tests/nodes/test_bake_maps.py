"""Baked maps hold what geometry says they must: openness, depth, curvature, places and numbers of analytic shapes."""

from __future__ import annotations

from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from mesh_shapes import bumpy, grid, moved, sphere, surface_points, together
from scipy.ndimage import map_coordinates

from app.engine import BadInput, Image, Material, Mesh, Run
from app.engine.errors import Cancelled
from app.engine.palette import distinct_colours
from nodes.io._tangents import with_tangents
from nodes.mesh.decimate import decimate
from nodes.mesh.unwrap import unwrap
from nodes.texture.bake import bake
from nodes.texture.bake_maps import BakedMaps, bake_maps

OFF = dict.fromkeys(
    (name for name, kind in BakedMaps.__annotations__.items() if "Image" in str(kind) and name != "texture"), False
)


def only(*names: str) -> dict[str, bool]:
    return OFF | dict.fromkeys(names, True)


def seen_at(mesh: Mesh, image: Image, count: int = 5000) -> tuple[np.ndarray, np.ndarray]:
    """(points (N, 3) of the mesh, (N, 4) bilinear samples of the picture there, read by scipy)."""
    points, face, weights = surface_points(mesh, count)
    uv = np.einsum("nk,nkj->nj", weights, mesh.uv[mesh.faces[face]].astype(np.float64))
    width, height = image.size
    at = np.stack([(1 - uv[:, 1]) * height - 0.5, uv[:, 0] * width - 0.5])
    return points, np.stack([map_coordinates(image.pixels[..., c], at, order=1, mode="nearest") for c in range(4)], 1)


@pytest.fixture(scope="module")
def ball() -> Mesh:
    """A coarse ball with UVs, to bake finer ones onto."""
    return unwrap(Run(), sphere(3), texture_size=256)


@pytest.fixture(scope="module")
def pair() -> tuple[Mesh, Mesh]:
    high = bumpy(5)
    return high, unwrap(Run(), decimate(Run(), high, 1500), texture_size=256)


def large(*corners: tuple[float, float, float]) -> Mesh:
    return Mesh.of(corners, [[0, 1, 2], [0, 2, 3]])


def test_an_open_plane_sees_the_whole_sky() -> None:
    made = bake_maps(Run(), grid(4), size=64, **only("occlusion", "cavity", "bent_normal"))
    assert np.array_equal(made.occlusion.rgb, np.ones((64, 64, 3))) and (made.cavity.rgb == 1).all()
    assert np.abs(made.bent_normal.rgb * 2 - 1 - (0, 0, 1)).max() < 0.1


def test_a_corner_without_end_sees_half_of_it() -> None:
    """Ground beside a wall without end: half of the light at any distance, on the mean from (2, pi, 0) / length."""
    ground, wall = grid(4, size=2.0), large((-1, 0, 4e3), (-1, 0, -4e3), (-1, 4e3, -4e3), (-1, 4e3, 4e3))
    scene = together(Mesh.of(ground.vertices, ground.faces), wall)
    made = bake_maps(
        Run(), ground, scene, size=64, rays=256, max_distance=0.001, bent_space="object",
        **only("occlusion", "bent_normal"),
    )  # fmt: skip
    share = made.occlusion.pixels[..., 0]
    assert abs(share.mean() - 0.5) < 0.002 and np.abs(share - 0.5).max() < 0.06
    off = made.bent_normal.rgb * 2 - 1 - np.array((2, np.pi, 0)) / np.hypot(2, np.pi)
    assert np.abs(off.mean(axis=(0, 1))).max() < 0.005 and np.abs(off).max() < 0.1


def test_a_ball_under_a_dome_sees_what_is_below_the_horizon() -> None:
    """A small ball in the middle of a great half sphere: a normal at angle a from straight up sees (1 - cos a) / 2."""
    dome = sphere(4, radius=100)
    upper = dome.faces[dome.vertices[dome.faces].mean(axis=1)[:, 1] > 0]
    low = unwrap(Run(), sphere(3), texture_size=256)
    scene = together(Mesh.of(sphere(4).vertices, sphere(4).faces), Mesh.of(dome.vertices, upper[:, ::-1]))
    made = bake_maps(Run(), low, scene, size=128, rays=256, max_distance=0.1, **only("occlusion"))
    points, seen = seen_at(low, made.occlusion)
    truth = (1 - points[:, 1] / np.linalg.norm(points, axis=1)) / 2
    assert np.abs(seen[:, 0] - truth).mean() < 0.015 and np.abs(seen[:, 0] - truth).max() < 0.12


def test_a_coarse_ball_does_not_shade_itself(ball: Mesh) -> None:
    """Rays that start below a face do not count, so its edges stay as bright as its middle."""
    assert (bake_maps(Run(), ball, size=64, **only("occlusion")).occlusion.rgb == 1).all()


@pytest.mark.parametrize("thick", [0.02, 0.1])
def test_thickness_of_a_slab(thick: float) -> None:
    top = grid(2, size=2.0)
    bottom = Mesh.of(top.vertices - np.float32((0, thick, 0)), top.faces[:, ::-1])
    wide = [Mesh.of(m.vertices * np.float32((50, 1, 50)), m.faces) for m in (Mesh.of(top.vertices, top.faces), bottom)]
    slab = together(*wide)
    made = bake_maps(Run(), replace(top, normals=None), slab, size=64, max_distance=0.001, thickest=0.2,
                     **only("thickness"))  # fmt: skip
    metres = made.thickness.pixels[..., 0] * made.report.value("thickness_of_white")
    error = np.abs(metres / thick - 1)
    assert np.quantile(error, 0.9) < 1e-4 and error.max() < 0.05, "a grazing ray may leave through the side"


def test_thickness_of_a_ball_is_its_radius(ball: Mesh) -> None:
    """Depths 2 r cos² a, weighted by the cosine, have the mean r."""
    made = bake_maps(Run(), ball, sphere(5), size=64, rays=256, thickest=50, **only("thickness"))
    metres = seen_at(ball, made.thickness)[1][:, 0] * made.report.value("thickness_of_white")
    assert np.abs(metres - 1).max() < 0.03


@pytest.mark.parametrize(("radius", "inward"), [(1.0, False), (2.0, False), (1.0, True)])
def test_curvature_of_a_ball_is_one_by_its_radius(radius: float, inward: bool) -> None:
    fine, low = sphere(5, radius), unwrap(Run(), sphere(3, radius), texture_size=256)
    if inward:
        fine, low = (replace(m, faces=m.faces[:, ::-1].copy(), normals=None) for m in (fine, low))
    made = bake_maps(Run(), low, fine, size=64, curvature_radius=20, curvature_smoothing=0, **only("curvature"))
    found = (seen_at(low, made.curvature)[1][:, 0] - 0.5) * 2 * made.report.value("curvature_of_white")
    assert np.abs(found * radius * (-1 if inward else 1) - 1).max() < 0.02


def test_curvature_of_a_tube_is_half_of_a_balls() -> None:
    from nodes.texture._curvature import mean_curvature

    turn, along = np.meshgrid(np.linspace(0, 2 * np.pi, 97)[:-1], np.linspace(-1, 1, 41))
    at = np.stack([0.5 * np.cos(turn), along, 0.5 * np.sin(turn)], axis=-1).reshape(-1, 3)
    i = (np.arange(40)[:, None] * 96 + np.arange(96)).ravel()
    j = (np.arange(40)[:, None] * 96 + (np.arange(96) + 1) % 96).ravel()
    tube = Mesh.of(at, np.concatenate([np.stack([i, i + 96, j], 1), np.stack([j, i + 96, j + 96], 1)]))
    inner = np.abs(at[:, 1]) < 0.9
    assert np.allclose(mean_curvature(tube)[inner], 1.0, atol=0.005)
    assert np.allclose(mean_curvature(grid(6))[[24, 25, 31]], 0, atol=1e-9)


def test_positions_lead_back(pair: tuple[Mesh, Mesh]) -> None:
    high, low = pair
    made = bake_maps(Run(), low, high, size=256, **only("position"))
    corner = [
        np.array([float(x) for x in made.report.value(f"position_of_{end}").split(",")]) for end in ("black", "white")
    ]
    assert np.allclose(corner, high.bounds)
    points, seen = seen_at(low, made.position)
    back = corner[0] + seen[:, :3] * (corner[1] - corner[0])
    assert np.linalg.norm(back - points, axis=1).max() < 0.08
    from scipy.spatial import cKDTree

    dense = surface_points(high, 400_000)[0]
    assert np.quantile(cKDTree(dense).query(back)[0], 0.99) < 0.01


def test_object_and_tangent_normals_agree(pair: tuple[Mesh, Mesh]) -> None:
    """The tangent-space map, read with the tangents that a GLB file carries, gives the object-space one."""
    high, low = pair
    made = bake_maps(Run(), low, high, size=512, antialias="off", **only("normal", "object_normal"))
    world = shaded(low, made.normal, 5000)[1]
    truth = seen_at(with_tangents(low)[0], made.object_normal)[1][:, :3] * 2 - 1
    cosine = np.einsum("ij,ij->i", world, truth) / np.linalg.norm(world, axis=1) / np.linalg.norm(truth, axis=1)
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    assert angle.mean() < 0.25 and np.quantile(angle, 0.99) < 2


def shaded(low: Mesh, image: Image, count: int = 8000) -> tuple[np.ndarray, np.ndarray]:
    """(points, unit world normals) of a mesh with a tangent-space normal map, as a glTF viewer shades it."""
    low, tangents = with_tangents(low)
    points, face, weights = surface_points(low, count)
    corner = low.faces[face]
    up, along = (np.einsum("nk,nkj->nj", weights, rows[corner].astype(np.float64)) for rows in (low.normals, tangents))
    up, ahead = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (up, along[:, :3]))
    bump = seen_at(low, image, count)[1][:, :3] * 2 - 1
    side = np.cross(up, ahead) * tangents[corner[:, 0], 3:]
    world = ahead * bump[:, :1] + side * bump[:, 1:2] + up * bump[:, 2:]
    return points, world / np.linalg.norm(world, axis=1, keepdims=True)


def test_a_cube_is_shaded_like_the_ball_around_it() -> None:
    """192 flat triangles with hard edges between all of them; matt light from five sides, off by 1 % in the mean."""
    import trimesh

    shape = trimesh.creation.box((2, 2, 2)).subdivide().subdivide()
    corners = shape.vertices / np.linalg.norm(shape.vertices, axis=1, keepdims=True)
    hard = Mesh.of(corners[shape.faces.ravel()], np.arange(shape.faces.size).reshape(-1, 3))
    flat = np.cross(*(corners[shape.faces[:, k]] - corners[shape.faces[:, 0]] for k in (1, 2)))
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    low = unwrap(Run(), replace(hard, normals=flat.repeat(3, 0).astype(np.float32)), texture_size=512)
    made = bake_maps(Run(), low, sphere(6), size=512, **only("normal"))
    points, world = shaded(low, made.normal)
    truth = points / np.linalg.norm(points, axis=1, keepdims=True)
    for light in np.vstack([np.eye(3), -np.eye(3)[:2]]):
        error = np.abs(np.clip(world @ light, 0, 1) - np.clip(truth @ light, 0, 1))
        assert error.mean() < 0.01 and np.quantile(error, 0.99) < 0.06


def test_bumps_are_shaded_on_a_plane_as_they_are() -> None:
    fine = grid(300)
    x, z = 9 * fine.vertices[:, 0].astype(np.float64), 7 * fine.vertices[:, 2].astype(np.float64)
    at = fine.vertices.copy()
    at[:, 1] = 0.02 * np.sin(x) * np.cos(z)
    made = bake_maps(Run(), replace(grid(1), normals=np.tile(np.float32((0, 1, 0)), (4, 1))), Mesh.of(at, fine.faces),
                     size=256, **only("normal"))  # fmt: skip
    points, world = shaded(replace(grid(1), normals=np.tile(np.float32((0, 1, 0)), (4, 1))), made.normal)
    x, z = 9 * points[:, 0], 7 * points[:, 2]
    truth = np.stack([-0.18 * np.cos(x) * np.cos(z), np.ones_like(x), 0.14 * np.sin(x) * np.sin(z)], axis=1)
    truth /= np.linalg.norm(truth, axis=1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(np.einsum("ij,ij->i", world, truth), -1, 1)))
    assert angle.mean() < 0.1 and angle.max() < 1.0


def parted() -> tuple[Mesh, np.ndarray]:
    """A plane of 36 squares in five groups with odd numbers."""
    plane = grid(6)
    group = np.array([7, -3, 40, 11, 0], np.int32)[(np.arange(72) % 36 * 5) // 36]
    return replace(plane, face_groups=group), group


@pytest.mark.parametrize("antialias", ["off", "4 samples", "16 samples"])
@pytest.mark.parametrize("empty_area", ["push-pull", "mean colour"])
def test_material_ids_are_exact_everywhere(antialias: str, empty_area: str) -> None:
    plane, group = parted()
    half = replace(plane, uv=plane.uv * np.float32(0.6) + np.float32(0.1))
    made = bake_maps(Run(), half, size=96, antialias=antialias, margin=4, empty_area=empty_area, **only("ids"))
    palette = distinct_colours(5)
    near = np.abs(made.ids.rgb[:, :, None] - palette).max(axis=3)
    assert near.min(axis=2).max() < 1e-6 and made.report.value("face_groups") == 5
    centre = half.uv[half.faces].mean(axis=1)
    row, column = ((1 - centre[:, 1]) * 96).astype(int), (centre[:, 0] * 96).astype(int)
    assert np.array_equal(near.argmin(axis=2)[row, column], np.unique(group, return_inverse=True)[1])


def test_ids_of_a_mesh_without_groups_are_its_parts() -> None:
    low = grid(2)
    both = together(*(Mesh.of(m.vertices, m.faces) for m in (grid(2), moved(grid(2), 5, 0, 0))))
    assert bake_maps(Run(), low, both, size=64, **only("ids")).report.value("face_groups") == 2


def test_a_picture_and_vertex_colours_come_over() -> None:
    plane, turned = grid(8), grid(1)
    turned = replace(turned, uv=np.stack([turned.uv[:, 1], 1 - turned.uv[:, 0]], axis=1))
    picture = Image.of(np.random.default_rng(0).random((8, 8, 3)).repeat(8, 0).repeat(8, 1))
    colours = np.concatenate([plane.uv, np.zeros((len(plane.uv), 1)), np.ones((len(plane.uv), 1))], 1).astype(
        np.float32
    )
    source = replace(plane, colours=colours, material=Material(base_colour=picture))
    made = bake_maps(Run(), turned, source, picture=picture, size=64, antialias="off", **only("vertex_colour"))
    assert (
        np.abs(made.texture.rgb - np.rot90(picture.rgb, 1)).max() < 1e-5
        or np.abs(made.texture.rgb - np.rot90(picture.rgb, -1)).max() < 1e-5
    )
    points, seen = seen_at(turned, made.vertex_colour)
    assert made.vertex_colour.space == "srgb" and np.abs(seen[:, 0] - (points[:, 0] + 0.5)).max() < 0.03
    plain = bake(Run(), replace(source, colours=None), turned, 64, normal_map=False, antialias="off")
    assert np.array_equal(plain.material.base_colour.rgb, made.texture.rgb)


def test_a_cage_sees_the_outer_of_two_layers() -> None:
    """The nearest layer lies below the target, the outer one above it: only a cage finds that."""
    low = grid(2)
    layers = together(*(Mesh.of(m.vertices, m.faces) for m in (moved(low, 0, -0.01, 0), moved(low, 0, 0.05, 0))))
    found = []
    for search, cage in (
        ("nearest, both ways", None),
        ("from the cage inward", None),
        ("nearest, both ways", moved(low, 0, 0.03, 0)),
        ("nearest, both ways", moved(low, 0, 0.2, 0)),
    ):
        made = bake_maps(Run(), low, layers, cage, size=64, search=search, max_distance=10, **only("height"))
        found.append(float((made.height.pixels[32, 32, 0] - 0.5) * 2 * made.report.value("height_of_white")))
        assert np.ptp(made.height.rgb) < 1e-6
    assert np.allclose(found, (-0.01, 0.05, -0.01, 0.05), atol=1e-5)


def test_the_cage_is_shown_and_has_no_gaps_at_hard_edges() -> None:
    """The rays of both faces at a hard edge start at the same point, on normals that are smoothed across it."""
    import trimesh

    shape = trimesh.creation.box((1, 1, 1))
    low = unwrap(Run(), Mesh.of(shape.vertices[shape.faces.ravel()], np.arange(36).reshape(-1, 3)), texture_size=128)
    made = bake_maps(Run(), low, size=64, search="from the cage inward", max_distance=10, **only("height"))
    pushed = trimesh.Trimesh(made.cage.vertices, made.cage.faces, process=False)
    pushed.merge_vertices(merge_tex=True, merge_norm=True, digits_vertex=4)
    assert pushed.is_watertight and len(pushed.vertices) == 8
    assert np.abs(made.height.rgb - 0.5).max() < 1e-3


def test_crevices_are_dark_and_ridges_are_not() -> None:
    line = np.linspace(-1, 1, 201)
    profile = 0.05 * np.abs(((line * 5 + 0.5) % 1) - 0.5) * 4
    x, z = np.meshgrid(line, (1.0, -1.0))
    at = np.stack([x, np.broadcast_to(profile, x.shape), z], axis=-1).reshape(-1, 3)
    i = np.arange(200)
    folded = Mesh.of(at, np.concatenate([np.stack([i, i + 1, i + 202], 1), np.stack([i, i + 202, i + 201], 1)]))
    made = bake_maps(Run(), grid(1, 2.0), folded, size=200, max_distance=10, cavity_distance=2, **only("cavity"))
    row = made.cavity.pixels[100, :, 0]
    deep = np.abs((np.linspace(-0.995, 0.995, 200) * 5 + 0.5) % 1 - 0.5)
    assert row[deep < 0.06].mean() < 0.85 and (row[deep > 0.42] > 0.999).all()


def means(picture: np.ndarray) -> np.ndarray:
    """Half the size, NaN left out."""
    four = np.stack([picture[y::2, x::2] for y in (0, 1) for x in (0, 1)])
    known = ~np.isnan(four)
    with np.errstate(invalid="ignore"):
        return np.where(known, four, 0).sum(axis=0) / known.sum(axis=0)


def test_no_mip_level_shows_what_lies_outside(pair: tuple[Mesh, Mesh]) -> None:
    """Every texel of every mip level equals the mean of the charts and their margins alone, as if nothing else were."""
    from nodes.texture._fill import Edge

    rng, filled = np.random.default_rng(0), np.zeros((128, 128), bool)
    for x, y, w, h in ((3, 5, 40, 21), (70, 9, 17, 80), (20, 100, 9, 3)):
        filled[y : y + h, x : x + w] = True
    picture = np.where(filled[..., None], rng.random((128, 128, 4)), 0).astype(np.float32)
    edge = Edge(filled, 3)
    out = picture.copy()
    edge.fill(out, 4, "push-pull")
    assert np.array_equal(out[filled], picture[filled])
    truth, level = np.where(edge.known[..., None], out, np.nan).astype(np.float64), out.astype(np.float64)
    for _ in range(7):
        truth, level = means(truth), means(level)
        held = ~np.isnan(truth)
        assert np.abs(level - truth)[held].max() < 1e-5
    assert level.shape == (1, 1, 4)
    white = replace(pair[0], colours=np.ones((len(pair[0].vertices), 4), np.float32))
    for empty in ("push-pull", "mean colour"):
        made = bake(Run(), white, pair[1], 200, normal_map=False, margin=2, empty_area=empty)
        assert (made.material.base_colour.rgb > 0.9999).all()


def test_the_margin_is_the_nearest_colour_whatever_the_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.ndimage import distance_transform_edt

    from nodes.texture import _fill

    rng = np.random.default_rng(2)
    filled = rng.random((300, 90)) > 0.995
    picture = np.where(filled[..., None], rng.random((300, 90, 4)), 0).astype(np.float32)
    gap = distance_transform_edt(~filled)
    for texels in (1 << 22, 90 * 64):
        monkeypatch.setattr(_fill, "TEXELS_AT_ONCE", texels)
        edge, out = _fill.Edge(filled, 6), picture.copy()
        edge.fill(out, 4, "push-pull")
        assert np.array_equal(out[gap <= 4].max(axis=1) > 0, np.ones((gap <= 4).sum(), bool))
        taken = np.stack(np.unravel_index(edge.source, filled.shape)) - np.stack(
            np.unravel_index(edge.place, filled.shape)
        )
        real = np.hypot(*taken)
        assert filled.ravel()[edge.source].all() and np.abs(real - gap.ravel()[edge.place]).max() < 0.5
        assert edge.known[gap <= 6].all()


def test_bands_and_threads_do_not_matter(pair: tuple[Mesh, Mesh], monkeypatch: pytest.MonkeyPatch) -> None:
    from nodes.texture import _baking

    def made() -> BakedMaps:
        return bake_maps(Run(), pair[1], pair[0], size=96, rays=8, occlusion=True, height=True, normal=True)

    one = made()
    monkeypatch.setattr(_baking, "SAMPLES_PER_BAND", 5000)
    monkeypatch.setattr(_baking.os, "cpu_count", lambda: 5)
    two = made()
    for name, picture in one._asdict().items():
        if isinstance(picture, Image):
            assert np.array_equal(picture.pixels, getattr(two, name).pixels), name


def test_cancel_stops_it_within_a_band(pair: tuple[Mesh, Mesh]) -> None:
    stop, told = Event(), []

    def report(fraction: float, note: str) -> None:
        told.append(note)
        if "band 2" in note:
            stop.set()

    with pytest.raises(Cancelled):
        bake_maps(Run(report=report, stop=stop), pair[1], pair[0], size=1024, rays=4)
    assert sum("band" in note for note in told) <= 3


def test_bad_input_says_what_to_do(pair: tuple[Mesh, Mesh], monkeypatch: pytest.MonkeyPatch) -> None:
    from nodes.texture import _bake_setup

    high, low = pair
    for arguments in (
        {"source": high, **OFF},
        {"source": high, "picture": Image.of(np.ones((4, 4))), **OFF},
        {"source": high, "cage": high, **only("height")},
    ):
        with pytest.raises(BadInput) as caught:
            bake_maps(Run(), low, size=64, **arguments)
        assert caught.value.advice
    monkeypatch.setattr(_bake_setup, "available_bytes", lambda: 10**8)
    with pytest.raises(BadInput, match="free"):
        bake_maps(Run(), low, high, size=8192, **only("height", "curvature"))
    run = Run()
    bake_maps(run, low, high, size=64, **only("vertex_colour"))
    assert any("no vertex colours" in note for note in run.notes)


def test_each_tile_of_a_layout_is_baked_as_if_it_were_the_only_one() -> None:
    """Two halves of a plane on tiles 1001 and 1012, each against a bake of that half moved to the unit square."""
    whole = grid(4)
    assert whole.uv is not None
    left = whole.vertices[whole.faces][..., 0].mean(axis=1) < 0
    parts = [replace(whole, faces=whole.faces[half]) for half in (left, ~left)]
    shift = np.array([1, 1], np.float32)
    tiled = replace(together(*parts), uv=np.concatenate([whole.uv, whole.uv + shift]))
    wanted = only("position", "ids")
    for tile, alone in ((1001, parts[0]), (1012, parts[1])):
        run = Run()
        made = bake_maps(run, tiled, whole, size=64, tile=tile, **wanted)
        single = bake_maps(Run(), alone, whole, size=64, **wanted)
        assert np.allclose(made.position.pixels, single.position.pixels, atol=1e-5)
        assert np.array_equal(made.cage.uv, tiled.uv)
        assert run.notes and "1001, 1012" in run.notes[0]
    with pytest.raises(BadInput, match="no UVs on tile 1002"):
        bake_maps(Run(), tiled, whole, size=64, tile=1002, **wanted)


def test_rays_are_spread_so_well_that_noise_is_far_below_chance() -> None:
    """Openness below the rim of a bowl: for 64 rays at random its deviation would be sqrt(p (1 - p) / 64)."""
    from nodes.mesh._bvh import build
    from nodes.mesh._wide import widen
    from nodes.texture._sky import Sky, openness

    half = 0.5
    roof = large((-9, half, -9), (-9, half, 9), (0.3, half, 9), (0.3, half, -9))
    sky = Sky(widen(build(roof.vertices, roof.faces)), 64, 1e-4, 100.0, 1.0, 1.0)
    points, up = np.zeros((4000, 3)), np.tile([0.0, 1.0, 0.0], (4000, 1))
    share = openness(sky, points, up, up, np.arange(4000), 100.0)[0]
    p = float(share.mean())
    assert 0.1 < p < 0.9
    assert float(share.std()) < 0.4 * np.sqrt(p * (1 - p) / 64)
