"""USD, USDA, USDC and USDZ through OpenUSD's own library, which is an extra to install."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.engine import BadFile
from nodes.io._assembly import Assembly
from nodes.io._beside import Beside
from nodes.io._parts import Array, Part, split_corners, taken
from nodes.io._polygons import triangulated
from nodes.io._usd_surface import Surfaces
from nodes.mesh._topology import weld_rows

MOST_LAYERS = 200
MOST_PRIMS = 200_000
MOST_FACES = 100_000_000
AGAIN = "Export the file again."
MISSING = (
    "Reading USD needs OpenUSD's library, which is not installed here.",
    "Install it beside Polyloom with: uv sync --extra usd",
)


def read_usd(data: bytes, beside: Beside) -> list[Part]:
    """Every visible mesh in place. Says units and axes through ``beside``."""
    return list(read_usd_scene(data, beside).flat())


def read_usd_scene(data: bytes, beside: Beside) -> Assembly:
    """The stage's prims with meshes as objects, in their hierarchy, as they stand at the first frame.

    Layers, textures and payloads are followed inside the file's own folder only. Raises :class:`BadFile`.
    """
    path = beside.folder / beside.file
    try:
        from pxr import Sdf, Usd, UsdGeom
    except ImportError:
        raise BadFile(*MISSING) from None
    try:
        layer = Sdf.Layer.FindOrOpen(str(path))
        if layer is None:
            raise BadFile(f"{path.name} is no USD file, or it is damaged.", AGAIN)
        _check_layers(layer, path.parent.resolve(), {layer.identifier})
        stage = Usd.Stage.Open(layer, Usd.Stage.LoadAll)
        metres = float(UsdGeom.GetStageMetersPerUnit(stage))
        if not 0 < metres < 1e6:
            raise BadFile(f"The file says that its unit is {metres:g} metres.", AGAIN)
        beside.says(metres, "+Z" if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.z else "+Y")
        return _Walk(stage, beside).assembly
    except RuntimeError as error:
        raise BadFile(f"{path.name} is damaged: {str(error).splitlines()[-1].strip()[:120]}.", AGAIN) from error


def _check_layers(layer: Any, folder: Path, seen: set[str]) -> None:
    """Refuse layers outside of the folder before any is composed."""
    from pxr import Sdf

    for name in filter(None, layer.GetCompositionAssetDependencies()):
        place = layer.ComputeAbsolutePath(name)
        real = Path(place.partition("[")[0])
        if not real.resolve().is_relative_to(folder):
            raise BadFile(
                f"The file refers to {name[:200]!r}, which is not in its own folder.", "Put everything into one folder."
            )
        if place in seen or not real.is_file():
            continue
        seen.add(place)
        if len(seen) > MOST_LAYERS:
            raise BadFile("The file is spread over more than 200 layers.", "Flatten it first.")
        inner = Sdf.Layer.FindOrOpen(place)
        if inner is not None:
            _check_layers(inner, folder, seen)


class _Walk:
    """One pass over the prims of a stage."""

    def __init__(self, stage: Any, beside: Beside) -> None:
        from pxr import Usd

        self.assembly = Assembly()
        self.surfaces = Surfaces(beside)
        timed = stage.HasAuthoredTimeCodeRange()
        self.time = Usd.TimeCode(stage.GetStartTimeCode()) if timed else Usd.TimeCode.Default()
        self.faces = 0
        self._shapes: dict[Any, tuple[int, ...]] = {}
        self._left: dict[str, int] = {}
        self._numbers: dict[Any, int] = {}
        self._walk(stage)
        self._trim()
        for kind, many in self._left.items():
            beside.warn(f"{many} of the kind {kind} are left out: only meshes are read.")

    def _walk(self, stage: Any) -> None:
        from pxr import Usd, UsdGeom

        prims = iter(Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies(Usd.PrimDefaultPredicate)))
        for count, prim in enumerate(prims):
            if count > MOST_PRIMS:
                raise BadFile("The file holds more than 200,000 objects.", "Reduce it first.")
            if prim.IsA(UsdGeom.PointInstancer):
                prims.PruneChildren()
            if prim.IsA(UsdGeom.Imageable) and _shown(prim, self.time):
                self._numbers[prim.GetPath()] = self._add(prim)

    def _parent(self, prim: Any) -> int:
        parent = prim.GetParent()
        while parent and parent.GetPath() not in self._numbers:
            parent = parent.GetParent()
        return self._numbers[parent.GetPath()] if parent else -1

    def _add(self, prim: Any) -> int:
        from pxr import UsdGeom

        place, parent = np.eye(4), self._parent(prim)
        xform = UsdGeom.Xformable(prim)
        if xform:
            place = np.array(xform.GetLocalTransformation(self.time)).T
            if xform.GetResetXformStack():
                parent = -1
        shows: tuple[int, ...] = ()
        if prim.IsA(UsdGeom.Mesh):
            shows = self._mesh(prim)
        elif prim.IsA(UsdGeom.Boundable):
            self._left[prim.GetTypeName()] = self._left.get(prim.GetTypeName(), 0) + 1
        return self.assembly.add(str(prim.GetDisplayName() or prim.GetName()), shows, place, parent)

    def _mesh(self, prim: Any) -> tuple[int, ...]:
        """The numbers of its parts; instances of the same prototype share them."""
        key = prim.GetPrimInPrototype().GetPath() if prim.IsInstanceProxy() else prim.GetPath()
        if key not in self._shapes:
            first = len(self.assembly.parts)
            parts = [part.named(prim.GetName()) for part in _parts(prim, self.time, self.surfaces)]
            self.assembly.parts.extend(parts)
            self._shapes[key] = tuple(range(first, first + len(parts)))
        self.faces += sum(len(self.assembly.parts[k].faces) for k in self._shapes[key])
        if self.faces > MOST_FACES:
            raise BadFile("The model has more than 100 million triangles.", "Reduce it first.")
        return self._shapes[key]

    def _trim(self) -> None:
        """Leave out objects under which nothing is to be seen."""
        found = self.assembly
        wanted = [bool(row) for row in found.shows]
        for k in range(len(found.names) - 1, -1, -1):
            if wanted[k] and found.parents[k] >= 0:
                wanted[found.parents[k]] = True
        kept = [k for k, keep in enumerate(wanted) if keep]
        number = {k: place for place, k in enumerate(kept)}
        found.names[:] = [found.names[k] for k in kept]
        found.shows[:] = [found.shows[k] for k in kept]
        found.places[:] = [found.places[k] for k in kept]
        found.parents[:] = [number.get(found.parents[k], -1) for k in kept]


def _shown(prim: Any, time: Any) -> bool:
    from pxr import UsdGeom

    imageable = UsdGeom.Imageable(prim)
    hidden = imageable.GetVisibilityAttr().Get(time) == UsdGeom.Tokens.invisible
    parent = prim.GetParent()
    if hidden or imageable.ComputePurpose() in (UsdGeom.Tokens.guide, UsdGeom.Tokens.proxy):
        return False
    return parent.IsPseudoRoot() or not parent.IsA(UsdGeom.Imageable) or _shown(parent, time)


def _parts(prim: Any, time: Any, surfaces: Surfaces) -> Iterator[Part]:
    """A part for each material of a mesh: that of the mesh, and those of its subsets of faces."""
    from pxr import UsdGeom

    mesh = UsdGeom.Mesh(prim)
    points = _array(mesh.GetPointsAttr().Get(time), 3)
    counts = _array(mesh.GetFaceVertexCountsAttr().Get(time), 1).reshape(-1).astype(np.int64)
    corners = _array(mesh.GetFaceVertexIndicesAttr().Get(time), 1).reshape(-1).astype(np.int64)
    if not len(counts) or not len(corners):
        return
    if counts.min() < 0 or counts.sum() != len(corners) or corners.min() < 0 or corners.max() >= len(points):
        raise BadFile(f"The mesh {prim.GetName()!r} names points that it does not have.", AGAIN)
    surfaces.beside.polygons(counts)
    triangles, polygon = triangulated(counts, points, corners)
    if mesh.GetOrientationAttr().Get(time) == UsdGeom.Tokens.leftHanded:
        triangles = triangles[:, ::-1]
    material = surfaces.bound(prim)
    rest = ~np.isin(polygon, _array(mesh.GetHoleIndicesAttr().Get(time), 1).reshape(-1))
    for subset in UsdGeom.Subset.GetGeomSubsets(mesh, UsdGeom.Tokens.face, "materialBind"):
        chosen = rest & np.isin(polygon, _array(subset.GetIndicesAttr().Get(time), 1).reshape(-1))
        if chosen.any():
            look = surfaces.bound(subset.GetPrim())
            yield _part(mesh, points, corners, counts, triangles[chosen], polygon[chosen], time, look or material)
            rest &= ~chosen
    if rest.any():
        yield _part(mesh, points, corners, counts, triangles[rest], polygon[rest], time, material)


def _part(
    mesh: Any, points: Array, corners: Array, counts: Array, triangles: Array, polygon: Array, time: Any, look: Any
) -> Part:
    """Corner values become vertices: equal ones are one vertex."""
    from pxr import UsdGeom

    material, st = look or (None, "st")
    api = UsdGeom.PrimvarsAPI(mesh)
    normals = api.GetPrimvar("normals")
    looked_up = [
        _values(api.FindPrimvarWithInheritance(st), 2, corners, counts, time),
        _values(normals, 3, corners, counts, time)
        if normals and normals.HasValue()
        else _spread(_array(mesh.GetNormalsAttr().Get(time), 3), mesh.GetNormalsInterpolation(), corners, counts),
        _colours(api, corners, counts, time),
    ]
    used = triangles.reshape(-1)
    indices = [corners[used], *(None if found is None else found[1][used] for found in looked_up)]
    (place, *which), faces = split_corners(indices, int(corners[used].max()) + 1)
    uv, normal, colours = (taken(v and v[0], index) for v, index in zip(looked_up, which, strict=True))
    part = Part(points[place], faces.reshape(-1, 3), normal, uv, colours, material)
    return _slim(part)


def _slim(part: Part) -> Part:
    used, faces = np.unique(part.faces, return_inverse=True)
    if len(used) == len(part.vertices):
        return part
    names = ("vertices", "normals", "uv", "colours")
    rows: dict[str, Any] = {n: v[used] for n in names if (v := getattr(part, n)) is not None}
    return replace(part, faces=faces.reshape(-1, 3), **rows)


Looked = tuple[Array, Array]


def _colours(api: Any, corners: Array, counts: Array, time: Any) -> Looked | None:
    """displayColor and displayOpacity as sRGB with alpha. One colour for all is the material's business."""
    from nodes.image._pixels import to_srgb

    shown = api.FindPrimvarWithInheritance("displayColor")
    colours = _values(shown, 3, corners, counts, time)
    if colours is None or shown.GetInterpolation() == "constant":
        return None
    opacity = _values(api.FindPrimvarWithInheritance("displayOpacity"), 1, corners, counts, time)
    rgb = to_srgb(np.ascontiguousarray(colours[0], np.float32))
    if opacity is None:
        return np.column_stack([rgb, np.ones(len(rgb), np.float32)]), colours[1]
    both = np.column_stack([rgb[colours[1]], np.clip(opacity[0][opacity[1]], 0, 1)]).astype(np.float32)
    return _welded(both)


def _values(primvar: Any, width: int, corners: Array, counts: Array, time: Any) -> Looked | None:
    if not primvar or not primvar.HasValue():
        return None
    return _spread(_array(primvar.ComputeFlattened(time), width), primvar.GetInterpolation(), corners, counts)


def _spread(values: Array, how: str, corners: Array, counts: Array) -> Looked | None:
    """(values, the number of the value at each corner); None where there are too few values, or none."""
    if not len(values):
        return None
    if how == "faceVarying":
        return _welded(values) if len(values) == len(corners) else None
    if how == "constant":
        index = np.zeros(len(corners), np.int64)
    else:
        index = np.repeat(np.arange(len(counts)), counts) if how == "uniform" else corners
    return (values, index) if int(index.max(initial=0)) < len(values) else None


def _welded(values: Array) -> Looked:
    weld = weld_rows(values)
    return values[weld.first], weld.ids


def _array(values: Any, width: int) -> Array:
    """(N, width) of a USD array; none where there is no value or another kind of one."""
    found = np.zeros((0, width), np.float32) if values is None else np.asarray(values)
    if found.dtype.kind not in "fiu" or found.size % width:
        return np.zeros((0, width), np.float32)
    return found.reshape(-1, width)
