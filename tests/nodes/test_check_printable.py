"""Overhangs, walls, contact and size of shapes whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest
from mesh_shapes import grid, moved, sphere, together
from test_physics_body import turned

from app.engine import Mesh, Run
from nodes.check.printable import printable
from nodes.mesh.primitives import box, cone


def mm(mesh: Mesh, scale: float = 0.001) -> Mesh:
    return Mesh.of(mesh.vertices * scale, mesh.faces)


def tee() -> Mesh:
    """A slab of 40 x 10 x 20 mm on a post of 10 x 20 x 20 mm, one closed mesh."""
    import manifold3d

    post = manifold3d.Manifold.cube((10, 21, 20))
    slab = manifold3d.Manifold.cube((40, 10, 20)).translate((-15, 20, 0))
    found = (post + slab).to_mesh()
    return mm(Mesh.of(found.vert_properties[:, :3], found.tri_verts))


def test_a_cube_is_ready() -> None:
    found = printable(Run(), mm(box(20, 20, 20, 2))).report
    assert found.value("ready to print") and found.verdict == "Ready, without support."
    assert found.value("area on the bed (mm²)") == pytest.approx(400, rel=1e-5)
    assert found.value("overhang (mm²)") == 0 and found.value("thinnest wall (mm)") == pytest.approx(20, rel=1e-4)
    assert [found.value(f"{n} (mm)") for n in ("width", "height", "depth")] == pytest.approx([20, 20, 20], rel=1e-5)


def test_a_ceiling_needs_support_down_to_the_bed() -> None:
    found = printable(Run(), tee())
    report = found.report
    assert report.value("ready to print") and report.value("steepest overhang (°)") == pytest.approx(90)
    assert report.value("overhang (mm²)") == pytest.approx(600, rel=1e-4)
    assert report.value("support at most (cm³)") == pytest.approx(12, rel=1e-3)
    assert report.value("area on the bed (mm²)") == pytest.approx(200, rel=1e-4)
    groups = found.marked.face_groups
    area = np.linalg.norm(
        np.cross(*(found.marked.vertices[found.marked.faces[:, k]] - found.marked.vertices[found.marked.faces[:, 0]]
                   for k in (1, 2))), axis=1) / 2  # fmt: skip
    assert area[groups == 3].sum() * 1e6 == pytest.approx(600, rel=1e-3)
    assert area[groups == 4].sum() * 1e6 == pytest.approx(200, rel=1e-3)


@pytest.mark.parametrize(("height", "needs"), [(21.0, False), (19.0, True)])
def test_the_angle_counts_from_upright(height: float, needs: bool) -> None:
    """A cone of 20 mm radius on its cut-off tip: its wall hangs over by atan((20 - 2) / height)."""
    upside_down = turned(cone(20, height, 128, 2), 180, (1, 0, 0))
    limit = np.degrees(np.arctan(18 / 20))
    found = printable(Run(), mm(upside_down), overhang=float(limit), least_contact=1).report
    assert (found.value("overhang (mm²)") > 0) == needs
    assert found.value("steepest overhang (°)") == pytest.approx(np.degrees(np.arctan(18 / height)), abs=0.05)


def test_thin_walls_small_contact_size_holes_and_tipping_are_in_the_way() -> None:
    thin = printable(Run(), mm(box(20, 20, 0.5))).report
    assert not thin.value("ready to print") and "too thin" in thin.verdict
    assert thin.value("thinnest wall (mm)") == pytest.approx(0.5, rel=1e-3)
    ball = printable(Run(), mm(sphere(4, 10))).report
    assert "lie on the bed" in ball.verdict
    large = printable(Run(), mm(box(300, 20, 100))).report
    assert not large.value("fits the printer") and "larger than the printer" in large.verdict
    assert printable(Run(), mm(box(100, 20, 300)), bed_width=300).report.value("fits the printer")
    opened = Mesh.of(box().vertices * 0.02, box().faces[1:])
    assert "not watertight" in printable(Run(), opened).report.verdict
    crossed = mm(together(box(20, 20, 20), moved(box(20, 20, 20), 5, 5, 5)))
    assert "run through one another" in printable(Run(), crossed).report.verdict
    slanted = mm(box(10, 60, 10, 3))
    rise = slanted.vertices[:, 1:2] + np.float32(0.03)
    tipping = Mesh.of(slanted.vertices + rise * np.float32([[0.4, 0, 0]]), slanted.faces)
    found = printable(Run(), tipping).report
    assert found.value("stands while it is printed") is False and "tip over" in found.verdict


def blade(angle: float, pieces: int = 24) -> Mesh:
    """A prism of 20 mm whose upper edge has ``angle`` degrees, in small faces of about 0.2 mm there."""
    half = np.tan(np.radians(angle / 2))
    mesh = box(1, 1, 1, pieces)
    up = (mesh.vertices[:, 1:2].astype(np.float64) + 0.5) ** 2  # rows close up towards the edge, at height 0
    at = np.concatenate([mesh.vertices[:, :1] * 2 * half * up * 20, -up * 20, mesh.vertices[:, 2:] * 20], axis=1)
    return mm(Mesh.of(at.astype(np.float32), mesh.faces[:, ::-1]))


def test_a_sharp_edge_is_no_thin_wall_and_a_knife_is() -> None:
    blunt = printable(Run(), blade(60), wall=2.0, least_contact=1).report
    assert blunt.value("sharp edges and specks (share of area)") > 0.005
    assert blunt.value("thin walls (share of area)") == 0 and blunt.value("thinnest wall (mm)") >= 2
    knife = printable(Run(), blade(20), wall=2.0, least_contact=1).report
    assert knife.value("thin walls (share of area)") > 0.1 and "too thin" in knife.verdict


def test_a_speck_is_counted_apart_and_a_pin_is_too_thin() -> None:
    def with_pin(side: float, long: float) -> Mesh:
        import manifold3d

        pin = manifold3d.Manifold.cube((side, long, side)).translate((10, 20, 10))
        found = (manifold3d.Manifold.cube((20, 20, 20)) + pin).to_mesh()
        return mm(Mesh.of(found.vert_properties[:, :3], found.tri_verts))

    pin = printable(Run(), with_pin(0.4, 5)).report
    assert pin.value("thinnest wall (mm)") == pytest.approx(0.4, rel=1e-3) and "too thin" in pin.verdict
    assert pin.value("thin walls (share of area)") == pytest.approx(4 * 0.4 * 5 / (6 * 400 + 4 * 0.4 * 5), rel=1e-3)
    large = printable(Run(), together(with_pin(0.4, 5), moved(mm(box(200, 200, 200)), 0.3, 0, 0))).report
    assert "less than 0.1% of its walls are too thin" in large.verdict
    speck = printable(Run(), with_pin(0.2, 0.3)).report
    assert speck.value("sharp edges and specks (share of area)") > 0 and speck.value("ready to print")
    crumb = printable(Run(), mm(box(0.5, 0.5, 0.5)), least_contact=0).report
    assert crumb.value("thin walls (share of area)") == 1 and "too thin" in crumb.verdict


def test_a_flat_sheet_gets_an_answer_and_nothing_moves() -> None:
    found = printable(Run(), grid(4, 0.05))
    assert not found.report.value("ready to print") and found.mesh.vertices is not None
    assert len(found.marked.faces) == len(found.mesh.faces)
