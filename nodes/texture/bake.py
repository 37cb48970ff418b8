"""Bring colour and detail of one mesh onto another as textures."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from app.engine import BadInput, Image, Material, Mesh, Run, Setting, Slider, node
from nodes.texture._bake_words import Empty, Fine, Search, Wish

NAMED = {"ambient": "occlusion", "relief": "height"}


@node("texture.bake", title="Bake", group="Bake and project", version=3)
def bake(
    run: Run,
    source: Mesh,
    target: Mesh,
    size: Annotated[int, Slider(64, 8192, log=True, unit="px", help="Side of the square textures.")] = 1024,
    normal_map: Annotated[bool, Setting(help="Bake the source's shape as a tangent-space normal map.")] = True,
    ambient_occlusion: Annotated[bool, Setting(help="Bake how much open sky each point of the source sees.")] = False,
    height: Annotated[bool, Setting(help="Bake the distance to the source: grey is none, white outward.")] = False,
    max_distance: Annotated[
        float,
        Slider(0, 50, step=0.1, unit="% of size", help="How far the source may lie from the target. 0: measured."),
    ] = 0.0,
    antialias: Annotated[Fine, Setting(help="Samples per texel.")] = "4 samples",
    margin: Annotated[int, Slider(0, 256, unit="px", help="Colour carried beyond the charts against seams.")] = 16,
    rays: Annotated[int, Slider(4, 1024, log=True, help="Ambient occlusion: rays per texel.", advanced=True)] = 64,
    occlusion_distance: Annotated[
        float, Slider(0, 100, unit="% of size", help="Ambient occlusion: how far rays look. 0: any.", advanced=True)
    ] = 0.0,
    search: Annotated[
        Search, Setting(help="The nearest surface along the normal, or the first one met from the cage.", advanced=True)
    ] = "nearest, both ways",
    empty_area: Annotated[
        Empty, Setting(help="Beyond the margin: colours that keep each mip level free of seams, or one.", advanced=True)
    ] = "push-pull",
    cage: Mesh | None = None,
) -> Mesh:
    """Textures on the target from the colours and the shape of the source.

    `source` is the detailed mesh, with textures or vertex colours; `target` is the reduced one, with UVs. Colour, other
    maps of the source's material, its shape as a normal map, and on wish ambient occlusion and height are baked. Link
    one mesh to both to bake it to itself. `cage` is the target with its vertices moved outward by hand: rays then start
    on it, go through the target and as far again. What a material has no place for bakes the step Bake maps.
    """
    from nodes.texture._bake_setup import Finish, check_memory, checked, pictures_of, prepare, receiver
    from nodes.texture._baking import bake_bands
    from nodes.texture._surface import surface_of

    run.progress(0, "checking")
    target = checked(run, source, target, cage)
    run.progress(0.02, "preparing the source")
    surface = surface_of(source)
    maps = _maps(surface, {"normal": normal_map, "ambient": ambient_occlusion, "relief": height})
    check_memory(size, len(maps))
    wish = Wish(size, antialias, max_distance, search, rays, occlusion_distance)
    order = prepare(surface, target, cage, maps, wish)
    baked = bake_bands(run, surface, receiver(target, cage, order, wish), order)
    warn_of_lost(run, baked.lost, order.reach)
    pictures = pictures_of(run, baked, Finish(margin, empty_area))
    named = {NAMED.get(name, name): picture for name, picture in pictures.items()}
    return replace(target, material=_material(source, named), colours=None)


def warn_of_lost(run: Run, lost: float, reach: float) -> None:
    """A remark when more than 2 % of the samples found nothing along their ray."""
    if lost > 0.02:
        run.warn(f"{lost:.0%} of the texels found nothing within {reach:.3g} m and took the nearest point instead.")


def _maps(surface: Any, wanted: dict[str, bool]) -> tuple[str, ...]:
    own = [name for name in surface.textures if name not in ("normal", "base_colour", "height")]
    if surface.colours is not None or "base_colour" in surface.textures:
        own.insert(0, "base_colour")
    if wanted["ambient"] and "occlusion" in own:
        own.remove("occlusion")
    names = (*own, *(name for name, on in wanted.items() if on))
    if not names:
        raise BadInput(
            "There is nothing to bake: the source has no textures or colours and every other map is off.",
            "Turn on the normal map, or connect a source with textures.",
        )
    return names


def _material(source: Mesh, pictures: dict[str, Image]) -> Material:
    """The source's material with the baked maps; factors that were baked in are neutral."""
    was = source.material or Material(name="baked")
    changes: dict[str, Any] = dict(pictures)
    if "base_colour" in pictures:
        changes["base_factor"] = (1.0, 1.0, 1.0, 1.0)
    return replace(was.bare(), **changes)
