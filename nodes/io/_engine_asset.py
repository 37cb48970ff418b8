"""The pieces of an asset as an engine wants them: named levels, hulls, models and maps."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Material, Mesh, Run, Scene
from nodes.io._credits import gltf_asset
from nodes.io._engine_maps import Form, encoded, pictures
from nodes.io._engines import Engine, pascal, snake
from nodes.io._glb import glb_bytes
from nodes.io._glb_geometry import Surface, surface_of
from nodes.io._glb_material import Materials
from nodes.io._glb_sound import writable
from nodes.io._left_out import GLTF_MAPS, say_left_out
from nodes.io._neutral import neutral
from nodes.io._parts import split_corners
from nodes.io._settled import settled
from nodes.mesh._checks import need_sound

Float32 = NDArray[np.float32]
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Asset:
    """``given``: the name as it came in. ``longest``: of a texture's sides, 0 for as it is. ``form``: of textures.

    ``itself``: the mesh is its own collision body, where a name can say so.
    """

    run: Run
    engine: Engine
    given: str
    longest: int
    form: Form
    itself: bool = False

    @property
    def name(self) -> str:
        return pascal(self.given)

    @property
    def file(self) -> str:
        """As the engine spells files and folders."""
        return snake(self.given) if self.engine.snake else self.name

    def place(self, file: str) -> str:
        """The path of a file, in the asset's own folder."""
        return f"{self.file}/{file}"

    def spelled(self, pattern: str, **words: Any) -> str:
        """A name or path of the engine's table."""
        return pattern.format(**{"name": self.name, "file": self.file, "level": "", **words})

    def levels(self, chain: list[Mesh], light_map: Mesh | None) -> tuple[list[Mesh], Float32 | None]:
        """The levels under their names, equal materials as one; and the light map's UVs of the first."""
        named: list[Mesh] = []
        for number, mesh in enumerate(chain):
            word = self.engine.level(number, len(chain))
            given = mesh.material or neutral(mesh.colours is not None)
            material = next((m for m in (level.material for level in named) if m and _alike(m, given)), None)
            if material is None:
                own = f"_LOD{number}" if named else ""
                material = replace(given, name=self.spelled(self.engine.material) + own)
            named.append(replace(mesh, name=self.spelled(self.engine.mesh, level=word), material=material))
        if self.itself and not self.engine.body:
            self.run.warn("Only Godot reads from a name that a mesh is its own collision body: link hulls instead.")
        if self.itself:
            named[0] = replace(named[0], name=named[0].name + self.engine.body)
        if light_map is None:
            return named, None
        if len(chain) > 1:
            self.run.warn("Only the finest level has the UVs of the light map.")
        first, second = with_second_uv(named[0], light_map)
        return [first, *named[1:]], second

    def hulls(self, collision: Mesh | None, material: Material | None) -> list[Mesh]:
        """Each face group as a mesh of its own under the engine's name. ``material``: of the first level, so that the
        hulls bring none of their own where the model's has no textures."""
        if collision is None:
            return []
        need_sound(collision, "collision mesh")
        plain = material if self.engine.texture else None
        groups = collision.face_groups
        groups = np.zeros(len(collision.faces), np.int32) if groups is None else groups
        found = []
        for number, group in enumerate(np.unique(groups)):
            used, corner = np.unique(collision.faces[groups == group], return_inverse=True)
            name = self.spelled(self.engine.hull, number=number)
            found.append(Mesh.of(collision.vertices[used], corner.reshape(-1, 3), name=name, material=plain))
        return found

    def models(self, levels: list[Mesh], second: Float32 | None, hulls: list[Mesh]) -> dict[str, bytes]:
        """The GLB files by path."""
        parts: dict[str, list[tuple[Mesh, Float32 | None]]] = {}
        for number, mesh in enumerate(levels):
            path = self.spelled(self.engine.model, level=self.engine.level(number, len(levels)))
            parts.setdefault(path, []).append((mesh, None if number else second))
        if hulls:
            path = self.spelled(self.engine.hulls) if self.engine.hulls else next(iter(parts))
            parts.setdefault(path, []).extend((hull, None) for hull in hulls)
        files = {}
        for number, (path, meshes) in enumerate(parts.items()):
            self.run.progress(0.05 + 0.5 * number / len(parts), "models")
            files[self.place(path)] = self._model(meshes, number == 0)
        return files

    def maps(self, levels: list[Mesh]) -> dict[str, bytes]:
        """The texture files by path; none where the engine has them inside the models."""
        files: dict[str, bytes] = {}
        if not self.engine.texture:
            say_left_out(self.run.warn, (mesh.material for mesh in levels), "glTF", GLTF_MAPS, layers=True)
            if self.form != "PNG":
                self.run.warn(f"The textures are inside the GLB, as PNG; {self.form} is for Unreal and Unity.")
            return files
        seen = {
            id(mesh.material): mesh.material for mesh in levels if mesh.material is not None and mesh.uv is not None
        }
        base = self.spelled(self.engine.material)
        for given in seen.values():
            material = settled(given, self.run.warn) or given
            for picture in pictures(material, self.engine, self.longest):
                self.run.progress(0.6 + 0.39 * len(files) / (len(files) + 4), "textures")
                word = (
                    picture.word if material.name == base else f"{material.name.removeprefix(base)[1:]}_{picture.word}"
                )
                path = self.spelled(self.engine.texture, what=word) + f".{self.form.lower()}"
                files[self.place(path)] = encoded(self.run, picture, self.form)
        return files

    def words(self, maps: dict[str, bytes]) -> frozenset[str]:
        """The engine's words in the names of texture files."""
        return frozenset(PurePosixPath(path).stem.rpartition("_")[2] for path in maps)

    def _model(self, meshes: list[tuple[Mesh, Float32 | None]], first: bool) -> bytes:
        """The graph that made the asset is kept in the first file alone."""
        given = Scene.of(*(mesh for mesh, _ in meshes))
        sound = writable(replace(given, second_uvs=tuple(second for _, second in meshes)), self.run.warn)
        surfaces = [surface_of(mesh, second) for mesh, (_, second) in zip(sound.meshes, meshes, strict=True)]
        if self.engine.texture:
            surfaces = [_bare(surface) for surface in surfaces]
        scene = Scene.of(*(surface.mesh for surface in surfaces), name=self.name)
        return glb_bytes(
            scene,
            surfaces,
            Materials(self.longest),
            gltf_asset(self.run if first else replace(self.run, graph_text="")),
        )


