"""UsdPreviewSurface materials to ours."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Image, Material
from nodes.io._beside import Beside

UInt8 = NDArray[np.uint8]
CHANNELS = {"r": 0, "g": 1, "b": 2, "a": 3}
STYLES = {"repeat": "repeat", "mirror": "mirror", "clamp": "clamp", "black": "clamp"}
Look = tuple[Material, str]


class Surfaces:
    """Materials by their paths, each with the primvar that its textures follow."""

    def __init__(self, beside: Beside) -> None:
        self.beside = beside
        self._known: dict[Any, Look | None] = {}

    def bound(self, prim: Any) -> Look | None:
        """What the prim itself is bound to, or an ancestor of it."""
        from pxr import UsdShade

        material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
        if not material:
            return None
        path = material.GetPath()
        if path not in self._known:
            self._known[path] = self._look(material)
        return self._known[path]

    def _look(self, material: Any) -> Look | None:
        surface = material.ComputeSurfaceSource()[0] or material.ComputeSurfaceSource("mtlx")[0]
        if not surface:
            return None
        kind = surface.GetIdAttr().Get()
        if kind != "UsdPreviewSurface":
            name = material.GetPrim().GetName()
            self.beside.warn(f"The material {name!r} is a {kind or 'shader'}, not a UsdPreviewSurface; it stays plain.")
            return Material(material.GetPrim().GetName()), "st"
        return _Surface(surface, self.beside).read(material.GetPrim().GetName())


class _Surface:
    """One UsdPreviewSurface shader."""

    def __init__(self, shader: Any, beside: Beside) -> None:
        self._shader = shader
        self.beside = beside
        self._wrap: Any = ("repeat", "repeat")
        self._st = "st"

    def read(self, name: str) -> Look:
        base = self._map("diffuseColor")
        opacity = self._map("opacity")
        cutoff = float(self._value("opacityThreshold", 0.0))
        alpha = 1.0 if opacity is not None else float(self._value("opacity", 1.0))
        red, green, blue = self._factor("diffuseColor", base, 0.18)
        rough, metal = self._grey("roughness"), self._grey("metallic")
        glow = self._map("emissiveColor")
        material = Material(
            name,
            base_colour=_with_alpha(base, opacity),
            normal=None if (normal := self._map("normal")) is None else Image.of(normal[..., :3], "data"),
            metallic=metal,
            roughness=rough,
            occlusion=self._grey("occlusion"),
            emissive=None if glow is None else Image.of(glow[..., :3]),
            base_factor=(red, green, blue, alpha),
            metallic_factor=1.0 if metal is not None else float(self._value("metallic", 0.0)),
            roughness_factor=1.0 if rough is not None else float(self._value("roughness", 0.5)),
            emissive_factor=self._factor("emissiveColor", glow, 0.0),
            alpha_mode="mask" if cutoff > 0 else "blend" if opacity is not None or alpha < 1 else "opaque",
            alpha_cutoff=cutoff or 0.5,
            wrap=self._wrap,
            layers=tuple(self._coats()),
        )
        return material, self._st

    def _coats(self) -> Any:
        for name, own in (("clearcoat", "clearcoat.clearcoatFactor"),
                          ("clearcoatRoughness", "clearcoat.clearcoatRoughnessFactor")):  # fmt: skip
            found = self._shader.GetInput(name)
            if found and isinstance(found.Get(), float) and float(self._value("clearcoat", 0.0)) > 0:
                yield own, float(found.Get())

    def _source(self, name: str) -> tuple[Any, str] | None:
        """(texture shader, output) that feeds an input."""
        from pxr import UsdShade

        found = self._shader.GetInput(name)
        if not found:
            return None
        for attribute in found.GetValueProducingAttributes():
            shader = UsdShade.Shader(attribute.GetPrim())
            if shader and shader.GetIdAttr().Get() == "UsdUVTexture":
                return shader, attribute.GetName().removeprefix("outputs:")
        return None

    def _map(self, name: str) -> UInt8 | None:
        """(H, W, 4) of the texture behind an input; a single channel of it is in all four."""
        source = self._source(name)
        if source is None:
            return None
        texture, output = source
        pixels = self._pixels(texture)
        if pixels is None:
            return None
        if name == "diffuseColor" or self._st == "st":
            self._st = _varname(texture) or "st"
            self._wrap = tuple(STYLES.get(str(_get(texture, f"wrap{axis}", "repeat")), "repeat") for axis in "ST")
        if output in CHANNELS:
            return np.repeat(pixels[..., CHANNELS[output], None], 4, axis=-1)
        return pixels

    def _grey(self, name: str) -> Image | None:
        pixels = self._map(name)
        return None if pixels is None else Image.of(pixels[..., 0], "data")

    def _pixels(self, texture: Any) -> UInt8 | None:
        asset = _get(texture, "file", None)
        if asset is None or not asset.path:
            return None
        if "[" not in asset.resolvedPath:
            return self.beside.picture(asset.path)
        return self.beside.inside(PurePosixPath(asset.path).as_posix(), lambda: _packed(asset.resolvedPath))

    def _value(self, name: str, default: Any) -> Any:
        """A plain value. Where the mesh's own colours are the input, that is white."""
        from pxr import UsdShade

        found = self._shader.GetInput(name)
        if not found:
            return default
        sources = found.GetValueProducingAttributes()
        if any(
            "PrimvarReader" in str(UsdShade.Shader(a.GetPrim()).GetIdAttr().Get()) for a in sources if _is_shader(a)
        ):
            return (1.0, 1.0, 1.0) if name == "diffuseColor" else default
        values = [attribute.Get() for attribute in sources]
        return next((value for value in values if value is not None), default)

    def _factor(self, name: str, pixels: UInt8 | None, default: float) -> tuple[float, float, float]:
        """What the texture is multiplied by, or the plain colour where there is no texture."""
        if pixels is not None:
            return self._scale(name)
        red, green, blue = (max(0.0, float(v)) for v in self._value(name, (default,) * 3))
        return red, green, blue

    def _scale(self, name: str) -> tuple[float, float, float]:
        """What the texture behind an input is multiplied by."""
        source = self._source(name)
        scale = _get(source[0], "scale", (1.0,) * 4) if source else (1.0,) * 4
        red, green, blue = (max(0.0, float(v)) for v in tuple(scale)[:3])
        return red, green, blue


