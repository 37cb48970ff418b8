"""Does an asset keep to what was agreed for its target?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from app.engine import BadFile, BadInput, Files, Mesh, Multiline, OpenFile, Report, Run, Setting, Text, node
from nodes.check._blame import Blame
from nodes.check._contract import RULES, Limit, Rules, as_text, merged
from nodes.check._measured import MEASURES, WHICH, Asset
from nodes.mesh._checks import need_sound

Target = Literal["mobile", "desktop", "web", "AR", "print", "own"]
Rows = list[tuple[str, str | int | float | bool]]
LARGEST = 1_000_000
ROUNDING = 1e-5


class Checked(NamedTuple):
    """The findings, the mesh as it came in, and the contract as JSON text that can be kept as a file."""

    report: Report
    mesh: Mesh
    contract: Text


@dataclass(frozen=True)
class Found:
    """What a rule found. ``value``: None where there is nothing to measure. ``cause``: the likely node, in words.

    ``which``: what breaks the rule, by name.
    """

    key: str
    limit: Limit
    value: Limit | None
    cause: str = ""
    which: str = ""

    @property
    def kept(self) -> bool:
        if self.value is None:
            return True
        if RULES[self.key].yes_no:
            return self.value == self.limit
        slack = ROUNDING * self.limit if isinstance(self.value, float) else 0
        if self.key.startswith("min_"):
            return self.value >= self.limit - slack
        return self.value <= self.limit + slack

    @property
    def words(self) -> str:
        """Such as ``12,304 triangles, at most 10,000 allowed``."""
        rule = RULES[self.key]
        if rule.yes_no:
            which = f": {self.which}" if self.which else ""
            return f"it is {'not ' if self.limit else ''}true that {rule.words}{which}"
        bound = "at least" if self.key.startswith("min_") else "at most"
        value = 0 if self.value is None else self.value
        what = "" if rule.words == rule.unit else f"{rule.words}: "
        return f"{what}{value:,.6g} {rule.unit}, {bound} {self.limit:,.6g} allowed"


@node("check.contract", title="Asset contract", version=3, graph=True, credits=True)
def contract(
    run: Run,
    mesh: Mesh,
    files: Files | None = None,
    lods: Report | None = None,
    target: Annotated[
        Target, Setting(help="Rules to begin with; 'contract' gives them as text. own: only those below.")
    ] = "desktop",
    rules: Annotated[
        str,
        Multiline(
            help='JSON that changes rules, such as {"max_triangles": 5000, "watertight": true}; null takes one away.'
        ),
    ] = "",
    file: Annotated[
        Path, OpenFile(suffixes=(".json",), optional=True, help="A file with such JSON; the text above comes after it.")
    ] = Path(),
    stop: Annotated[
        bool, Setting(help="A breach fails this step, and so the run: nothing after it happens, exit status 1.")
    ] = False,
) -> Checked:
    """Check an asset against budgets and rules; every breach is listed with the node that most likely caused it.

    'files' takes what an export gives, for its size; 'lods' the report of a LOD chain. Rules that have nothing to
    measure are told as not checked. Sharp edges and specks are no thin walls. The targets are starting points: what
    counts is what was agreed. Rules: max_triangles, max_vertices, max_parts, max_materials, max_textures,
    max_texture_px, max_texture_mb, power_of_two, min_texels_per_m, max_texels_per_m, uvs, uvs_in_square,
    max_uv_overlap, normals, watertight, manifold, max_degenerate, max_intersections, min_wall_mm, min_size_m,
    max_size_m, on_floor, max_file_mb, min_lods, max_last_lod_triangles, licences_stated, commercial_use. The last two
    go by the words of the licences.
    """
    run.progress(0.0, "rules")
    name, wanted = merged(target, ("The file", _text_of(file)), ("The text in 'rules'", rules))
    need_sound(mesh)
    found = _measured(run, Asset(run, mesh, files, lods, float(wanted.get("min_wall_mm", 0)) / 1000), wanted)
    broken = [f for f in found if not f.kept]
    if broken and stop:
        raise _refusal(mesh, name, broken)
    for breach in broken:
        run.warn(_sentence(breach))
    return Checked(_report(mesh, name, found, broken), mesh, Text(as_text(name, wanted)))


def _text_of(file: Path) -> str:
    if file == Path():
        return ""
    try:
        if file.stat().st_size > LARGEST:
            raise BadFile(f"{file.name} is larger than any contract.", "Choose a JSON file with rules.")
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadFile(f"{file.name} is not a text file.", "Choose a JSON file with rules.") from None
    except OSError as error:
        raise BadFile(f"{file.name} cannot be read: {error.strerror}.", "Check the path and its rights.") from None


def _measured(run: Run, asset: Asset, wanted: Rules) -> list[Found]:
    blame = Blame(run, "check.contract")
    found = []
    for number, key in enumerate(k for k in RULES if k in wanted):
        run.progress(0.05 + 0.9 * number / len(wanted), key.replace("_", " "))
        one = Found(key, wanted[key], MEASURES[key](asset))
        if not one.kept:
            which = WHICH[key](asset) if key in WHICH else ""
            one = replace(one, cause=blame.words(RULES[key]), which=which)
        found.append(one)
    return found


def _sentence(breach: Found) -> str:
    cause = f" Most likely decided by {breach.cause}." if breach.cause else ""
    return f"{breach.key}: {breach.words}.{cause}"


def _refusal(mesh: Mesh, name: str, broken: list[Found]) -> BadInput:
    listed = " ".join(f"({number}) {_sentence(breach)}" for number, breach in enumerate(broken, start=1))
    many = "1 rule" if len(broken) == 1 else f"{len(broken)} rules"
    nodes = list(dict.fromkeys(breach.cause for breach in broken if breach.cause))
    advice = f"Change {', '.join(nodes)}, or the contract." if nodes else "Change the asset, or the contract."
    return BadInput(f"{mesh.name} breaks {many} of the contract {name!r}. {listed}", advice)


def _report(mesh: Mesh, name: str, found: list[Found], broken: list[Found]) -> Report:
    rows: Rows = [("contract", name), ("passed", not broken), ("breaches", len(broken)), ("rules", len(found))]
    for one in found:
        state = "not checked" if one.value is None else "kept" if one.kept else "BROKEN"
        rows.append((one.key, state))
        if one.value is not None:
            rows.append((f"{one.key}: measured", one.value))
        rows.append((f"{one.key}: limit", one.limit))
        if not one.kept:
            rows.append((f"{one.key}: breach", one.words))
            rows.append((f"{one.key}: most likely decided by", one.cause or "the graph is not known"))
    if not broken:
        return Report(f"Contract {name}", tuple(rows), f"{mesh.name} keeps to the contract {name!r}.")
    keys = ", ".join(breach.key for breach in broken)
    return Report(f"Contract {name}", tuple(rows), f"{mesh.name} breaks {len(broken)} of {len(found)} rules: {keys}.")
