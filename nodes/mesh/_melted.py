"""Bodies of one mesh that run through each other, as a step of Repair: one body, without the faces inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import Mesh, Run
from nodes.mesh._bodies import as_one, pieces_of
from nodes.mesh._mended import mended
from nodes.mesh._repairing import Job, mend
from nodes.mesh._stock import stocked
from nodes.mesh._topology import weld_bits, weld_points

Array = NDArray[Any]


def melted(job: Job, mesh: Mesh, untangle: bool) -> Mesh:
    """The mesh with its bodies united: each connected surface is one, or where it looks inward a hollow of the body
    around it. ``untangle``: folds that still cross then are taken out, which before would have cut bodies apart."""
    run = job.run
    run.progress(0.93, "bodies")
    stock = stocked([mesh])
    pieces = pieces_of(stock.body(0))
    if pieces is None:
        run.warn("Bodies were not united: that needs a mesh that is closed everywhere.")
    else:
        body, job.done["bodies united"] = as_one(run, pieces)
        mesh = stock.mesh(body) if job.done["bodies united"] else mesh
    after = Job(Run(stop=run.stop), 0.0, 0.0, 0.0, 0, remove=False, outward=False, untangle=untangle)
    sheet = mend(mesh, after)
    job.pairs_left = after.pairs_left
    job.done["crossing pairs of faces mended"] = after.done.get("crossing pairs of faces mended", 0)
    return mended(mesh, sheet) if after.changes else mesh


def alike(one: Mesh, other: Mesh) -> int:
    """Faces that both meshes have, with the same corners in the same turn."""
    place = weld_points(np.concatenate([one.vertices, other.vertices])).ids
    corner = place[np.concatenate([one.faces, other.faces + len(one.vertices)])]
    turn = (corner.argmin(axis=1)[:, None] + np.arange(3)) % 3
    name = weld_bits(np.take_along_axis(corner, turn, axis=1)).ids
    return len(np.intersect1d(name[: len(one.faces)], name[len(one.faces) :]))
