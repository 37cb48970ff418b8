"""What a dropped or picked file is, judged by the node types that can open it: no suffix is written down here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.engine.params import OpenFile
from app.engine.spec import NodeSpec

CARRIERS = (".glb", ".png")


@dataclass(frozen=True)
class Opener:
    """A node type and its parameter that takes the file."""

    type_id: str
    param: str
    kind: str


def opener_for(path: Path, specs: Mapping[str, NodeSpec]) -> Opener | None:
    """The node type that usually loads such a file: one without inputs, and with as few other settings as possible."""
    suffix = path.suffix.lower()
    found = [
        (not param.setting.usual, len(spec.inputs), len(spec.params), spec.id, param.name)
        for spec in specs.values()
        for param in spec.params
        if isinstance(param.setting, OpenFile) and suffix in param.setting.suffixes and spec.outputs
    ]
    if not found:
        return None
    *_, id, name = min(found)
    return Opener(id, name, specs[id].outputs[0].type.label.lower())
