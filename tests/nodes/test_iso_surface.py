"""Iso-surfaces: closed and manifold whatever the samples are, at the right place, of one piece over two threads."""

from __future__ import annotations

import numpy as np
import pytest
from mesh_shapes import bumpy, grid, oracle, sphere

from app.engine import BadInput, Field, Mesh, Run
from nodes.mesh import _iso
from nodes.mesh._case_table import EDGES, triangles_of
from nodes.mesh._measure import measure
from nodes.mesh._metrics import nearest_on, surface_of
from nodes.mesh.from_field import from_field
from nodes.mesh.to_field import to_field


def lattice(n: int, reach: float = 1.0) -> np.ndarray:
    """(n, n, n, 3) sample places over a cube."""
    line = np.linspace(-reach, reach, n)
    return np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1)


def field(values: np.ndarray, reach: float = 1.0) -> Field:
    return Field(values[..., None].astype(np.float32), np.full(3, -reach, np.float32), np.full(3, reach, np.float32))


@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 65), (5, 6, 62), (6, 5, 64), (4, 3, 127), (24, 23, 25)])
def test_noise_gives_a_closed_manifold(shape: tuple[int, int, int]) -> None:
    """Every ambiguous case stands beside every other one somewhere."""
    noise = np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)
    padded = np.pad(noise, 1, constant_values=-1)
    above, below = Mesh.of(*_iso.surface(padded, 0.1)), Mesh.of(*_iso.surface(-padded, -0.1, below=True))
    found = measure(above)
    assert found.watertight and found.manifold and found.crossed == found.degenerate == found.duplicate == 0
    assert found.volume > 0 and oracle(above).is_volume
    assert np.array_equal(above.vertices, below.vertices) and np.array_equal(above.faces, below.faces)


def test_every_case_alone() -> None:
    """One cell of all 256: as many triangles as the table says, each vertex on the edge between its two samples."""
    for case, triangles in enumerate(triangles_of()):
        corner = np.array([case >> k & 1 for k in range(8)], np.float32).reshape(2, 2, 2).transpose(2, 1, 0)
        points, faces = _iso.surface(corner, 0.5)
        assert len(faces) == len(triangles)
        low, axis = np.array(EDGES).T
        middle = np.stack([low & 1, low >> 1 & 1, low >> 2 & 1], axis=1) + 0.5 * np.eye(3)[axis]
        wanted = middle[np.array(triangles, int).reshape(-1, 3)]
        assert np.allclose(np.sort(points[faces], axis=0), np.sort(wanted, axis=0))


def test_a_ball_lies_where_its_distance_is_zero() -> None:
    at = lattice(65)
    mesh = from_field(Run(), field(np.linalg.norm(at - (0.1, -0.05, 0.02), axis=-1) - 0.7))
    found = measure(mesh)
    assert found.watertight and found.manifold and found.genus == 0
    away = np.linalg.norm(mesh.vertices - (0.1, -0.05, 0.02), axis=1) - 0.7
    assert np.abs(away).max() < (2 / 64) ** 2 / 0.7
    assert found.volume == pytest.approx(4 / 3 * np.pi * 0.7**3, rel=2e-3)
    assert (np.einsum("ij,ij->i", mesh.normals, (mesh.vertices - (0.1, -0.05, 0.02)) / 0.7) > 0.999).all()


def test_steps_of_their_own_along_each_axis() -> None:
    values = np.linspace(-1, 1, 9)[:, None, None] * np.ones((9, 5, 4))
    plane = from_field(
        Run(), Field(values[..., None].astype(np.float32), np.float32([0, 1, 2]), np.float32([8, 3, 5])), close=False
    )
    assert np.abs(plane.vertices[:, 0] - 4).max() < 1.1e-3
    assert measure(plane).area == pytest.approx(2 * 3, rel=1e-5)


def test_what_reaches_the_border_gets_a_lid() -> None:
    wall = field(lattice(17)[..., 0])
    closed, opened = from_field(Run(), wall), from_field(Run(), wall, close=False)
    assert measure(closed).watertight and measure(closed).volume == pytest.approx(1 * 2 * 2, rel=1e-3)
    assert measure(opened).boundary_loops == 1 and measure(opened).area == pytest.approx(4, rel=1e-5)


def test_densities_are_high_inside() -> None:
    near = np.exp(-((lattice(33) ** 2).sum(axis=-1)))
    mesh = from_field(Run(), field(near), level=float(np.exp(-0.25)), inside="above")
    assert measure(mesh).volume == pytest.approx(4 / 3 * np.pi / 8, rel=0.015)


def test_two_threads_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    at = lattice(48) * 9
    waves = (np.sin(at[..., 0]) * np.cos(at[..., 1]) + np.sin(at[..., 1]) * np.cos(at[..., 2])).astype(np.float32)
    whole = _iso.surface(waves, 0.0)
    monkeypatch.setattr(_iso, "MANY", 0)
    monkeypatch.setattr(_iso.os, "cpu_count", lambda: 5)
    split = _iso.surface(waves, 0.0)
    assert len(whole[1]) > 20_000
    assert all(np.array_equal(a, b) for a, b in zip(whole, split, strict=True))


def test_samples_that_are_no_numbers_are_outside() -> None:
    values = np.linalg.norm(lattice(17), axis=-1) - 0.6
    values[8, 8, 8], values[0, 0, 0] = np.nan, np.inf
    found = measure(from_field(Run(), field(values)))
    assert found.watertight and found.parts == 2


@pytest.mark.parametrize(
    "bad",
    [
        dict(field=field(np.ones((4, 4, 4)))),
        dict(field=field(np.ones((1, 4, 4)))),
        dict(field=field(-np.ones((4, 4, 4))), channel=3),
        dict(field=Field(np.zeros((3, 3, 3, 1), np.float32), np.ones(3, np.float32), np.zeros(3, np.float32))),
    ],
    ids=["never crosses", "thin", "no such channel", "corners"],
)
def test_bad_input_says_what_to_do(bad: dict) -> None:
    with pytest.raises(BadInput) as caught:
        from_field(Run(), **bad)
    assert caught.value.advice


def test_distances_to_a_ball_are_right_everywhere() -> None:
    made = to_field(Run(), sphere(5), resolution=32, margin=20)
    line = [np.linspace(a, b, n) for a, b, n in zip(made.lower, made.upper, made.values.shape[:3], strict=True)]
    away = np.linalg.norm(np.stack(np.meshgrid(*line, indexing="ij"), axis=-1), axis=-1) - 1
    near = np.abs(away) < 2e-3
    assert np.abs(made.values[..., 0] - away).max() < 2e-3
    assert (np.sign(made.values[..., 0]) == np.sign(away))[~near].all()
    assert (made.upper - made.lower).min() >= 2 * 1.4


def test_there_and_back_and_an_offset() -> None:
    """At level 0 the surface comes back; at another level each point of it lies that far from the first surface."""
    mesh = bumpy(4)
    made = to_field(Run(), mesh, resolution=64)
    same, thicker = from_field(Run(), made), from_field(Run(), made, level=0.1)
    assert measure(same).genus == 0 and measure(same).volume == pytest.approx(measure(mesh).volume, rel=0.01)
    shape = measure(thicker)
    assert shape.watertight and shape.genus == 0
    away = nearest_on(surface_of(mesh), thicker.vertices.astype(np.float64)).distance
    assert away.mean() == pytest.approx(0.1, rel=0.01) and away.min() > 0.09 and away.max() < 0.11


def test_a_field_of_an_open_sheet_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        to_field(Run(), grid(4), resolution=32)
    assert "encloses nothing" in caught.value.message and caught.value.advice
