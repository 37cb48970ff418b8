"""Surface finish: what it sets comes out of a GLB again, and leaves the rest alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from io_samples import gltf_reports, noise, textured, write

from app.engine import BadInput, Image, Mesh, Run
from nodes.io.export_glb import export_glb
from nodes.io.load_mesh import load_mesh
from nodes.texture.finish import finish

GLASS = {"transmission": 0.75, "ior": 1.45, "thickness": 0.25, "tint_depth": 0.5, "tint": "#80ff80"}
CASES = {
    "coat": {"coat": 1.0, "coat_roughness": 0.25},
    "glass": GLASS,
    "velvet": {"sheen": 0.5, "sheen_colour": "#ff8000", "sheen_roughness": 0.75},
    "unlit": {"unlit": True},
    "cut out": {"alpha_cutoff": 0.25, "wrap": "clamp", "texels": "squares"},
}


@pytest.mark.parametrize("name", CASES)
def test_it_comes_back_from_a_glb_and_nothing_else_changes(tmp_path, name):
    mesh = textured(alpha_mode="mask") if name == "cut out" else textured()
    done = finish(mesh, **CASES[name])
    back = load_mesh(Run(), write(export_glb(Run(), done), tmp_path), merge=False).material
    assert dict(back.layers) == dict(done.material.layers)
    assert (back.unlit, back.alpha_cutoff, back.wrap) == (
        done.material.unlit,
        done.material.alpha_cutoff,
        done.material.wrap,
    )
    changed = {"layers", "unlit", "alpha_cutoff", "wrap"}
    for field in fields(mesh.material):
        if field.name not in changed:
            assert getattr(done.material, field.name) is getattr(mesh.material, field.name)
    assert finish(done).material.layers == () and done.vertices is mesh.vertices


def test_the_validator_is_content(tmp_path):
    paths = []
    for name, options in CASES.items():
        maps = {"coat_map": noise(1), "transmission_map": noise(2)} if name in ("coat", "glass") else {}
        path = tmp_path / f"{name}.glb"
        path.write_bytes(export_glb(Run(), finish(textured(), **maps, **options)).contents[0].tobytes())
        paths.append(path)
    for report in gltf_reports(paths):
        assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]


def test_a_map_needs_uvs_and_unlit_stands_alone():
    picture = Image.of(np.ones((2, 2, 3)))
    with pytest.raises(BadInput, match="UV"):
        finish(replace(textured(), uv=None), coat_map=picture, coat=1.0)
    with pytest.raises(BadInput, match="unlit"):
        finish(textured(), coat=0.5, unlit=True)
    bare = finish(Mesh.of(np.eye(3), [[0, 1, 2]]), coat=0.5)
    assert dict(bare.material.layers)["clearcoat.clearcoatFactor"] == 0.5
