"""Levels of detail for a game engine."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from app.engine import BadParam, Mesh, Report, Run, Setting, Slider, node
from nodes.mesh._camera import reach
from nodes.mesh._checks import need_size, need_sound
from nodes.mesh._reduce import Keep, reduced
from nodes.mesh._screen import Screen

if TYPE_CHECKING:
    from nodes.mesh._within import Apart, Gauge

By = Literal["ratio", "triangles", "screen error"]
Rows = list[tuple[str, str | int | float | bool]]
MOST, FEWEST = 6, 4


class Chain(NamedTuple):
    """Levels from fine to coarse; those that were not asked for stay empty."""

    lod0: Mesh
    lod1: Mesh | None
    lod2: Mesh | None
    lod3: Mesh | None
    lod4: Mesh | None
    lod5: Mesh | None
    report: Report


@node("mesh.lod_chain", title="LOD chain", group="Reduce and remesh", version=2)
def lod_chain(
    run: Run,
    mesh: Mesh,
    by: Annotated[
        By,
        Setting(help="Each level a share of the one before, by counts, or as coarse as its size on screen allows."),
    ] = "ratio",
    levels: Annotated[int, Slider(2, MOST, help="With the mesh itself, LOD0; for ratio and screen error.")] = 4,
    ratio: Annotated[float, Slider(0.05, 0.95, help="Triangles of a level per triangle of the one before.")] = 0.5,
    triangles: Annotated[str, Setting(help="Counts for LOD1, LOD2 and so on.")] = "20000, 5000, 1000",
    pixel_error: Annotated[
        float, Slider(0.1, 20, log=True, unit="px", help="A level takes over where its error looks no larger.")
    ] = 1.0,
    screen_height: Annotated[int, Slider(240, 8640, log=True, unit="px", help="Of the screen it is shown on.")] = 1080,
    fov: Annotated[
        float, Slider(10, 120, unit="°", help="Of the game's camera, from the lower to the upper border.")
    ] = 60,
    first_switch: Annotated[
        float,
        Slider(
            0.02, 1, log=True, unit="of height", help="For screen error: LOD1 from this size on screen, LOD2 from half."
        ),
    ] = 0.5,
    fade: Annotated[float, Slider(0, 0.5, step=0.01, help="Cross-fade, as a share of the switch distance.")] = 0.1,
    keep_uv: Annotated[bool, Setting(label="Keep UVs", help="Textures stay in place on every level.")] = True,
    name: Annotated[str, Setting(help="Names become name_LOD0 and so on. Empty: the mesh's own.")] = "",
) -> Chain:
    """Levels of detail, each made from the one before, with errors and switch distances.

    Levels are called `name_LOD0`, `name_LOD1` and so on, as Unity, Unreal and Godot importers expect. The report tells
    for each level how far it is from LOD0, and from which distance and screen size on that is at most `pixel_error`.
    """
    run.progress(0.0, "checking")
    need_sound(mesh)
    need_size(mesh)
    from nodes.mesh._within import Apart, Gauge

    screen, keep = Screen(screen_height, fov, pixel_error), Keep(uv=keep_uv)
    task = _Task(run, Gauge(mesh), screen, keep, reach(mesh))
    chain = [(mesh, Apart(0.0, 0.0))]
    wanted = _counts(triangles) if by == "triangles" else [0] * (levels - 1)
    for step, count in enumerate(wanted):
        run.progress(0.05 + 0.95 * step / len(wanted), f"LOD{step + 1}")
        last = chain[-1][0]
        if by == "screen error":
            level = task.seen_at(last, first_switch / 2**step)
        else:
            level = task.counted(last, count or max(FEWEST, round(ratio * len(last.faces))))
        if len(level[0].faces) >= len(last.faces):
            run.warn(f"LOD{step + 1} would be no coarser than LOD{step}: the chain ends there.")
            break
        chain.append(level)
    return _named(chain, task, name or re.sub(r"_LOD\d+$", "", mesh.name), fade)


def _counts(text: str) -> list[int]:
    counts = [int(found) for found in re.findall(r"\d+", re.sub(r"(?<=\d)[_'](?=\d{3}\b)", "", text))]
    if not 1 <= len(counts) <= MOST - 1 or min(counts) < FEWEST or counts != sorted(counts, reverse=True):
        raise BadParam(
            f"{text!r} are not counts of triangles for LOD1 to LOD{MOST - 1}.",
            "Write up to five falling numbers of at least 4, such as 20000, 5000, 1000.",
        )
    return counts


@dataclass(frozen=True)
class _Task:
    """What every level needs. ``radius``: of the sphere around the mesh, metres."""

    run: Run
    gauge: Gauge
    screen: Screen
    keep: Keep
    radius: float

    def counted(self, mesh: Mesh, count: int) -> tuple[Mesh, Apart]:
        level = self.fewer(mesh, count)
        return level, self.gauge(level)

    def seen_at(self, mesh: Mesh, share: float) -> tuple[Mesh, Apart]:
        """As coarse as may be from a screen size on."""
        from nodes.mesh._within import within

        bound = self.screen.error(self.radius, share) / self.gauge.size
        return within(mesh, self.gauge, bound, self.fewer, lambda _: self.run.check())

    def fewer(self, mesh: Mesh, count: int) -> Mesh:
        if len(mesh.faces) <= count:
            return mesh
        return reduced(self.run, mesh, count, self.keep, lambda _: self.run.check())


def _named(chain: list[tuple[Mesh, Apart]], task: _Task, name: str, fade: float) -> Chain:
    meshes = [replace(mesh, name=f"{name}_LOD{k}") for k, (mesh, _) in enumerate(chain)]
    rows: Rows = [("bounding sphere (m)", 2 * task.radius)]
    distance = 0.0
    for k, (mesh, apart) in enumerate(chain):
        distance = max(distance, task.screen.distance(apart.most * task.gauge.size))
        rows += _rows(f"LOD{k}", mesh, apart, task, distance, fade)
    screen = task.screen
    told = (
        f"{len(chain)} levels from {len(chain[0][0].faces):,} to {len(chain[-1][0].faces):,} triangles; each is shown "
        f"where it is at most {screen.pixels:g} px off at {screen.height} px and {screen.fov:g}°."
    )
    rest = [meshes[k] if k < len(meshes) else None for k in range(1, MOST)]
    return Chain(meshes[0], rest[0], rest[1], rest[2], rest[3], rest[4], Report(f"Levels of {name}", tuple(rows), told))


def _rows(level: str, mesh: Mesh, apart: Apart, task: _Task, distance: float, fade: float) -> Rows:
    size = task.gauge.size
    return [
        (f"{level} triangles", len(mesh.faces)),
        (f"{level} mean error (m)", apart.mean * size),
        (f"{level} largest error (m)", apart.most * size),
        (f"{level} from (m)", distance),
        (f"{level} below screen size", task.screen.share(task.radius, distance)),
        (f"{level} faded in at (m)", distance * (1 + fade)),
    ]
