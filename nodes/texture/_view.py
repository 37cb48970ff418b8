"""Posed pictures made ready to be put back onto the mesh that they show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import BadInput, Image, Mesh, Views
from nodes.image._pixels import check_finite, resample, to_linear
from nodes.mesh._camera import reach
from nodes.mesh._render import Subject, render
from nodes.texture._texels import Texels

Array = NDArray[Any]
FINEST = 4096
SLACK = 0.004
MIXED = 1.5  # pixels within which a smooth outline and interpolation mix colours of two surfaces


class Seen(NamedTuple):
    """(K, 3) float32 linear colours; (K,) float32 0..1: how squarely a texel is seen, and whether it is at all."""

    colour: Array
    fit: Array
    clear: Array


@dataclass(frozen=True)
class View:
    """One picture: ``pixels`` (H, W, 4) linear, premultiplied. ``near``, ``rim``: as :mod:`_lens` wants them."""

    pixels: Array
    centre: Array
    turn: Array
    finer: float
    slack: float
    near: Array
    rim: Array

    def look(self, texels: Texels, flat: Array, limit: float, both: bool) -> Seen:
        """What this view shows of each texel. ``flat``: (M, 3) unit face normals. ``limit``: least cosine."""
        from nodes.texture._lens import sight
        from nodes.texture._loops import look_up

        count = len(texels.face)
        spot, fit, clear = np.full((count, 2), -1.0), np.empty(count), np.empty(count)
        sight(
            texels.points, texels.normals, flat[texels.face], self.centre, self.turn, np.linalg.inv(self.turn),
            self.finer, self.slack, limit, both, self.near, self.rim, spot, fit, clear,
        )  # fmt: skip
        height, width = self.pixels.shape[:2]
        edge = np.array([0.5, 0.5]), np.array([width - 0.5, height - 0.5])
        inside = np.clip(spot * (width / (self.near.shape[1] / self.finer)), *edge) / (width, height)
        inside[:, 1] = 1 - inside[:, 1]
        found = look_up(self.pixels, inside)
        cover = found[:, 3]
        colour = found[:, :3] / np.maximum(cover, 1e-6)[:, None]
        return Seen(colour, fit.astype(np.float32), (clear * cover).astype(np.float32))


def flat_normals(mesh: Mesh) -> Array:
    """(M, 3) unit face normals, 0 for faces without area."""
    from nodes.mesh._topology import face_vectors

    vectors = face_vectors(mesh.vertices, mesh.faces)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30))


def pictures_for(views: Views, picture: Image | None, bundle: tuple[Image, ...]) -> tuple[Image, ...]:
    """The picture of each view: those of the bundle, or the one linked, or its own. Raises :class:`BadInput`."""
    count = len(views.images)
    if not count:
        raise BadInput("There are no views.", "Link the views of Control from mesh, or of Gather views.")
    given = (picture, *bundle) if picture is not None else bundle
    if not given:
        given = views.images
    if len(given) != count:
        raise BadInput(
            f"There are {len(given)} pictures for {count} views.", "Link one picture for each view, in the same order."
        )
    for number, (image, own) in enumerate(zip(given, views.images, strict=True), 1):
        check_finite(image.pixels, f"Picture {number}")
        ratio = image.size[0] / image.size[1] * own.size[1] / own.size[0]
        if not 0.98 < ratio < 1.02:
            raise BadInput(
                f"Picture {number} is {image.size[0]} x {image.size[1]} pixels and its view "
                f"{own.size[0]} x {own.size[1]}: their shapes differ.",
                "Make the picture in the shape of the view.",
            )
    return given


def views_of(ready: Subject, views: Views, pictures: tuple[Image, ...], border: float, size: int) -> Iterator[View]:
    """Each view made ready. ``border``: pixels along outlines in which it counts less. ``size``: of the texture."""
    for image, own, intrinsics, pose in zip(pictures, views.images, views.intrinsics, views.poses, strict=True):
        if not (intrinsics[0, 0] > 0 and intrinsics[1, 1] > 0 and abs(np.linalg.det(pose[:3, :3]) - 1) < 0.01):
            raise BadInput("A view has no valid camera.", "Mend the step that made it.")
        yield _view(ready, image, own.size, intrinsics.astype(np.float64), pose.astype(np.float64), border, size)


def _view(
    ready: Subject, image: Image, own: tuple[int, int], intrinsics: Array, pose: Array, border: float, size: int
) -> View:
    finer = float(np.clip(size / max(own), 2, max(1, FINEST / max(own))))
    large = (round(own[0] * finer), round(own[1] * finer))
    scale = np.array([[large[0] / own[0]], [large[1] / own[1]], [1.0]])
    seen = render(ready, pose, intrinsics * scale, large, finer=0)
    depth, extent = seen.depth, reach(ready.mesh)
    turn = np.ascontiguousarray(pose[:3, :3] * (1, -1, -1) @ intrinsics.T)
    placed = (ready.mesh.vertices.astype(np.float64) - pose[:3, 3]) @ turn
    step = _pixels_a_texel(ready, seen.face, placed * (image.size[0] / own[0], image.size[1] / own[1], 1), size)
    reduced = (max(1, image.size[0] // step), max(1, image.size[1] // step))
    return View(
        pixels=resample(_light(image), reduced),
        centre=pose[:3, 3],
        turn=turn,
        finer=large[0] / own[0],
        slack=SLACK * extent,
        near=np.ascontiguousarray(np.nan_to_num(1 / depth, nan=0.0), np.float64),
        rim=_rim(depth, MIXED * step * large[0] / image.size[0], border * large[0] / own[0], 4 * SLACK * extent),
    )


def _light(image: Image) -> Array:
    """(H, W, 4) float32 linear, premultiplied."""
    alpha = np.clip(image.pixels[..., 3:], 0, 1)
    colours = to_linear(image.rgb) if image.space == "srgb" else image.rgb
    return np.ascontiguousarray(np.concatenate([colours * alpha, alpha], axis=-1), np.float32)


def _rim(depth: Array, lead: float, border: float, jump: float) -> Array:
    """(h, w) float64 0..1: 0 up to ``lead`` samples from outlines, inner ones included, then rising over ``border``.

    Along a flat surface one over the depth is linear in the picture, so its second difference finds jumps alone.
    """
    import cv2

    near = np.nan_to_num(1 / depth.astype(np.float64), nan=0.0)
    whole = np.isfinite(depth)
    for axis in (0, 1):
        bend = np.abs(np.diff(near, 2, axis=axis)) if near.shape[axis] > 2 else np.zeros((0, 0))
        inner = whole[1:-1] if axis == 0 else whole[:, 1:-1]
        middle = near[1:-1] if axis == 0 else near[:, 1:-1]
        if bend.size:
            inner &= bend <= jump * middle * middle
    framed = np.pad(whole.astype(np.uint8), 1)
    away = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    return np.asarray(np.clip((away.astype(np.float64) - lead) / max(border, 0.5), 0, 1))


def _pixels_a_texel(ready: Subject, face: Array, placed: Array, size: int) -> int:
    """A power of two: pixels that the median texel spans along a side, from the areas of the faces that are seen."""
    mesh = ready.mesh
    assert mesh.uv is not None
    corners = mesh.faces[np.unique(face[face >= 0])]
    if not len(corners):
        return 1
    flat = placed[:, :2] / np.maximum(placed[:, 2:], 1e-9)
    here, there = _area(flat[corners]), _area(mesh.uv[corners].astype(np.float64)) * size**2
    good = (here > 0) & (there > 0)
    if not good.any():
        return 1
    return int(2 ** max(0, np.floor(np.log2(np.sqrt(np.median(here[good] / there[good]))) + 0.5)))


def _area(corners: Array) -> Array:
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2)
