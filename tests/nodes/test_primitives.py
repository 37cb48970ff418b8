import manifold3d
import numpy as np
import pytest
import trimesh

from app.engine import BadInput, Mesh
from nodes.mesh.primitives import box, capsule, cone, cylinder, plane, sphere, torus
from nodes.mesh.profiles import gear, stairs, star, wedge
from nodes.mesh.shapes import flat_disc, prism, rounded_box, tube

SOLIDS = {
    "box": lambda: box(1.0, 0.3, 2.0),
    "box in pieces": lambda: box(0.1, 0.7, 0.3, pieces=7),
    "globe": lambda: sphere(0.7, segments=24),
    "coarse globe": lambda: sphere(0.7, segments=3),
    "icosahedron": lambda: sphere(0.7, "icosphere", detail=1),
    "icosphere": lambda: sphere(0.7, "icosphere", detail=13),
    "cylinder": lambda: cylinder(0.3, 1.3, 37, 3),
    "cone": lambda: cone(0.3, 1.3, 37),
    "truncated cone": lambda: cone(0.3, 1.3, 37, 0.1),
    "funnel": lambda: cone(0.1, 1.3, 37, 0.4),
    "torus": lambda: torus(0.5, 0.2, 31, 17),
    "capsule": lambda: capsule(0.2, 0.5, 24),
    "rounded box": lambda: rounded_box(1.0, 0.4, 0.7, 0.1, 3),
    "rounded box in pieces": lambda: rounded_box(0.3, 0.7, 0.1, 0.03, 5, 4),
    "pill": lambda: rounded_box(0.3, 1.0, 0.3, 0.15, 6),
    "rounded to a ball": lambda: rounded_box(0.5, 0.5, 0.5, 0.25, 6),
    "tube": lambda: tube(0.5, 0.13, 1.1, 29, 3),
    "prism": lambda: prism(7, 0.4, 1.3),
    "pyramid": lambda: prism(4, 0.4, 0.7, 0.0),
    "spreading prism": lambda: prism(3, 0.4, 0.7, 1.8),
    "wedge": lambda: wedge(0.7, 0.4, 1.1),
    "stairs": lambda: stairs(7, 0.9, 1.4, 2.1),
    "floating stairs": lambda: stairs(7, 0.9, 1.4, 2.1, 0.2),
    "one step": lambda: stairs(1, 0.9, 0.4, 0.5),
    "gear": lambda: gear(13, 0.5, 0.2, 0.1),
    "gear with a bevel": lambda: gear(30, 0.5, 0.2, 0.1, 0.004, 2),
    "star": lambda: star(5, 0.5, 0.4, 0.1, 0.02, 3),
}
HOLED = ("torus", "tube", "gear", "gear with a bevel")
EULER = {name: 0 if name in HOLED else 2 for name in SOLIDS}


def welded(mesh: Mesh) -> trimesh.Trimesh:
    """Equal positions to the last bit become one vertex; nothing is rounded."""
    points, number = np.unique(mesh.vertices, axis=0, return_inverse=True)
    return trimesh.Trimesh(points, number.reshape(-1)[mesh.faces], process=False)


def uv_areas(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.uv[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2


def covered_once(mesh: Mesh, side: int = 401) -> int:
    """The largest number of triangles over any of side² sample points of the texture."""
    count = np.zeros((side, side), np.uint8)
    for corners in mesh.uv[mesh.faces].astype(np.float64) * side:
        low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int)
        x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5127, np.arange(low[1], high[1]) + 0.4871)
        inside = np.ones(x.shape, bool)
        for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 1e-9
        count[low[1] : high[1], low[0] : high[0]][inside[: side - low[1], : side - low[0]]] += 1
    return int(count.max())


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_are_closed_and_outward(name):
    mesh = SOLIDS[name]()
    solid = welded(mesh)
    assert solid.is_watertight and solid.is_winding_consistent
    assert solid.volume > 0
    assert solid.euler_number == EULER[name]
    assert solid.area_faces.min() > 0
    assert len(np.unique(mesh.faces)) == len(mesh.vertices)
    np.testing.assert_allclose((mesh.bounds[0] + mesh.bounds[1])[1], 0, atol=1e-6)


@pytest.mark.parametrize("name", SOLIDS)
def test_normals_are_unit_and_on_the_side_of_their_faces(name):
    mesh = SOLIDS[name]()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    face /= np.linalg.norm(face, axis=1, keepdims=True)
    agreement = np.einsum("mi,mki->mk", face, mesh.normals[mesh.faces])
    assert agreement.min() > (0.2 if name in ("coarse globe", "icosahedron") else 0.85)


