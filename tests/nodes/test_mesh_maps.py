"""Taking textures off a mesh gives back what was put on."""

from __future__ import annotations

import numpy as np

from app.engine import Image, Material, Mesh
from nodes.image._pixels import to_linear
from nodes.texture.material import apply_material
from nodes.texture.mesh_maps import mesh_maps

TRIANGLE = Mesh.of([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], uv=np.array([[0, 0], [1, 0], [0, 1]], np.float32))


def test_maps_come_back_as_they_were_put_on() -> None:
    random = np.random.default_rng(1)
    colour, normal, rough = (Image.of(random.random((8, 6, 3)), s) for s in ("srgb", "data", "data"))
    maps = mesh_maps(apply_material(TRIANGLE, base_colour=colour, normal=normal, roughness_map=rough))
    np.testing.assert_array_equal(maps.base_colour.pixels, colour.pixels)
    np.testing.assert_array_equal(maps.normal.pixels, normal.pixels)
    np.testing.assert_array_equal(maps.roughness.pixels, rough.pixels)


def test_a_mesh_without_material_gives_even_maps_of_the_default() -> None:
    maps = mesh_maps(TRIANGLE)
    assert len({m.size for m in maps}) == 1
    assert np.ptp(maps.base_colour.pixels) == 0
    assert np.allclose(maps.normal.rgb, (0.5, 0.5, 1.0))
    assert np.allclose(maps.roughness.rgb, Material().roughness_factor)
    assert np.allclose(maps.metallic.rgb, 0)


def test_factors_are_multiplied_in_linear_light() -> None:
    grey = Image.of(np.full((4, 4, 3), 0.5, np.float32))
    material = Material(base_colour=grey, base_factor=(0.5, 1.0, 1.0, 0.25), roughness=grey, roughness_factor=0.5)
    maps = mesh_maps(Mesh(TRIANGLE.vertices, TRIANGLE.faces, uv=TRIANGLE.uv, material=material))
    linear = to_linear(maps.base_colour.rgb)
    np.testing.assert_allclose(linear[..., 0] * 2, linear[..., 1], rtol=1e-3)
    assert np.allclose(maps.base_colour.alpha, 0.25)
    assert np.allclose(maps.roughness.rgb, 0.25)
