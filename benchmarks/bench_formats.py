"""3MF, USD and EXR beside the libraries of their makers: lib3mf, OpenUSD, OpenEXR; compare within each group.

pytest benchmarks/bench_formats.py -p no:cacheprovider --benchmark-group-by=group --benchmark-columns=median,min,rounds
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.engine import Mesh, Run
from nodes.io._write_exr import exr_bytes
from nodes.io.export_3mf import export_3mf
from nodes.io.export_usd import export_usd
from nodes.io.load_mesh import load_mesh
from nodes.mesh.primitives import plane

SIDE = 732
PIXELS = 2048


@pytest.fixture(scope="module")
def hills() -> Mesh:
    """1,071,648 triangles with normals and UVs, and positions with all their digits."""
    flat = plane(1, 1, SIDE)
    height = np.random.default_rng(0).normal(0, 0.001, len(flat.vertices))
    vertices = flat.vertices + np.stack([height * 0, height, height * 0], axis=1)
    return replace(flat, vertices=vertices.astype(np.float32), material=None)


@pytest.fixture(scope="module")
def folder(hills: Mesh, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("formats")
    for export, name in ((export_3mf, "a.3mf"), (export_usd, "a.usdz")):
        (found / name).write_bytes(export(Run(), hills).contents[0].tobytes())
    return found


@pytest.mark.parametrize("who", ["polyloom", "lib3mf"])
def test_read_3mf(benchmark, folder, hills, who):
    """lib3mf keeps what it reads in its own form; ours is arrays, welded and checked."""
    import lib3mf

    benchmark.group = "read 3MF"
    wrapper = lib3mf.get_wrapper()

    def theirs() -> int:
        model = wrapper.CreateModel()
        model.QueryReader("3mf").ReadFromFile(str(folder / "a.3mf"))
        rows = model.GetMeshObjects()
        assert rows.MoveNext()
        return int(rows.GetCurrentMeshObject().GetTriangleCount())

    ours = lambda: len(load_mesh(Run(), folder / "a.3mf").faces)  # noqa: E731
    assert benchmark.pedantic(ours if who == "polyloom" else theirs, rounds=3, iterations=1) == len(hills.faces)


@pytest.mark.parametrize("who", ["polyloom", "lib3mf"])
def test_write_3mf(benchmark, folder, hills, who):
    """lib3mf has the model in its own form already; ours begins with arrays and draws a thumbnail."""
    import lib3mf

    benchmark.group = "write 3MF"
    path = folder / f"{who}.3mf"
    model = lib3mf.get_wrapper().CreateModel()
    model.QueryReader("3mf").ReadFromFile(str(folder / "a.3mf"))
    ours = lambda: path.write_bytes(export_3mf(Run(), hills).contents[0].tobytes())  # noqa: E731
    theirs = lambda: model.QueryWriter("3mf").WriteToFile(str(path))  # noqa: E731
    benchmark.pedantic(ours if who == "polyloom" else theirs, rounds=3, iterations=1)
    benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 1)


@pytest.mark.parametrize("who", ["polyloom", "OpenUSD"])
def test_write_usd_text(benchmark, folder, hills, who):
    """OpenUSD has the layer in its memory already."""
    usd = pytest.importorskip("pxr.Usd", reason="needs: uv sync --extra usd")
    benchmark.group = "write USD text"
    stage = usd.Stage.Open(str(folder / "a.usdz"))
    path = folder / f"{who}.usda"
    ours = lambda: path.write_bytes(export_usd(Run(), hills, path=Path("a.usda")).contents[0].tobytes())  # noqa: E731
    theirs = lambda: stage.GetRootLayer().Export(str(path))  # noqa: E731
    benchmark.pedantic(ours if who == "polyloom" else theirs, rounds=3, iterations=1)
    benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 1)


@pytest.mark.parametrize("kind", ["half", "float"])
@pytest.mark.parametrize("who", ["polyloom", "OpenEXR"])
def test_write_exr(benchmark, folder, who, kind):
    import cv2
    import OpenEXR

    benchmark.group = f"write EXR, {PIXELS} x {PIXELS}, {kind}"
    noise = np.random.default_rng(0).random((PIXELS, PIXELS, 3), np.float32)
    values = cv2.GaussianBlur(noise, (0, 0), 5)
    theirs_in = values.astype(np.float16) if kind == "half" else values
    path = folder / f"{who}.exr"
    head = {"compression": OpenEXR.ZIP_COMPRESSION}
    ours = lambda: path.write_bytes(exr_bytes(values, kind == "half"))  # noqa: E731
    theirs = lambda: OpenEXR.File(head, {"RGB": theirs_in}).write(str(path))  # noqa: E731
    benchmark.pedantic(ours if who == "polyloom" else theirs, rounds=3, iterations=1)
    benchmark.extra_info["megabytes"] = round(path.stat().st_size / 1e6, 1)
