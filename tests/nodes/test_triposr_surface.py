"""Surfaces of known fields: where they lie, that they are closed, and that searching near them loses nothing."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
import trimesh
from triposr_samples import tiny_network

from nodes.image_to_3d._triposr.surface import Space, Surface, coarse_blocks, everywhere, near, stride_of
from nodes.mesh._case_table import EDGES, FACES, triangles_of

Field = Callable[[torch.Tensor], torch.Tensor]
CENTRE, RADIUS = torch.tensor([0.13, -0.21, 0.08]), 0.4


def ball(p: torch.Tensor) -> torch.Tensor:
    return RADIUS - (p - CENTRE).norm(dim=1)


def ring(p: torch.Tensor) -> torch.Tensor:
    return 0.03 - torch.hypot(torch.hypot(p[:, 0], p[:, 1]) - 0.5, p[:, 2] - 0.1)


def rod(p: torch.Tensor) -> torch.Tensor:
    """Thinner than a cell of the coarse grid (0.027), and off its samples."""
    return torch.minimum(0.008 - torch.hypot(p[:, 0] - 0.0123, p[:, 1] + 0.017), 0.6 - p[:, 2].abs())


def sheet(p: torch.Tensor) -> torch.Tensor:
    """A slanted plate, 0.014 thick."""
    across = (p * torch.tensor([0.6, 0.64, 0.48])).sum(dim=1) - 0.011
    return torch.minimum(0.007 - across.abs(), 0.5 - p.norm(dim=1))


def figure(p: torch.Tensor) -> torch.Tensor:
    """A body with thin limbs, and a small ball that touches nothing."""
    body = 0.25 - (p * torch.tensor([1.0, 1.0, 0.6])).norm(dim=1)
    arm = 0.02 - torch.hypot(p[:, 1] - 0.1, p[:, 2] - 0.1) - (p[:, 0].abs() - 0.6).clamp_min(0)
    loose = 0.03 - (p - torch.tensor([0.5, 0.5, 0.5])).norm(dim=1)
    return torch.stack([body, arm, loose]).amax(dim=0)


def saturated(field: Field, steep: float = 60.0) -> Field:
    """As a network's density is: even far from the surface, steep across it."""
    return lambda p: 6 * torch.tanh(field(p) * steep)


def waves(p: torch.Tensor) -> torch.Tensor:
    """Surfaces everywhere, which also leave the cube."""
    dice = torch.Generator().manual_seed(0)
    ways, start = torch.randn(3, 24, generator=dice) * 5, torch.rand(24, generator=dice) * 6
    return torch.sin(p @ ways + start) @ torch.randn(24, generator=dice)


def space(field: Field, grid: int, **more: object) -> Space:
    return Space(field, 0.87, grid, 1 << 16, **more)  # type: ignore[arg-type]


def solid(surface: Surface) -> trimesh.Trimesh:
    return trimesh.Trimesh(surface.points.numpy().astype(float), surface.faces.numpy(), process=False)


def test_every_case_is_cut_along_the_same_lines_as_its_neighbour() -> None:
    """The lines that a case draws on a face depend on the four corners of that face only, so cells fit together."""
    seen: dict[tuple[int, tuple[int, ...]], set[frozenset[int]]] = {}
    for case, triangles in enumerate(triangles_of()):
        sides = Counter(frozenset((t[i], t[i - 1])) for t in triangles for i in range(3))
        assert max(sides.values(), default=0) <= 2
        rim = {side for side, uses in sides.items() if uses == 1}
        for number, face in enumerate(FACES):
            edges = {
                EDGES.index((min(p, q), (p ^ q).bit_length() - 1)) for p, q in itertools.pairwise((*face, face[0]))
            }
            drawn = {side for side in sides if side <= edges}
            assert drawn <= rim, "no triangle's inner side lies in a face"
            corners = tuple(case >> corner & 1 for corner in face)
            assert seen.setdefault((number, corners), drawn) == drawn


def test_a_ball_off_the_middle_lies_where_it_is_and_faces_outwards() -> None:
    for found in (everywhere(space(ball, 64)), near(space(ball, 128))):
        mesh = solid(found)
        assert mesh.is_watertight and mesh.is_winding_consistent
        assert mesh.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.01)
        assert np.abs(mesh.center_mass - CENTRE.numpy()).max() < 1e-3
        outwards = mesh.triangles_center - CENTRE.numpy()
        assert (np.einsum("ij,ij->i", mesh.face_normals, outwards) > 0).all()
        far = np.linalg.norm(found.points.numpy() - CENTRE.numpy(), axis=1) - RADIUS
        assert np.abs(far).max() < 1e-3


