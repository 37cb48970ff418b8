"""The values that travel along links: frozen, numpy on the CPU, read-only arrays.

World: right-handed, +Y up, metres (glTF 2.0). Pictures: row 0 on top. UV: origin bottom left, as in OpenGL, so that
texel row 0 lies at v = 1. Normal maps: OpenGL (+Y). Names are cleaned, see :mod:`app.engine.names`. A payload never
changes after it is built; make a new one with :func:`dataclasses.replace`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from app.engine.errors import BadPayload
from app.engine.names import clean_name

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]
UInt8 = NDArray[np.uint8]


class Payload:
    """Base of every value that a socket can carry. ``label`` and ``colour`` are what the canvas shows for its type."""

    label: ClassVar[str] = "Any"
    colour: ClassVar[str] = "#9aa0a6"
    kinds: ClassVar[dict[str, type[Payload]]] = {}

    def __init_subclass__(cls) -> None:
        Payload.kinds[cls.__name__] = cls

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):  # type: ignore[arg-type]
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, _read_only(value))
            elif name == "name":
                object.__setattr__(self, name, clean_name(value))
        self.validate()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), tuple(getattr(self, f.name) for f in fields(self)))  # type: ignore[arg-type]

    def validate(self) -> None:
        """Raise :class:`BadPayload` when shapes or dtypes break the contract. Cheap: never looks at every value."""


def _rebuild(kind: type[Payload], values: tuple[Any, ...]) -> Payload:
    """Through the constructor, because unpickled arrays come back writable."""
    return kind(*values)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    if not array.flags.c_contiguous:
        array = np.ascontiguousarray(array)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


def _need(ok: bool, what: str) -> None:
    if not ok:
        raise BadPayload(what)


def _is(array: object, dtype: Any, *shape: int | None) -> bool:
    return (
        isinstance(array, np.ndarray)
        and array.dtype == dtype
        and array.ndim == len(shape)
        and all(want is None or want == got for want, got in zip(shape, array.shape, strict=True))
    )


@dataclass(frozen=True, eq=False)
class Image(Payload):
    """``pixels``: (H, W, 4) float32, values 0..1, straight alpha, row 0 on top.

    ``space``: ``"srgb"`` for colours as they are shown, ``"data"`` for linear values (normals, roughness, height).
    """

    label = "Image"
    colour = "#e0a43a"

    pixels: Float32
    space: Literal["srgb", "data"] = "srgb"

    def validate(self) -> None:
        _need(_is(self.pixels, np.float32, None, None, 4), "an image is an (H, W, 4) float32 array")
        _need(self.pixels.size > 0, "an image has at least one pixel")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def rgb(self) -> Float32:
        """(H, W, 3) view."""
        return self.pixels[..., :3]

    @property
    def alpha(self) -> Float32:
        """(H, W) view."""
        return self.pixels[..., 3]

    @classmethod
    def of(cls, array: Any, space: Literal["srgb", "data"] = "srgb") -> Image:
        """From (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); uint8 and uint16 are scaled to 0..1, floats are clipped."""
        a = np.asarray(array)
        scale = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0, np.dtype(bool): 1.0}.get(a.dtype)
        a = a.astype(np.float32) / np.float32(scale) if scale else np.clip(a.astype(np.float32, copy=False), 0, 1)
        if a.ndim == 2:
            a = a[..., None]
        if a.shape[-1] == 1:
            a = np.repeat(a, 3, axis=-1)
        if a.shape[-1] == 3:
            a = np.concatenate([a, np.ones((*a.shape[:2], 1), np.float32)], axis=-1)
        return cls(np.ascontiguousarray(a, np.float32), space)


@dataclass(frozen=True, eq=False)
class Mask(Payload):
    """``values``: (H, W) float32 in 0..1, 1 = inside, row 0 on top."""

    label = "Mask"
    colour = "#c9ced6"

    values: Float32

    def validate(self) -> None:
        _need(_is(self.values, np.float32, None, None), "a mask is an (H, W) float32 array")
        _need(self.values.size > 0, "a mask has at least one pixel")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.values.shape[1], self.values.shape[0]


@dataclass(frozen=True, eq=False)
class Depth(Payload):
    """``metres``: (H, W) float32 along the view axis, > 0, NaN = unknown. ``intrinsics``: (3, 3) float32, pixels."""

    label = "Depth"
    colour = "#5fb3b3"

    metres: Float32
    intrinsics: Float32

    def validate(self) -> None:
        _need(_is(self.metres, np.float32, None, None), "a depth map is an (H, W) float32 array")
        _need(_is(self.intrinsics, np.float32, 3, 3), "intrinsics are a (3, 3) float32 array")


Wrap = Literal["repeat", "clamp", "mirror"]
Layer = bool | float | tuple[float, ...] | Image


@dataclass(frozen=True, eq=False)
class Material(Payload):
    """A glTF 2.0 metallic-roughness material. A factor multiplies its texture; without a texture it stands alone.

    ``base_colour``: sRGB image with alpha. ``normal``: data, tangent space, OpenGL +Y. ``metallic``, ``roughness``,
    ``occlusion``, ``height``: data, grey (the red channel counts). ``emissive``: sRGB. ``base_factor``: linear RGBA.
    ``alpha_cutoff``: where ``"mask"`` cuts. ``normal_scale`` multiplies x and y of the normal map; the map of
    ``occlusion`` counts by ``occlusion_strength``. ``unlit``: shown as it is, without light. ``wrap``: how the maps go
    on beyond 0..1 in u and v.

    What files keep beside it: ``transforms``: (name, (offset u, offset v, rotation in radians, scale u, scale v)) as
    KHR_texture_transform has it; the one called ``"uv"`` is part of the mesh's UVs already and a writer takes it out
    again, any other belongs to the map of that name and is not applied. ``second_uv``: maps that follow a second set
    of UVs. ``layers``: (``"extension.property"``, number, numbers, or Image) of further glTF surface properties, such
    as ``("clearcoat.clearcoatFactor", 1.0)``.
    """

    label = "Material"
    colour = "#d16ba5"

    name: str = "material"
    base_colour: Image | None = None
    normal: Image | None = None
    metallic: Image | None = None
    roughness: Image | None = None
    occlusion: Image | None = None
    height: Image | None = None
    emissive: Image | None = None
    base_factor: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    metallic_factor: float = 0.0
    roughness_factor: float = 0.8
    emissive_factor: tuple[float, float, float] = (0.0, 0.0, 0.0)
    alpha_mode: Literal["opaque", "mask", "blend"] = "opaque"
    double_sided: bool = False
    alpha_cutoff: float = 0.5
    normal_scale: float = 1.0
    occlusion_strength: float = 1.0
    unlit: bool = False
    wrap: tuple[Wrap, Wrap] = ("repeat", "repeat")
    transforms: tuple[tuple[str, tuple[float, float, float, float, float]], ...] = ()
    second_uv: tuple[str, ...] = ()
    layers: tuple[tuple[str, Layer], ...] = ()

    MAPS: ClassVar[tuple[str, ...]] = (
        "base_colour",
        "normal",
        "metallic",
        "roughness",
        "occlusion",
        "height",
        "emissive",
    )

    def bare(self) -> Material:
        """Its numbers alone: without pictures and what belongs to them, for UVs that are made anew."""
        none: dict[str, Any] = dict.fromkeys(self.MAPS)
        numbers = tuple(row for row in self.layers if not isinstance(row[1], Image) and not row[0].endswith(".scale"))
        none |= {"normal_scale": 1.0, "occlusion_strength": 1.0, "transforms": (), "second_uv": (), "layers": numbers}
        return replace(self, **none)

    def has_pictures(self) -> bool:
        """Whether any map or layer is a picture, and so needs UVs."""
        maps = any(getattr(self, name) is not None for name in self.MAPS)
        return maps or any(isinstance(value, Image) for _, value in self.layers)


@dataclass(frozen=True, eq=False)
class Mesh(Payload):
    """Triangles with attributes per vertex; a UV seam or a hard edge is a duplicated vertex, as on a GPU.

    ``vertices``: (N, 3) float32, metres, +Y up, right-handed. ``faces``: (M, 3) int32, counter-clockwise seen from
    outside. ``normals``: (N, 3) float32 unit or None. ``uv``: (N, 2) float32, origin bottom left, or None.
    ``colours``: (N, 4) float32 0..1 sRGB or None. ``material``: None means neutral grey.
    ``face_groups``: (M,) int32 part numbers or None.
    """

    label = "Mesh"
    colour = "#4f9dde"

    vertices: Float32
    faces: Int32
    normals: Float32 | None = None
    uv: Float32 | None = None
    colours: Float32 | None = None
    material: Material | None = None
    face_groups: Int32 | None = None
    name: str = "mesh"

    def validate(self) -> None:
        n, m = len(self.vertices), len(self.faces)
        _need(_is(self.vertices, np.float32, None, 3), "vertices are an (N, 3) float32 array")
        _need(_is(self.faces, np.int32, None, 3), "faces are an (M, 3) int32 array")
        _need(self.normals is None or _is(self.normals, np.float32, n, 3), "normals are an (N, 3) float32 array")
        _need(self.uv is None or _is(self.uv, np.float32, n, 2), "uv is an (N, 2) float32 array")
        _need(self.colours is None or _is(self.colours, np.float32, n, 4), "colours are an (N, 4) float32 array")
        _need(self.face_groups is None or _is(self.face_groups, np.int32, m), "face groups are an (M,) int32 array")
        if m:
            low, high = int(self.faces.min()), int(self.faces.max())
            _need(low >= 0 and high < n, f"faces name vertices {low} to {high}, but there are {n} vertices")

    @classmethod
    def of(cls, vertices: Any, faces: Any, **attributes: Any) -> Mesh:
        """From anything array-like; casts to the dtypes of the contract."""
        return cls(np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32), **attributes)

    @property
    def bounds(self) -> tuple[Float32, Float32]:
        """(lowest corner, highest corner), (3,) float32 each; zeros for a mesh without vertices."""
        if not len(self.vertices):
            return np.zeros(3, np.float32), np.zeros(3, np.float32)
        columns = [self.vertices[:, k] for k in range(3)]  # numpy is ten times slower along axis 0 of a narrow array
        return np.array([c.min() for c in columns], np.float32), np.array([c.max() for c in columns], np.float32)


@dataclass(frozen=True, eq=False)
class Scene(Payload):
    """Meshes placed and named in a hierarchy; objects that name the same mesh are instances of it.

    ``meshes``: one material each. Of K objects, parents before their children: ``names``; ``parts``: the numbers of
    the meshes that an object shows, one for each of its materials, none for an empty; ``places``: (K, 4, 4) float32
    object to parent, metres, column vectors; ``parents``: (K,) int32, -1 for none. ``second_uvs``: nothing, or for
    each mesh a second set of UVs, (N, 2) float32 with the origin bottom left, or None. ``app.engine.placing`` gives
    places in the world and meshes in place.
    """

    label = "Scene"
    colour = "#5b6fd6"

    meshes: tuple[Mesh, ...]
    names: tuple[str, ...]
    parts: tuple[tuple[int, ...], ...]
    places: Float32
    parents: Int32
    second_uvs: tuple[Float32 | None, ...] = ()
    name: str = "scene"

    def __post_init__(self) -> None:
        sets = tuple(uv if uv is None else _read_only(uv) for uv in self.second_uvs)
        object.__setattr__(self, "second_uvs", sets)
        object.__setattr__(self, "names", tuple(map(clean_name, self.names)))
        super().__post_init__()

    def validate(self) -> None:
        k = len(self.names)
        _need(len(self.parts) == k, "every object has its meshes' numbers")
        _need(_is(self.places, np.float32, k, 4, 4), "places are a (K, 4, 4) float32 array")
        _need(_is(self.parents, np.int32, k), "parents are a (K,) int32 array")
        _need(bool((self.parents < np.arange(k)).all() and (self.parents >= -1).all()), "parents precede children")
        _need(all(0 <= m < len(self.meshes) for row in self.parts for m in row), "objects show meshes that are there")
        _need(len(self.second_uvs) in (0, len(self.meshes)), "each mesh has a second set of UVs or None")
        for mesh, uv in zip(self.meshes, self.second_uvs, strict=False):
            _need(uv is None or _is(uv, np.float32, len(mesh.vertices), 2), "second UVs are (N, 2) float32 arrays")

    @classmethod
    def of(cls, *meshes: Mesh, name: str = "scene") -> Scene:
        """Each mesh an object of its name, where it is, without a parent."""
        k = len(meshes)
        places = np.tile(np.eye(4, dtype=np.float32), (k, 1, 1))
        names, parts = tuple(mesh.name for mesh in meshes), tuple((number,) for number in range(k))
        return cls(meshes, names, parts, places, np.full(k, -1, np.int32), name=name)


@dataclass(frozen=True, eq=False)
class PointCloud(Payload):
    """``points``: (N, 3) float32 metres. ``colours``: (N, 4) float32 0..1 sRGB or None. ``normals``: (N, 3) or None."""

    label = "Points"
    colour = "#7ac74f"

    points: Float32
    colours: Float32 | None = None
    normals: Float32 | None = None

    def validate(self) -> None:
        n = len(self.points)
        _need(_is(self.points, np.float32, None, 3), "points are an (N, 3) float32 array")
        _need(self.colours is None or _is(self.colours, np.float32, n, 4), "colours are an (N, 4) float32 array")
        _need(self.normals is None or _is(self.normals, np.float32, n, 3), "normals are an (N, 3) float32 array")


@dataclass(frozen=True, eq=False)
class Splats(Payload):
    """3D Gaussians (Kerbl et al. 2023). ``means``: (N, 3) metres. ``scales``: (N, 3) standard deviations in metres.

    ``rotations``: (N, 4) unit quaternions (w, x, y, z). ``opacities``: (N,) 0..1. ``harmonics``: (N, K, 3) spherical
    harmonic coefficients, K = 1, 4, 9 or 16. All float32.
    """

    label = "Splats"
    colour = "#a3d977"

    means: Float32
    scales: Float32
    rotations: Float32
    opacities: Float32
    harmonics: Float32

    def validate(self) -> None:
        n = len(self.means)
        _need(_is(self.means, np.float32, None, 3), "means are an (N, 3) float32 array")
        _need(_is(self.scales, np.float32, n, 3), "scales are an (N, 3) float32 array")
        _need(_is(self.rotations, np.float32, n, 4), "rotations are an (N, 4) float32 array")
        _need(_is(self.opacities, np.float32, n), "opacities are an (N,) float32 array")
        _need(_is(self.harmonics, np.float32, n, None, 3), "harmonics are an (N, K, 3) float32 array")


@dataclass(frozen=True, eq=False)
class Views(Payload):
    """Posed pictures. ``images``: V pictures. ``intrinsics``: (V, 3, 3) float32, pixels, origin top left.

    ``poses``: (V, 4, 4) float32 camera to world; the camera looks along -Z with +Y up (OpenGL).
    """

    label = "Views"
    colour = "#f28f6b"

    images: tuple[Image, ...]
    intrinsics: Float32
    poses: Float32

    def validate(self) -> None:
        v = len(self.images)
        _need(_is(self.intrinsics, np.float32, v, 3, 3), "intrinsics are a (V, 3, 3) float32 array")
        _need(_is(self.poses, np.float32, v, 4, 4), "poses are a (V, 4, 4) float32 array")


@dataclass(frozen=True, eq=False)
class Pictures(Payload):
    """Several pictures in order: a batch, a turntable, the parts of another picture. ``images``: at least one."""

    label = "Pictures"
    colour = "#e8c069"

    images: tuple[Image, ...]

    def validate(self) -> None:
        _need(len(self.images) > 0, "there is at least one picture")


@dataclass(frozen=True, eq=False)
class Controls(Payload):
    """What guides a picture besides words: N maps, each with the ControlNet that reads it.

    ``maps``: N pictures. ``nets``: the networks' names. ``sources``: the path of an own network, else empty;
    ``digests``: of that network's content, so that a changed file is another value. ``strengths``: (N,) float32, 0 and
    up. ``ranges``: (N, 2) float32, the share of the steps at which each begins and ends, 0..1.
    """

    label = "Controls"
    colour = "#e07a9b"

    maps: tuple[Image, ...]
    nets: tuple[str, ...]
    sources: tuple[str, ...]
    digests: tuple[str, ...]
    strengths: Float32
    ranges: Float32

    def validate(self) -> None:
        n = len(self.maps)
        _need(n > 0, "there is at least one map")
        _need(len(self.nets) == len(self.sources) == len(self.digests) == n, "every map has a network")
        _need(_is(self.strengths, np.float32, n), "strengths are an (N,) float32 array")
        _need(_is(self.ranges, np.float32, n, 2), "ranges are an (N, 2) float32 array")


@dataclass(frozen=True, eq=False)
class Field(Payload):
    """Samples on a regular grid. ``values``: (X, Y, Z, C) float32, index order x, y, z.

    ``lower``, ``upper``: (3,) float32, metres, the outermost sample positions.
    """

    label = "Field"
    colour = "#b28dff"

    values: Float32
    lower: Float32
    upper: Float32

    def validate(self) -> None:
        _need(_is(self.values, np.float32, None, None, None, None), "field values are an (X, Y, Z, C) float32 array")
        _need(
            _is(self.lower, np.float32, 3) and _is(self.upper, np.float32, 3), "field corners are (3,) float32 arrays"
        )


@dataclass(frozen=True, eq=False)
class Detections(Payload):
    """N things found in one picture, best first. ``boxes``: (N, 4) float32 left, top, right, bottom, 0..1 of its sides.

    ``scores``: (N,) float32 0..1. ``labels``: N words. ``masks``: (N, h, w) uint8, 1 = inside, each over the whole
    picture (h, w may be smaller than the picture, in the same shape), or None where only boxes are known.
    ``size``: (width, height) in pixels of the picture they were found in.
    """

    label = "Detections"
    colour = "#e2705a"

    boxes: Float32
    scores: Float32
    labels: tuple[str, ...]
    masks: UInt8 | None = None
    size: tuple[int, int] = (1, 1)

    def validate(self) -> None:
        n = len(self.boxes)
        _need(_is(self.boxes, np.float32, None, 4), "boxes are an (N, 4) float32 array")
        _need(_is(self.scores, np.float32, n), "scores are an (N,) float32 array")
        _need(len(self.labels) == n, "there is one label for each box")
        _need(self.masks is None or _is(self.masks, np.uint8, n, None, None), "masks are an (N, h, w) uint8 array")

    def only(self, which: Any) -> Detections:
        """Those at the given numbers, in that order."""
        numbers = [int(i) for i in which]
        masks = None if self.masks is None else self.masks[numbers]
        labels = tuple(self.labels[i] for i in numbers)
        return Detections(self.boxes[numbers], self.scores[numbers], labels, masks, self.size)


@dataclass(frozen=True, eq=False)
class Text(Payload):
    """``value``: any text."""

    label = "Text"
    colour = "#f2d16b"

    value: str


@dataclass(frozen=True, eq=False)
class Number(Payload):
    """``value``: a float."""

    label = "Number"
    colour = "#8fd0c8"

    value: float


@dataclass(frozen=True, eq=False)
class Report(Payload):
    """A table of findings. ``rows``: (name, value) pairs in reading order; ``verdict``: one sentence."""

    label = "Report"
    colour = "#b0b7c3"

    title: str
    rows: tuple[tuple[str, str | int | float | bool], ...]
    verdict: str = ""

    def value(self, name: str) -> str | int | float | bool:
        """The value of a row; KeyError for a name that is not there."""
        return dict(self.rows)[name]


@dataclass(frozen=True, eq=False)
class Files(Payload):
    """Files to write. ``names``: paths relative to the output folder, forward slashes. ``contents``: uint8 arrays.

    A node returns what to write; the engine writes it, and writes it again from the store when a file went missing.
    ``shows``: what the viewer shows for this result, or None.
    """

    label = "Files"
    colour = "#8d99ae"

    names: tuple[str, ...]
    contents: tuple[UInt8, ...]
    shows: Payload | None = None

    def validate(self) -> None:
        _need(len(self.names) == len(self.contents) > 0, "there is one content for each file name, and at least one")
        _need(all(_is(c, np.uint8, None) for c in self.contents), "file contents are one-dimensional uint8 arrays")

    def __post_init__(self) -> None:
        object.__setattr__(self, "contents", tuple(_read_only(c) for c in self.contents))
        super().__post_init__()

    @classmethod
    def of(cls, files: dict[str, bytes], shows: Payload | None = None) -> Files:
        """From {relative name: bytes}."""
        return cls(tuple(files), tuple(np.frombuffer(data, np.uint8) for data in files.values()), shows)


def nbytes(value: object) -> int:
    """Bytes of every array that a payload holds, nested ones included; what the memory tier counts."""
    arrays: dict[tuple[int, int], int] = {}
    return _collect(value, arrays) + sum(arrays.values())


def _collect(value: object, arrays: dict[tuple[int, int], int]) -> int:
    """Bytes of text; arrays go into ``arrays`` by their place, so that shared ones count once."""
    if isinstance(value, np.ndarray):
        arrays[value.ctypes.data, value.nbytes] = int(value.nbytes)
        return 0
    if isinstance(value, Payload):
        return sum(_collect(getattr(value, f.name), arrays) for f in fields(value))  # type: ignore[arg-type, misc]
    if isinstance(value, tuple):
        return sum(_collect(item, arrays) for item in value)
    return len(value) if isinstance(value, str) else 0
