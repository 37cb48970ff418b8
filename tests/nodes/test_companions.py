"""A changed texture or material file runs the mesh again; a file that nobody names does not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from app.engine.migrations import default_params
from app.engine.plan import Step, step_key
from app.engine.registry import discover
from app.engine.store import Store

SPEC = discover(("nodes",))["io.load_mesh"]


def key(folder: Path, name: str, store: Store) -> str:
    return step_key(Step("n", SPEC, {**default_params(SPEC), "path": name}, {}), {}, folder, store)


def paint(path: Path, grey: int) -> None:
    path.parent.mkdir(exist_ok=True)
    Pictures.fromarray(np.full((4, 4), grey, np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.obj").write_text("mtllib my stuff.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl m\nf 1 2 3\n")
    (tmp_path / "my stuff.mtl").write_text("newmtl m\nmap_Kd -clamp on textures/red paint.png\n")
    (tmp_path / "b.gltf").write_text(json.dumps({"images": [{"uri": "textures/red%20paint.png"}]}))
    paint(tmp_path / "textures" / "red paint.png", 10)
    paint(tmp_path / "unrelated.png", 10)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "changed", "counts"),
    [
        ("a.obj", "textures/red paint.png", True),
        ("a.obj", "my stuff.mtl", True),
        ("a.obj", "unrelated.png", False),
        ("b.gltf", "textures/red paint.png", True),
        ("b.gltf", "my stuff.mtl", False),
    ],
)
def test_what_a_mesh_names_is_part_of_its_key(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, name: str, changed: str, counts: bool
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    before = key(folder, name, store)
    assert key(folder, name, store) == before
    path = folder / changed
    paint(path, 200) if path.suffix == ".png" else path.write_text(path.read_text() + "\n# more\n")
    assert (key(folder, name, store) != before) == counts
    store.close()
