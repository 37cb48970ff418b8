"""A file that is dropped on the window becomes the node that one expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engine.registry import discover
from app.ui.dropped import opener_for

REGISTRY = discover(("nodes",))


@pytest.mark.parametrize(
    ("suffixes", "type_id"),
    [
        (".obj .ply .stl .glb .gltf .off .3mf .fbx .dae .usdz", "io.load_mesh"),
        (".png .jpg .webp .tif .exr .hdr .dds .ktx2", "io.load_image"),
        (".xyz .pcd .las", "io.load_points"),
    ],
)
def test_each_kind_of_file_opens_in_its_usual_node(suffixes: str, type_id: str) -> None:
    found = {suffix: opener_for(Path(f"a{suffix}"), REGISTRY) for suffix in suffixes.split()}
    assert {suffix: opener and opener.type_id for suffix, opener in found.items()} == dict.fromkeys(found, type_id)
