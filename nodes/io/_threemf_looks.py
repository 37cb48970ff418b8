"""What a mesh looks like, as property groups of 3MF (Materials and Properties Extension 1.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Material, Mesh
from nodes.image._pixels import to_srgb
from nodes.io._factors import times_factor
from nodes.io._parts import Warn
from nodes.io._rows_text import rows_text
from nodes.io._textures import colour_bytes, encode_all, to_bytes
from nodes.mesh._topology import weld_rows

TEXTURES = "/3D/Textures/"
STYLES = {"repeat": "wrap", "mirror": "mirror", "clamp": "clamp"}


@dataclass
class Looks:
    """Resources of a model, numbered as they come. ``pictures``: by their names in the package."""

    warn: Warn
    longest: int = 0
    xml: list[bytes] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    last: int = 0
    _known: dict[int, tuple[Material, int]] = field(default_factory=dict)

    def fresh(self) -> int:
        self.last += 1
        return self.last

    def of(self, mesh: Mesh) -> tuple[int, NDArray[Any]]:
        """(number of the group, (M, 3) its member at each corner). The number is 0 for a mesh without a look."""
        material = mesh.material
        if material is not None and material.base_colour is not None and mesh.uv is not None:
            if mesh.colours is not None:
                self.warn("3MF shows the texture or the vertex colours, not both; the texture was written.")
            return self._textured(mesh, material, mesh.uv)
        if mesh.colours is not None:
            return self._coloured(mesh.faces, mesh.colours, material or Material())
        if material is not None:
            return self._plain(material), np.zeros(mesh.faces.shape, np.int64)
        return 0, np.zeros(mesh.faces.shape, np.int64)

    def _textured(self, mesh: Mesh, material: Material, uv: NDArray[np.float32]) -> tuple[int, NDArray[Any]]:
        texture = self._texture(material)
        weld = weld_rows(uv)
        group = self.fresh()
        rows = rows_text(uv[weld.first], b'<m:tex2coord u="', b'" v="', b'"/>')
        self.xml += [b'<m:texture2dgroup id="%d" texid="%d">' % (group, texture), rows, b"</m:texture2dgroup>"]
        return group, weld.ids[mesh.faces]

    def _texture(self, material: Material) -> int:
        if id(material) in self._known:
            return self._known[id(material)][1]
        image = material.base_colour
        assert image is not None
        full = Image(times_factor(image.pixels, "base_colour", material), image.space)
        pixels = colour_bytes(full, self.longest, material.alpha_mode != "opaque")
        number = self.fresh()
        name = f"{TEXTURES}base_colour_{number}.png"
        self.pictures[name] = encode_all({"base_colour": pixels})["base_colour"].data
        tiles = "".join(f' tilestyle{axis}="{STYLES[how]}"' for axis, how in zip("uv", material.wrap, strict=True))
        self.xml.append(f'<m:texture2d id="{number}" path="{name}" contenttype="image/png"{tiles}/>'.encode())
        self._known[id(material)] = material, number
        return number

    def _coloured(
        self, faces: NDArray[Any], colours: NDArray[np.float32], material: Material
    ) -> tuple[int, NDArray[Any]]:
        factor = np.array(material.base_factor, np.float32)
        shown = np.concatenate([to_srgb(factor[:3]), factor[3:]])
        levels = to_bytes(np.nan_to_num(colours) * shown)
        if material.alpha_mode == "opaque":
            levels[:, 3] = 255
        unique, member = np.unique(levels, axis=0, return_inverse=True)
        group = self.fresh()
        members = b"".join(b'<m:color color="%s"/>' % _hex(row) for row in unique)
        self.xml.append(b'<m:colorgroup id="%d">' % group + members + b"</m:colorgroup>")
        return group, member.reshape(-1)[faces]

    def _plain(self, material: Material) -> int:
        if id(material) in self._known:
            return self._known[id(material)][1]
        group = self.fresh()
        factor = np.array(material.base_factor, np.float32)
        colour = to_bytes(np.concatenate([to_srgb(factor[:3]), factor[3:]]))
        if material.alpha_mode == "opaque":
            colour[3] = 255
        base = f'<base name={quoteattr(material.name or "material")} displaycolor="{_hex(colour).decode()}"/>'
        self.xml.append(f'<basematerials id="{group}">{base}</basematerials>'.encode())
        self._known[id(material)] = material, group
        return group


def _hex(levels: NDArray[np.uint8]) -> bytes:
    return b"#" + levels.tobytes().hex().upper().encode()
