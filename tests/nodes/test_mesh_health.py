"""Every planted defect is found and counted exactly; bodies from a textbook have their mass; crossings are exact."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_shapes import box, grid, moved, sphere, together
from planted import DEFECTS, ROWS, SOUND, Bed, NoRoom, coloured

from app.engine import Cancelled, Image, Material, Mesh, Report, Run
from nodes.mesh import _measure, _topology
from nodes.mesh._crossing import crossings
from nodes.mesh._findings import COLOURS
from nodes.mesh._mass import mass_of, smallest_box
from nodes.mesh._stretch import stretch
from nodes.mesh._topology import weld_points
from nodes.mesh.analyse import Analysed, analyse

PAIRS = "self-intersections (pairs of faces)"


def facts(mesh: Mesh, **settings: object) -> Report:
    return analyse(Run(), mesh, **settings).report


@cache
def sound(shape: str) -> tuple[Mesh, Report]:
    mesh = SOUND[shape]()
    return mesh, facts(mesh)


def assert_counted(bed: Bed, before: Report) -> Report:
    after = facts(bed.mesh)
    assert {row: after.value(row) - before.value(row) for row in ROWS} == {row: bed.rises[row] for row in ROWS}
    return after


@pytest.mark.parametrize("kind", DEFECTS)
@pytest.mark.parametrize("shape", SOUND)
def test_each_defect_is_counted_exactly(shape: str, kind: str) -> None:
    mesh, before = sound(shape)
    bed = Bed(mesh, seed=3)
    getattr(bed, kind)(4)
    after = assert_counted(bed, before)
    assert after.value("score (of 100)") < 100 == before.value("score (of 100)")


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(DEFECTS), st.integers(1, 4), min_size=2, max_size=6), st.integers(0, 99))
def test_any_mixture_is_counted_exactly(mixture: dict[str, int], seed: int) -> None:
    mesh, before = sound("torus")
    bed = Bed(mesh, seed)
    try:
        for kind, count in mixture.items():
            getattr(bed, kind)(count)
    except NoRoom:
        return
    assert_counted(bed, before)


def sign(p: list, q: list, r: list, s: list) -> int:
    """Side of s by whole numbers without rounding."""
    a, b, c = ([Fraction(float(x)) - Fraction(float(y)) for x, y in zip(v, s, strict=True)] for v in (p, q, r))
    det = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    return (det > 0) - (det < 0)


def segment_meets(s: list, t: list, face: list) -> bool:
    """For positions in general position: whether a segment runs through a triangle."""
    a, b, c = face
    if sign(a, b, c, s) == sign(a, b, c, t):
        return False
    return len({sign(s, t, a, b), sign(s, t, b, c), sign(s, t, c, a)}) == 1


def slow_pairs(points: np.ndarray, faces: np.ndarray) -> list[tuple[int, int]]:
    found = []
    for i, j in combinations(range(len(faces)), 2):
        shared = set(faces[i]) & set(faces[j])
        if len(shared) > 1:
            continue
        one, two = points[faces[i]].tolist(), points[faces[j]].tolist()
        sides = [(one, faces[i], two), (two, faces[j], one)]
        hits = [
            segment_meets(at[k], at[(k + 1) % 3], other)
            for at, ids, other in sides
            for k in range(3)
            if not {ids[k], ids[(k + 1) % 3]} & shared
        ]
        if any(hits):
            found.append((i, j))
    return found


@pytest.mark.parametrize("count", [12, 120])
def test_crossings_of_a_heap_as_found_by_fractions(count: int) -> None:
    rng = np.random.default_rng(count)
    points = rng.random((count, 3)).astype(np.float32)
    faces = np.array([rng.choice(count, 3, replace=False) for _ in range(40)], np.int32)
    found = crossings(points, faces)
    assert found.whole
    assert list(map(tuple, found.pairs.tolist())) == slow_pairs(points, faces)
    near = rng.random(len(faces)) < 0.3
    some = crossings(points, faces, near=near).pairs
    assert some.tolist() == found.pairs[near[found.pairs].any(axis=1)].tolist()


def pairs(points: list, faces: list) -> list[list[int]]:
    return crossings(np.array(points, np.float32), np.array(faces, np.int32)).pairs.tolist()


FLAT = [
    [0, 0, 0],
    [4, 0, 0],
    [0, 4, 0],
    [1, 1, 0],
    [2, 1, 0],
    [1, 2, 0],
    [4, 4, 0],
    [2, 2, 0],
    [9, 8, 0],
    [-1, -2, 0],
    [-2, -1, 0],
]


@pytest.mark.parametrize(
    ("one", "two", "meet"),
    [
        ((0, 1, 2), (3, 4, 5), True),  # one within the other, in one plane
        ((0, 1, 2), (1, 6, 2), False),  # neighbours in one plane
        ((0, 1, 2), (1, 2, 5), True),  # folded upon the neighbour
        ((0, 1, 2), (7, 6, 8), True),  # a corner on the other's side
        ((0, 1, 7), (0, 7, 2), False),  # the side is cut for both
        ((0, 1, 2), (0, 9, 10), False),  # a corner in common, the rest apart
        ((0, 1, 2), (0, 7, 8), True),  # runs on within the other from the common corner
        ((0, 1, 2), (2, 1, 0), False),  # the same three corners: a duplicate
        ((0, 1, 1), (3, 4, 5), False),  # no area
    ],
)
def test_crossings_at_the_edge(one: tuple, two: tuple, meet: bool) -> None:
    assert bool(pairs(FLAT, [one, two])) is meet
    assert bool(pairs(FLAT, [two[::-1], one])) is meet


def test_two_spheres_that_run_through_each_other() -> None:
    mesh = together(sphere(3), moved(sphere(3), 0.9, 0.05, 0.02))
    found = analyse(Run(), mesh, show="self-intersections")
    marked = found.marked.face_groups > 0
    assert found.report.value("self-intersecting faces") == marked.sum()
    centre = mesh.vertices[mesh.faces].mean(axis=1)
    assert (np.abs(centre[marked, 0] - 0.45) < 0.2).all()
    assert "run through one another" in found.report.verdict


def test_large_meshes_are_not_searched_and_it_says_so() -> None:
    found = facts(sphere(4), search_up_to=1000)
    assert str(found.value(PAIRS)).startswith("not searched")
    assert str(found.value("self-intersecting faces")).startswith("not searched")


def test_a_heap_on_one_spot_ends() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((12_000, 3)).astype(np.float32)
    found = crossings(points, np.arange(12_000).reshape(-1, 3).astype(np.int32), least_budget=0)
    assert not found.whole


@pytest.mark.parametrize(
    ("shape", "volume", "inertia"),
    [
        (trimesh.creation.box((2, 3, 4)), 24, (24 * 25 / 12, 24 * 20 / 12, 24 * 13 / 12)),
        (trimesh.creation.icosphere(6), 4 / 3 * np.pi, (8 / 15 * np.pi,) * 3),
        (trimesh.creation.cylinder(1, 2, sections=400), 2 * np.pi, (7 / 6 * np.pi, 7 / 6 * np.pi, np.pi)),
        (
            trimesh.creation.torus(1, 0.4, 200, 120),
            2 * np.pi**2 * 0.16,
            tuple(2 * np.pi**2 * 0.16 * k for k in (0.6, 0.6, 1.12)),
        ),
    ],
    ids=["box", "sphere", "cylinder", "torus"],
)
def test_mass_of_bodies_from_a_textbook(shape: trimesh.Trimesh, volume: float, inertia: tuple) -> None:
    mesh = moved(Mesh.of(shape.vertices, shape.faces), 3, -2, 5)
    mass = mass_of(mesh.vertices, mesh.faces)
    assert mass.volume == pytest.approx(volume, rel=1e-3)
    assert mass.centre == pytest.approx([3, -2, 5], abs=1e-4)
    assert np.diag(mass.inertia) == pytest.approx(inertia, rel=1e-3)
    assert mass.inertia - np.diag(np.diag(mass.inertia)) == pytest.approx(0, abs=1e-3 * max(inertia))
    found = facts(mesh, search_up_to=1000)
    assert found.value("centre of mass x (m)") == pytest.approx(3, abs=1e-4)
    assert found.value("inertia zz (m⁵)") == pytest.approx(inertia[2], rel=1e-3)


def test_smallest_box_of_a_turned_box() -> None:
    turn = trimesh.transformations.random_rotation_matrix(np.array([0.3, 0.8, 0.1]))[:3, :3]
    points = trimesh.creation.box((1, 2, 3)).subdivide().vertices @ turn.T + 7
    length, axes = smallest_box(points)
    assert length == pytest.approx([3, 2, 1], rel=1e-6)
    assert np.abs(axes @ turn) == pytest.approx(np.eye(3)[::-1], abs=1e-6)
    assert smallest_box(np.array([[0, 0, 0], [3, 4, 0.0]]))[0] == pytest.approx([5, 0, 0], abs=1e-9)
    assert smallest_box(np.zeros((4, 3)))[0] == pytest.approx([0, 0, 0])


def test_walls_of_a_plate_and_of_a_hollow_ball() -> None:
    plate = replace(box(), vertices=box().vertices * np.float32([1, 0.002, 1]))
    assert facts(plate, thin_wall=1.9).value("thin walls (share of area)") == 0
    found = facts(plate, thin_wall=2.1)
    assert found.value("thin walls (share of area)") == pytest.approx(2 / (2 + 4 * 0.002), rel=1e-4)
    assert found.value("thinnest wall (mm)") == pytest.approx(2, rel=1e-4)
    inner = sphere(5, radius=0.9)
    hollow = together(sphere(5), replace(inner, faces=np.ascontiguousarray(inner.faces[:, ::-1])))
    assert facts(hollow).value("thinnest wall (mm)") == pytest.approx(100, rel=0.02)
    assert facts(hollow, thin_wall=103).value("thin walls (share of area)") > 0.5


def test_a_gap_is_no_wall_and_an_open_sheet_has_none() -> None:
    found = facts(together(box(), moved(box(), 1.0005, 0, 0)))
    assert found.value("thin walls (share of area)") == 0
    assert facts(grid(4)).value("thinnest wall (mm)") == "nothing behind any face"


def test_sharp_edges() -> None:
    assert facts(box(), sharp_angle=89).value("sharp edges") == 12
    assert facts(box(), sharp_angle=91).value("sharp edges") == 0


def test_stretch_of_a_known_map() -> None:
    sheet = grid(4)
    even = stretch(sheet.vertices, sheet.uv, sheet.faces)
    assert (even.l2, even.linf, even.conformal) == pytest.approx((1, 1, 1))
    wide = stretch(sheet.vertices, sheet.uv * np.float32([0.25, 1]), sheet.faces)
    assert (wide.l2, wide.linf, wide.conformal) == pytest.approx((np.sqrt((4 + 0.25) / 2), 2, 2.125))
    lost = stretch(sheet.vertices, sheet.uv * np.float32([0, 1]), sheet.faces)
    assert lost.lost == len(sheet.faces) and not np.isfinite(lost.l2)
    assert facts(replace(sheet, uv=sheet.uv * np.float32([0, 1]))).value("faces without UV area") == 32


def test_mirrored_charts_overlaps_and_texel_density() -> None:
    one = grid(4, size=2.0)
    halves = [one.uv * np.float32(0.5), one.uv * np.float32([-0.25, 0.25]) + np.float32([1, 0.5])]
    both = replace(together(one, moved(one, 0, 1, 0)), uv=np.concatenate(halves))
    found = facts(replace(both, material=Material(base_colour=Image.of(np.ones((64, 64, 3))))))
    assert (found.value("UV charts"), found.value("mirrored UV charts")) == (2, 1)
    assert found.value("mirrored UV faces") == 32 and found.value("UV overlap") == 0
    assert found.value("texels per metre, lowest 5 %") == pytest.approx(8)
    assert found.value("texels per metre, highest 5 %") == pytest.approx(16)
    lap = facts(replace(both, uv=np.concatenate([halves[0], halves[0]])))
    assert ("taken off for UV overlap", -10) in lap.rows


def test_texture_budget() -> None:
    picture = Image.of(np.zeros((64, 64, 3)))
    found = facts(replace(grid(2), material=Material(base_colour=picture, normal=picture)))
    texels = sum(4**k for k in range(7))
    assert found.value("textures") == 2 and found.value("largest texture (px)") == 64
    assert found.value("textures on the card, 8-bit RGBA (MB)") == pytest.approx(2 * texels * 4 / 1e6)
    assert found.value("textures on the card, BC7 (MB)") == pytest.approx(2 * (texels - 5 + 2 * 16) / 1e6)
    assert facts(grid(2)).value("materials") == 0


@pytest.mark.parametrize("show", ["all problems", "nothing", *COLOURS])
def test_bad_faces_are_in_colour(show: str) -> None:
    bed = Bed(coloured(sphere(4)), seed=1)
    bed.holes(2)
    bed.flipped(3)
    bed.piercing(2)
    mesh = bed.mesh
    found: Analysed = analyse(Run(), mesh, show=show)
    groups, names = found.marked.face_groups, list(COLOURS)
    kinds = {0: "sound", **dict(enumerate(names, start=1))}
    seen = {kinds[g] for g in np.unique(groups).tolist()} - {"sound"}
    allowed = {"holes", "self-intersections", "flipped"}
    assert seen == ({show} & allowed | ({"sharp edges"} & {show}) if show != "all problems" else seen & allowed)
    assert np.array_equal(mesh.vertices[mesh.faces], found.marked.vertices[found.marked.faces])
    colour = found.marked.colours[found.marked.faces]
    assert (colour == colour[:, :1]).all(), "one colour per face"
    if show == "flipped":
        assert (groups > 0).sum() == 3
    if show == "self-intersections":
        assert (groups > 0).sum() == 2 + 6
    assert found.mesh is mesh


def test_same_input_same_bits_and_cancel() -> None:
    bed = Bed(SOUND["torus"](), seed=2)
    bed.piercing(4)
    one, two = analyse(Run(), bed.mesh), analyse(Run(), bed.mesh)
    assert one.report.rows == two.report.rows
    assert np.array_equal(one.marked.colours, two.marked.colours)
    seen: list[float] = []

    def stop(fraction: float, _: str) -> None:
        seen.append(fraction)
        if fraction > 0.3:
            run.stop.set()

    run = Run(stop)
    with pytest.raises(Cancelled):
        analyse(run, bed.mesh)
    assert seen[-1] < 0.8


def test_welding_is_by_position() -> None:
    mesh = SOUND["box with UVs"]()
    assert weld_points(mesh.vertices).count < len(mesh.vertices)
    assert facts(mesh).value(PAIRS) == 0 and facts(mesh).value("score (of 100)") == 100


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_loops_over_many_faces_find_the_same_bits(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    vertices, faces = rng.normal(size=(500, 3)).astype(dtype), rng.integers(0, 500, (4_000, 3)).astype(np.int32)
    vectors, low = _topology.face_vectors(vertices, faces), _measure.flat(vertices, faces)
    for module in (_topology, _measure):
        monkeypatch.setattr(module, "FEW", 10)
    assert np.array_equal(vectors, _topology.face_vectors(vertices, faces))
    assert np.array_equal(low, _measure.flat(vertices, faces)) and low.any() and not low.all()
