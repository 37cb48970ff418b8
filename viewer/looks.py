"""The ways to look at a surface: one table of modes and the actor that each makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvista as pv
from vtkmodules.vtkFiltersCore import vtkPolyDataTangents, vtkTriangleMeshPointNormals

from app.engine.payloads import Material, Mesh
from viewer.raster import as_bytes, encoded, opacity_of
from viewer.textures import Sampling, checker, colour_texture, packed_texture

CLAY = (0.74, 0.75, 0.77)
INSIDE = (0.50, 0.33, 0.30)
WHITE = (1.0, 1.0, 1.0)
EDGES = (0.06, 0.07, 0.09)
SURROUNDING_LIGHT = 0.7
"""The part of the studio's light that comes from all around: occlusion darkens that part (glTF 2.0, section 3.9.3), but
VTK lets it darken the lamps too, so that a fully occluded surface would be black."""


@dataclass(frozen=True)
class Look:
    """A way to look at a surface. ``fits``: whether a mesh has what it needs; ``dress``: sets colours on an actor."""

    label: str
    help: str
    fits: Callable[[Mesh], bool]
    dress: Callable[[Any, Mesh], None]


def surface_data(mesh: Mesh) -> Any:
    """PolyData over the payload's own arrays; positions are shared, not copied. Normals are computed when missing."""
    data = pv.PolyData.from_regular_faces(mesh.vertices, mesh.faces)
    if mesh.normals is not None:
        data.point_data["Normals"] = mesh.normals
    else:
        smooth = vtkTriangleMeshPointNormals()
        smooth.SetInputData(data)
        smooth.Update()
        data.GetPointData().SetNormals(smooth.GetOutput().GetPointData().GetNormals())
    data.GetPointData().SetActiveNormals("Normals")
    if mesh.uv is not None:
        data.active_texture_coordinates = mesh.uv
    return data


def surface_actor(data: Any, mesh: Mesh, mode: str, edges: bool = False) -> Any:
    """A new actor over ``data`` (from :func:`surface_data`); ``edges`` draws the triangles' outlines over it."""
    mapper = pv.DataSetMapper(data)
    mapper.scalar_visibility = False
    mapper.SetColorModeToDirectScalars()
    actor = pv.Actor(mapper=mapper)
    actor.prop.interpolation = "Phong"
    LOOKS[mode if LOOKS[mode].fits(mesh) else "shaded"].dress(actor, mesh)
    if edges:
        actor.prop.EdgeVisibilityOn()
        actor.prop.SetEdgeColor(*EDGES)
        actor.prop.SetEdgeOpacity(min(0.7, max(0.25, 30_000 / max(len(mesh.faces), 1))))
        actor.prop.SetLineWidth(1.1)
    return actor


def modes(*meshes: Mesh) -> tuple[str, ...]:
    """Names of the looks that some of ``meshes`` can take, in menu order."""
    return tuple(name for name, look in LOOKS.items() if any(look.fits(mesh) for mesh in meshes))


def natural_mode(*meshes: Mesh) -> str:
    """What shows most of what ``meshes`` carry."""
    best = {_natural(mesh) for mesh in meshes}
    return next(name for name in ("textured", "colours", "shaded") if name in best)


def _natural(mesh: Mesh) -> str:
    material = mesh.material
    if material is not None and mesh.uv is not None and any(getattr(material, name) for name in Material.MAPS):
        return "textured"
    if mesh.colours is not None:
        return "colours"
    plain = material is None or material.base_factor == Material().base_factor
    return "shaded" if plain else "textured"


def _soft(actor: Any, colour: tuple[float, float, float]) -> None:
    actor.prop.color = colour
    actor.prop.ambient, actor.prop.diffuse = 0.16, 0.84
    actor.prop.specular, actor.prop.specular_power = 0.10, 24


def _shaded(actor: Any, mesh: Mesh) -> None:
    _soft(actor, CLAY)
    inside = pv.Property()
    inside.DeepCopy(actor.prop)
    inside.color = INSIDE
    actor.backface_prop = inside


def _textured(actor: Any, mesh: Mesh) -> None:
    material = mesh.material or Material()
    if material.unlit:
        _flat_colour(actor, mesh)
        return
    prop = actor.prop
    prop.SetInterpolationToPBR()
    prop.SetColor(*material.base_factor[:3])
    prop.SetOpacity(material.base_factor[3] if material.alpha_mode == "blend" else 1)
    prop.SetMetallic(material.metallic_factor)
    prop.SetRoughness(material.roughness_factor)
    _layers(actor, material)
    prop.SetBackfaceCulling(not material.double_sided and material.alpha_mode == "blend")
    if material.base_colour is None and mesh.colours is not None:
        _scalars(actor, "linear colours", as_bytes(mesh.colours ** np.float32(2.2)))
    if mesh.uv is not None:
        _maps(actor, material)


def _layers(actor: Any, material: Material) -> None:
    """Of the further glTF layers what VTK has: clear coat and index of refraction; glass is half clear."""
    numbers = {name: value for name, value in material.layers if isinstance(value, float)}
    actor.prop.SetCoatStrength(min(1.0, numbers.get("clearcoat.clearcoatFactor", 0.0)))
    actor.prop.SetCoatRoughness(min(1.0, numbers.get("clearcoat.clearcoatRoughnessFactor", 0.0)))
    actor.prop.SetBaseIOR(max(1.0, numbers.get("ior.ior", 1.5)))
    if opacity_of(material) < 1:
        actor.prop.SetOpacity(actor.prop.GetOpacity() * opacity_of(material))
        actor.ForceTranslucentOn()


