"""What a contract may ask of an asset, contracts for usual targets, and contracts as JSON text."""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import dataclass
from typing import Any

from app.engine import BadParam

Limit = float | bool
Rules = dict[str, Limit]


@dataclass(frozen=True)
class Rule:
    """``words``: what is measured, for a sentence. ``unit``: of the number; empty for a yes or no.

    ``causes``: patterns of node types that most likely decide it, ``knobs``: their parameters worth naming.
    ``comes_by``: the input of the check that the subject comes in by.
    """

    words: str
    unit: str
    causes: tuple[str, ...]
    knobs: tuple[str, ...] = ()
    comes_by: str = "mesh"

    @property
    def yes_no(self) -> bool:
        return self.unit == ""


_COUNT = ("mesh.decimate", "mesh.lod_chain", "mesh.impostor", "mesh.remesh*", "mesh.quad*", "mesh.voxel*",
          "mesh.subdivide*", "mesh.array*", "mesh.scatter*", "mesh.boolean*", "mesh.join*", "mesh.displace*",
          "points.*", "physics.collision")  # fmt: skip
_TEXTURE = ("texture.*", "image.resize*", "image.upscale*", "mesh.unwrap")
_LAYOUT = ("mesh.unwrap", "mesh.uv*", "mesh.light*", "texture.atlas*", "mesh.remesh*", "mesh.voxel*", "mesh.boolean*")
_CLOSED = ("mesh.repair", "mesh.boolean*", "mesh.slice*", "mesh.cut*", "mesh.split*", "mesh.hollow*", "mesh.thicken*",
           "mesh.remesh*", "mesh.voxel*", "mesh.mirror*", "mesh.join*")  # fmt: skip
_SIZE = ("mesh.transform", "mesh.scale*", "mesh.align*", "physics.make_stand", "physics.stands", "physics.drop_test")
_INPUTS = ("io.load_*", "generate.*", "image_to_3d.*")
_KNOBS = ("target_faces", "reduce_to", "share", "triangles", "levels", "faces", "segments", "pieces", "resolution")
_PIXELS = ("texture_size", "size", "width", "resolution", "scale")

RULES: dict[str, Rule] = {
    "max_triangles": Rule("triangles", "triangles", _COUNT, _KNOBS),
    "max_vertices": Rule("vertices", "vertices", _COUNT, _KNOBS),
    "max_parts": Rule("separate parts", "parts", ("mesh.repair", "mesh.join*", "mesh.scatter*"), ("smallest_part",)),
    "max_materials": Rule("materials", "materials", ("texture.*",)),
    "max_textures": Rule("textures", "textures", _TEXTURE, ("maps",)),
    "max_texture_px": Rule("the longest side of a texture", "px", _TEXTURE, _PIXELS),
    "max_texture_mb": Rule("textures on the card as BC7", "MB", _TEXTURE, _PIXELS),
    "power_of_two": Rule("every texture's sides are powers of two", "", _TEXTURE, _PIXELS),
    "min_texels_per_m": Rule("texels per metre where they are sparsest (5 %)", "px/m", _LAYOUT + _TEXTURE, _PIXELS),
    "max_texels_per_m": Rule("texels per metre where they are densest (95 %)", "px/m", _LAYOUT + _TEXTURE, _PIXELS),
    "uvs": Rule("it has UVs", "", _LAYOUT, ("method", "keep_uv")),
    "uvs_in_square": Rule("all UVs lie in the unit square", "", _LAYOUT, ("method",)),
    "max_uv_overlap": Rule("the share of the UV layout that is covered twice", "of 1", _LAYOUT, ("method",)),
    "normals": Rule("it has normals", "", ("mesh.normals",)),
    "watertight": Rule("it is watertight", "", _CLOSED, ("fill_holes", "largest_hole")),
    "manifold": Rule("it is manifold", "", _CLOSED),
    "max_degenerate": Rule("degenerate and duplicate faces", "faces", _CLOSED),
    "max_intersections": Rule("pairs of faces that run through one another", "pairs", _CLOSED),
    "min_wall_mm": Rule("the thinnest wall", "mm", ("mesh.hollow*", "mesh.thicken*", *_SIZE), ("wall", "thickness")),
    "min_size_m": Rule("the longest side of its box", "m", _SIZE, ("scale", "unit", "units")),
    "max_size_m": Rule("the longest side of its box", "m", _SIZE, ("scale", "unit", "units")),
    "on_floor": Rule("its lowest point lies at height 0", "", _SIZE, ("move_y", "y")),
    "max_file_mb": Rule("all files together", "MB", ("io.export_*",), ("texture_size", "colour_format"), "files"),
    "min_lods": Rule("levels of detail", "levels", ("mesh.lod_chain",), ("levels",), "lods"),
    "licences_stated": Rule("every input states its licence", "", _INPUTS),
    "commercial_use": Rule("every input and model may be used commercially", "", _INPUTS),
    "max_last_lod_triangles": Rule("triangles of the last level", "triangles", ("mesh.lod_chain",), _KNOBS, "lods"),
}

