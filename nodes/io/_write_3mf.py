"""3MF packages: the model, its textures, a picture of it, and what ties them together (Core Specification 1.3)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np

from app.engine import BadInput, Mesh
from nodes.io._axes import turned
from nodes.io._parts import Array, Warn
from nodes.io._rows_text import rows_text
from nodes.io._threemf_looks import Looks
from nodes.io._threemf_texts import OWN, PREFIX, elements_of
from nodes.mesh._topology import collapsed, weld_points

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
MATERIALS = "http://schemas.microsoft.com/3dmanufacturing/material/2015/02"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATION_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
MODEL_TYPE = "application/vnd.ms-package.3dmanufacturing-3dmodel+xml"
MODEL_RELATION = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
TEXTURE_RELATION = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dtexture"
THUMBNAIL_RELATION = f"{RELATIONS}/metadata/thumbnail"
THUMBNAIL = "/Metadata/thumbnail.png"
MODEL = "/3D/3dmodel.model"
UNITS = {"millimetres": "millimeter", "centimetres": "centimeter", "metres": "meter", "inches": "inch"}
PACKING = 2
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'


class Item(NamedTuple):
    """A mesh and where it stands: ``place`` is (4, 4) in metres, +Y up."""

    mesh: Mesh
    place: Array


class Model(NamedTuple):
    """``unit``: a word of ours and the metres that it is. ``longest``: the limit of a texture's side, 0 for none."""

    unit: str
    metres: float
    longest: int = 0


def package_bytes(items: Sequence[Item], model: Model, metadata: dict[str, str], thumbnail: bytes, warn: Warn) -> bytes:
    """A 3MF file. Items that show the same mesh share one object."""
    looks = Looks(warn, model.longest)
    xml = _model(items, model, metadata, looks)
    files = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _relations([(MODEL, MODEL_RELATION), (THUMBNAIL, THUMBNAIL_RELATION)]),
        MODEL: xml,
        THUMBNAIL: thumbnail,
        **looks.pictures,
    }
    if looks.pictures:
        files["3D/_rels/3dmodel.model.rels"] = _relations([(name, TEXTURE_RELATION) for name in looks.pictures])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in files.items():
            package.writestr(zipfile.ZipInfo(name.lstrip("/")), data, _packing(name), PACKING)
    return out.getvalue()


def _packing(name: str) -> int:
    return zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED


def _content_types() -> bytes:
    kinds = {
        "rels": RELATION_TYPE,
        "model": MODEL_TYPE,
        "png": "image/png",
    }
    rows = "".join(f'<Default Extension="{end}" ContentType="{kind}"/>' for end, kind in kinds.items())
    return HEAD + f'<Types xmlns="{TYPES}">{rows}</Types>'.encode()


def _relations(targets: list[tuple[str, str]]) -> bytes:
    rows = "".join(f'<Relationship Target="{to}" Id="rel{k}" Type="{kind}"/>' for k, (to, kind) in enumerate(targets))
    return HEAD + f'<Relationships xmlns="{RELATIONS}">{rows}</Relationships>'.encode()


def _model(items: Sequence[Item], model: Model, metadata: dict[str, str], looks: Looks) -> bytes:
    objects: dict[int, int] = {}
    shapes: list[bytes] = []
    build: list[bytes] = []
    for mesh, place in items:
        if id(mesh) not in objects:
            xml = _object(mesh, model, looks)
            objects[id(mesh)] = looks.last if xml else 0
            shapes += xml
        if objects[id(mesh)]:
            build.append(b'<item objectid="%d"%s/>' % (objects[id(mesh)], _transform(place, model.metres)))
    if not build:
        raise BadInput("No triangle of the mesh has an area.", "Check the node before this one.")
    spaces = f'xmlns="{CORE}" xmlns:m="{MATERIALS}" xmlns:{PREFIX}="{OWN}"'
    head = f'<model {spaces} unit="{UNITS[model.unit]}" xml:lang="en-US">'
    parts = [HEAD, head.encode(), elements_of(metadata), b"<resources>", *looks.xml, *shapes, b"</resources>"]
    return b"".join([*parts, b"<build>", *build, b"</build></model>\n"])


def _object(mesh: Mesh, model: Model, looks: Looks) -> list[bytes]:
    """Positions of seams are one vertex; triangles that name a vertex twice are not allowed and left out."""
    weld = weld_points(mesh.vertices)
    faces = weld.ids[mesh.faces]
    flat = collapsed(faces)
    if flat.all():
        return []
    if flat.any():
        looks.warn(f"{int(flat.sum()):,} triangles without area are left out: 3MF does not allow them.")
    group, members = looks.of(mesh)
    points = turned(mesh.vertices[weld.first].astype(np.float64), "+Y", "+Z") / model.metres
    look = b' pid="%d" pindex="0"' % group if group else b""
    name = quoteattr(_printable(mesh.name) or "mesh").encode()
    head = b'<object id="%d" type="model" name=%s%s><mesh><vertices>' % (looks.fresh(), name, look)
    vertices = rows_text(points, b'<vertex x="', b'" y="', b'" z="', b'"/>')
    triangles = _triangles(faces[~flat], members[~flat], group)
    return [head, vertices, b"</vertices><triangles>", triangles, b"</triangles></mesh></object>"]


def _triangles(faces: Array, members: Array, group: int) -> bytes:
    corners = (b'<triangle v1="', b'" v2="', b'" v3="')
    if not group or not members.any():
        return rows_text(faces, *corners, b'"/>')
    first = b'" pid="%d" p1="' % group
    if (members == members[:, :1]).all():
        return rows_text(np.column_stack([faces, members[:, 0]]), *corners, first, b'"/>')
    return rows_text(np.column_stack([faces, members]), *corners, first, b'" p2="', b'" p3="', b'"/>')


def _transform(place: Array, metres: float) -> bytes:
    """The place in the file's axes and units, as twelve numbers for row vectors; nothing where it is the identity."""
    if np.array_equal(place, np.eye(4)):
        return b""
    turn = np.eye(4)
    turn[:3, :3] = turned(np.eye(3), "+Y", "+Z").T
    scale = np.diag([1 / metres] * 3 + [1.0])
    inside = scale @ turn @ place.astype(np.float64) @ np.linalg.inv(turn) @ np.linalg.inv(scale)
    numbers = " ".join(f"{value:.9g}" for value in inside[:3].T.ravel() + 0.0)
    return f' transform="{numbers}"'.encode()


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
