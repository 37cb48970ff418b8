"""Union, difference and intersection of closed meshes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from app.engine import BadInput, Mesh, Run, Setting, node
from nodes.mesh._bodies import bodies_of, separated
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._flat_uv import boxed, density_of
from nodes.mesh._one_material import under_one

Operation = Literal["union", "difference", "intersection"]
NOTHING = {
    "difference": ("The other meshes cover 'a' whole: nothing is left.", "Make them smaller or move them."),
    "intersection": ("The meshes have no room in common: nothing is left.", "Move them into each other."),
}


@node("mesh.boolean", title="Boolean", group="Solid", version=2)
def boolean(
    run: Run,
    a: Mesh,
    b: Mesh,
    c: Mesh | None = None,
    d: Mesh | None = None,
    operation: Annotated[
        Operation,
        Setting(
            help="union: all as one body. difference: a without the others. intersection: what all have in common."
        ),
    ] = "union",
    cut_surface: Annotated[
        Literal["from the cutter", "from a"],
        Setting(
            help="For difference, what the cut shows. from the cutter: its material, UVs and colours, grey without. "
            "from a: the material of a, laid on from the sides at the texel density that a has."
        ),
    ] = "from the cutter",
) -> Mesh:
    """Unite closed meshes, cut them out of one another, or keep what they have in common.

    The result is closed. UVs, normals, vertex colours and parts of all that is kept stay as they were; parts of b, c
    and d are numbered behind those of a. Several materials are put onto one texture sheet. Meshes that are not closed
    are mended first, and bodies of one mesh that run through each other count as one; both are said on the node.
    """
    given = {"mesh a": a, "mesh b": b, "mesh c": c, "mesh d": d}
    named = {name: mesh for name, mesh in given.items() if mesh is not None}
    for name, mesh in named.items():
        run.progress(0.0, "checking")
        need_sound(mesh, name)
        need_size(mesh, name)
    meshes = [*named.values()]
    if operation == "difference" and cut_surface == "from a":
        density = density_of(a)
        meshes[1:] = [_painted_as(a, cutter, density) for cutter in meshes[1:]]
    run.progress(0.1, "materials")
    stock, bodies = bodies_of(run, under_one(meshes, run.warn), [*named])
    run.progress(0.8, operation)
    result = combined(bodies, operation)
    if result.is_empty():
        raise BadInput(*NOTHING.get(operation, NOTHING["intersection"]))
    run.progress(0.95, "attributes")
    return separated(run, stock.mesh(result, range(1, len(meshes)) if operation == "difference" else ()))


def combined(bodies: list[Any], operation: Operation) -> Any:
    """Guaranteed manifold, as in Manifold (Lalish 2021): coincident faces are decided by symbolic perturbation."""
    from manifold3d import Manifold, OpType

    kinds = {"union": OpType.Add, "difference": OpType.Subtract, "intersection": OpType.Intersect}
    return Manifold.batch_boolean(bodies, kinds[operation])


def _painted_as(a: Mesh, cutter: Mesh, density: float) -> Mesh:
    shown = replace(cutter, material=a.material, colours=None)
    return shown if a.uv is None else boxed(shown, density)
