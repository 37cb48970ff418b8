from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from viewer_samples import field, one_of_each, picture, scene, sphere

from app.engine.payloads import Files, Image, Mesh, Payload, Scene, Views
from app.engine.placing import in_place
from viewer.adapters import ADAPTERS, adapt, byte_size, readable
from viewer.shown import Dots, Gaussians, Page, Picture, Solid


def _own_kinds() -> list[type[Payload]]:
    return [kind for kind in Payload.kinds.values() if kind.__module__ == "app.engine.payloads"]


def test_each_payload_class_has_an_adapter():
    assert set(ADAPTERS) == set(_own_kinds())


@pytest.mark.parametrize("kind", _own_kinds(), ids=lambda kind: kind.__name__)
def test_each_payload_class_can_be_seen(kind):
    assert isinstance(adapt(one_of_each()[kind]), Solid | Dots | Gaussians | Picture | Page)


def test_meshes_and_images_are_passed_on_without_a_copy():
    mesh, image = sphere(), picture()
    assert adapt(mesh).mesh is mesh
    assert adapt(image).values is image.pixels


def test_files_show_what_they_carry_or_else_their_names():
    mesh = sphere()
    assert adapt(Files.of({"a.glb": b"x"}, shows=mesh)).mesh is mesh
    assert adapt(Files.of({"a.glb": b"x" * 1536})).rows == (("a.glb", "1.5 kB"),)


def test_the_surface_of_a_signed_distance_faces_outwards():
    mesh = adapt(field()).mesh
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert ((np.cross(b - a, c - a) * (a + b + c)).sum(axis=1) > 0).all()
    assert np.abs(np.linalg.norm(mesh.vertices, axis=1) - 0.6).max() < 0.02


def test_the_surface_of_a_density_faces_outwards_too():
    distance = field()
    mesh = adapt(replace(distance, values=np.exp(-2 * np.maximum(distance.values + 0.6, 0)))).mesh
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert len(mesh.faces) > 100
    assert ((np.cross(b - a, c - a) * (a + b + c)).sum(axis=1) > 0).all()


def test_a_field_with_one_value_everywhere_has_no_surface():
    flat = replace(field(), values=np.ones((8, 8, 8, 1), np.float32))
    assert len(adapt(flat).mesh.faces) == 0


def test_no_pictures_make_a_page():
    none = np.zeros((0, 4, 4), np.float32)
    assert isinstance(adapt(Views((), none[:, :3, :3].copy(), none)), Page)


def test_a_foreign_payload_is_shown_as_its_base_or_as_fields():
    @dataclass(frozen=True, eq=False)
    class Alien(Payload):
        label = "Alien"
        arms: int = 1200

    @dataclass(frozen=True, eq=False)
    class Photo(Image):
        pass

    try:
        assert adapt(Alien()) == Page(title="Alien", rows=(("arms", "1,200"),))
        assert isinstance(adapt(Photo(picture().pixels)), Picture)
    finally:
        for name in ("Alien", "Photo"):
            Payload.kinds.pop(name)


def test_values_read_well():
    assert [readable(v) for v in (True, False, 1234567, 2.0, 0.123456789, "x")] == [
        "yes",
        "no",
        "1,234,567",
        "2",
        "0.123457",
        "x",
    ]
    assert [byte_size(n) for n in (999, 1000, 2_500_000, 3_000_000_000)] == ["999 bytes", "1.0 kB", "2.5 MB", "3.0 GB"]


def test_an_empty_mesh_is_seen_without_error():
    empty = adapt(Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))))
    assert [corner.tolist() for corner in empty.bounds] == [[0, 0, 0], [0, 0, 0]]


def test_a_scene_is_a_surface_in_pieces_one_for_each_material():
    shown = adapt(scene())
    assert [len(piece.faces) for piece in shown.pieces] == [2, 2 * len(sphere().faces)] and shown.objects == 4
    assert np.array_equal(np.concatenate([piece.vertices for piece in shown.pieces]), shown.mesh.vertices)
    assert all(np.shares_memory(piece.vertices, shown.mesh.vertices) for piece in shown.pieces)
    assert set(shown.mesh.face_groups.tolist()) == {0, 2, 3}
    assert shown.pieces[0].material.base_colour is not None and shown.pieces[1].material is None
    low, high = shown.bounds
    assert np.allclose(low, [-1, -1, -0.5], atol=1e-3) and np.allclose(high, [1, 2, 0.5], atol=1e-3)
    assert isinstance(adapt(replace(scene(), parts=((), (), (), ()))), Page)


def test_instances_stand_as_they_do_one_by_one():
    rng = np.random.default_rng(0)
    places = np.tile(np.eye(4, dtype=np.float32), (5, 1, 1))
    places[:, :3] = rng.normal(size=(5, 3, 4)).astype(np.float32)
    many = Scene((sphere(6, 8),), tuple("abcde"), ((0,),) * 5, places, np.full(5, -1, np.int32))
    shown = adapt(many).mesh
    for k, one in enumerate(in_place(many)):
        faces = shown.faces[shown.face_groups == k]
        np.testing.assert_allclose(shown.vertices[faces], one.vertices[one.faces], atol=1e-5)
        np.testing.assert_allclose(shown.normals[faces], one.normals[one.faces], atol=1e-4)
