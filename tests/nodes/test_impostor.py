"""Cards that stand for a mesh: seen from where the pictures were taken, they look like it, in colour and in light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import bumpy

from app.engine import BadInput, Material, Mesh, Run
from nodes.mesh._billboards import octahedral
from nodes.mesh._camera import camera, middle, reach
from nodes.mesh._render import Rendered, render
from nodes.mesh.impostor import impostor
from nodes.mesh.primitives import sphere

SIZE = 160


def lopsided() -> Mesh:
    """A bumpy ball, wider than high, off the origin, with colours that differ on every side."""
    mesh = bumpy(4)
    at = mesh.vertices * np.float32([1.2, 0.7, 0.9]) + np.float32([3, 1, -2])
    shade = np.concatenate([0.5 + mesh.vertices / 3, np.ones((len(at), 1))], axis=1)
    return replace(mesh, vertices=at.astype(np.float32), colours=shade.astype(np.float32))


def seen_from(mesh: Mesh, aim: np.ndarray, radius: float, azimuth: float, elevation: float) -> Rendered:
    fov = 2.0
    away = 1.1 * radius / np.tan(np.radians(fov / 2))
    return render(mesh, *camera(azimuth, elevation, away, fov, (SIZE, SIZE), aim), (SIZE, SIZE), finer=2)


def card(mesh: Mesh, k: int) -> Mesh:
    return replace(mesh, faces=mesh.faces[2 * k : 2 * k + 2])


@pytest.mark.parametrize("cards", [2, 3])
def test_each_card_looks_like_the_mesh_from_its_side(cards: int) -> None:
    mesh = lopsided()
    aim, radius = middle(mesh), reach(mesh)
    got = impostor(Run(), mesh, cards=cards, top=True, size=256)
    sides = [(180 * k / cards, 0) for k in range(cards)] + [(180 + 180 * k / cards, 0) for k in range(cards)]
    sides += [(0, 90), (0, -90)]
    assert len(got.mesh.faces) == 2 * len(sides) and got.mesh.material.alpha_mode == "mask"
    for k, (azimuth, elevation) in enumerate(sides):
        real = seen_from(mesh, aim, radius, azimuth, elevation)
        fake = seen_from(card(got.mesh, k), aim, radius, azimuth, elevation)
        both = (real.alpha > 0.99) & (fake.alpha > 0.99)
        either = (real.alpha > 0.5) | (fake.alpha > 0.5)
        assert both.sum() > 0.96 * either.sum()
        assert np.abs(real.alpha - fake.alpha).mean() < 0.006
        assert np.abs(real.colour - fake.colour)[both].mean() < 1.5 / 255
        angle = np.degrees(np.arccos(np.clip((real.normal * fake.normal).sum(-1)[both], -1, 1)))
        assert angle.mean() < 2.5, "the normal map brings back the normals of the mesh"


def test_cards_stand_in_the_middle_and_are_cut_to_what_is_seen() -> None:
    mesh = lopsided()
    got = impostor(Run(), mesh, backs=False)
    low, high = mesh.bounds
    pixel = got.report.value("cell (m)") / 256
    assert got.mesh.material.double_sided and len(got.mesh.faces) == 4
    assert np.abs(np.array(got.mesh.bounds) - (low, high)).max() < 1.5 * pixel
    assert np.abs(got.mesh.vertices[:4, 2] - middle(mesh)[2]).max() < 1e-5
    front = got.mesh.normals[:4]
    assert np.allclose(front, (0, 0, 1), atol=1e-6)


def test_heights_tell_how_far_the_surface_stands_out() -> None:
    got = impostor(Run(), sphere(radius=0.5), style="turntable", frames=4, size=128)
    cell = got.height.pixels[:128, :128, 0]
    half = got.report.value("cell (m)") / 2
    line = (np.arange(128) + 0.5) / 64 - 1
    x, y = np.meshgrid(line * half, line * half)
    inside = np.hypot(x, y) < 0.45
    truth = 0.5 + np.sqrt(np.maximum(0.25 - x**2 - y**2, 0)) / (2 * half)
    assert np.abs(cell - truth)[inside].max() < 0.004
    assert got.height.space == got.normal.space == "data" and got.colour.space == "srgb"


def test_colours_reach_beyond_the_outline() -> None:
    """Red cannot fade to black at the rim of a smaller version."""
    red = replace(sphere(radius=0.5), material=Material(base_factor=(1.0, 0.0, 0.0, 1.0)))
    got = impostor(Run(), red, size=64)
    assert np.allclose(got.colour.rgb[:64, :64], (1, 0, 0), atol=1e-3)
    assert 0.4 < got.colour.alpha[:64, :64].mean() < 0.8


@pytest.mark.parametrize("upper", [True, False])
def test_octahedral_views_cover_the_sphere_evenly(upper: bool) -> None:
    views = np.radians(octahedral(9, upper))
    ahead = np.stack(
        [np.cos(views[:, 1]) * np.sin(views[:, 0]), np.sin(views[:, 1]), np.cos(views[:, 1]) * np.cos(views[:, 0])],
        axis=1,
    )
    rng = np.random.default_rng(0).normal(size=(4000, 3))
    rng /= np.linalg.norm(rng, axis=1, keepdims=True)
    wanted = rng if not upper else rng * np.where(rng[:, 1:2] < 0, (1, -1, 1), 1)
    nearest = np.degrees(np.arccos(np.clip((wanted @ ahead.T).max(axis=1), -1, 1)))
    assert nearest.max() < (18 if upper else 20)
    assert (ahead[:, 1] > -1e-9).all() == upper
    assert np.isclose(ahead[:, 1], 1).any(), "straight from above is among them"
    assert np.isclose(ahead, (0, 0, 1), atol=1e-9).all(axis=1).any(), "and straight from the front"


def test_an_octahedral_sheet_holds_each_view_where_the_report_says() -> None:
    mesh = lopsided()
    got = impostor(Run(), mesh, style="octahedral", frames=9, size=64)
    assert got.colour.size == (192, 192) and len(got.mesh.faces) == 2
    views, half = octahedral(3, True), got.report.value("cell (m)") / 2
    for k, view in enumerate(views):
        assert got.report.value(f"view {k}") == f"azimuth {view.azimuth:.2f}°, elevation {view.elevation:.2f}°"
        away = 500 * half
        fov = float(np.degrees(2 * np.arctan2(half, away)))
        real = render(mesh, *camera(*view, away, fov, (64, 64), middle(mesh)), (64, 64), finer=3)
        cell = got.colour.pixels[k // 3 * 64 : k // 3 * 64 + 64, k % 3 * 64 : k % 3 * 64 + 64]
        assert np.abs(cell[..., 3] - real.alpha).mean() < 0.003
        full = real.alpha > 0.99
        assert np.abs(cell[..., :3] - real.colour)[full].mean() < 1 / 255


def test_a_mesh_that_shows_nothing_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        impostor(Run(), Mesh.of([[0, 0, 0], [0, 1, 0], [0, 2, 0]], [[0, 1, 2]]), size=32)
    assert caught.value.advice
