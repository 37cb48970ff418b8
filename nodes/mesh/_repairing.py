"""The steps of Repair in their order, and what each of them changed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from app.engine import BadInput, Mesh, Run
from nodes.mesh import _holes as holes
from nodes.mesh import _mending as mending
from nodes.mesh._caps import without_caps
from nodes.mesh._mending import Sheet
from nodes.mesh._patch_uv import charted

QUIET = ("holes left open", "flat sheets left open")


@dataclass
class Job:
    """What to do, in shares of the size, and what was done. ``largest_hole``: None fills none.

    ``pairs_left``: crossing pairs of faces in the result, or None where they could not be counted.
    """

    run: Run
    weld: float
    snap: float
    smallest: float
    most: int
    remove: bool
    largest_hole: float | None = None
    outward: bool = True
    untangle: bool = True
    pairs_left: int | None = 0
    done: dict[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> dict[str, int]:
        return {what: count for what, count in self.done.items() if count and what not in QUIET}


def mend(mesh: Mesh, job: Job) -> Sheet:
    """Raises :class:`BadInput` when no face is usable."""
    done, run = job.done, job.run
    sheet, done["faces with invalid positions"], done["positions welded"], done["collapsed faces"] = mending.opened(
        mesh, job.weld
    )
    done["unused vertices"] = len(mesh.vertices) - len(np.unique(mesh.faces))
    _some(sheet)
    sheet = _seams(job, sheet)
    run.progress(0.15, "duplicates and fins")
    sheet = _counted(done, "duplicate faces", sheet, mending.without_duplicates(sheet))
    sheet, done["flat faces"] = without_caps(sheet)
    sheet = _counted(done, "fins", sheet, mending.without_fins(sheet))
    done["non-manifold faces removed"] = 0
    if job.remove:
        sheet = _counted(done, "non-manifold faces removed", sheet, mending.without_crowds(sheet))
    _some(sheet)
    run.progress(0.3, "winding")
    sheet, done["faces turned"], done["sides cut apart"] = mending.wound(sheet)
    sheet = uncrowded(done, sheet)
    run.progress(0.4, "small parts")
    sheet, done["small parts removed"] = mending.without_crumbs(sheet, job.smallest, job.most)
    sheet, done["touching vertices moved apart"] = mending.unstuck(sheet)
    if job.largest_hole is not None:
        run.progress(0.45, "holes")
        sheet, done["holes filled"], done["holes left open"] = holes.closed_up(sheet, job.largest_hole * sheet.extent)
        sheet, done["flat sheets left open"], undone = holes.without_flat(sheet)
        done["holes filled"] -= undone
    sheet = _untangled(job, sheet)
    return charted(mesh, _outward(job, sheet))


def _seams(job: Job, sheet: Sheet) -> Sheet:
    from nodes.mesh._seams import snapped

    joined = split = 0
    if job.snap > 0:
        job.run.progress(0.1, "open seams")
        sheet, joined, split = snapped(sheet, job.snap * sheet.extent)
    job.done["border vertices joined"], job.done["border edges split"] = joined, split
    return sheet


def _untangled(job: Job, sheet: Sheet) -> Sheet:
    from nodes.mesh._untangle import untangled

    if not job.untangle:
        return sheet
    sheet, before, after = untangled(sheet, lambda part: job.run.progress(0.55 + 0.35 * part, "self-intersections"))
    job.pairs_left = after
    job.done["crossing pairs of faces mended"] = 0 if before is None or after is None else before - after
    return sheet


def _outward(job: Job, sheet: Sheet) -> Sheet:
    from nodes.mesh._outlook import seen_outward

    closed = opened = 0
    if job.outward:
        job.run.progress(0.92, "inside and outside")
        sheet, closed = holes.outward(sheet)
        sheet, opened = seen_outward(sheet)
    job.done["parts turned outward"], job.done["open parts turned to be seen"] = closed, opened
    return sheet


def _some(sheet: Sheet) -> None:
    if not len(sheet.faces):
        raise BadInput(
            "No face of the mesh is usable: all have invalid or coinciding corners.",
            "Check the file that the mesh comes from, or weld less.",
        )


def _counted(done: dict[str, int], what: str, before: Sheet, after: Sheet) -> Sheet:
    done[what] = len(before.faces) - len(after.faces)
    return after


def uncrowded(done: dict[str, int], sheet: Sheet) -> Sheet:
    """Edges may still meet after the cut where a part touches itself twice; dropping faces opens new vertices."""
    for _ in range(4):
        fewer = mending.without_crowds(sheet)
        if len(fewer.faces) == len(sheet.faces):
            break
        done["fins"] += len(sheet.faces) - len(fewer.faces)
        sheet, _, _ = mending.wound(fewer)
    return sheet
