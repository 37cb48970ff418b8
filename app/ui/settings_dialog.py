"""The settings of the program: where results are kept and how much, node folders, device, automatic runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.engine.devices import DEVICES
from app.ui.dialogs import Dialogs
from app.ui.settings import Settings
from app.ui.widgets import QuietCombo, label

DEVICE_WORDS = {"auto": "the best there is", "cpu": "CPU only", "cuda": "NVIDIA GPU (CUDA)", "mps": "Apple GPU (MPS)"}


class SettingsDialog(QDialog):
    """``changed()``: something that the worker or the node types depend on is different now."""

    changed = Signal()

    def __init__(self, settings: Settings, dialogs: Dialogs, store_folder: Path) -> None:
        super().__init__()
        self.settings, self._dialogs, self._store_now = settings, dialogs, store_folder
        self.setWindowTitle("Settings")
        self.store = QLineEdit(str(settings.store_folder or store_folder))
        self.limit = QDoubleSpinBox(suffix=" GB", decimals=1, minimum=0.5, maximum=100_000)
        self.limit.setValue(settings.store_gb)
        self.device = QuietCombo()
        for name in DEVICES:
            self.device.addItem(DEVICE_WORDS[name], name)
        self.device.setCurrentIndex(self.device.findData(settings.device))
        self.auto = QCheckBox("Run after every edit")
        self.auto.setChecked(settings.auto_run)
        self.folders = QListWidget()
        self.folders.addItems([str(path) for path in settings.node_folders])
        self.folders.setMaximumHeight(110)
        self._lay_out()

    def accept(self) -> None:
        """Keep everything; a change of the worker's settings is told."""
        before = self._worker_settings()
        store = Path(self.store.text().strip() or self._store_now)
        self.settings.store_folder = None if store == self._store_now and not self.settings.store_folder else store
        self.settings.store_gb = self.limit.value()
        self.settings.device = self.device.currentData()
        self.settings.auto_run = self.auto.isChecked()
        self.settings.node_folders = tuple(Path(self.folders.item(i).text()) for i in range(self.folders.count()))
        super().accept()
        if self._worker_settings() != before:
            self.changed.emit()

    def _worker_settings(self) -> tuple[object, ...]:
        s = self.settings
        return s.store_folder, s.store_gb, s.device, s.node_folders

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(10)
        form.addRow("Stored results", _beside(self.store, _button("Choose…", self._choose_store)))
        form.addRow("Size limit", self.limit)
        form.addRow("Compute on", self.device)
        form.addRow("", self.auto)
        form.addRow("Own node files", self.folders)
        buttons = [_button("Add folder…", self._add_folder), _button("Remove", self._remove_folder)]
        form.addRow("", _beside(*buttons))
        text = "Every .py file in these folders is loaded at the start. Load only what you trust."
        form.addRow("", label(text, "dim", wrap=True))
        ends = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        ends.accepted.connect(self.accept)
        ends.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 14)
        layout.addLayout(form)
        layout.addWidget(ends)
        self.resize(560, 420)

    def _choose_store(self) -> None:
        path = self._dialogs.folder("Choose a folder for stored results", Path(self.store.text()))
        if path is not None:
            self.store.setText(str(path))

    def _add_folder(self) -> None:
        path = self._dialogs.folder("Choose a folder with node files", None)
        if path is not None:
            self.folders.addItem(str(path))

    def _remove_folder(self) -> None:
        self.folders.takeItem(self.folders.currentRow())


def _button(text: str, act: Callable[[], None]) -> QPushButton:
    button = QPushButton(text, autoDefault=False)
    button.clicked.connect(act)
    return button


def _beside(*parts: QWidget) -> QWidget:
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return box
