"""What the window remembers between starts. One object over one QSettings; tests give it a temporary ini file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings, QStandardPaths

from app.engine import places

RECENT = 12


class Settings:
    """``data``: the per-user folder for journals and the like. ``documents``: where unsaved graphs live and write."""

    def __init__(
        self, values: QSettings | None = None, data: Path | None = None, documents: Path | None = None
    ) -> None:
        self._values = values if values is not None else QSettings("Polyloom", "Polyloom")
        self.data = data or places.home()
        self.documents = (
            documents
            or Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)) / "Polyloom"
        )

    @classmethod
    def at(cls, folder: Path) -> Settings:
        """Everything inside one folder: for tests and portable use."""
        values = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
        return cls(values, folder / "data", folder / "documents")

    @property
    def device(self) -> str:
        return self._text("device", "auto")

    @device.setter
    def device(self, value: str) -> None:
        self._values.setValue("device", value)

    @property
    def store_folder(self) -> Path | None:
        """None: the place that the command line uses, too."""
        text = self._text("store/folder", "")
        return Path(text) if text else None

    @store_folder.setter
    def store_folder(self, value: Path | None) -> None:
        self._values.setValue("store/folder", "" if value is None else str(value))

    @property
    def store_gb(self) -> float:
        return float(self._text("store/gigabytes", "20"))

    @store_gb.setter
    def store_gb(self, value: float) -> None:
        self._values.setValue("store/gigabytes", str(value))

    @property
    def node_folders(self) -> tuple[Path, ...]:
        return tuple(Path(text) for text in self._list("nodes/folders"))

    @node_folders.setter
    def node_folders(self, value: tuple[Path, ...]) -> None:
        self._keep("nodes/folders", [str(path) for path in value])

    @property
    def turned_branches(self) -> tuple[str, ...]:
        """Branches of the library that the person has opened or closed."""
        return tuple(self._list("library/turned"))

    @turned_branches.setter
    def turned_branches(self, value: tuple[str, ...]) -> None:
        self._keep("library/turned", list(value))

    @property
    def auto_run(self) -> bool:
        return self._text("run/auto", "no") == "yes"

    @auto_run.setter
    def auto_run(self, value: bool) -> None:
        self._values.setValue("run/auto", "yes" if value else "no")

    @property
    def mirrors(self) -> dict[str, str]:
        """Other addresses for weights, by the handle of their card."""
        found = self._json("weights/mirrors", {})
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    @mirrors.setter
    def mirrors(self, value: dict[str, str]) -> None:
        self._keep("weights/mirrors", value)

    @property
    def recent(self) -> tuple[Path, ...]:
        return tuple(Path(text) for text in self._list("recent"))

    def opened(self, path: Path) -> None:
        """Puts a file at the head of the recent ones."""
        kept = [path, *(p for p in self.recent if p != path)]
        self._keep("recent", [str(p) for p in kept[:RECENT]])

    def forget(self, path: Path) -> None:
        self._keep("recent", [str(p) for p in self.recent if p != path])

    @property
    def last_folder(self) -> Path:
        text = self._text("last_folder", "")
        return Path(text) if text and Path(text).is_dir() else Path.home()

    @last_folder.setter
    def last_folder(self, value: Path) -> None:
        self._values.setValue("last_folder", str(value))

    def out_folder(self, graph: Path | None) -> Path | None:
        """The output folder that the person chose for this graph, or None."""
        text = self._outs().get(str(graph), "")
        return Path(text) if text else None

    def set_out_folder(self, graph: Path | None, folder: Path | None) -> None:
        kept = {k: v for k, v in self._outs().items() if k != str(graph)}
        if folder is not None:
            kept[str(graph)] = str(folder)
        self._keep("out_folders", dict(list(kept.items())[-100:]))

    def layout(self, name: str) -> QByteArray:
        value = self._values.value(f"layout/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_layout(self, name: str, value: QByteArray) -> None:
        self._values.setValue(f"layout/{name}", value)

    def sync(self) -> None:
        self._values.sync()

    def _outs(self) -> dict[str, str]:
        found = self._json("out_folders", {})
        return found if isinstance(found, dict) else {}

    def _list(self, key: str) -> list[str]:
        found = self._json(key, [])
        return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []

    def _text(self, key: str, default: str) -> str:
        return str(self._values.value(key, default))

    def _json(self, key: str, default: Any) -> Any:
        try:
            return json.loads(self._text(key, json.dumps(default)))
        except ValueError:
            return default

    def _keep(self, key: str, value: Any) -> None:
        self._values.setValue(key, json.dumps(value))
