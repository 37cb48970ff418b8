"""Start the window: settings, node types and the worker, handed to it as functions that it calls again on a change."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

os.environ.setdefault("QT_API", "pyside6")
os.environ.setdefault("QT_PREFERRED_BINDING", "PySide6")

from PySide6.QtWidgets import QApplication, QWidget

from app.engine.events import Event
from app.engine.graph_thread import Setup
from app.engine.places import store_folder
from app.engine.registry import Registry, discover
from app.engine.store import GIGABYTE
from app.engine.worker import Worker
from app.ui import theme
from app.ui.dialogs import Dialogs
from app.ui.preparing import Preparing
from app.ui.settings import Settings
from app.ui.viewer_face import MakeThumbnail, ViewerFace
from app.ui.window import MainWindow


def open_window(
    file: Path | None,
    setup: Setup,
    make_viewer: Callable[[], QWidget],
    thumbnail: MakeThumbnail,
    settings: Settings | None = None,
) -> int:
    """Open the window on a file, or on a copy of the starter graph, and return its exit status when it is closed.

    ``setup``: what the command line said; the person's settings fill in what it left open.
    """
    choose_platform()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("Polyloom")
    theme.apply(app)
    settings = settings or Settings()
    window = make_window(setup, settings, cast(ViewerFace, make_viewer()), thumbnail)
    prepare_beside(window, setup)
    window.show()
    window.start(file)
    return app.exec()


def prepare_beside(window: MainWindow, setup: Setup) -> Preparing:
    """What its tools need on this computer is made while the window is open, beginning with those of its graph."""

    def open_types() -> list[str]:
        return [node.type for node in window.desk.editor.graph.nodes.values()]

    preparing = Preparing(setup.packages, open_types, window)
    preparing.changed.connect(window.run_bar.show_preparing)
    window.closed.connect(preparing.stop)
    return preparing


def choose_platform() -> None:
    """VTK draws into X11 windows: under Wayland the window goes through XWayland, unless the person chose otherwise."""
    if os.environ.get("WAYLAND_DISPLAY") and os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb")


def make_window(
    setup: Setup, settings: Settings, viewer: ViewerFace, thumbnail: MakeThumbnail, dialogs: Dialogs | None = None
) -> MainWindow:
    """The window over a worker process."""

    def now() -> Setup:
        return settled(setup, settings)

    def make_registry() -> Registry:
        return discover(now().packages, now().folders)

    def make_worker(on_event: Callable[[Event], None]) -> Worker:
        worker = Worker(now(), on_event)
        worker.warm_up()
        return worker

    return MainWindow(settings, make_registry, make_worker, viewer, thumbnail, dialogs)


def settled(setup: Setup, settings: Settings) -> Setup:
    """The command line's setup, completed by the person's settings."""
    device = setup.device if setup.device != "auto" else settings.device
    folders = tuple(dict.fromkeys((*setup.folders, *settings.node_folders)))
    disk = int(settings.store_gb * GIGABYTE)
    store = settings.store_folder if settings.store_folder and setup.store == store_folder() else setup.store
    return replace(setup, store=store, device=device, folders=folders, disk_bytes=disk)
