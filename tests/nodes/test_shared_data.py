"""Every mesh, picture and point file of the shared inputs loads as another reader reads it, or says why not."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image as Pictures
from PIL import ImageOps

from app.engine import BadInput, EngineError, Run
from nodes.io._pictures import SUFFIXES as PICTURES
from nodes.io.load_image import load_image
from nodes.io.load_mesh import READERS, load_mesh
from nodes.io.load_points import READERS as POINTS
from nodes.io.load_points import load_points
from nodes.io.load_scene import load_scene

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = sorted(path for path in DATA.rglob("*") if path.is_file()) if DATA.is_dir() else []
POINTS_ONLY = {"corgi.ply"}
LIMIT_PIXELS = 512


def of(suffixes: object) -> list[object]:
    """Those files as test cases; one that is skipped with the reason where there are none."""
    found = [path for path in FILES if path.suffix.lower() in tuple(suffixes)]  # type: ignore[arg-type]
    why = pytest.mark.skip(reason="the folder of real inputs is not beside this checkout")
    if not found:
        return [pytest.param(None, marks=why, id="none")]
    return [pytest.param(path, id=path.relative_to(DATA).as_posix()) for path in found]


def by_trimesh(path: Path) -> trimesh.Trimesh:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = trimesh.load(path, process=False, force="mesh")
    assert isinstance(found, trimesh.Trimesh)
    return found


@pytest.mark.parametrize("path", of(READERS))
def test_meshes(path: Path) -> None:
    run = Run()
    try:
        mesh = load_mesh(run, path)
    except BadInput as error:
        assert path.name in POINTS_ONLY and error.advice and "no faces" in error.message
        return
    other = by_trimesh(path)
    assert len(mesh.faces) == len(other.faces) > 0
    assert np.isfinite(mesh.vertices).all()
    assert np.allclose(mesh.bounds, other.bounds, rtol=1e-6, atol=1e-6)
    assert np.isclose(trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).area, other.area, rtol=1e-4)
    size = float((mesh.bounds[1] - mesh.bounds[0]).max())
    assert 0.001 <= size <= 1000 or any("across" in note for note in run.notes)


@pytest.mark.parametrize("path", of(READERS))
def test_meshes_as_scenes(path: Path) -> None:
    try:
        scene = load_scene(Run(), path)
    except BadInput as error:
        assert path.name in POINTS_ONLY and error.advice
        return
    shown = sum(len(scene.meshes[m].faces) for row in scene.parts for m in row)
    assert shown == len(load_mesh(Run(), path).faces)


@pytest.mark.parametrize("path", of(POINTS))
def test_points(path: Path) -> None:
    try:
        cloud = load_points(Run(), path)
    except EngineError as error:
        assert error.message and error.advice
        return
    assert len(cloud.points) > 0 and np.isfinite(cloud.points).all()


def radiance(path: Path) -> np.ndarray:
    """(H, W, 3) float64 of a run-length-encoded Radiance picture, decoded byte by byte."""
    data = path.read_bytes()
    at = data.index(b"\n\n") + 2
    end = data.index(b"\n", at)
    _, height, _, width = data[at:end].split()
    at, rows = end + 1, np.zeros((int(height), 4, int(width)), np.uint8)
    for row in rows:
        assert data[at : at + 2] == b"\2\2"
        at += 4
        for plane in row:
            x = 0
            while x < len(plane):
                count, at = data[at], at + 1
                if count > 128:
                    plane[x : x + count - 128], x, at = data[at], x + count - 128, at + 1
                else:
                    plane[x : x + count], x, at = np.frombuffer(data, np.uint8, count, at), x + count, at + count
    assert at == len(data)
    return np.moveaxis(rows[:, :3], 1, 2) * np.exp2(rows[:, 3].astype(float) - 136)[..., None]


@pytest.mark.parametrize("path", of([".hdr"]))
def test_pictures_of_light(path: Path) -> None:
    values = radiance(path)
    run = Run()
    got = load_image(run, path, longest_side=0, content="data", bright="fit").rgb.astype(float)
    low, high = values.min(), values.max()
    assert np.abs(got * (high - low) + low - values).max() <= 1e-6 * high
    assert f"{high:.9g}" in run.notes[0]
    shown = load_image(Run(), path, longest_side=LIMIT_PIXELS, bright="compress")
    assert 0.05 < float(shown.rgb.mean()) < 0.95


@pytest.mark.parametrize("path", of(set(PICTURES) - {".hdr"}))
def test_pictures(path: Path) -> None:
    image = load_image(Run(), path, longest_side=LIMIT_PIXELS, content="data")
    with Pictures.open(path) as file:
        upright = ImageOps.exif_transpose(file)
        size, plain = upright.size, file.mode in ("L", "RGB", "RGBA")
        values = np.asarray(upright.convert("RGBA")) if max(upright.size) <= LIMIT_PIXELS and plain else None
    assert max(image.size) == min(LIMIT_PIXELS, max(size))
    assert np.isfinite(image.pixels).all() and image.pixels.min() >= 0 and image.pixels.max() <= 1
    if values is not None:
        assert (np.rint(image.pixels * 255).astype(int) == values).all()


def test_what_no_loader_reads_is_known() -> None:
    """A new kind of file among the inputs is a reason to look, not to overlook."""
    if not FILES:
        pytest.skip("the folder of real inputs is not beside this checkout")
    read = {*READERS, *PICTURES, *POINTS}
    other = Counter(path.suffix.lower() for path in FILES if path.suffix.lower() not in read)
    assert set(other) <= {"", ".ckpt", ".gz", ".json", ".md", ".onnx", ".pth", ".txt", ".yml", ".zip"}, other
