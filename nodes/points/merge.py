"""Several clouds as one."""

from __future__ import annotations

from app.engine import PointCloud, Run, node
from nodes.points._cloud import together


@node("points.merge", title="Merge points")
def merge(
    run: Run,
    first: PointCloud,
    second: PointCloud,
    third: PointCloud | None = None,
    fourth: PointCloud | None = None,
) -> PointCloud:
    """Several clouds as one, such as scans from several sides that already lie in place.

    Points without a colour become white where others have one. Normals are kept where every cloud has them.
    """
    run.progress(0.0, "merging")
    clouds = [cloud for cloud in (first, second, third, fourth) if cloud is not None and len(cloud.points)]
    has = [cloud.normals is not None for cloud in clouds]
    if any(has) and not all(has):
        run.warn("Not every cloud has normals, so the merged one has none.")
    return together(clouds or [first])
