"""Materials as UsdPreviewSurface (UsdPreviewSurface Specification 2.6), in USD's text form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.engine import Image, Material, Mesh
from nodes.io._factors import times_factor
from nodes.io._parts import Warn
from nodes.io._settled import settled
from nodes.io._textures import Encoded, UInt8, colour_bytes, encode_all, orm_bytes
from nodes.io._usd_names import Names, indented, number, quoted, tuple_of

COATS = {
    "clearcoat.clearcoatFactor": "clearcoat",
    "clearcoat.clearcoatRoughnessFactor": "clearcoatRoughness",
    "ior.ior": "ior",
}
RAW = "raw"


@dataclass
class Materials:
    """Materials of a stage, each written once. ``files``: pictures by their names beside or inside the file."""

    root: str
    warn: Warn
    longest: int
    jpeg: int
    folder: str = "textures/"
    text: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    _names: Names = field(default_factory=Names)
    _known: dict[tuple[int, bool, bool], tuple[Material, str]] = field(default_factory=dict)

    def path(self, mesh: Mesh) -> str | None:
        """The path of the mesh's material, or None."""
        if mesh.material is None and mesh.colours is None:
            return None
        material = mesh.material or Material("colours")
        key = id(mesh.material), mesh.uv is not None, mesh.colours is not None
        if key not in self._known:
            name = self._names.fresh(material.name or "material")
            self._known[key] = material, name
            self.text.append(self._prim(material, name, key[1], key[2]))
        return f"{self.root}/Materials/{self._known[key][1]}"

    def _prim(self, given: Material, name: str, textured: bool, coloured: bool) -> str:
        material = settled(given, self.warn) or given
        here = f"{self.root}/Materials/{name}"
        pictures = self._write(material, name) if textured else {}
        inputs, shaders = self._colour(material, pictures, here, coloured)
        inputs += self._surface(material, pictures, here) + self._coat(material)
        shaders += [_texture(kind, file, material, here) for kind, file in pictures.items()]
        if pictures:
            shaders.append(_reader("uv", "float2", "st"))
        if material.unlit:
            self.warn("USD's preview material knows no unlit surfaces; it is lit now.")
        surface = _shader("surface", "UsdPreviewSurface", [*inputs, "token outputs:surface"])
        body = [f"token outputs:surface.connect = <{here}/surface.outputs:surface>", "", surface, *shaders]
        return f'def Material "{name}"\n{{\n{indented(body)}\n}}\n'

    def _write(self, material: Material, name: str) -> dict[str, str]:
        """Files by kind: base_colour, orm, normal, emissive. Factors are multiplied in: not every viewer scales."""
        full = replace(material, metallic=_full(material, "metallic"), roughness=_full(material, "roughness"))
        pixels: dict[str, UInt8] = {}
        if (base := _full(material, "base_colour")) is not None:
            pixels["base_colour"] = colour_bytes(base, self.longest, material.alpha_mode != "opaque")
        if (orm := orm_bytes(full, self.longest)) is not None:
            pixels["orm"] = orm
        if material.normal is not None:
            pixels["normal"] = colour_bytes(material.normal, self.longest, alpha=False, normal=True)
        if (glow := _full(material, "emissive")) is not None:
            pixels["emissive"] = colour_bytes(glow, self.longest, alpha=False)
        done: dict[str, Encoded] = encode_all(pixels, {"base_colour": self.jpeg, "emissive": self.jpeg})
        files = {kind: f"{self.folder}{name}_{kind}{picture.suffix}" for kind, picture in done.items()}
        self.files |= {files[kind]: picture.data for kind, picture in done.items()}
        return files

    def _colour(
        self, material: Material, pictures: dict[str, str], here: str, coloured: bool
    ) -> tuple[list[str], list[str]]:
        """Inputs for base colour and opacity, and the shader that reads vertex colours where these are the colour."""
        red, green, blue, alpha = material.base_factor
        clear = material.alpha_mode != "opaque"
        inputs = [f"float inputs:opacityThreshold = {number(material.alpha_cutoff)}"] * (material.alpha_mode == "mask")
        if "base_colour" in pictures:
            inputs.append(f"color3f inputs:diffuseColor.connect = <{here}/base_colour.outputs:rgb>")
            inputs += [f"float inputs:opacity.connect = <{here}/base_colour.outputs:a>"] * clear
            return inputs, []
        if coloured:
            inputs.append(f"color3f inputs:diffuseColor.connect = <{here}/colours.outputs:result>")
            return inputs, [_reader("colours", "float3", "displayColor")]
        inputs.append(f"color3f inputs:diffuseColor = {tuple_of((red, green, blue))}")
        return inputs + [f"float inputs:opacity = {number(alpha)}"] * clear, []

    def _surface(self, material: Material, pictures: dict[str, str], here: str) -> list[str]:
        inputs = []
        for kind, channel in (("roughness", "g"), ("metallic", "b")):
            if getattr(material, kind) is not None and "orm" in pictures:
                inputs.append(f"float inputs:{kind}.connect = <{here}/orm.outputs:{channel}>")
            else:
                inputs.append(f"float inputs:{kind} = {number(getattr(material, f'{kind}_factor'))}")
        if material.occlusion is not None and "orm" in pictures:
            inputs.append(f"float inputs:occlusion.connect = <{here}/orm.outputs:r>")
        if "normal" in pictures:
            inputs.append(f"normal3f inputs:normal.connect = <{here}/normal.outputs:rgb>")
        if "emissive" in pictures:
            inputs.append(f"color3f inputs:emissiveColor.connect = <{here}/emissive.outputs:rgb>")
        elif any(material.emissive_factor):
            inputs.append(f"color3f inputs:emissiveColor = {tuple_of(material.emissive_factor)}")
        return inputs

    def _coat(self, material: Material) -> list[str]:
        inputs, left = [], {"height"} if material.height is not None else set()
        for name, value in material.layers:
            if name in COATS and isinstance(value, int | float):
                inputs.append(f"float inputs:{COATS[name]} = {number(float(value))}")
            else:
                left.add(name.partition(".")[0])
        if left:
            self.warn(f"USD's preview material has no place for {', '.join(sorted(left))}; left out.")
        return inputs


