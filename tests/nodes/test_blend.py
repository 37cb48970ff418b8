"""Colours that move as asked, textures and materials that meet by a mask, several materials on one sheet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import surface_points

from app.engine import BadInput, Image, Mask, Material, Mesh, Run, rgba
from nodes.image._oklab import to_oklab
from nodes.image._pixels import to_linear, to_srgb
from nodes.io._neutral import GREY
from nodes.mesh.join import join
from nodes.mesh.primitives import box, sphere
from nodes.texture._mixing import by_height
from nodes.texture.atlas import atlas
from nodes.texture.blend import blend, blend_materials
from nodes.texture.finish import finish
from nodes.texture.recolour import gradient_map, recolour


def even(colour: tuple[float, ...], size: int = 8, space: str = "srgb") -> Image:
    return Image.of(np.broadcast_to(np.float32(colour), (size, size, len(colour))), space)  # type: ignore[arg-type]


def grain(seed: int = 0, size: int = 32) -> Image:
    return Image.of(np.random.default_rng(seed).random((size, size, 3)) * 0.2 + 0.4)


def test_an_even_part_becomes_exactly_the_colour_and_the_rest_stays() -> None:
    half = np.zeros((8, 8), np.float32)
    half[:, 4:] = 1
    got = recolour(Run(), even((0.5, 0.4, 0.3)), Mask(half), colour="#3a6ea5")
    assert np.allclose(got.rgb[:, 4:], rgba("#3a6ea5")[:3], atol=2e-3)
    assert np.array_equal(got.rgb[:, :4], even((0.5, 0.4, 0.3)).rgb[:, :4])


def test_the_grain_moves_along_and_the_mean_is_the_colour() -> None:
    before = grain()
    got = recolour(Run(), before, colour="#8a6f5a")
    lab, was = to_oklab(to_linear(got.rgb)), to_oklab(to_linear(before.rgb))
    wanted = to_oklab(to_linear(np.float32(rgba("#8a6f5a")[:3])))
    assert np.allclose(lab.mean(axis=(0, 1)), wanted, atol=2e-3)
    assert np.allclose(lab - lab.mean(axis=(0, 1)), was - was.mean(axis=(0, 1)), atol=5e-3)
    light = to_oklab(to_linear(recolour(Run(), before, colour="#8a6f5a", lightness=0).rgb))
    assert np.allclose(light[..., 0], was[..., 0], atol=5e-3)
    plain = recolour(Run(), before, colour="#8a6f5a", variety=0)
    assert np.allclose(plain.rgb, rgba("#8a6f5a")[:3], atol=2e-3)
    assert np.allclose(recolour(Run(), before, amount=0).rgb, before.rgb, atol=1e-6)
    run = Run()
    assert recolour(run, before, Mask(np.zeros((32, 32), np.float32))) is before and "empty" in run.notes[0]


def test_three_stops_are_met_exactly() -> None:
    ramp = Image.of(np.linspace(0, 1, 101, dtype=np.float32)[None].repeat(2, axis=0), "data")
    got = gradient_map(ramp, "#102030", "#ff8000", "#ffffff", middle_at=0.3).rgb[0]
    for place, colour in ((0, "#102030"), (30, "#ff8000"), (100, "#ffffff")):
        assert np.allclose(got[place], rgba(colour)[:3], atol=5e-3)
    assert np.abs(np.diff(got, axis=0)).max() < 0.1


def test_ends_of_the_mask_give_either_picture_and_the_middle_half_the_light() -> None:
    one, two = grain(1), grain(2)
    share = np.zeros((32, 32), np.float32)
    share[:, 10:20], share[:, 20:] = 0.5, 1
    got = blend(Run(), one, two, Mask(share))
    assert np.array_equal(got.pixels[:, :10], one.pixels[:, :10])
    assert np.array_equal(got.pixels[:, 20:], two.pixels[:, 20:])
    half = to_srgb((to_linear(one.rgb) + to_linear(two.rgb)) / 2)
    assert np.allclose(got.rgb[:, 10:20], half[:, 10:20], atol=1e-5)


def test_transparent_colours_do_not_bleed() -> None:
    clear = Image(np.broadcast_to(np.float32((1, 0, 0, 0)), (8, 8, 4)).copy())
    got = blend(Run(), even((0, 0, 1.0)), clear, amount=0.5)
    assert np.allclose(got.rgb, (0, 0, 1), atol=1e-6) and np.allclose(got.alpha, 0.5)


def test_normals_meet_at_unit_length() -> None:
    left, right = (even((0.5 + s * 0.35, 0.5, 0.5 + 0.5 * np.sqrt(1 - 0.49)), space="data") for s in (1, -1))
    got = blend(Run(), left, right, content="normal", amount=0.5)
    assert np.allclose(got.rgb, (0.5, 0.5, 1), atol=1e-3) and got.space == "data"


def test_the_higher_one_comes_out_on_top() -> None:
    share = np.full((1, 3), 0.5, np.float32)
    low, high = np.float32([[0.0, 0.5, 1.0]]), np.float32([[1.0, 0.5, 0.0]])
    assert np.allclose(by_height(share, low, high, 0.1), [[1, 0.5, 0]])
    for end in (0.0, 1.0):
        assert (by_height(np.full((1, 3), end, np.float32), low, high, 0.9) == end).all()
    stones = Image.of(np.tile(np.float32([[0, 1]]), (8, 4)), "data")
    got = blend(Run(), even((0, 0, 0)), even((1.0, 1, 1)), height_below=stones, amount=0.5)
    assert (got.rgb[:, 0::2] == 1).all() and (got.rgb[:, 1::2] == 0).all()


def test_materials_meet_map_by_map_with_their_factors() -> None:
    steel = Material(base_factor=(0.5, 0.5, 0.5, 1), metallic_factor=1.0, roughness_factor=0.2)
    paint = Material(base_colour=even((0.8, 0.1, 0.1), 16), roughness=even((0.5,) * 3, 4, "data"), roughness_factor=0.8)
    share = np.zeros((32, 32), np.float32)
    share[:, 16:] = 1
    got = blend_materials(
        Run(), replace(sphere(), material=steel), replace(box(), material=paint), Mask(share)
    ).material
    assert np.allclose(got.base_colour.rgb[:, :16], to_srgb(np.float32(0.5)), atol=1e-3)
    assert np.allclose(got.base_colour.rgb[:, 16:], (0.8, 0.1, 0.1), atol=1e-3)
    assert np.allclose(got.metallic.rgb[0, [0, 31], 0], (1, 0)) and np.allclose(
        got.roughness.rgb[0, [0, 31], 0], (0.2, 0.4)
    )
    assert got.base_factor == (1, 1, 1, 1) and (got.metallic_factor, got.roughness_factor) == (1, 1)
    assert got.normal is None and got.emissive is None
    same = replace(sphere(), material=steel)
    assert blend_materials(Run(), same, same) is same
    with pytest.raises(BadInput, match="no UVs"):
        blend_materials(Run(), replace(sphere(), uv=None), sphere())


def test_a_tiling_material_repeats() -> None:
    tile = Image.of(np.random.default_rng(0).random((16, 16, 3)))
    other = replace(box(), material=Material(base_colour=tile))
    got = blend_materials(Run(), sphere(), other, repeat=4).material.base_colour
    assert got.size == (64, 64) and np.allclose(got.rgb, np.tile(tile.rgb, (4, 4, 1)), atol=1e-5)


def colours_at(mesh: Mesh, face: np.ndarray, weights: np.ndarray) -> np.ndarray:
    from scipy.ndimage import map_coordinates

    uv = np.einsum("nk,nkj->nj", weights, mesh.uv[mesh.faces[face]].astype(np.float64))
    image = mesh.material.base_colour
    at = np.stack([(1 - uv[:, 1]) * image.size[1] - 0.5, uv[:, 0] * image.size[0] - 0.5])
    rgb = [map_coordinates(image.pixels[..., c], at, order=1, mode="nearest") for c in range(3)]
    return to_linear(np.stack(rgb, axis=1).astype(np.float32)) * np.float32(mesh.material.base_factor[:3])


def test_an_atlas_looks_the_same_as_its_parts() -> None:
    smooth = Image.of(np.dstack([np.linspace(0.2, 0.8, 32)[None].repeat(32, 0)] * 3) * (1, 0.6, 0.3))
    ball = replace(sphere(segments=16), material=Material(base_colour=smooth, base_factor=(0.5, 1, 1, 1)))
    cube = replace(box(), material=Material(base_colour=grain(3), metallic_factor=1.0))
    plain = replace(box(), uv=None, material=Material(base_factor=(0.1, 0.7, 0.2, 1)))
    got = atlas(Run(), ball, cube, plain)
    assert np.array_equal(np.unique(got.face_groups), [0, 1, 2]) and got.material.metallic is not None
    for number, part in enumerate((ball, cube, plain)):
        faces = np.flatnonzero(got.face_groups == number)
        assert len(faces) == len(part.faces)
        _, face, weights = surface_points(part, 500)
        found = colours_at(got, faces[face], weights)
        if part.uv is None:
            assert np.allclose(found, (0.1, 0.7, 0.2), atol=0.01)
        else:
            assert np.abs(found - colours_at(part, face, weights)).mean() < 0.004
    assert atlas(Run(), ball) is ball


def test_a_mesh_without_a_material_keeps_its_grey_beside_others() -> None:
    ball = replace(sphere(segments=16), material=Material(base_colour=grain(3)))
    bare = replace(box(), material=None)
    painted = replace(bare, colours=np.full((len(bare.vertices), 4), (1, 0.5, 0, 1), np.float32))
    for got in (atlas(Run(), ball, bare, painted), join(Run(), ball, bare, painted, parts="one per mesh")):
        for number, part, shown in ((1, bare, GREY[:3]), (2, painted, (1, 1, 1))):
            faces = np.flatnonzero(got.face_groups == number)
            _, face, weights = surface_points(part, 100)
            assert np.allclose(colours_at(got, faces[face], weights), shown, atol=0.005)
    plain = join(Run(), replace(bare, material=Material(base_factor=(1, 0, 0, 1))), bare)
    assert np.allclose(to_linear(plain.colours[-1, :3]), GREY[:3], atol=0.005)
    assert plain.material.base_factor == (1, 1, 1, 1)


def test_a_coat_cannot_be_mixed_and_that_is_said() -> None:
    run, quiet = Run(), Run()
    ball = replace(sphere(), material=Material(base_colour=even((1, 0, 0))))
    mixed = blend_materials(run, ball, finish(ball, coat=1.0)).material
    assert mixed is not None and mixed.layers == () and "clearcoat" in run.notes[0]
    blend_materials(quiet, ball, ball)
    assert not quiet.notes
