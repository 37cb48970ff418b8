"""Bake maps of a mesh's shape as pictures: those that a material has no place for, and the others too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from app.engine import BadInput, Image, Mesh, Report, Run, Setting, Slider, node
from nodes.texture._bake_words import Empty, Fine, Search, Wish

if TYPE_CHECKING:
    from nodes.texture._samples import Order, Receiver

NAMED = {"occlusion": "ambient", "height": "relief", "texture": "picture"}


class BakedMaps(NamedTuple):
    """Pictures of the maps that are on, grey data unless it says otherwise; the rest stays empty.

    ``normal``: tangent space, OpenGL +Y. ``object_normal``: x, y, z from -1..1 to 0..1. ``bent_normal``: mean open
    direction, as either. ``ids``, ``vertex_colour``: sRGB. ``texture``: as the picture given. ``cage``: the target
    where the rays start.
    """

    normal: Image | None
    object_normal: Image | None
    occlusion: Image | None
    bent_normal: Image | None
    curvature: Image | None
    height: Image | None
    position: Image | None
    thickness: Image | None
    cavity: Image | None
    ids: Image | None
    vertex_colour: Image | None
    texture: Image | None
    cage: Mesh
    report: Report


@node("texture.bake_maps", title="Bake maps", group="Bake and project", version=2)
def bake_maps(
    run: Run,
    target: Mesh,
    source: Mesh | None = None,
    cage: Mesh | None = None,
    picture: Image | None = None,
    size: Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the square pictures.")] = 1024,
    normal: Annotated[bool, Setting(help="The source's shape as a normal map in tangent space.")] = False,
    object_normal: Annotated[bool, Setting(help="The source's normals in the axes of the object.")] = True,
    occlusion: Annotated[bool, Setting(help="How much open sky each point sees.")] = False,
    bent_normal: Annotated[bool, Setting(help="In which direction the sky is open, in the mean.")] = True,
    curvature: Annotated[bool, Setting(help="Grey is flat, white bulges out, black bulges in.")] = True,
    height: Annotated[bool, Setting(help="The distance to the source: grey is none, white outward.")] = False,
    position: Annotated[
        bool, Setting(help="The place in the box around the source, x, y, z as red, green, blue.")
    ] = True,
    thickness: Annotated[bool, Setting(help="How deep the body is below each point: white is thick.")] = True,
    cavity: Annotated[bool, Setting(help="Crevices are dark, everything else is white.")] = True,
    ids: Annotated[
        bool, Setting(label="Material ids", help="Each face group in a colour of its own, else each connected part.")
    ] = True,
    vertex_colour: Annotated[bool, Setting(help="The colours of the source's vertices alone.")] = False,
    max_distance: Annotated[
        float,
        Slider(0, 50, step=0.1, unit="% of size", help="How far the source may lie from the target. 0: measured."),
    ] = 0.0,
    search: Annotated[
        Search, Setting(help="The nearest surface along the normal, or the first one met from the cage.")
    ] = "nearest, both ways",
    antialias: Annotated[Fine, Setting(help="Samples per texel.")] = "4 samples",
    margin: Annotated[int, Slider(0, 256, unit="px", help="Values carried beyond the charts against seams.")] = 16,
    empty_area: Annotated[
        Empty, Setting(help="Beyond the margin: values that keep each mip level free of seams, or one.", advanced=True)
    ] = "push-pull",
    rays: Annotated[int, Slider(4, 1024, log=True, help="Rays per texel of the maps that send some.")] = 64,
    occlusion_distance: Annotated[
        float, Slider(0, 100, unit="% of size", help="Occlusion, bent normal: how far rays look. 0: any.")
    ] = 0.0,
    cavity_distance: Annotated[
        float, Slider(0.1, 20, log=True, unit="% of size", help="Cavity: how far rays look for the other side.")
    ] = 2.0,
    thickest: Annotated[
        float, Slider(0.1, 100, log=True, unit="% of size", help="Thickness that is white; more is white too.")
    ] = 10.0,
    curvature_radius: Annotated[
        float,
        Slider(0.1, 100, log=True, unit="% of size", help="Radius of a ball that is just white; 2x is light grey."),
    ] = 5.0,
    curvature_smoothing: Annotated[
        int, Slider(0, 50, unit="steps", help="Blur of the curvature over the source, against noise.")
    ] = 1,
    bent_space: Annotated[
        Literal["tangent", "object"], Setting(help="Axes of the bent normal.", advanced=True)
    ] = "tangent",
    tile: Annotated[
        int, Slider(1001, 1100, help="UDIM tile of the target that the pictures show; 1001 is the unit square.")
    ] = 1001,
) -> BakedMaps:
    """Maps of a mesh's shape as pictures, for materials, masks and painting.

    From a detailed `source` to the UVs of `target`; without a source, of the target itself. `picture` is any texture
    over the source's UVs, brought over to the target's. `cage` is the target with its vertices moved outward by hand.
    The report holds the numbers that turn the pictures back into metres.
    """
    from nodes.texture._bake_setup import Finish, check_memory, checked, linear_pixels, pictures_of, prepare, receiver
    from nodes.texture._baking import bake_bands
    from nodes.texture._surface import surface_of

    wanted = {
        "normal": normal, "object_normal": object_normal, "occlusion": occlusion, "bent_normal": bent_normal,
        "curvature": curvature, "height": height, "position": position, "thickness": thickness, "cavity": cavity,
        "ids": ids, "vertex_colour": vertex_colour, "texture": picture is not None,
    }  # fmt: skip
    run.progress(0, "checking")
    source = target if source is None else source
    _check(run, source, wanted)
    given = checked(run, source, target, cage, tile)
    maps = tuple(NAMED.get(name, name) for name, on in wanted.items() if on)
    check_memory(size, len(maps))
    run.progress(0.02, "preparing the source")
    surface = surface_of(source)
    wish = Wish(
        size, antialias, max_distance, search, rays, occlusion_distance, cavity_distance, thickest, curvature_radius,
        curvature_smoothing, bent_space == "tangent",
    )  # fmt: skip
    order = prepare(surface, given, cage, maps, wish)
    if picture is not None:
        order = replace(order, picture=linear_pixels(picture))
    made = receiver(given, cage, order, wish)
    baked = bake_bands(run, surface, made, order)
    lost, groups = baked.lost, 0 if order.group is None else int(order.group.max()) + 1
    srgb = ("vertex_colour", "picture") if picture is not None and picture.space == "srgb" else ("vertex_colour",)
    pictures: dict[str, Any] = pictures_of(run, baked, Finish(margin, empty_area, srgb), groups)
    out = {name: pictures.get(NAMED.get(name, name)) for name in wanted}
    return BakedMaps(**out, cage=replace(_cage(made, order), uv=target.uv), report=_report(source, order, lost, groups))


def _check(run: Run, source: Mesh, wanted: dict[str, bool]) -> None:
    if not any(wanted.values()):
        raise BadInput("There is nothing to bake: every map is off.", "Turn on a map, or connect a picture.")
    if wanted["texture"] and source.uv is None:
        raise BadInput("The picture has no place on a source without UVs.", "Connect a source with UVs.")
    if wanted["vertex_colour"] and source.colours is None:
        run.warn("The source has no vertex colours; that map is white.")


def _cage(receiver: Receiver, order: Order) -> Mesh:
    """The target where its rays start: the cage, or at the reach along the smoothed normals."""
    import numpy as np

    mesh = receiver.mesh
    at = mesh.vertices + receiver.rays * np.float32(order.reach)
    if receiver.cage is not None:
        at = at.copy()
        at[mesh.faces.ravel()] = receiver.cage
    return Mesh.of(at, mesh.faces, uv=mesh.uv, name="cage")


def _report(source: Mesh, order: Order, lost: float, groups: int) -> Report:
    """How to read the pictures back; lengths in metres."""
    low, high = (", ".join(f"{x:.9g}" for x in corner) for corner in source.bounds)
    rows: list[tuple[str, str | int | float | bool]] = [
        ("height_of_white", order.reach),
        ("position_of_black", low),
        ("position_of_white", high),
        ("curvature_of_white", 1 / order.radius),
        ("face_groups", groups),
        ("found_by_nearest_point", lost),
    ]
    if order.sky is not None:
        rows += [("thickness_of_white", order.sky.deep), ("cavity_distance", order.sky.near), ("rays", order.sky.rays)]
    verdict = f"Everything lay within {order.reach:.3g} m."
    if lost > 0:
        verdict = f"{lost:.1%} of the samples found nothing within {order.reach:.3g} m and took the nearest point."
    return Report("Bake maps", tuple(rows), verdict)
