"""What the window needs of the viewer and of its thumbnails. ``main.py`` hands in the real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.engine.params import Rect, Stroke
from app.engine.payloads import Image, Payload

MakeThumbnail = Callable[[Payload], NDArray[np.uint8] | None]


class ViewerFace(Protocol):
    """A QWidget that shows payloads. ``drawn``: Signal(str, object): ``"rectangle"`` or ``"strokes"`` and the value."""

    @property
    def drawn(self) -> Any: ...

    def show_payload(self, payload: Payload | None, source: str = "") -> None: ...

    def show_waiting(self, words: str, source: str = "") -> None:
        """Until the payload of ``source`` is there, say in its place why it is not."""

    def edit_rectangle(self, image: Image, value: Rect | None) -> None: ...

    def edit_strokes(self, image: Image, value: tuple[Stroke, ...]) -> None: ...

    def stop_editing(self) -> None: ...

    def screenshot(self, path: Path) -> None: ...

    def camera(self) -> dict[str, Any] | None:
        """Of the 3D view, or None before there is one: ``azimuth``, ``elevation``, ``fov`` in degrees, ``distance``,
        ``aim_x``, ``aim_y``, ``aim_z`` in metres, and ``aim``, which is ``"point"``."""

    def shutdown(self) -> None: ...
