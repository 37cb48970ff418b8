"""The stages from a picture to a mesh that all TripoSR nodes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from app.engine import Image, Mask, Mesh, Run, Views
from app.engine.placement import place
from nodes.image_to_3d._triposr import shape as shapes
from nodes.image_to_3d._triposr.load import Model, load, source_of
from nodes.image_to_3d._triposr.paint import textured
from nodes.image_to_3d._triposr.picture import ready
from nodes.image_to_3d._triposr.scene import Float32, Scene, Told, scene_of
from nodes.image_to_3d._triposr.shape import Frame, Search, Shape
from nodes.mesh.decimate import decimate
from nodes.mesh.unwrap import unwrap

FORWARD_GB = 1.0  # activations of the transformer at 512 pixels, 32 bits
TEXELS_PER_GAP = 256


class MeshAndViews(NamedTuple):
    mesh: Mesh
    views: Views


@dataclass(frozen=True)
class Wish:
    """What a person asked for; the nodes' parameters explain the fields. ``picture``: 0 for the network's own size."""

    model: Model
    folder: Path
    file: Path
    height_m: float
    grid: int
    threshold: float
    foreground: float
    search: Search
    views: int
    view_size: int
    query_memory: int
    half: bool
    picture: int = 0


@dataclass(frozen=True)
class Built:
    """A surface found in a scene, and how it stands in the world."""

    scene: Scene
    shape: Shape
    height_m: float
    frame: Frame

    @property
    def bare(self) -> Mesh:
        """The mesh in the world, without colours."""
        return Mesh.of(self.frame.world(self.shape.points), self.shape.faces, name="triposr")


def part(run: Run, start: float, end: float) -> Run:
    """A run whose progress 0..1 is ``start``..``end`` of this one's."""
    return replace(run, report=lambda done, note: run.progress(start + (end - start) * done, note), _last=0.0)


@contextmanager
def built(run: Run, image: Image, mask: Mask | None, wish: Wish) -> Iterator[Built]:
    """The network loaded, the scene computed and its surface found; progress up to 0.8."""
    run.progress(0, "loading the network")
    source = source_of(wish.model, wish.folder, wish.file)
    budget = wish.query_memory * 1_000_000
    placement = place(run, source.gigabytes, FORWARD_GB + budget / 1e9, wish.half)
    run.log.info(placement.words)
    name = f"triposr {source.digest} {placement.key}"
    loaded = partial(load, source, placement, run.check)
    with run.models.use(name, loaded, source.gigabytes, run.check) as network:
        side = _side(wish.picture, network.config.picture, network.config.vit.patch_size)
        picture = ready(run, image, mask, wish.foreground, side)
        scene = scene_of(network, picture, budget, _told(part(run, 0.05, 0.5), "looking at the picture"))
        sketch = shapes.sketch(scene, wish.threshold, wish.height_m, run.check)
        if sketch is not None:
            run.preview(sketch)
        told = _told(part(run, 0.5, 0.8), "finding the surface")
        shape = shapes.shape_of(scene, wish.grid, wish.threshold, wish.search, told)
        run.log.info("%s points asked for %s triangles", f"{shape.asked:,}", f"{len(shape.faces):,}")
        yield Built(scene, shape, wish.height_m, Frame.of(shape.points, wish.height_m))


def coloured(run: Run, found: Built, wish: Wish) -> MeshAndViews:
    """A mesh with vertex colours, and the views that were asked for; progress from 0.8."""
    mesh = shapes.mesh_of(found.scene, found.shape, found.frame, _told(part(run, 0.8, 0.85), "colours"))
    run.preview(mesh)
    return MeshAndViews(mesh, views(part(run, 0.85, 1), found, wish))


def painted(
    run: Run, found: Built, faces: int, size: int, charts: Literal["fast", "box"], margin: int
) -> tuple[Mesh, Built]:
    """A reduced mesh with UVs and a texture, and how it stands; progress from 0.8 to 0.95."""
    run.preview(found.bare)
    reduced = decimate(part(run, 0.8, 0.84), found.bare, faces, keep_uv=False)
    points = found.frame.field(reduced.vertices)
    found = replace(found, frame=Frame.of(points, found.height_m))
    reduced = replace(reduced, vertices=found.frame.world(points))
    flat = unwrap(part(run, 0.84, 0.88), reduced, size, padding=max(1, size // TEXELS_PER_GAP), method=charts)

    def colours(places: Float32, told: Told) -> Float32:
        return found.scene.colours(found.frame.field(places), told)

    return textured(flat, colours, size, margin, _told(part(run, 0.88, 0.95), "painting")), found


def views(run: Run, found: Built, wish: Wish) -> Views:
    return shapes.views_of(found.scene, found.frame, wish.views, wish.view_size, _told(run, "views"))


def _side(wanted: int, own: int, patch: int) -> int:
    """Pixels of the picture that the network looks at: a multiple of its patches, at most its own size."""
    return max(patch, min(wanted or own, own) // patch * patch)


def _told(run: Run, note: str) -> Told:
    return lambda done: run.progress(done, note)
