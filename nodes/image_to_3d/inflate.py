"""One cut-out picture to a closed, textured mesh, without any trained model."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np

from app.engine import Depth, Image, Mask, Material, Mesh, Run, Setting, Slider, node
from nodes.image_to_3d._atlas import Back, atlas
from nodes.image_to_3d._height import HeightField, inflate_outlines
from nodes.image_to_3d._planar import Planar, triangulate
from nodes.image_to_3d._relief import depth_follow, shading_relief
from nodes.image_to_3d._silhouette import Floats, Silhouette, coverage, trace
from nodes.image_to_3d._surface import closed, lift
from nodes.image_to_3d._tile import Edge, Tile, front_tile, settle_rim
from nodes.mesh._shading import smooth_normals


@node("image_to_3d.inflate", title="Inflate")
def inflate(
    run: Run,
    image: Image,
    mask: Mask | None = None,
    depth: Depth | None = None,
    height_m: Annotated[float, Slider(0.01, 100, log=True, unit="m", label="Height")] = 1.0,
    thickness: Annotated[float, Slider(0.1, 2, help="1: limbs and bodies are as deep as they are wide.")] = 0.8,
    back_thickness: Annotated[float, Slider(0.1, 2, help="Depth of the back half, relative to the front half.")] = 1.0,
    flatness: Annotated[float, Slider(0, 1, help="0: a balloon. 1: a board with a rounded rim.")] = 0.1,
    relief: Annotated[
        float, Slider(0, 1, help="How strongly light and dark details rise and sink on the front.")
    ] = 0.2,
    depth_strength: Annotated[float, Slider(0, 1, help="How closely the front follows a linked depth map.")] = 1.0,
    back: Annotated[Back, Setting(help="Colours of the unseen side: softened, mirrored, or one broad wash.")] = "soft",
    faces: Annotated[
        int, Slider(2_000, 500_000, log=True, unit="triangles", help="About how many triangles.")
    ] = 60_000,
    resolution: Annotated[
        int, Slider(96, 640, unit="cells", help="Grid that the bulge is computed on.", advanced=True)
    ] = 288,
    texture_size: Annotated[
        int, Slider(256, 4096, unit="px", help="Longest side of each half of the texture.", advanced=True)
    ] = 2048,
    edge_inset: Annotated[
        float, Slider(0, 10, unit="px", help="Colours this close to the outline come from further in.", advanced=True)
    ] = 1.5,
    clean_rim: Annotated[
        bool, Setting(help="Turn on where the old background shows along the outline.", advanced=True)
    ] = False,
    level: Annotated[float, Slider(0.05, 0.95, help="Opacity at which the object ends.", advanced=True)] = 0.5,
    speck: Annotated[
        float, Slider(0, 0.2, help="Separate parts smaller than this share are left out.", advanced=True)
    ] = 0.004,
) -> Mesh:
    """A solid, textured model from one cut-out picture. The silhouette is blown up like a balloon.

    Every part becomes as thick as it is wide: bodies round, limbs thin, holes stay open. The picture lies on the front;
    the back is a calmer version of it. The object stands on the floor and faces +Z. Best for pictures taken straight
    from the front; the shape of the unseen side is a guess.
    """
    alpha = coverage(image, mask, level)
    run.progress(0.05, "outline")
    shape = trace(run, alpha, level, speck)
    run.progress(0.15, "inflating")
    field = inflate_outlines(shape, resolution, flatness)
    run.progress(0.4, "triangles")
    flat = triangulate(run, shape, field, faces // 2)
    run.progress(0.65, "surface")
    solid = lift(run, flat, field)
    run.progress(0.8, "texture")
    edge = Edge(level, edge_inset, clean_rim)
    tile, facing = settle_rim(front_tile(image, alpha, shape, field, edge, texture_size), field)
    texture = atlas(tile, facing, back)
    run.progress(0.95, "relief")
    front, rear = _halves(solid, field, thickness, back_thickness)
    front[:, 2] += shading_relief(tile, facing, solid, thickness, relief)
    if depth is not None and depth_strength > 0:
        follow = depth_follow(depth, image, shape, field, flat, front, depth_strength)
        front[:, 2] += follow.front
        rear[:, 2] += follow.back
    return _assembled(shape, flat, front, rear, height_m, tile, texture)


def _halves(solid: Floats, field: HeightField, thickness: float, back_thickness: float) -> tuple[Floats, Floats]:
    front, rear = solid.copy(), solid.copy()
    front[:, 2] *= thickness
    rear[:, 2] *= -thickness * back_thickness
    return front, rear


def _assembled(
    shape: Silhouette, flat: Planar, front: Floats, rear: Floats, height_m: float, tile: Tile, texture: Image
) -> Mesh:
    scale = height_m / float(shape.upper[1] - shape.lower[1])
    deep = np.concatenate([front[:, 2], rear[:, 2]])
    middle = np.array([(shape.lower[0] + shape.upper[0]) / 2, shape.upper[1], (deep.min() + deep.max()) / 2])
    turn = np.array([scale, -scale, scale])
    vertices, faces = closed((front - middle) * turn, (rear - middle) * turn, flat.faces[:, ::-1])
    uv = np.concatenate([tile.uv(front[:, :2], back=False), tile.uv(rear[:, :2], back=True)])
    material = Material(name="inflated", base_colour=texture, roughness_factor=0.7)
    bare = Mesh.of(vertices, faces)
    normals = smooth_normals(bare.vertices, bare.faces)
    return replace(bare, normals=normals, uv=uv.astype(np.float32), material=material, name="inflated")
