"""Taking apart and putting together change no bit of what a face carries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import together
from solid_proofs import at, colours_at, rows, spread, textured

from app.engine import BadInput, Mesh, Run
from nodes.io.load_mesh import load_mesh
from nodes.mesh._measure import charts_of, measure
from nodes.mesh.join import join
from nodes.mesh.primitives import box, sphere, torus
from nodes.mesh.split import split

MESHES = Path(__file__).resolve().parents[3] / "shared" / "data" / "meshes"
NAMES = ("normals", "uv")


def three() -> Mesh:
    """A box to the left, a large ball in the middle, a ring to the right."""
    return join(Run(), at(box(pieces=3), -3), sphere(1.5, segments=24), at(torus(0.5, 0.2), 3))


def test_join_moves_nothing_and_numbers_parts_on() -> None:
    given = [at(box(pieces=3), -3), replace(sphere(), face_groups=np.full(len(sphere().faces), 4, np.int32)), torus()]
    joined = join(Run(), *given)
    start = np.cumsum([0, *(len(mesh.vertices) for mesh in given)])
    for k, mesh in enumerate(given):
        assert np.array_equal(joined.vertices[start[k] : start[k + 1]], mesh.vertices)
    assert len(joined.faces) == sum(len(mesh.faces) for mesh in given)
    assert np.unique(joined.face_groups).tolist() == [0, 5, 6]
    assert np.unique(join(Run(), *given, parts="one per mesh").face_groups).tolist() == [0, 1, 2]
    assert join(Run(), given[0]) is given[0]


def test_joined_textures_show_the_same_colours() -> None:
    given = [textured(at(box(pieces=2), 2.0 * k), k, 32 * (k + 1)) for k in range(4)]
    joined = join(Run(), *given)
    start = 0
    for mesh in given:
        face, corner, _ = spread(mesh, np.arange(len(mesh.faces)), 300)
        assert np.allclose(colours_at(joined, face + start, corner), colours_at(mesh, face, corner), atol=1e-3)
        start += len(mesh.faces)


@pytest.mark.parametrize("by", ["loose parts", "face groups", "UV islands"])
def test_split_then_join_is_the_mesh(by) -> None:
    mesh = three()
    found = split(Run(), mesh, by=by, pick=2)
    assert found.parts.value == {"loose parts": 3, "face groups": 3, "UV islands": charts_of(mesh)[0]}[by]
    again = join(Run(), found.part, found.rest)
    assert len(again.faces) == len(mesh.faces)
    assert rows(again, *NAMES) == rows(mesh, *NAMES)
    assert rows(found.part, *NAMES).isdisjoint(rows(found.rest, *NAMES))


def test_parts_are_counted_as_asked() -> None:
    mesh = three()
    size = {"box": 108, "ball": len(sphere(1.5, segments=24).faces), "ring": len(torus(0.5, 0.2).faces)}
    for order, names in (
        ("largest first", ("ball", "box", "ring")),
        ("left to right", ("box", "ball", "ring")),
        ("as in the mesh", ("box", "ball", "ring")),
    ):
        for pick, name in enumerate(names, 1):
            assert len(split(Run(), mesh, order=order, pick=pick).part.faces) == size[name]
    two = split(Run(), mesh, order="left to right", pick=2, how_many=2)
    assert len(two.part.faces) == size["ball"] + size["ring"] and len(two.rest.faces) == size["box"]
    assert two.part.vertices[:, 0].min() > -2


def test_all_parts_one_after_another() -> None:
    rest, seen = three(), []
    while len(rest.faces):
        found = split(Run(), rest)
        seen.append(measure(found.part))
        rest = found.rest
    assert [shape.parts for shape in seen] == [1, 1, 1]
    assert [shape.genus for shape in seen] == [0, 0, 1]


def test_what_cannot_work_is_said() -> None:
    with pytest.raises(BadInput, match="no part 4: split by loose parts, the mesh has 3"):
        split(Run(), three(), pick=4)
    with pytest.raises(BadInput, match="no face groups"):
        split(Run(), box(), by="face groups")
    nothing = Mesh.of(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(BadInput, match="no faces"):
        join(Run(), nothing, nothing)
    run = Run()
    assert join(run, nothing, box()).faces.shape == (12, 3)
    assert run.notes == ["1 of 2 meshes have no faces and were left out."]


def test_many_parts_and_faces_without_area() -> None:
    many = together(*(at(box(), 2.0 * k) for k in range(60)))
    found = split(Run(), many, pick=60, order="left to right")
    assert found.parts.value == 60 and found.part.vertices[:, 0].min() == pytest.approx(117.5)
    flat = Mesh.of([[0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 0, 0]], [[0, 1, 1], [0, 1, 2], [3, 3, 3]])
    assert split(Run(), flat).parts.value == 2


@pytest.mark.skipif(not MESHES.is_dir(), reason="the folder of real inputs is not beside this checkout")
@pytest.mark.parametrize(("name", "parts"), [("suzanne", 3), ("teapot", 4), ("spot", 1)])
def test_real_meshes(name: str, parts: int) -> None:
    mesh = load_mesh(Run(), MESHES / f"{name}.obj")
    found = split(Run(), mesh)
    assert found.parts.value == parts
    again = join(Run(), found.part, found.rest)
    assert rows(again) == rows(mesh) and len(again.faces) == len(mesh.faces)
