"""The file holds the mesh and every hull under its name, as another library reads it."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from io_samples import gltf_reports
from mesh_shapes import moved, together

from app.engine import BadInput, Image, Material, Run, Text
from nodes.mesh.primitives import box
from nodes.physics.collision import collision
from nodes.physics.export_collision import export_collision


def test_mesh_and_hulls_are_nodes_of_one_file() -> None:
    picture = Image.of(np.full((8, 8, 3), 0.5))
    visible = replace(box(pieces=2), name="Old chair", material=Material("m", base_colour=picture))
    two = replace(together(box(), moved(box(), 3, 0, 0)), name="Old chair")
    hulls = collision(Run(), two, max_hulls=4)
    written = export_collision(Run(), visible, hulls.mesh, hulls.names)
    scene = trimesh.load_scene(io.BytesIO(written.contents[0].tobytes()), file_type="glb")
    assert set(scene.graph.nodes_geometry) == {"Old_chair", "UCX_Old_chair_00", "UCX_Old_chair_01"}
    assert len(scene.geometry["Old_chair"].faces) == 48
    for number in range(2):
        part = scene.geometry[f"UCX_Old_chair_{number:02d}"]
        assert part.is_watertight and part.is_convex and part.volume == pytest.approx(1, rel=1e-4)
    assert scene.geometry["Old_chair"].visual.material.baseColorTexture.size == (8, 8)


def test_the_file_is_valid_and_names_that_do_not_fit_are_refused() -> None:
    hulls = collision(Run(), box(), "box", engine="Godot")
    assert hulls.names.value == "box_00-convcolonly"
    data = export_collision(Run(), box(), hulls.mesh, hulls.names).contents[0].tobytes()
    assert len(data) % 4 == 0 and int.from_bytes(data[8:12], "little") == len(data)
    for names in ("", "a\nb"):
        with pytest.raises(BadInput, match="names"):
            export_collision(Run(), box(), hulls.mesh, Text(names))


def test_the_khronos_validator_finds_neither_errors_nor_warnings(tmp_path: Path) -> None:
    for number, shape in enumerate(("hull", "box", "capsule")):
        hulls = collision(Run(), box(), shape)
        (tmp_path / f"{number}.glb").write_bytes(
            export_collision(Run(), box(), hulls.mesh, hulls.names).contents[0].tobytes()
        )
    for report in gltf_reports(sorted(tmp_path.glob("*.glb"))):
        assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]