FLAT = {"plane": lambda: plane(2, 3, 4), "disc": lambda: flat_disc(0.7, 0, 13), "ring": lambda: flat_disc(0.7, 0.2, 9)}


@pytest.mark.parametrize("name", [*SOLIDS, *FLAT])
def test_uvs_stay_inside_face_outward_and_never_overlap(name):
    mesh = FLAT[name]() if name in FLAT else SOLIDS[name]()
    assert mesh.uv.min() >= 0 and mesh.uv.max() <= 1
    assert uv_areas(mesh).min() > 0
    assert covered_once(mesh) == 1


def test_sizes_are_exact():
    solid = welded(box(1.0, 0.5, 2.0, pieces=3))
    assert solid.volume == pytest.approx(1.0, rel=1e-6)
    assert solid.area == pytest.approx(7.0, rel=1e-6)
    np.testing.assert_allclose(box(1.0, 0.5, 2.0).bounds, [[-0.5, -0.25, -1], [0.5, 0.25, 1]])
    n, r, h = 12, 0.5, 2.0
    polygon = n * r * r * np.sin(2 * np.pi / n) / 2
    assert welded(cylinder(r, h, n)).volume == pytest.approx(polygon * h, rel=1e-6)
    assert welded(cone(r, h, n)).volume == pytest.approx(polygon * h / 3, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "volume", "area"),
    [
        (lambda n: sphere(0.5, segments=n), np.pi / 6, np.pi),
        (lambda n: sphere(0.5, "icosphere", detail=n // 4), np.pi / 6, np.pi),
        (lambda n: cylinder(0.5, 1.0, n), np.pi / 4, 1.5 * np.pi),
        (lambda n: cone(0.5, 1.0, n), np.pi / 12, np.pi / 4 + np.pi / 2 * np.sqrt(1.25)),
        (lambda n: torus(0.5, 0.2, n, n), 2 * np.pi**2 * 0.5 * 0.04, 4 * np.pi**2 * 0.1),
        (lambda n: capsule(0.25, 0.5, n), np.pi * 0.0625 * (0.5 + 1 / 3), 2 * np.pi * 0.25),
        (lambda n: tube(0.5, 0.2, 1.0, n), np.pi * 0.16, np.pi * (1.0 + 0.6 + 0.32)),
        (
            lambda n: rounded_box(1.2, 0.8, 1.0, 0.2, n // 8),
            0.8 * 0.4 * 0.6 + 0.4 * 1.04 + np.pi * 0.04 * 1.8 + np.pi * 0.032 / 3,
            2 * 1.04 + 2 * np.pi * 0.2 * 1.8 + 4 * np.pi * 0.04,
        ),
    ],
)
def test_volume_and_area_converge_with_the_square_of_the_pieces(make, volume, area):
    off = {
        n: (abs(welded(make(n)).volume - volume) / volume, abs(welded(make(n)).area - area) / area) for n in (32, 128)
    }
    assert off[128][0] < 3e-3 and off[128][1] < 2e-3
    for coarse, fine in zip(off[32], off[128], strict=True):
        assert 12 < coarse / fine < 20


def test_all_points_of_a_sphere_lie_on_it():
    for mesh in (sphere(2.5), sphere(2.5, "icosphere", detail=9)):
        np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), 2.5, rtol=3e-7)
        np.testing.assert_allclose(mesh.normals * 2.5, mesh.vertices, atol=1e-6)


@pytest.mark.parametrize("name", ["globe", "cylinder", "cone", "torus", "capsule"])
def test_the_middle_of_the_texture_is_in_front_and_reads_from_left_to_right(name):
    mesh = SOLIDS[name]()
    wall = mesh.uv[:, 1] >= 0.5 if name in ("cylinder", "cone") else np.ones(len(mesh.uv), bool)
    outside = wall & (np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 2]) > 0.19) & (mesh.normals[:, 1] > -0.5)
    near = outside & (np.abs(mesh.uv[:, 0] - 0.5) < 0.1)
    assert near.any() and mesh.vertices[near, 2].min() > 0.1
    left, right = outside & (np.abs(mesh.uv[:, 0] - 0.3) < 0.05), outside & (np.abs(mesh.uv[:, 0] - 0.7) < 0.05)
    assert mesh.vertices[left, 0].max() < 0 < mesh.vertices[right, 0].min()


