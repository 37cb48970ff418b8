"""TripoSR: one cut-out picture to a mesh, by a network that has seen many objects from all sides."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from app.engine import Folder, Image, Mask, OpenFile, Run, Setting, Slider, node
from nodes.image_to_3d._triposr import build
from nodes.image_to_3d._triposr.build import MeshAndViews, Wish
from nodes.image_to_3d._triposr.load import CARD, SUFFIXES, Model, configs_beside
from nodes.image_to_3d._triposr.shape import Search

DEVICES = ("cpu", "cuda", "mps")

Checkpoint = Annotated[Model, Setting(help="Own folder, own file: another checkpoint with the layout of TripoSR.")]
ModelFolder = Annotated[
    Path, Folder(optional=True, help="For own folder: config.yaml with model.ckpt or .safetensors.")
]
ModelFile = Annotated[
    Path,
    OpenFile(suffixes=SUFFIXES, optional=True, companions=configs_beside,
             help="For own file: a checkpoint. A config.yaml beside it counts; without one, TripoSR's own sizes."),
]  # fmt: skip
Height = Annotated[float, Slider(0.01, 100, log=True, unit="m", label="Height")]
Grid = Annotated[int, Slider(32, 512, log=True, unit="cells", help="Cells along each side of the cube around it.")]
Threshold = Annotated[
    float, Slider(1, 100, log=True, help="Density at which the surface lies. Lower: thicker, and parts reappear.")
]
Foreground = Annotated[
    float, Slider(0.5, 1, help="Share of the picture that the object fills, as in training: 0.85.", advanced=True)
]
Around = Annotated[int, Slider(0, 36, unit="views", help="Pictures of the scene from around. Slow without a GPU.")]
ViewSize = Annotated[int, Slider(32, 512, unit="px", help="Side of each of these pictures.", advanced=True)]
QueryMemory = Annotated[
    int, Slider(16, 8192, log=True, unit="MB", help="Never more for one portion of points.", advanced=True)
]
Half = Annotated[bool, Setting(help="On a GPU: half the memory and faster, nearly the same surface.", advanced=True)]
Where = Annotated[
    Search,
    Setting(help="near: only around what a coarse grid shows. careful: around what one twice as fine shows. "
                 "everywhere: all cells; slow, and no loose crumb is missed.", advanced=True),
]  # fmt: skip


@node(
    "image_to_3d.triposr",
    title="TripoSR",
    licence="MIT",
    models=(CARD,),
    devices=DEVICES,
    vram_gb=3.0,
    cheaper={"grid": 128, "query_memory": 64},
)
def triposr(
    run: Run,
    image: Image,
    mask: Mask | None = None,
    model: Checkpoint = "TripoSR",
    folder: ModelFolder = Path(),
    file: ModelFile = Path(),
    height_m: Height = 1.0,
    grid: Grid = 256,
    threshold: Threshold = 25.0,
    views: Around = 0,
    view_size: ViewSize = 128,
    foreground: Foreground = 0.85,
    query_memory: QueryMemory = 256,
    half: Half = True,
) -> MeshAndViews:
    """A closed mesh with vertex colours from one cut-out picture, with a guess at the unseen sides (TripoSR).

    Every cell of the grid is looked at. Without a GPU that takes minutes, of which the network needs one or two:
    TripoSR light finds the same surface sooner. The object stands on the floor and faces +Z. Best for a single object
    seen from the front at eye level.
    """
    wish = Wish(
        model, folder, file, height_m, grid, threshold, foreground, "everywhere", views, view_size, query_memory, half
    )
    with build.built(run, image, mask, wish) as found:
        return build.coloured(run, found, wish)


@node(
    "image_to_3d.triposr_light",
    title="TripoSR light",
    licence="MIT",
    models=(CARD,),
    devices=DEVICES,
    vram_gb=3.0,
    cheaper={"grid": 64, "query_memory": 64},
)
def triposr_light(
    run: Run,
    image: Image,
    mask: Mask | None = None,
    model: Checkpoint = "TripoSR",
    folder: ModelFolder = Path(),
    file: ModelFile = Path(),
    height_m: Height = 1.0,
    grid: Grid = 128,
    threshold: Threshold = 25.0,
    picture: Annotated[
        int, Slider(128, 512, unit="px", help="The network looks at this size. Below 512: quicker, less true.")
    ] = 512,
    search: Where = "near",
    views: Around = 0,
    view_size: ViewSize = 128,
    foreground: Foreground = 0.85,
    query_memory: QueryMemory = 256,
    half: Half = True,
) -> MeshAndViews:
    """TripoSR for machines without a GPU: only cells near the surface are looked at.

    A coarse grid shows where the surface is, and from there it is followed until it closes, so the result is always
    closed. Only a separate piece, or a closed hollow inside, that is smaller than a cell of the coarse grid can be
    missed; `search` decides how coarse that is. On two processor cores the network takes one to two minutes.
    """
    wish = Wish(
        model,
        folder,
        file,
        height_m,
        grid,
        threshold,
        foreground,
        search,
        views,
        view_size,
        query_memory,
        half,
        picture,
    )
    with build.built(run, image, mask, wish) as found:
        return build.coloured(run, found, wish)


@node(
    "image_to_3d.triposr_textured",
    title="TripoSR textured",
    licence="MIT",
    models=(CARD,),
    devices=DEVICES,
    vram_gb=3.0,
    cheaper={"grid": 128, "query_memory": 64},
)
def triposr_textured(
    run: Run,
    image: Image,
    mask: Mask | None = None,
    model: Checkpoint = "TripoSR",
    folder: ModelFolder = Path(),
    file: ModelFile = Path(),
    height_m: Height = 1.0,
    grid: Grid = 256,
    threshold: Threshold = 25.0,
    faces: Annotated[
        int, Slider(500, 500_000, log=True, unit="triangles", help="The mesh is reduced to at most this many.")
    ] = 20_000,
    texture_size: Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the square texture.")] = 1024,
    charts: Annotated[
        Literal["fast", "box"], Setting(help="fast: parts of similar direction. box: six views along the axes.")
    ] = "fast",
    margin: Annotated[
        int, Slider(0, 256, unit="px", help="Colour carried beyond the charts against seams.", advanced=True)
    ] = 16,
    search: Where = "near",
    views: Around = 0,
    view_size: ViewSize = 128,
    foreground: Foreground = 0.85,
    query_memory: QueryMemory = 256,
    half: Half = True,
) -> MeshAndViews:
    """A reduced mesh with UVs and a base colour texture, painted straight from TripoSR's field of colour.

    Finer than vertex colours at few triangles. For normal, height and occlusion maps, too, connect TripoSR light as
    the source and this as the target of Bake.
    """
    wish = Wish(
        model, folder, file, height_m, grid, threshold, foreground, search, views, view_size, query_memory, half
    )
    with build.built(run, image, mask, wish) as found:
        mesh, standing = build.painted(run, found, faces, texture_size, charts, margin)
        return MeshAndViews(mesh, build.views(build.part(run, 0.95, 1), standing, wish))