@pytest.mark.parametrize("grid", [5, 33, 60])
def test_what_leaves_the_cube_is_closed_at_its_faces(grid: int) -> None:
    mesh = solid(everywhere(space(waves, grid)))
    assert mesh.is_watertight and np.abs(mesh.vertices).max() < 0.87
    full = solid(everywhere(space(lambda p: 1.5 - p.abs().amax(dim=1), grid)))
    assert full.is_watertight and full.volume == pytest.approx((2 * 0.87 * (1 - 1 / grid)) ** 3, rel=0.05)


def same(one: Surface, two: Surface) -> bool:
    faces = [s.faces[np.lexsort(s.faces.numpy().T)] for s in (one, two)]
    return torch.equal(one.points, two.points) and torch.equal(*faces)


@pytest.mark.parametrize("field", [ball, ring, rod, sheet, figure, saturated(figure)])
def test_near_the_surface_is_the_surface(field: Field) -> None:
    """The very same vertices and triangles as from the whole grid, from a small part of the questions."""
    whole, part = everywhere(space(field, 128)), near(space(field, 128))
    assert same(whole, part) and len(whole.faces) > 100
    assert part.asked < whole.asked / 5
    assert solid(part).is_watertight


@pytest.mark.parametrize("grid", [150])
def test_a_grid_that_the_blocks_do_not_divide_is_no_different(grid: int) -> None:
    assert same(everywhere(space(waves, grid)), near(space(waves, grid)))


def test_at_256_a_twentieth_of_the_questions_is_enough_for_a_ball() -> None:
    found = near(space(ball, 256))
    assert found.asked < 257**3 / 20 and solid(found).is_watertight


def test_the_field_of_a_network_is_found_whole() -> None:
    network = tiny_network()
    planes = network.planes(torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(1)))
    field = lambda p: network.level(network.raw(planes, p), 25.0)  # noqa: E731
    whole, part = everywhere(space(field, 128)), near(space(field, 128))
    assert len(whole.faces) > 1000
    assert whole.faces.shape == part.faces.shape and solid(part).is_watertight
    assert (whole.points - part.points).abs().max() < 0.5 * 2 * 0.87 / 128, "half a cell"


def test_what_is_found_in_one_place_is_followed_to_its_end() -> None:
    """A thread that no coarse sample hints at, but for the ball at its end: all of it is there."""
    grain = 2 * 0.87 / 128

    def thread(p: torch.Tensor) -> torch.Tensor:
        near_axis = (p[:, :2] - torch.tensor([0.0136, 0.0136])).abs().amax(dim=1) < 0.7 * grain
        line = torch.where(near_axis & (p[:, 2].abs() < 0.7), 1.0, -1.0)
        return torch.maximum(line, torch.where((p - torch.tensor([0.0, 0.0, 0.6])).norm(dim=1) < 0.1, 1.0, -1.0))

    whole, part = everywhere(space(thread, 128)), near(space(thread, 128))
    assert same(whole, part) and whole.points[:, 2].min() < -0.69


def test_what_is_said_to_be_lost_is_what_is_lost() -> None:
    """A loose crumb between the samples of the coarse grid, with no trace around it: careful finds it."""

    def crumb(p: torch.Tensor) -> torch.Tensor:
        return torch.where((p - 0.0136).abs().amax(dim=1) < 0.009, 1.0, torch.where(p.norm(dim=1) < 0.0, 1.0, -1.0))

    assert len(everywhere(space(crumb, 128)).faces) and not len(near(space(crumb, 128)).faces)
    assert same(everywhere(space(crumb, 128)), near(space(crumb, 128, coarse=128)))


def test_a_ridge_between_samples_counts_and_an_even_slope_does_not() -> None:
    line = torch.arange(9.0)
    ridge = (0.3 - (line - 4.5).abs())[:, None, None].expand(9, 9, 9)
    assert (ridge.max() < 0) and coarse_blocks(ridge, 1.25)[4].all()
    slope = (line - 20)[:, None, None].expand(9, 9, 9)
    assert not coarse_blocks(slope, 1.25).any()


def test_no_call_is_larger_than_the_chunk_and_each_is_told() -> None:
    sizes: list[int] = []
    told: list[float] = []

    def counted(p: torch.Tensor) -> torch.Tensor:
        sizes.append(len(p))
        return ball(p)

    found = near(Space(counted, 0.87, 128, 5000, told=told.append))
    assert max(sizes) <= 5000 and sum(sizes) == found.asked
    assert len(told) == len(sizes) and all(0 <= t < 1 for t in told) and told[0] == 0


def test_the_coarse_grid_is_as_fine_as_the_planes() -> None:
    assert [stride_of(grid, 64) for grid in (32, 64, 127, 128, 255, 256, 511, 512)] == [1, 1, 1, 2, 2, 4, 4, 8]
