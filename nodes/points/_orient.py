"""One side for the normals of a cloud, handed on over a minimum spanning tree (Hoppe et al. 1992)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nodes.points._near import Told

Array = NDArray[Any]
LEAST = 1e-6
SIDES = 26


def estimated(points: Array, index: Array) -> Array:
    """(N, 3) float32 unit normals of planes through the neighbours ``index`` (N, K), on either side."""
    from nodes.points._planes import plane_normals

    out = np.empty((len(points), 3), np.float32)
    plane_normals(points, index, out)
    return out


def one_side(points: Array, normals: Array, index: Array, told: Told = lambda _: None) -> Array:
    """(N, 3) normals of which neighbours agree wherever they can, and which look outward at the rim of each part.

    ``index``: (N, K) neighbours. The tree runs where planes turn least: the cost of a step is 1 - |cosine|.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

    here = np.repeat(np.arange(len(points), dtype=np.int32), index.shape[1])
    there = index.ravel()
    apart = here != there
    here, there = here[apart], there[apart]
    told(0.1)
    cost = LEAST + 1 - np.minimum(np.abs(np.einsum("ij,ij->i", normals[here], normals[there])), 1)
    low, high = np.minimum(here, there), np.maximum(here, there)
    _, first = np.unique(low.astype(np.int64) * len(points) + high, return_index=True)
    told(0.4)
    graph = coo_array((cost[first].astype(np.float64), (low[first], high[first])), (len(points),) * 2).tocsr()
    tree = minimum_spanning_tree(graph)
    told(0.8)
    parts, label = connected_components(tree, directed=False)
    turned = _handed_on(tree, normals, parts, label)
    return _outward(points, turned, parts, label)


def _handed_on(tree: Any, normals: Array, parts: int, label: Array) -> Array:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order

    from nodes.points._planes import hand_on

    count = len(normals)
    starts = np.unique(label, return_index=True)[1]
    edges = tree.tocoo()
    rows = np.concatenate([edges.row, np.full(parts, count)])
    columns = np.concatenate([edges.col, starts])
    rooted = coo_array((np.ones(len(rows)), (rows, columns)), (count + 1, count + 1)).tocsr()
    order, before = breadth_first_order(rooted, count, directed=False)
    before = np.where(before == count, -1, before)
    turned = normals.copy()
    hand_on(order[1:], before, turned)
    return turned


def _outward(points: Array, normals: Array, parts: int, label: Array) -> Array:
    """Each part turned so that at its farthest points, seen from 26 sides, most normals look away from it."""
    vote = np.zeros(parts)
    for side in np.ndindex(3, 3, 3):
        way = np.array(side, np.float64) - 1
        if not way.any():
            continue
        way /= np.linalg.norm(way)
        reach = points @ way.astype(np.float32)
        order = np.lexsort((reach, label)) if parts > 1 else np.array([int(reach.argmax())])
        last = np.append(np.flatnonzero(np.diff(label[order])), len(order) - 1)
        vote += (normals[order[last]] @ way) if parts > 1 else normals[order] @ way
    return np.where((vote < 0)[label][:, None], -normals, normals)