def test_an_icosphere_is_even():
    solid = welded(sphere(1.0, "icosphere", detail=8))
    assert len(solid.faces) == 20 * 64
    assert solid.area_faces.max() / solid.area_faces.min() < 2.2


def test_a_plane_faces_up_and_is_as_large_as_asked():
    mesh = plane(2.0, 3.0, 5)
    assert len(mesh.faces) == 50
    assert (trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).face_normals == [0, 1, 0]).all()
    np.testing.assert_allclose(mesh.bounds, [[-1, 0, -1.5], [1, 0, 1.5]])


def test_prisms_stairs_and_wedges_are_exact():
    n, r, h = 6, 0.5, 2.0
    base = n * r * r * np.sin(2 * np.pi / n) / 2
    assert welded(prism(n, r, h)).volume == pytest.approx(base * h, rel=1e-6)
    assert welded(prism(n, r, h, 0.0)).volume == pytest.approx(base * h / 3, rel=1e-6)
    assert welded(prism(n, r, h, 0.5)).volume == pytest.approx(base * h * 1.75 / 3, rel=1e-6)
    np.testing.assert_allclose(prism(4, np.sqrt(0.5), 1).bounds, [[-0.5] * 3, [0.5] * 3], atol=1e-6)
    assert welded(wedge(2, 0.5, 3)).volume == pytest.approx(1.5, rel=1e-6)
    assert welded(stairs(8, 1.5, 1.6, 2.4)).volume == pytest.approx(1.5 * 8 * 9 / 2 * 0.2 * 0.3, rel=1e-6)
    floating = 8 * 9 / 2 * 0.2 * 0.3 - (2.4 - 0.45) * (1.6 - 0.3) / 2
    assert welded(stairs(8, 1.5, 1.6, 2.4, 0.3)).volume == pytest.approx(1.5 * floating, rel=1e-6)
    np.testing.assert_allclose(stairs(8, 1.5, 1.6, 2.4, 0.3).bounds, [[-0.75, -0.8, -1.2], [0.75, 0.8, 1.2]], atol=1e-6)
    assert stairs(8).vertices[stairs(8).vertices[:, 1] > 0.8][:, 2].max() < 0, "they climb to the back"


def test_rounded_boxes_have_their_size_and_round_normals():
    mesh = rounded_box(1.0, 0.6, 0.8, 0.1, 5, 3)
    np.testing.assert_allclose(mesh.bounds, [[-0.5, -0.3, -0.4], [0.5, 0.3, 0.4]], atol=1e-7)
    middle = np.clip(mesh.vertices, [-0.4, -0.2, -0.3], [0.4, 0.2, 0.3])
    np.testing.assert_allclose(mesh.vertices - middle, mesh.normals * 0.1, atol=1e-6)


def test_gears_have_involute_flanks_and_mesh():
    one, other = gear(20, 0.22, 0.1, 0.05), gear(30, 0.32, 0.1, 0.05)
    module = 0.01
    for mesh, teeth in ((one, 20), (other, 30)):
        away = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1])
        assert away.max() == pytest.approx(module * (teeth + 2) / 2 * 2, rel=1e-5)

    def flat(mesh):
        solid = welded(mesh)
        shape = manifold3d.Mesh(solid.vertices.astype(np.float32), solid.faces.astype(np.uint32))
        return manifold3d.Manifold(shape).slice(0.0)

    distance = 0.2 + 0.3
    turned = flat(other).rotate(180 / 30 + 180)
    clash = (flat(one) ^ turned.translate((0, distance))).area()
    assert clash < 1e-6
    assert (flat(one) ^ flat(other).rotate(180).translate((0, distance))).area() > 1e-4, "tooth on tooth"


def test_what_cannot_be_is_said_in_words():
    for make in (
        lambda: rounded_box(radius=0.6),
        lambda: tube(0.2, 0.2),
        lambda: flat_disc(0.1, 0.1),
        lambda: gear(hole=0.49),
        lambda: star(bevel=0.2),
        lambda: stairs(thickness=3),
    ):
        with pytest.raises(BadInput):
            make()
    with pytest.raises(BadInput, match="tube"):
        torus(0.2, 0.2)


def test_shapes_are_the_same_every_time():
    for make in SOLIDS.values():
        one, two = make(), make()
        assert one.vertices.tobytes() == two.vertices.tobytes() and one.uv.tobytes() == two.uv.tobytes()
