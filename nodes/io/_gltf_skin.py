"""Meshes on a skeleton (glTF 2.0, section 3.7.3), bent as the joints of the file stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.engine import BadFile
from nodes.io._gltf_data import AGAIN, DAMAGED, Array, Document
from nodes.io._gltf_nodes import Placed
from nodes.io._gltf_primitive import Bend


class Pose:
    """Where every node stands in the world."""

    def __init__(self, document: Document, nodes: Sequence[Placed]) -> None:
        self._document = document
        worlds: list[Array] = []
        for node in nodes:
            worlds.append(node.matrix if node.parent < 0 else worlds[node.parent] @ node.matrix)
        self._worlds = {node.number: world for node, world in zip(nodes, worlds, strict=True)}

    def bend(self, skin: object) -> Bend:
        """What moves the vertices of a mesh with that skin into the world: linear blend skinning."""
        entry = self._document.item("skins", skin)
        joints = entry.get("joints", [])
        back = np.tile(np.eye(4), (len(joints), 1, 1))
        if "inverseBindMatrices" in entry:
            rows = self._document.accessor(entry["inverseBindMatrices"])
            if rows.shape[1] != 16 or len(rows) < len(joints):
                raise BadFile(f"{DAMAGED}: a skeleton has {len(rows)} matrices for {len(joints)} joints.", AGAIN)
            back = rows[: len(joints)].astype(np.float64).reshape(-1, 4, 4).transpose(0, 2, 1)
        worlds = np.array([self._worlds.get(joint, np.eye(4)) for joint in joints]).reshape(-1, 4, 4)
        return lambda arrays: _bent(arrays, worlds @ back)


def _bent(arrays: Mapping[str, Array], matrices: Array) -> tuple[Array, Array | None]:
    vertices, normals = arrays["POSITION"], arrays.get("NORMAL")
    if "JOINTS_0" not in arrays or "WEIGHTS_0" not in arrays or not len(matrices):
        return vertices, normals
    joints, weights = arrays["JOINTS_0"].astype(np.int64), arrays["WEIGHTS_0"].astype(np.float64)
    if len(joints) and int(joints.max()) >= len(matrices):
        raise BadFile(f"{DAMAGED}: vertices name joints that are not there.", AGAIN)
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-30)
    out, turned = np.zeros((len(vertices), 3)), np.zeros((len(vertices), 3))
    for k in range(4):
        chosen = matrices[joints[:, k]] * weights[:, k, None, None]
        out += np.einsum("nij,nj->ni", chosen[:, :3, :3], vertices) + chosen[:, :3, 3]
        if normals is not None:
            turned += np.einsum("nij,nj->ni", chosen[:, :3, :3], normals)
    if normals is None:
        return out, None
    return out, turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-30)
