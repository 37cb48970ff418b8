"""A scene: what it refuses, where its objects stand, and that shared things are kept once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.engine.codec import decode, digest, encode
from app.engine.errors import BadPayload
from app.engine.payloads import Image, Material, Mesh, Scene, nbytes
from app.engine.placing import in_place, moved, worlds


def wedge() -> Mesh:
    """A tetrahedron whose faces look outwards, with normals."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    away = corners - corners.mean(axis=0)
    normals = (away / np.linalg.norm(away, axis=1, keepdims=True)).astype(np.float32)
    return Mesh.of(corners, [[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], normals=normals)


def volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def tower() -> Scene:
    """An empty one up, turned a quarter about y; under it a wedge two along x, and a mirrored one."""
    places = np.tile(np.eye(4, dtype=np.float32), (3, 1, 1))
    places[0] = [[0, 0, 1, 0], [0, 1, 0, 1], [-1, 0, 0, 0], [0, 0, 0, 1]]
    places[1, 0, 3] = 2
    places[2, 0, 0] = -1
    return Scene((wedge(),), ("base", "one", "other"), ((), (0,), (0,)), places, np.array([-1, 0, 0], np.int32))


def test_objects_stand_where_their_parents_put_them():
    scene = tower()
    assert np.allclose(worlds(scene)[1, :3, 3], [0, 1, -2])
    one, other = in_place(scene)
    assert (one.name, other.name) == ("one", "other")
    assert np.allclose(one.vertices[0], [0, 1, -2]) and np.allclose(one.vertices[1], [0, 1, -3])
    assert volume(one) == pytest.approx(1 / 6) and volume(other) == pytest.approx(1 / 6)
    for mesh in (one, other):
        away = mesh.vertices - mesh.vertices.mean(axis=0)
        assert (np.einsum("ij,ij->i", away, mesh.normals) > 0).all()


def test_normals_follow_an_uneven_scale():
    normals = np.tile(np.array([-1, 1, 0], np.float32) / np.float32(np.sqrt(2)), (3, 1))
    slope = Mesh.of([[0, 0, 0], [1, 1, 0], [0, 0, -1]], [[0, 1, 2]], normals=normals)
    wide = moved(slope, np.diag([2.0, 1, 1, 1]))
    edge = wide.vertices[1] - wide.vertices[0]
    assert abs(float(edge @ wide.normals[0])) < 1e-6 and np.linalg.norm(wide.normals[0]) == pytest.approx(1)
    assert moved(slope, np.eye(4)) is slope
    assert moved(slope, np.diag([1.0, 0, 1, 1])).normals is None


@pytest.mark.parametrize(
    "change",
    [
        {"parents": np.array([0, 0, 0], np.int32)},
        {"parents": np.array([-1, 2, 0], np.int32)},
        {"parts": ((), (1,), (0,))},
        {"names": ("a", "b")},
        {"second_uvs": (np.zeros((3, 2), np.float32),)},
        {"places": np.zeros((3, 4, 4))},
    ],
)
def test_what_cannot_be_is_refused(change):
    with pytest.raises(BadPayload):
        replace(tower(), **change)


def test_a_scene_comes_back_from_the_store_and_shared_textures_are_kept_once():
    picture = Image.of(np.random.default_rng(0).random((64, 64, 3)))
    same = Image(picture.pixels.copy())
    first = replace(wedge(), material=Material("a", base_colour=picture, layers=(("sheen.sheenRoughnessFactor", 0.5),)))
    second = replace(wedge(), material=Material("b", base_colour=same), name="second")
    scene = replace(Scene.of(first, second), second_uvs=(None, np.ones((4, 2), np.float32)))
    data = b"".join(bytes(piece) for piece in encode(scene))
    assert picture.pixels.nbytes < len(data) < 1.2 * picture.pixels.nbytes
    back = decode(data)
    assert isinstance(back, Scene) and back.parts == ((0,), (1,)) and back.names == ("mesh", "second")
    assert (
        back.meshes[0].material.base_colour.pixels.ctypes.data == back.meshes[1].material.base_colour.pixels.ctypes.data
    )
    assert back.meshes[0].material.layers == first.material.layers
    assert np.array_equal(back.second_uvs[1], scene.second_uvs[1]) and back.second_uvs[0] is None
    assert nbytes(back) < 1.2 * picture.pixels.nbytes < nbytes(scene)
    assert digest(encode(back)) == digest(encode(scene))
