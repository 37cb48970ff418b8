"""MTL, the material file of OBJ (Wavefront, Alias), with the PBR words that most programs add."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from app.engine import Image, Material
from nodes.io._beside import Beside, UInt8, channel, colour, data

OPTIONS = {"-o": 3, "-s": 3, "-t": 3, "-mm": 2}
MATCHED = ("-blendu", "-blendv", "-boost", "-texres", "-clamp", "-bm", "-imfchan", "-type", "-cc")


def read_mtl(text: bytes, beside: Beside) -> dict[str, Material]:
    """Materials by name. Maps that cannot be read are left out with a remark."""
    found: dict[str, dict[str, str]] = {}
    words: dict[str, str] = {}
    for key, rest in _lines(text):
        if key == "newmtl":
            words = found.setdefault(rest, {})
        else:
            words[key] = rest
    return {name: _material(name, words, beside) for name, words in found.items()}


def _lines(text: bytes) -> Iterator[tuple[str, str]]:
    for line in text.decode("utf-8", "replace").splitlines():
        key, _, rest = line.strip().replace("\t", " ").partition(" ")
        if key and not key.startswith("#"):
            yield key.lower(), rest.strip()


def _material(name: str, words: dict[str, str], beside: Beside) -> Material:
    pictures = {key: _picture(words.get(key, ""), beside) for key in ("map_kd", "map_d", "map_ke", "map_pr", "map_pm")}
    base, opacity, glow = pictures["map_kd"], pictures["map_d"], pictures["map_ke"]
    alpha = _alpha(words)
    normal, height = _relief(words, beside)
    red, green, blue = _triple(words.get("kd", ""), 0.8) if base is None else (1.0, 1.0, 1.0)
    shine = _triple(words.get("ke", ""), 0.0)
    rough = pictures["map_pr"] is not None
    metal = pictures["map_pm"] is not None
    return Material(
        name=name or "material",
        base_colour=colour(_with_opacity(base, opacity, words)),
        normal=data(normal),
        roughness=channel(pictures["map_pr"], 0),
        metallic=channel(pictures["map_pm"], 0),
        occlusion=_occlusion(words, beside),
        emissive=colour(glow),
        height=channel(height, 0),
        base_factor=(red, green, blue, alpha),
        roughness_factor=1.0 if rough else _roughness(words),
        metallic_factor=1.0 if metal else _unit(words.get("pm", ""), 0.0),
        emissive_factor=(1.0, 1.0, 1.0) if glow is not None else shine,
        alpha_mode="blend" if alpha < 1 or opacity is not None else "opaque",
    )


def _picture(value: str, beside: Beside) -> UInt8 | None:
    name = _file_name(value)
    return beside.picture(name) if name else None


def _file_name(value: str) -> str:
    """What stays of a map's line when its options are taken away; names may hold spaces."""
    words = value.split(" ")
    while words and words[0].lower() in (*OPTIONS, *MATCHED):
        most = OPTIONS.get(words.pop(0).lower(), 1)
        for _ in range(most):
            if words and (most == 1 or _is_number(words[0])):
                words.pop(0)
    return " ".join(words).strip().strip('"')


def _is_number(word: str) -> bool:
    try:
        return bool(np.isfinite(float(word)))
    except ValueError:
        return False


def _unit(value: str, default: float) -> float:
    words = value.split()
    return min(1.0, max(0.0, float(words[0]))) if words and _is_number(words[0]) else default


def _triple(value: str, default: float) -> tuple[float, float, float]:
    numbers = [_unit(word, default) for word in value.split()[:3]]
    if len(numbers) == 1:
        numbers *= 3
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else (default, default, default)


def _alpha(words: dict[str, str]) -> float:
    opaque = _unit(words.get("d", "").replace("-halo", ""), 1.0)
    return opaque if "d" in words else 1 - _unit(words.get("tr", ""), 0.0)


def _roughness(words: dict[str, str]) -> float:
    """From Pr; else from the Phong exponent Ns, 0..1000, as Blender maps it."""
    if "pr" in words:
        return _unit(words["pr"], 0.8)
    exponent = words.get("ns", "").split()
    if not exponent or not _is_number(exponent[0]):
        return 0.8
    return 1 - math.sqrt(min(1.0, max(0.0, float(exponent[0])) / 1000))


def _with_opacity(base: UInt8 | None, opacity: UInt8 | None, words: dict[str, str]) -> UInt8 | None:
    """The base colour with ``map_d`` as its alpha: its red channel, or its own alpha where it is the same picture."""
    if opacity is None:
        return base
    same = _file_name(words.get("map_d", "")) == _file_name(words.get("map_kd", ""))
    values = opacity[..., 3 if same else 0]
    if base is None:
        base = np.full((*values.shape, 4), 255, np.uint8)
    if values.shape != base.shape[:2]:
        from PIL import Image as Pictures

        values = np.asarray(Pictures.fromarray(values).resize(base.shape[1::-1]))
    return np.dstack([base[..., :3], values])


def _relief(words: dict[str, str], beside: Beside) -> tuple[UInt8 | None, UInt8 | None]:
    """(normal map, height map). A coloured bump map is a normal map, whatever its word says."""
    normal = _picture(words.get("norm", ""), beside)
    height = _picture(words.get("disp", words.get("map_disp", "")), beside)
    bump = _picture(words.get("map_bump", words.get("bump", "")), beside)
    if bump is not None and _is_grey(bump):
        height = bump if height is None else height
    elif bump is not None and normal is None:
        normal = bump
    return normal, height


def _occlusion(words: dict[str, str], beside: Beside) -> Image | None:
    """``map_Ka`` counts as ambient occlusion where it is grey and not just the base colour again."""
    name = _file_name(words.get("map_ka", ""))
    if not name or name == _file_name(words.get("map_kd", "")):
        return None
    pixels = beside.picture(name)
    return channel(pixels, 0) if pixels is not None and _is_grey(pixels) else None


def _is_grey(pixels: UInt8) -> bool:
    few = pixels[::7, ::7].astype(np.int16)
    return bool(np.abs(few[..., 0] - few[..., 2]).max(initial=0) <= 8)
