"""The editor without a canvas: every edit is one step, and undo gives back the very same graph."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtTest import QSignalSpy

from app.engine import graph_file
from app.engine.errors import BadGraphFile
from app.engine.graph import Graph, Link, Node
from app.ui.editor import Editor


def chain(editor: Editor) -> list[str]:
    ids = [editor.add(t, (250 * i, 0)) for i, t in enumerate(["io.picture", "segment.cut", "image_to_3d.inflate"])]
    assert editor.link(Link(ids[0], "out", ids[1], "image")) == ""
    assert editor.link(Link(ids[1], "cutout", ids[2], "image")) == ""
    return ids


def test_a_new_node_carries_every_default_and_whole_coordinates(editor: Editor) -> None:
    id = editor.add("image_to_3d.inflate", (10.4, -3.6))
    node = editor.graph.nodes[id]
    assert id == "n1"
    assert node.params == {"thickness": 1.0, "steps": 100, "style": "smooth"}
    assert node.at == (10.0, -4.0)
    assert editor.selection == (id,)
    assert editor.undo_stack.undoText() == "Add Inflate"


def test_each_edit_tells_once(editor: Editor) -> None:
    spy = QSignalSpy(editor.changed)
    ids = chain(editor)
    assert spy.count() == 5
    editor.move({id: (1, 2) for id in ids})
    assert spy.count() == 6
    editor.move({id: (1, 2) for id in ids})
    assert spy.count() == 6, "nothing changed, so nothing is told"
    editor.undo_stack.undo()
    assert spy.count() == 7


def test_undo_and_redo_give_back_the_very_same_graphs(editor: Editor) -> None:
    states = [editor.graph]
    editor.changed.connect(states.append)
    ids = chain(editor)
    editor.set_param(ids[2], "thickness", 0.5)
    editor.rename(ids[0], "Photo")
    editor.set_bypass(ids, True)
    editor.delete([ids[1]])
    seen = list(states)
    for graph in reversed(seen[:-1]):
        editor.undo_stack.undo()
        assert editor.graph is graph
    for graph in seen[1:]:
        editor.undo_stack.redo()
        assert editor.graph is graph


def test_deleting_and_undoing_keeps_ids_and_links(editor: Editor) -> None:
    ids = chain(editor)
    before = editor.graph
    editor.delete([ids[1]])
    assert editor.graph.links == ()
    assert editor.selection == (ids[2],)
    editor.undo_stack.undo()
    assert editor.graph is before


@pytest.mark.parametrize(
    ("link", "word"),
    [
        (("n2", "mask", "n2", "image"), "Mask"),
        (("n2", "cutout", "n2", "image"), "circle"),
        (("n1", "nothing", "n2", "image"), "no output"),
        (("n1", "out", "n9", "image"), "not there"),
        (("n1", "out", "n3", "thickness"), "cannot drive"),
    ],
)
def test_a_link_that_cannot_be_is_refused_with_a_reason(editor: Editor, link: tuple[str, ...], word: str) -> None:
    chain(editor)
    before, count = editor.graph, editor.undo_stack.count()
    assert word in editor.link(Link(*link))
    assert editor.graph is before
    assert editor.undo_stack.count() == count


def test_replacing_a_link_is_one_step(editor: Editor) -> None:
    ids = chain(editor)
    other = editor.add("io.picture", (0, 200))
    count = editor.undo_stack.count()
    assert editor.link(Link(other, "out", ids[1], "image")) == ""
    assert editor.undo_stack.count() == count + 1
    assert [link.source for link in editor.graph.into[ids[1]]] == [other]
    editor.undo_stack.undo()
    assert [link.source for link in editor.graph.into[ids[1]]] == [ids[0]]


def test_moving_the_end_of_a_link_is_one_step(editor: Editor) -> None:
    ids = chain(editor)
    old, new = Link(ids[1], "cutout", ids[2], "image"), Link(ids[0], "out", ids[2], "image")
    count = editor.undo_stack.count()
    assert editor.relink(old, new) == ""
    assert set(editor.graph.links) == {Link(ids[0], "out", ids[1], "image"), new}
    assert editor.undo_stack.count() == count + 1


def test_a_number_drives_a_parameter(editor: Editor) -> None:
    target, source = editor.add("image_to_3d.inflate", (0, 0)), editor.add("value.number", (0, 0))
    assert editor.link(Link(source, "out", target, "thickness")) == ""
    assert "Style" in editor.link(Link(source, "out", target, "style"))


def test_one_gesture_merges_and_two_do_not(editor: Editor) -> None:
    id = editor.add("mesh.decimate", (0, 0))
    count = editor.undo_stack.count()
    for value in (300, 400, 500):
        editor.set_param(id, "target_faces", value, merge_key="drag 1")
    editor.set_param(id, "target_faces", 600, merge_key="drag 2")
    assert editor.undo_stack.count() == count + 2
    assert editor.undo_stack.undoText() == "Set Target faces of Decimate"
    editor.undo_stack.undo()
    assert editor.graph.nodes[id].params["target_faces"] == 500
    editor.undo_stack.undo()
    assert editor.graph.nodes[id].params["target_faces"] == 20_000


def test_a_gesture_that_ends_where_it_began_is_no_step(editor: Editor) -> None:
    id = editor.add("mesh.decimate", (0, 0))
    count = editor.undo_stack.count()
    editor.set_param(id, "target_faces", 300, merge_key="drag")
    editor.set_param(id, "target_faces", 20_000, merge_key="drag")
    assert editor.undo_stack.count() == count


def test_unsaved_mark(editor: Editor) -> None:
    assert editor.is_clean
    chain(editor)
    assert not editor.is_clean
    editor.set_clean()
    editor.undo_stack.undo()
    assert not editor.is_clean
    editor.undo_stack.redo()
    assert editor.is_clean
    editor.reset(Graph(), clean=False)
    assert not editor.is_clean
    assert not editor.undo_stack.canUndo()
    editor.reset(Graph())
    assert editor.is_clean


def test_copied_text_is_a_graph_of_its_own_and_pastes_under_fresh_ids(editor: Editor) -> None:
    ids = chain(editor)
    text = editor.copy(ids[1:])
    piece = graph_file.loads(text)
    assert list(piece.nodes) == ids[1:]
    assert piece.links == (Link(ids[1], "cutout", ids[2], "image"),)
    fresh = editor.paste(text, (1000, 1000))
    assert fresh == ("n4", "n5")
    assert editor.selection == fresh
    assert [editor.graph.nodes[id].at for id in fresh] == [(1000.0, 1000.0), (1250.0, 1000.0)]
    assert Link("n4", "cutout", "n5", "image") in editor.graph.links
    assert len(editor.graph.links) == 3
    again = editor.paste(text, (1000, 1000))
    assert editor.graph.nodes[again[0]].at == (1024.0, 1024.0), "a second paste does not hide the first"


def test_pasting_something_else_changes_nothing(editor: Editor) -> None:
    with pytest.raises(BadGraphFile):
        editor.paste("hello", (0, 0))
    with pytest.raises(BadGraphFile):
        editor.paste("", (0, 0))
    assert editor.graph == Graph()
    assert not editor.undo_stack.canUndo()


def test_a_copy_keeps_the_links_into_it_and_none_out_of_it(editor: Editor) -> None:
    ids = chain(editor)
    (copy,) = editor.duplicate([ids[1]])
    assert set(editor.graph.links) == {
        Link(ids[0], "out", ids[1], "image"),
        Link(ids[1], "cutout", ids[2], "image"),
        Link(ids[0], "out", copy, "image"),
    }
    assert editor.graph.nodes[copy].at == (274.0, 24.0)


def test_paths_still_lead_to_their_files_in_another_document(editor: Editor, tmp_path: Path) -> None:
    editor.base = tmp_path / "one"
    id = editor.add("io.picture", (0, 0), {"path": "photos/mug.png"})
    text = editor.copy([id])
    editor.base = tmp_path / "two"
    (pasted,) = editor.paste(text, (0, 0))
    found = Path(editor.graph.nodes[pasted].params["path"])
    assert found == tmp_path / "one" / "photos" / "mug.png"


def test_a_node_of_an_unknown_type_survives_every_edit(editor: Editor) -> None:
    strange = Node("n7", "foreign.wobble", {"strength": [1, {"x": None}]}, (5, 6), 9, "Odd", False, {"glow": True})
    editor.reset(Graph({"n7": strange}, frames=({"title": "kept"},), extra={"later": 1}))
    editor.add("mesh.decimate", (0, 0))
    assert editor.link(Link("n7", "shape", "n8", "mesh")) == ""
    assert editor.spec("n7").outputs[0].name == "shape"
    (copy,) = editor.duplicate(["n7"])
    editor.move({"n7": (50, 60)})
    editor.move({"n7": (5, 6)})
    assert editor.graph.nodes["n7"] == strange
    assert editor.graph.nodes[copy].params == strange.params
    assert editor.graph.nodes[copy].extra == strange.extra
    assert (editor.graph.frames, editor.graph.extra) == (({"title": "kept"},), {"later": 1})
    assert graph_file.loads(graph_file.dumps(editor.graph)) == editor.graph


def test_a_node_added_with_a_link_is_one_step(editor: Editor) -> None:
    source = editor.add("image_to_3d.inflate", (0, 0))
    count = editor.undo_stack.count()
    id = editor.add("mesh.decimate", (300, 0), links=[Link(source, "out", "", "mesh")])
    assert editor.graph.links == (Link(source, "out", id, "mesh"),)
    assert editor.undo_stack.count() == count + 1


def test_selection_holds_only_what_is_there(editor: Editor) -> None:
    ids = chain(editor)
    spy = QSignalSpy(editor.selection_changed)
    editor.select([ids[0], "gone", ids[0], ids[1]])
    assert editor.selection == (ids[0], ids[1])
    editor.select([ids[0], ids[1]])
    assert spy.count() == 1


def test_the_history_holds_graphs_and_not_what_they_computed(editor: Editor) -> None:
    ids = chain(editor)
    old = editor.graph
    assert old.into and old.out_of
    editor.move({ids[0]: (5, 5)})
    assert not {"into", "out_of"} & set(vars(old))
    editor.undo_stack.undo()
    assert editor.graph is old
    assert len(old.into) == 2


def test_without_a_folder_pasted_paths_are_absolute(editor: Editor, tmp_path: Path) -> None:
    editor.base = tmp_path
    text = editor.copy([editor.add("io.picture", (0, 0), {"path": "mug.png"})])
    editor.base = None
    (pasted,) = editor.paste(text, (0, 0))
    assert Path(editor.graph.nodes[pasted].params["path"]) == tmp_path / "mug.png"
