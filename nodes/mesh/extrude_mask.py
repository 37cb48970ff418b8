"""A picture's mask as a solid."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np

from app.engine import BadInput, Image, Mask, Mesh, Run, Setting, Slider, node
from nodes.mesh._extrude import Bevel, Solid, extruded, widest
from nodes.mesh._sheet import Array, as_mesh

MOST_POINTS, MOST_STEPS = 300_000, 3_000_000


@node("mesh.extrude_mask", title="Extrude mask", group="Primitives")
def extrude_mask(
    run: Run,
    mask: Mask,
    image: Image | None = None,
    width: Annotated[float, Slider(0.001, 1000, log=True, unit="m", help="Of the whole mask, borders included.")] = 1.0,
    depth: Annotated[float, Slider(0.0001, 1000, log=True, unit="m", help="From front to back.")] = 0.1,
    bevel: Annotated[float, Slider(0, 1, unit="m", help="How far the edges are cut off or rounded.")] = 0.0,
    bevel_steps: Annotated[int, Slider(1, 16, help="1: cut off flat. More: rounded.")] = 4,
    bevel_back: Annotated[bool, Setting(help="Bevel the edges of the back too.")] = True,
    threshold: Annotated[float, Slider(0.01, 0.99, step=0.01, help="Brighter is inside.")] = 0.5,
    smooth: Annotated[float, Slider(0, 20, unit="px", help="Rounds steps of hard masks off.")] = 1.0,
    error: Annotated[
        float, Slider(0.01, 5, log=True, unit="px", help="How far the outline may be off. Less: more faces.")
    ] = 0.2,
    smallest: Annotated[
        float, Slider(0, 100_000, unit="px²", help="Parts and holes smaller than this are left out.", advanced=True)
    ] = 16.0,
) -> Mesh:
    """Cut a mask, such as a logo or a silhouette, out of a plate: a closed solid, each separate piece a part.

    The outline runs between pixels, so that soft edges give smooth ones. With a picture at the input that picture lies
    on front, back and edges; without one every side has its own place on the texture.
    """
    run.progress(0.0, "outline")
    wide, tall = mask.size
    unit = float(max(wide, tall))
    shape = _shape(_outlines(mask, threshold, smooth, smallest), error, unit)
    scale = width * unit / wide
    if shape.num_vert() > MOST_POINTS:
        raise BadInput(f"The outline has {shape.num_vert():,} points.", "Smooth the mask, or allow a larger error.")
    edge = Bevel(bevel / scale, bevel_steps, bevel_back)
    thick, solids = depth / scale, []
    pieces = sorted(shape.decompose(), key=lambda piece: piece.bounds())
    edge = _fitting(run, pieces, edge, thick, scale)
    for number, piece in enumerate(pieces):
        run.progress(0.3 + 0.6 * number / len(pieces), "solids")
        solids.append(extruded(piece, thick, edge))
    return _made(solids, thick - edge.width * (2 if bevel_back else 1), scale, (wide / unit, tall / unit), image)


def _outlines(mask: Mask, threshold: float, smooth: float, smallest: float) -> list[Array]:
    """(N, 2) closed lines x, y in pixels, y up from the lower border."""
    from scipy.ndimage import gaussian_filter
    from skimage.measure import find_contours

    values = np.pad(np.nan_to_num(mask.values.astype(np.float32)), 1 + int(np.ceil(3 * smooth)))
    border = 1 + int(np.ceil(3 * smooth))
    values = gaussian_filter(values, smooth) if smooth > 0 else values
    rings = []
    for line in find_contours(values, threshold):
        ring = np.stack([line[:-1, 1] - border + 0.5, mask.size[1] - (line[:-1, 0] - border + 0.5)], axis=1)
        x, y = ring.T
        if abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2 >= max(smallest, 1e-6):
            rings.append(ring)
    if not rings:
        raise BadInput("The mask has no part that is large and bright enough.", "Lower the threshold, or smallest.")
    if sum(len(ring) for ring in rings) > MOST_STEPS:
        raise BadInput("The outline has millions of points.", "Smooth the mask, or make it smaller.")
    return rings


def _shape(rings: list[Array], error: float, unit: float) -> Any:
    from manifold3d import CrossSection, FillRule

    whole = CrossSection([ring / unit for ring in rings], FillRule.EvenOdd)
    return whole.simplify(error / unit)


def _fitting(run: Run, pieces: list[Any], wanted: Bevel, depth: float, scale: float) -> Bevel:
    """The bevel, narrowed to what the pieces and the depth allow."""
    if not wanted.width:
        return wanted
    width = min(wanted.width, depth * (0.49 if wanted.back else 0.98))
    for piece in pieces:
        run.check()
        width = widest(piece, width)
    if width < wanted.width * (1 - 1e-6):
        run.warn(f"The pieces have room for a bevel of {width * scale:.3g} m only.")
    return replace(wanted, width=width if width > 1e-5 else 0.0)


def _made(solids: list[Solid], wall: float, scale: float, size: tuple[float, float], image: Image | None) -> Mesh:
    middle = -size[0] / 2, -size[1] / 2
    mesh = as_mesh([(solid, middle) for solid in solids], wall, scale, "extruded", centre=False)
    if image is None or mesh.material is None:
        return mesh
    uv = mesh.vertices[:, :2] / (np.array(size) * scale) + 0.5
    return replace(mesh, uv=uv.clip(0, 1).astype(np.float32), material=replace(mesh.material, base_colour=image))
