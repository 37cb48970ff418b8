"""What a material says beside its maps is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from viewer_samples import quad

from app.engine.payloads import Image, Material, Mesh, Scene
from viewer.adapters import adapt
from viewer.looks import surface_actor, surface_data
from viewer.raster import picture
from viewer.textures import Sampling, colour_texture


def prop(**changes: object):
    mesh = replace(quad(), material=replace(quad().material, **changes))
    return surface_actor(surface_data(mesh), mesh, "textured").prop


def test_an_unlit_material_is_drawn_without_light():
    assert not prop(unlit=True).lighting and prop().lighting


def test_layers_that_vtk_has_are_set():
    coat = prop(layers=(("clearcoat.clearcoatFactor", 0.75), ("clearcoat.clearcoatRoughnessFactor", 0.25)))
    assert (coat.GetCoatStrength(), coat.GetCoatRoughness()) == (0.75, 0.25)
    glass = prop(layers=(("transmission.transmissionFactor", 1.0), ("ior.ior", 1.25)))
    assert glass.GetBaseIOR() == pytest.approx(1.25) and 0 < glass.GetOpacity() < 0.5
    bump = prop(normal=Image.of(np.full((2, 2, 3), 0.5), "data"), normal_scale=0.5)
    assert bump.GetNormalScale() == 0.5


def test_textures_are_looked_up_as_the_material_says():
    square = replace(quad().material, wrap=("clamp", "clamp"), layers=(("sampler.nearest", True),))
    texture = colour_texture(square.base_colour, Sampling.of(square), srgb=True)
    assert texture.GetWrap() == 0 and not texture.GetInterpolate()
    other = colour_texture(square.base_colour, Sampling.of(quad().material), srgb=True)
    assert other is not texture and other.GetWrap() == 1 and other.GetInterpolate()


def test_a_mask_is_cut_where_the_material_says():
    ramp = np.ones((8, 8, 4), np.float32)
    ramp[..., 3] = np.linspace(0, 1, 8)
    cut = Material(base_colour=Image(ramp), alpha_mode="mask", alpha_cutoff=0.25)
    assert Sampling.of(cut, alpha=True).cut == 0.25 and Sampling.of(replace(cut, alpha_mode="blend"), True).cut == -1
    seen = picture(adapt(replace(quad(), material=cut)), 64, 64, finer=1)[..., 3]
    whole = picture(adapt(replace(quad(), material=Material())), 64, 64, finer=1)[..., 3]
    assert set(np.unique(seen)) == {0, 255} and 0.65 < (seen > 0).sum() / (whole > 0).sum() < 0.85
    assert isinstance(adapt(quad()).mesh, Mesh)


def test_what_stands_behind_glass_is_seen_through_it_in_a_thumbnail():
    """A red square, and a white one of glass a metre before it, over the right half."""
    glass = Material("glass", layers=(("transmission.transmissionFactor", 1.0),), base_factor=(1.0, 1.0, 1.0, 1.0))
    red = Material("red", base_factor=(1.0, 0.0, 0.0, 1.0))
    near = quad().vertices * np.float32([1, 1, 1]) + np.float32([0, 0, 0.5])
    meshes = [replace(quad(), material=red, uv=None), replace(quad(), material=glass, uv=None, vertices=near)]
    both = picture(adapt(Scene.of(*meshes)), 96, 96, finer=1)
    alone = picture(adapt(Scene.of(meshes[1])), 96, 96, finer=1)
    seen = both[..., 3] == 255
    tones = both[seen][:, :3].astype(int)
    assert seen.any() and (tones[:, 0] > tones[:, 1] + 60).all()
    assert len(np.unique(tones[:, 1] > 10)) == 2 and set(np.unique(alone[..., 3])) == {0, 64}
