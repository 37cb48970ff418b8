"""The camera of the 3D view as settings of a node that looks through one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine.errors import BadParam
from app.engine.params import Slider
from app.engine.spec import NodeSpec
from app.ui.editor import Editor

NEEDED = ("azimuth", "elevation", "distance", "fov")
DIGITS = 4


def looks(spec: NodeSpec) -> bool:
    """Whether a node type has a camera of its own."""
    return {param.name for param in spec.params}.issuperset(NEEDED)


def take(editor: Editor, id: str, camera: Mapping[str, Any]) -> None:
    """Give a node the viewer's camera, in one undo step. Numbers beyond a slider's ends are put at its end.

    ``camera``: values by parameter name, see :meth:`app.ui.viewer_face.ViewerFace.camera`; a node takes those it has.
    """
    values = {}
    for param in editor.spec(id).params:
        if param.name not in camera:
            continue
        value = camera[param.name]
        if isinstance(param.setting, Slider):
            value = round(min(max(value, param.setting.min), param.setting.max), DIGITS)
        try:
            param.setting.check(value)
        except BadParam:
            continue
        values[param.name] = value
    editor.edit(f"Take the viewer's camera for {editor.title(id)}", editor.graph.with_params(id, **values))