def _get(shader: Any, name: str, default: Any) -> Any:
    found = shader.GetInput(name)
    value = found.Get() if found else None
    return default if value is None else value


def _is_shader(attribute: Any) -> bool:
    return str(attribute.GetPrim().GetTypeName()) == "Shader"


def _varname(texture: Any) -> str | None:
    """The primvar that the texture's reader looks up."""
    from pxr import UsdShade

    found = texture.GetInput("st")
    for attribute in found.GetValueProducingAttributes() if found else ():
        reader = UsdShade.Shader(attribute.GetPrim())
        name = reader.GetInput("varname") if reader else None
        if name:
            values = [a.Get() for a in name.GetValueProducingAttributes()]
            return next((str(value) for value in values if value), None)
    return None


def _packed(path: str) -> bytes | None:
    """A file inside a USDZ package."""
    from pxr import Ar

    asset = Ar.GetResolver().OpenAsset(Ar.ResolvedPath(path))
    return bytes(asset.GetBuffer()) if asset else None


def _with_alpha(base: UInt8 | None, opacity: UInt8 | None) -> Image | None:
    if base is None:
        return None
    if opacity is None:
        return Image.of(base[..., :3])
    alpha = opacity[..., 0]
    if alpha.shape != base.shape[:2]:
        from PIL import Image as Pictures

        alpha = np.asarray(Pictures.fromarray(np.ascontiguousarray(alpha)).resize(base.shape[1::-1]))
    return Image.of(np.dstack([base[..., :3], alpha]))
