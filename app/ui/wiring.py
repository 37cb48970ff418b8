"""Joins the parts of the window: which signal of one leads to which method of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.ui import theme

if TYPE_CHECKING:
    from app.ui.window import MainWindow


def join(window: MainWindow) -> None:
    editor, session = window.desk.editor, window.desk.session
    for signal in (editor.selection_changed, editor.changed, editor.undo_stack.indexChanged):
        signal.connect(lambda _: window.update_actions())
    session.file_changed.connect(window.update_title)
    session.unsaved_changed.connect(window.setWindowModified)
    session.said.connect(window.say)
    window.canvas.dropped.connect(window.files.dropped)
    window.canvas.run_to_requested.connect(window.running.run_to)
    window.canvas.pin_requested.connect(window.pin_node)
    window.canvas.help_requested.connect(window.show_help)
    window.canvas.said.connect(lambda text: window.run_bar.show_note(text, theme.WARN))
    window.library.chosen.connect(window.add_from_library)
    window.welcome.example_wanted.connect(window.files.examples)
    window.welcome.open_wanted.connect(window.files.open)
    window.welcome.recent_chosen.connect(window.files.open_path)
    window.welcome.dropped.connect(window.files.dropped)
    editor.changed.connect(lambda graph: window.welcome.show_if(not graph.nodes))
    window.inspector.drawing.connect(window.drawing.switch)
    window.drawing.refused.connect(lambda text: window.say("warning", text))
    window.drawing.needs.connect(window.running.run_to)
    window.drawing.ended.connect(window.inspector.stop_drawing)
    window.log.node_clicked.connect(window.go_to)
    window.log.file_clicked.connect(lambda path: window.running.show_folder(path.parent))
    window.thumbs.ready.connect(window.canvas.set_thumbnail)