_GAME: Rules = {
    "max_materials": 1, "power_of_two": True, "uvs": True, "uvs_in_square": True, "max_uv_overlap": 0.01,
    "normals": True, "max_degenerate": 0, "min_size_m": 0.01, "max_size_m": 100,
}  # fmt: skip
TARGETS: dict[str, Rules] = {
    "mobile": {**_GAME, "max_triangles": 10_000, "max_texture_px": 1024, "max_texture_mb": 6, "max_file_mb": 5},
    "desktop": {**_GAME, "max_triangles": 100_000, "max_texture_px": 4096, "max_texture_mb": 90, "min_lods": 3},
    "web": {**_GAME, "max_triangles": 50_000, "max_texture_px": 2048, "max_texture_mb": 24, "max_file_mb": 5},
    "AR": {**_GAME, "max_triangles": 100_000, "max_texture_px": 2048, "max_file_mb": 10, "on_floor": True,
           "max_size_m": 10},
    "print": {"watertight": True, "manifold": True, "max_degenerate": 0, "max_intersections": 0, "min_wall_mm": 0.8,
              "min_size_m": 0.005, "max_size_m": 0.25, "on_floor": True},
    "own": {},
}  # fmt: skip


def merged(target: str, *texts: tuple[str, str]) -> tuple[str, Rules]:
    """(name, rules): those of the target, changed by JSON texts, each with the name of where it stands.

    A text is one JSON object of rules; null takes a rule away; ``name`` names the contract; an empty text changes
    nothing. Raises :class:`BadParam`.
    """
    name, rules = target, dict(TARGETS[target])
    for where, text in texts:
        for key, value in _read(where, text).items():
            if key == "name":
                name = str(value)
            elif value is None:
                rules.pop(_known(where, key), None)
            else:
                rules[key] = _limit(where, _known(where, key), value)
    if not rules:
        raise BadParam("The contract holds no rule.", "Choose a target, or write rules such as " + _EXAMPLE)
    return name, rules


_EXAMPLE = '{"max_triangles": 20000, "watertight": true}.'


def as_text(name: str, rules: Rules) -> str:
    """The JSON text that gives the same contract with the target ``own``."""
    return json.dumps({"name": name, **{key: rules[key] for key in RULES if key in rules}}, indent=2) + "\n"


def _read(where: str, text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadParam(f"{where} is not JSON: {error}.", "Write one object, such as " + _EXAMPLE) from None
    if not isinstance(rules, dict):
        raise BadParam(f"{where} is not a JSON object.", "Write one object, such as " + _EXAMPLE)
    return rules


def _known(where: str, key: str) -> str:
    if key in RULES:
        return key
    near = difflib.get_close_matches(key, RULES, 1)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    raise BadParam(f"{where} has a rule {key!r}, which does not exist.", f"{meant}There are {', '.join(RULES)}.")


def _limit(where: str, key: str, value: Any) -> Limit:
    if RULES[key].yes_no:
        if isinstance(value, bool):
            return value
        raise BadParam(f"{where}: {key} is {value!r}.", "Write true or false, or null to leave it out.")
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return value
    raise BadParam(f"{where}: {key} is {value!r}.", "Write a number of 0 or more, or null to leave it out.")
