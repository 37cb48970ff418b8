"""The main window: puts the parts around the canvas and joins them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import cast

from PySide6.QtCore import QEvent, QSize, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QToolBar, QWidget

from app.engine.errors import CannotWrite
from app.engine.payloads import Payload
from app.ui import actions, theme, viewer_camera
from app.ui.canvas import Canvas
from app.ui.crash_dialog import CrashCatcher
from app.ui.desk import Desk, MakeRegistry, MakeWorker
from app.ui.dialogs import Dialogs
from app.ui.docks import Docks
from app.ui.drawing import Drawing
from app.ui.file_commands import FileCommands
from app.ui.help_commands import HelpCommands
from app.ui.inspector import Inspector
from app.ui.library import Library
from app.ui.log_view import LogView
from app.ui.outside import Outside
from app.ui.presenter import Presenter
from app.ui.queue_commands import QueueCommands
from app.ui.report_commands import ReportCommands
from app.ui.row import Surroundings
from app.ui.run_bar import RunBar
from app.ui.run_commands import RunCommands
from app.ui.settings import Settings
from app.ui.thumbs import Thumbs
from app.ui.viewer_face import MakeThumbnail, ViewerFace
from app.ui.watch import Watch, WatchBar
from app.ui.weight_commands import WeightCommands
from app.ui.welcome import Welcome
from app.ui.wiring import join


class MainWindow(QMainWindow):
    """Show it, then call :meth:`start`. ``closed()``: it goes.

    ``make_registry``, ``make_worker``: read the settings each time they are called. ``viewer``: a widget with the face
    of :class:`ViewerFace`. ``thumbnail``: payload -> RGBA pixels. ``dialogs``: how the person is asked.
    """

    closed = Signal()

    def __init__(
        self,
        settings: Settings,
        make_registry: MakeRegistry,
        make_worker: MakeWorker,
        viewer: ViewerFace,
        thumbnail: MakeThumbnail | None = None,
        dialogs: Dialogs | None = None,
        examples: Path = theme.RESOURCES / "examples",
    ) -> None:
        super().__init__()
        self.settings, self.viewer = settings, viewer
        self.dialogs = dialogs or Dialogs(settings)
        self.dialogs.parent = self
        self.desk = Desk(settings, make_registry, make_worker)
        self._make_widgets(thumbnail or _no_thumbnail)
        panels = {"Nodes": self.library, "Viewer": self.watch_bar, "Inspector": self.inspector, "Log": self.log}
        self.docks = Docks(self, settings, panels)
        self.files = FileCommands(self, examples)
        self.running = RunCommands(self)
        self.queued = QueueCommands(self)
        self.outside = Outside(self)
        self.models = WeightCommands(self)
        self.reports = ReportCommands(self)
        self.help = HelpCommands(self)
        self.crashes = CrashCatcher(self, self.desk.session.write_journal)
        self.presenter = Presenter(self)
        self._make_menus()
        self.docks.restore()
        join(self)
        self.update_title()
        self.update_actions()

    def start(self, path: Path | None = None) -> None:
        """Offer what a crash left behind; else open a file, or a copy of the starter example."""
        self.crashes.install()
        self.files.recover()
        self.queued.restore()
        session = self.desk.session
        if session.unsaved or session.path is not None:
            return
        if path is not None:
            self.files.open_path(path)
        else:
            self.files.open_starter()

    # What the action table calls

    def rename(self) -> None:
        self.inspector.edit_title()

    def pin(self) -> None:
        """The selected node stays in the viewer, or no longer."""
        selection = self.desk.editor.selection
        if len(selection) == 1:
            self.pin_node("" if self.watch.pinned == selection[0] else selection[0])

    def pin_node(self, id: str) -> None:
        self.watch.pinned = id
        self.watch.refresh()

    def take_camera(self) -> None:
        """The selected node looks from where the 3D view looks."""
        camera = self.viewer.camera()
        if camera is None:
            self.say("warning", "The viewer has shown nothing in 3D yet.")
        else:
            viewer_camera.take(self.desk.editor, self.desk.editor.selection[0], camera)

    def screenshot(self) -> None:
        path = self.dialogs.save_file("Save the viewer as a picture", (".png",), self.desk.session.out / "view.png")
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.viewer.screenshot(path)
        except (CannotWrite, OSError) as error:
            self.say("error", f"The picture was not saved: {error}")
        else:
            self.log.say_wrote(path)

    def usual_layout(self) -> None:
        self.docks.arrange()

    def say(self, level: str, text: str) -> None:
        """A line in the log, and for a while in the status bar."""
        self.log.say(level, text)
        if level in ("warning", "error"):
            self.run_bar.show_note(text, theme.BAD if level == "error" else theme.WARN)

    def update_actions(self) -> None:
        actions.update(self.actions_by_id, self._facts())
        stack = self.desk.editor.undo_stack
        for name, text in (("undo", stack.undoText()), ("redo", stack.redoText())):
            self.actions_by_id[name].setText(f"{name.capitalize()} {text[:1].lower()}{text[1:]}".strip())

    def update_title(self) -> None:
        session = self.desk.session
        self.setWindowTitle(f"{session.name}[*] — Polyloom")
        self.setWindowFilePath(str(session.path or ""))

    def add_from_library(self, type_id: str) -> None:
        """From the library: in the middle of what the canvas shows, beside what lies there already."""
        view = self.canvas.view
        centre = view.mapToScene(view.viewport().rect().center())
        taken = {node.at for node in self.desk.editor.graph.nodes.values()}
        x, y = round(centre.x()) - 88.0, round(centre.y()) - 40.0
        while (x, y) in taken:
            x, y = x + 32, y + 32
        self.desk.editor.add(type_id, (x, y))
        self.canvas.setFocus()

    def go_to(self, id: str) -> None:
        if id in self.desk.editor.graph.nodes:
            self.desk.editor.select([id])
            self.canvas.centre_on(id)

    def show_help(self, id: str) -> None:
        self.desk.editor.select([id])
        self.docks.docks["Inspector"].show()
        self.docks.docks["Inspector"].raise_()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.inspector.commit_typed()
        if not (self.files.may_close() and self.models.may_close()):
            event.ignore()
            return
        self.closed.emit()
        self.docks.remember()
        self.drawing.stop()
        self.crashes.remove()
        self.desk.close()
        self.viewer.shutdown()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:
        """Back in this window: files that the graph reads may have changed meanwhile."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.desk.status.replan()
            self.desk.weights.look()
            QTimer.singleShot(0, self, self.files.look_at_disk)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self.canvas, self.canvas.fit)

    # Putting it together

    def _make_widgets(self, thumbnail: MakeThumbnail) -> None:
        desk = self.desk
        self.canvas = Canvas(desk.editor)
        self.setCentralWidget(self.canvas)
        self.welcome = Welcome(self.canvas, lambda: self.settings.recent)
        self.library = Library(desk.editor.registry, self.settings.turned_branches)
        self.library.turned.connect(partial(setattr, self.settings, "turned_branches"))
        around = Surroundings(
            lambda: desk.session.base, lambda: desk.session.out, desk.session.stored, self.dialogs, desk.session.set_out
        )
        self.inspector = Inspector(desk.editor, desk.status.board.__getitem__, around, desk.took)
        self.log = LogView()
        self.run_bar = RunBar()
        self.statusBar().addWidget(self.run_bar, 1)
        self.statusBar().setSizeGripEnabled(False)
        self.watch_bar = WatchBar(cast(QWidget, self.viewer))
        self.thumbs = Thumbs(thumbnail, desk.store, desk.artist, self)
        self.watch = Watch(desk.editor, desk.status, self.viewer, self.watch_bar, desk.store, desk.helper)
        self.drawing = Drawing(desk.editor, desk.status, self.viewer, self.watch, desk.store, desk.helper)

    def _make_menus(self) -> None:
        self.actions_by_id, menus = actions.build(self)
        self.bar = QToolBar("Tools", movable=False)
        self.bar.setObjectName("tools")
        self.bar.setIconSize(QSize(20, 20))
        actions.fill_bar(self.bar, self.actions_by_id)
        self.addToolBar(self.bar)
        self.recent = QMenu("Open recent", self)
        self.recent.aboutToShow.connect(lambda: self.files.fill_recent(self.recent))
        menus["File"].insertMenu(self.actions_by_id["examples"], self.recent)
        menus["View"].addSeparator()
        self.docks.fill(menus["View"])
        offered = ("run_here", "duplicate", "toggle_bypass", "arrange", "delete")
        self.inspector.several.offer([self.actions_by_id[name] for name in offered])

    def _facts(self) -> set[str]:
        editor, runs = self.desk.editor, self.desk.runs
        holds = {
            "nodes": bool(editor.graph.nodes),
            "selected": bool(editor.selection),
            "one": len(editor.selection) == 1,
            "camera": len(editor.selection) == 1 and viewer_camera.looks(editor.spec(editor.selection[0])),
            "undo": editor.undo_stack.canUndo(),
            "redo": editor.undo_stack.canRedo(),
            "running": runs.running,
            "auto": runs.auto,
        }
        return {word for word, true in holds.items() if true}


def _no_thumbnail(_: Payload) -> None:
    return None