def with_second_uv(mesh: Mesh, light: Mesh) -> tuple[Mesh, Float32]:
    """The mesh with its vertices split where ``light``, which has the same faces, is cut; and (N, 2) UVs of that."""
    same = len(light.faces) == len(mesh.faces)
    low, high = mesh.bounds
    bound = TOLERANCE * float((high - low).max())
    same = same and float(np.abs(light.vertices[light.faces] - mesh.vertices[mesh.faces]).max()) <= bound
    if light.uv is None or not same:
        raise BadInput(
            "'light_map' does not have the same faces as 'mesh'.",
            "Put the Light-map UV step behind the one that gives this mesh, and nothing between.",
        )
    (own, other), corner = split_corners([mesh.faces.ravel(), light.faces.ravel()], len(mesh.vertices))
    assert own is not None and other is not None
    if len(other) == len(light.vertices) == len(mesh.vertices) and np.array_equal(mesh.faces, light.faces):
        return mesh, light.uv
    arrays = {
        name: values[own]
        for name in ("vertices", "normals", "uv", "colours")
        if (values := getattr(mesh, name)) is not None
    }
    return replace(mesh, faces=corner.reshape(-1, 3).astype(np.int32), **arrays), light.uv[other]


def _bare(surface: Surface) -> Surface:
    """With a material of numbers alone; tangents stay, since the textures follow them."""
    material = surface.mesh.material
    if material is None:
        return surface
    none: dict[str, Any] = dict.fromkeys(Material.MAPS)
    layers = tuple((name, value) for name, value in material.layers if not isinstance(value, Image))
    plain = replace(material, transforms=(), second_uv=(), layers=layers, **none)
    return surface._replace(mesh=replace(surface.mesh, material=plain))


def _alike(one: Material, other: Material) -> bool:
    """Whether two materials say the same, whatever their names."""
    names = [field.name for field in fields(one) if field.name not in ("name", "layers")]
    return one.layers == other.layers and all(_same(getattr(one, name), getattr(other, name)) for name in names)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Image) and isinstance(other, Image):
        return one is other or (one.space == other.space and np.array_equal(one.pixels, other.pixels))
    return bool(one == other) if not isinstance(one, Image) and not isinstance(other, Image) else False