def _maps(actor: Any, material: Material) -> None:
    prop, see_through = actor.prop, material.alpha_mode != "opaque"
    plain = Sampling.of(material)
    if material.base_colour is not None:
        prop.SetBaseColorTexture(colour_texture(material.base_colour, Sampling.of(material, alpha=True), srgb=True))
    packed = packed_texture(material)
    if packed is not None:
        prop.SetORMTexture(packed)
        shade = SURROUNDING_LIGHT * material.occlusion_strength
        prop.SetOcclusionStrength(shade if material.occlusion is not None else 0.0)
    if material.normal is not None:
        _need_tangents(actor.mapper.dataset)
        prop.SetNormalTexture(colour_texture(material.normal, plain, srgb=False))
        prop.SetNormalScale(material.normal_scale)
    if material.emissive is not None and any(material.emissive_factor):
        prop.SetEmissiveTexture(colour_texture(material.emissive, plain, srgb=True))
        prop.SetEmissiveFactor(*material.emissive_factor)
    if see_through:
        actor.ForceTranslucentOn()


def _need_tangents(data: Any) -> None:
    if data.GetPointData().GetTangents() is None:
        tangents = vtkPolyDataTangents()
        tangents.SetInputData(data)
        tangents.Update()
        data.GetPointData().SetTangents(tangents.GetOutput().GetPointData().GetTangents())


def _flat_colour(actor: Any, mesh: Mesh) -> None:
    actor.prop.lighting = False
    material = mesh.material
    if material is not None and material.base_colour is not None:
        actor.prop.color = WHITE
        actor.texture = colour_texture(material.base_colour, Sampling.of(material, alpha=True), srgb=False)
    elif mesh.colours is not None:
        _scalars(actor, "colours", as_bytes(mesh.colours))
    elif material is not None:
        actor.prop.color = tuple(encoded(material.base_factor)[:3])


def _vertex_colours(actor: Any, mesh: Mesh) -> None:
    _soft(actor, WHITE)
    if mesh.colours is not None:
        _scalars(actor, "colours", as_bytes(mesh.colours))


def _normals(actor: Any, mesh: Mesh) -> None:
    actor.prop.lighting = False
    normals = np.asarray(actor.mapper.dataset.point_data["Normals"])
    _scalars(actor, "directions", as_bytes(normals * np.float32(0.5) + np.float32(0.5)))


def _checker(actor: Any, mesh: Mesh) -> None:
    _soft(actor, WHITE)
    actor.texture = checker()


def _parts(actor: Any, mesh: Mesh) -> None:
    _soft(actor, WHITE)
    if mesh.face_groups is not None:
        data = actor.mapper.dataset
        if "parts" not in data.cell_data:
            data.cell_data["parts"] = part_colours(mesh.face_groups)
        _show_scalars(actor, "parts", of_cells=True)


def part_colours(groups: np.ndarray) -> np.ndarray:
    """(M, 3) uint8: part numbers spread over hues by the golden ratio, so that neighbours differ."""
    hue = (groups.astype(np.float64) * 0.61803399) % 1.0
    wave = np.abs((hue[:, None] * 6 + np.array([3.0, 5.0, 1.0])) % 6 - 3) - 1
    colours: np.ndarray = (255 * (0.45 + 0.5 * np.clip(wave, 0, 1))).astype(np.uint8)
    return colours


def _scalars(actor: Any, name: str, colours: np.ndarray) -> None:
    data = actor.mapper.dataset
    if name not in data.point_data:
        data.point_data.set_array(colours, name)
    _show_scalars(actor, name, of_cells=False)


def _show_scalars(actor: Any, name: str, of_cells: bool) -> None:
    mapper = actor.mapper
    mapper.scalar_visibility = True
    if of_cells:
        mapper.SetScalarModeToUseCellFieldData()
    else:
        mapper.SetScalarModeToUsePointFieldData()
    mapper.SelectColorArray(name)


def _has_material(mesh: Mesh) -> bool:
    return mesh.material is not None


LOOKS: dict[str, Look] = {
    "shaded": Look(
        "Shaded", "The bare shape under soft light; the inside of a face is tinted red.", lambda m: True, _shaded
    ),
    "textured": Look(
        "Textured", "The material as a game engine shows it, in a small studio.", _has_material, _textured
    ),
    "base": Look(
        "Base colour",
        "Colours without any light.",
        lambda m: _has_material(m) or m.colours is not None,
        _flat_colour,
    ),
    "colours": Look(
        "Vertex colours", "Colours stored at the vertices.", lambda m: m.colours is not None, _vertex_colours
    ),
    "normals": Look("Normals", "Directions as colours: x red, y green, z blue.", lambda m: True, _normals),
    "uv": Look("UV checker", "A test pattern laid over the UVs.", lambda m: m.uv is not None, _checker),
    "parts": Look("Parts", "Each part in a colour of its own.", lambda m: m.face_groups is not None, _parts),
}
