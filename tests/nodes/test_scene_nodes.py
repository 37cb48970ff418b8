"""Scenes taken apart, changed and put together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from io_samples import plain, textured
from scene_samples import gallery, table

from app.engine import BadInput, Mesh, Run, Scene
from app.engine.placing import in_place, worlds
from nodes.mesh.primitives import box
from nodes.scene.from_meshes import from_meshes
from nodes.scene.join import join
from nodes.scene.list import listed
from nodes.scene.merge import merge
from nodes.scene.pick import pick
from nodes.scene.replace import replace_in
from nodes.scene.select import select


def soup(mesh: Mesh) -> np.ndarray:
    """(M, 3, 3) corners in an order of their own."""
    corners = mesh.vertices[mesh.faces].reshape(-1, 9).astype(np.float64)
    return corners[np.lexsort(np.round(corners, 5).T)]


def close(one: Scene, two: Scene) -> None:
    assert one.names == two.names and one.parents.tolist() == two.parents.tolist()
    for a, b in zip(in_place(one), in_place(two), strict=True):
        np.testing.assert_allclose(soup(a), soup(b), atol=2e-6)


def test_meshes_become_objects_with_names_of_their_own():
    one, two = textured(), replace(plain(), name="other")
    scene = from_meshes(one, two, one)
    assert scene.names == (one.name, "other", f"{one.name} 2") and scene.parts == ((0,), (1,), (0,))
    assert scene.meshes[0] is one and in_place(scene)[1].vertices is two.vertices
    more = from_meshes(two, scene=scene)
    assert more.names == (*scene.names, "other 2") and len(more.meshes) == 3


def test_an_object_is_picked_by_name_or_number_where_it_stands():
    scene = table()
    leg = pick(Run(), scene, "leg 3")
    assert np.allclose(leg.bounds[0], [0.4, 0, 0.4], atol=1e-6) and leg.material is scene.meshes[0].material
    assert leg.name == "leg 3" and pick(Run(), scene, number=3).vertices.tobytes() == leg.vertices.tobytes()
    own = pick(Run(), scene, "LEG 3 ", where="own axes")
    assert own.vertices.tobytes() == scene.meshes[0].vertices.tobytes()
    vase = pick(Run(), scene, "vase")
    assert np.isclose((vase.bounds[0] + vase.bounds[1])[1] / 2, 1.2, atol=1e-3)


def test_what_is_under_an_object_comes_along_where_asked():
    scene = table()
    every = pick(Run(), scene, "table", with_children=True)
    assert len(every.faces) == sum(len(m.faces) for m in in_place(scene))
    assert np.unique(every.face_groups).tolist() == [1, 2, 3, 4, 5, 6]
    top = pick(Run(), scene, "top", with_children=True, where="own axes")
    assert np.isclose(top.bounds[1][1], 1.0, atol=1e-2)
    with pytest.raises(BadInput, match="no faces"):
        pick(Run(), scene, "table")


@pytest.mark.parametrize(("name", "number", "words"), [("leg5", 1, "leg 1"), ("", 99, "1 to 6"), ("Zimt", 1, "vase")])
def test_a_name_that_is_not_there_is_answered_with_those_that_are(name, number, words):
    with pytest.raises(BadInput) as error:
        pick(Run(), table(), name, number)
    assert words in error.value.advice


@pytest.mark.parametrize("where", ["in the scene", "own axes"])
@pytest.mark.parametrize("name", ["leg 1", "vase", "cut out", "scales"])
def test_what_is_picked_and_put_back_changes_nothing(name, where):
    scene = table() if name in table().names else gallery()
    mesh = pick(Run(), scene, name, where=where)
    close(replace_in(Run(), scene, mesh, name, where=where), scene)


def test_instances_change_together_or_one_alone():
    scene, thin = table(), box(0.02, 0.7, 0.02)
    mesh = replace(pick(Run(), scene, "leg 2"), vertices=thin.vertices + np.float32([0.45, 0.35, -0.45]))
    together = replace_in(Run(), scene, mesh, "leg 2")
    assert len(together.meshes) == 4 and [row for row in together.parts[1:5]] == [(3,)] * 4
    for k, (x, z) in enumerate([(-1, -1), (1, -1), (1, 1), (-1, 1)]):
        low, high = in_place(together)[k].bounds
        assert np.allclose((low + high) / 2, [0.45 * x, 0.35, 0.45 * z], atol=1e-6) and np.allclose(
            high - low, [0.02, 0.7, 0.02]
        )
    alone = replace_in(Run(), scene, mesh, "leg 2", instances=False)
    assert len(alone.meshes) == 5 and alone.parts[1] == alone.parts[3] == (0,) != alone.parts[2]


def test_a_mesh_stands_for_all_under_an_object_where_asked():
    scene = table()
    every = pick(Run(), scene, "table", with_children=True)
    changed = replace_in(Run(), scene, every, "table", with_children=True)
    assert changed.parts == ((0,), (), (), (), (), (), ()) and len(changed.meshes) == 1
    np.testing.assert_allclose(soup(in_place(changed)[0]), soup(every), atol=1e-6)


def test_an_object_scaled_to_nothing_is_said_in_words():
    scene = table()
    places = scene.places.copy()
    places[1, :3, :3] = 0
    flat = replace(scene, places=places)
    with pytest.raises(BadInput, match="nothing"):
        replace_in(Run(), flat, plain(), "leg 1")
    assert len(replace_in(Run(), flat, plain(), "leg 1", where="own axes").meshes) == 4


def test_a_joined_scene_has_every_face_and_every_colour():
    scene = table()
    mesh = join(Run(), scene)
    assert len(mesh.faces) == sum(len(m.faces) for m in in_place(scene)) and mesh.material.name == "atlas"
    assert np.unique(mesh.face_groups).tolist() == [1, 2, 3, 4, 5, 6]
    with pytest.raises(BadInput):
        join(Run(), Scene.of())


def test_the_list_says_numbers_materials_and_places():
    report = listed(table())
    rows = dict(report.rows)
    assert "7 objects, 4 meshes" in report.verdict
    assert rows["    leg 3  (3)"].startswith("12 triangles, wood, at 0.45, 0.35, 0.45 m, one of 4")
    assert rows["    top  (5)"].startswith("24 triangles, wood, steel") and rows["table"].startswith("empty")
    assert "        vase  (6)" in rows and listed(Scene.of()).rows == ()
    assert np.allclose(worlds(table())[6, :3, 3], [0, 1.2, 0])


def stands(scene: Scene) -> dict[str, bytes]:
    return {mesh.name: np.round(soup(mesh), 4).tobytes() for mesh in in_place(scene) if mesh.name != "top"}


def test_scenes_come_together_under_names_of_their_own():
    scene = merge(table(), gallery(), table())
    assert len(scene.names) == len(set(scene.names)) == 2 * len(table().names) + len(gallery().names)
    assert scene.names[-1] == "vase 2" and scene.names[scene.parents[-1]] == "top 2"
    assert len(scene.second_uvs) == len(scene.meshes) and sum(uv is not None for uv in scene.second_uvs) == 1
    found = stands(scene)
    for part in (table(), gallery()):
        assert all(found[name] == corners for name, corners in stands(part).items())
    assert found["leg 1 2"] == found["leg 1"]


def test_kept_objects_stay_where_they_are_under_their_parents():
    kept = select(Run(), table(), "VASE\nleg [12]")
    assert kept.names == ("table", "leg 1", "leg 2", "top", "vase") and kept.parts == ((), (0,), (0,), (), (1,))
    before = stands(table())
    assert all(before[name] == corners for name, corners in stands(kept).items())
    assert select(Run(), table(), "table").names == table().names
    assert select(Run(), table(), "table", with_children=False).meshes == ()


def test_removed_objects_leave_the_rest_where_it_is():
    rest = select(Run(), table(), "top", "remove", with_children=False)
    assert rest.names == ("table", "leg 1", "leg 2", "leg 3", "leg 4", "vase") and rest.parents[-1] == 0
    assert stands(rest) == stands(table()) and len(rest.meshes) == 2
    assert "vase" not in select(Run(), table(), "top", "remove").names
    loose = select(Run(), table(), "t*", "remove", with_children=False)
    assert loose.parents.tolist() == [-1] * 5 and stands(loose) == stands(table())
    assert select(Run(), table(), "", "remove").names == table().names
    with pytest.raises(BadInput, match="Zimt"):
        select(Run(), table(), "Zimt")
