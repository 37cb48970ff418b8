"""Fewer triangles, same shape."""

from __future__ import annotations

from typing import Annotated, Literal

from app.engine import Mesh, Run, Setting, Slider, node
from nodes.mesh._checks import need_sound
from nodes.mesh._reduce import Keep, reduced

Reduce = Literal["triangles", "share", "error"]
Placement = Literal["auto", "best", "old vertices"]
FREE: dict[str, bool | None] = {"auto": None, "best": True, "old vertices": False}


def _weight(what: str) -> Slider:
    return Slider(0, 100, step=0.1, help=f"How firmly {what}. 1 is usual.", advanced=True)


@node("mesh.decimate", title="Decimate", group="Reduce and remesh", version=3)
def decimate(
    run: Run,
    mesh: Mesh,
    target_faces: Annotated[
        int,
        Slider(
            4,
            5_000_000,
            log=True,
            unit="triangles",
            help="The most the result may have. Where UV seams need more, it has as few as they allow, and says so.",
        ),
    ] = 20_000,
    keep_uv: Annotated[
        bool,
        Setting(
            label="Keep UVs", help="Textures stay in place. Off: a little closer to the shape; UVs and textures go."
        ),
    ] = True,
    reduce_to: Annotated[
        Reduce, Setting(help="A number of triangles, a share of those that come in, or as few as an error allows.")
    ] = "triangles",
    share: Annotated[float, Slider(0.001, 1, log=True, help="Of the triangles that come in; for share.")] = 0.25,
    max_error: Annotated[
        float,
        Slider(
            0.00001, 0.2, log=True, unit="of diagonal", help="No point measured lies farther off than this; for error."
        ),
    ] = 0.002,
    placement: Annotated[
        Placement,
        Setting(
            help="best: vertices go where the error is least. old vertices: onto each other only, so that UVs and "
            "colours stay exact. auto: old vertices where UVs are kept."
        ),
    ] = "auto",
    hard_edges: Annotated[
        float,
        Slider(1, 180, unit="°", help="Split normals on edges sharper than this stay hard. 180: all become smooth."),
    ] = 30.0,
    border_weight: Annotated[float, _weight("open borders stay in place")] = 1.0,
    seam_weight: Annotated[float, _weight("UV seams stay in place")] = 1.0,
    hard_edge_weight: Annotated[float, _weight("hard edges stay in place")] = 1.0,
    group_weight: Annotated[float, _weight("borders between parts (face groups) stay in place")] = 1.0,
    texture_weight: Annotated[float, _weight("the texture stays in place, against the shape")] = 1.0,
    colour_weight: Annotated[float, _weight("vertex colours are kept, against the shape")] = 1.0,
) -> Mesh:
    """Fewer triangles, same shape. UVs, colours, parts, hard edges and borders are kept; closed stays closed.

    For the fewest triangles turn `keep_uv` off and follow with Unwrap UV and Bake.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    keep = Keep(
        uv=keep_uv,
        free=FREE[placement],
        border=border_weight,
        seam=seam_weight,
        hard=hard_edge_weight,
        group=group_weight,
        texture=texture_weight,
        colour=colour_weight,
        hard_degrees=hard_edges,
    )
    if reduce_to == "error":
        return _within(run, mesh, max_error, keep)
    target = target_faces if reduce_to == "triangles" else max(4, round(share * len(mesh.faces)))
    if len(mesh.faces) <= target:
        return mesh
    return reduced(run, mesh, target, keep, lambda done: run.progress(done, "simplifying"))


def _within(run: Run, mesh: Mesh, bound: float, keep: Keep) -> Mesh:
    from nodes.mesh._within import Gauge, within

    quiet = Run(stop=run.stop)
    best, apart = within(
        mesh,
        Gauge(mesh),
        bound,
        lambda one, count: reduced(quiet, one, count, keep, lambda _: run.check()),
        lambda done: run.progress(done, "simplifying and measuring"),
    )
    run.log.info("%d triangles, at most %.3g %% of the diagonal apart", len(best.faces), 100 * apart.most)
    return best