def _full(material: Material, kind: str) -> Image | None:
    """A map with its factor; of glow the part of the factor up to 1."""
    image: Image | None = getattr(material, kind)
    if image is None:
        return None
    if kind == "emissive":
        red, green, blue = (min(1.0, value) for value in material.emissive_factor)
        material = replace(material, emissive_factor=(red, green, blue))
    return Image(times_factor(image.pixels, kind, material), image.space)


def _texture(kind: str, file: str, material: Material, here: str) -> str:
    wraps = {"repeat": "repeat", "mirror": "mirror", "clamp": "clamp"}
    colour = kind in ("base_colour", "emissive")
    lines = [
        f"asset inputs:file = @{file}@",
        f"float2 inputs:st.connect = <{here}/uv.outputs:result>",
        f'token inputs:sourceColorSpace = "{"sRGB" if colour else RAW}"',
        f'token inputs:wrapS = "{wraps[material.wrap[0]]}"',
        f'token inputs:wrapT = "{wraps[material.wrap[1]]}"',
    ]
    if kind == "normal":
        lines += ["float4 inputs:scale = (2, 2, 2, 1)", "float4 inputs:bias = (-1, -1, -1, 0)"]
    if kind == "emissive" and max(material.emissive_factor) > 1:
        lines.append(f"float4 inputs:scale = {tuple_of((*(max(1.0, v) for v in material.emissive_factor), 1.0))}")
    outputs = {"orm": ["float outputs:r", "float outputs:g", "float outputs:b"]}.get(kind, ["float3 outputs:rgb"])
    if kind == "base_colour":
        outputs = [*outputs, "float outputs:a"]
    return _shader(kind, "UsdUVTexture", [*lines, *outputs])


def _reader(name: str, kind: str, primvar: str) -> str:
    lines = [f"string inputs:varname = {quoted(primvar)}", f"{kind} outputs:result"]
    return _shader(name, f"UsdPrimvarReader_{kind}", lines)


def _shader(name: str, kind: str, lines: list[str]) -> str:
    return f'def Shader "{name}"\n{{\n{indented([f"uniform token info:id = {quoted(kind)}", *lines])}\n}}\n'
