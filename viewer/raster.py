"""A software picture of a surface, points or Gaussians: no OpenGL, no Qt, safe to call from any thread."""

from __future__ import annotations

import numpy as np

from app.engine.payloads import Float32, Image, Material, Mesh, UInt8
from viewer.shown import Box, Dots, Gaussians, Scenery, Solid

GREY = np.array([0.80, 0.81, 0.83, 1.0], np.float32)
TURN, TILT = np.radians(32.0), np.radians(20.0)
SMOOTH_FACES = 150_000
MOST_FACES = 1_000_000
SAMPLE = 20_000
COVER = 1.7
"""How large points are drawn, times their spacing, so that no gaps are left."""
CLEAREST = 0.75
KEY = np.array([-0.42, 0.59, 0.69], np.float32)
FILL = np.array([0.84, -0.11, 0.53], np.float32)


def picture(shown: Scenery, width: int, height: int, finer: int = 2) -> UInt8:
    """(height, width, 4) uint8 RGBA, straight alpha, transparent background: a three-quarter view from the front.

    ``finer``: each pixel averages ``finer`` squared samples.
    """
    wide, high = width * finer, height * finer
    colour = _solid(shown, wide, high) if isinstance(shown, Solid) else _points(shown, wide, high)
    alpha = colour[..., 3:]
    weighted = np.concatenate([colour[..., :3] * alpha, alpha], axis=-1)
    mean = weighted.reshape(height, finer, width, finer, 4).mean(axis=(1, 3))
    mean[..., :3] /= np.maximum(mean[..., 3:], 1e-6)
    return as_bytes(mean)


def as_bytes(values: Float32) -> UInt8:
    """0..1 as 0..255, rounded; what lies outside is clipped."""
    out: UInt8 = (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
    return out


def _view() -> Float32:
    """(3, 3) rows: right, up and towards the viewer, in world axes."""
    cy, sy, cx, sx = np.cos(TURN), np.sin(TURN), np.cos(TILT), np.sin(TILT)
    return np.array([[cy, 0, -sy], [-sy * sx, cx, -cy * sx], [sy * cx, sx, cy * cx]], np.float32)


def _project(points: Float32, bounds: Box, width: int, height: int) -> Float32:
    """(N, 3) screen positions that fit ``bounds`` into the picture with a margin."""
    from viewer._kernels import project

    low, high = bounds
    view = _view()
    corners = np.array([[(low, high)[(i >> k) & 1][k] for k in range(3)] for i in range(8)], np.float32) @ view.T
    least, most = corners.min(axis=0), corners.max(axis=0)
    span = np.maximum(most - least, 1e-9)
    scale = 0.92 * min(width / span[0], height / span[1])
    flip = np.array([scale, -scale, scale], np.float32)
    offset = np.array([width / 2, height / 2, 0], np.float32) - flip * (least + most) / 2
    placed: Float32 = project(points, (view * flip[:, None]).astype(np.float32), offset.astype(np.float32))
    return placed


def _solid(shown: Solid, width: int, height: int) -> Float32:
    """Glass and the like is drawn over what stands behind it, once."""
    mesh = shown.mesh
    screen = _project(mesh.vertices, shown.bounds, width, height)
    clear = _clear_faces(shown)
    if clear is None:
        return _drawn(shown, screen, mesh.faces, width, height)[0]
    back, behind = _drawn(shown, screen, mesh.faces[~clear], width, height)
    front, before = _drawn(shown, screen, mesh.faces[clear], width, height)
    share = np.where(before > behind, front[..., 3], 0)[..., None]
    alpha = share + back[..., 3:] * (1 - share)
    mixed = front[..., :3] * share + back[..., :3] * back[..., 3:] * (1 - share)
    return np.concatenate([mixed / np.maximum(alpha, 1e-6), alpha], axis=-1)


def _clear_faces(shown: Solid) -> np.ndarray | None:
    """(M,) which faces are seen through, or None where that is so of none or all."""
    clear = [m is not None and (m.alpha_mode == "blend" or opacity_of(m) < 1) for m in map(_material, shown.surfaces)]
    if all(clear) or not any(clear):
        return None
    ends = np.cumsum([len(piece.vertices) for piece in shown.surfaces])
    return np.array(clear)[np.searchsorted(ends, shown.mesh.faces[:, 0], "right")]


def _material(mesh: Mesh) -> Material | None:
    return mesh.material


def _drawn(shown: Solid, screen: Float32, faces: np.ndarray, width: int, height: int) -> tuple[Float32, Float32]:
    """(H, W, 4) colours of some faces, and (H, W) how near they are, -inf where there is none."""
    from viewer._kernels import fill_triangles

    mesh, out = shown.mesh, np.zeros((height, width, 4), np.float32)
    near = np.full((height, width), -np.inf, np.float32)
    stride = -(-len(faces) // max(MOST_FACES, 2 * width * height)) or 1
    face_at, weights = fill_triangles(screen, np.ascontiguousarray(faces), width, height, stride)
    hit = face_at >= 0
    corners = faces[face_at[hit]]
    w1, w2 = weights[hit, 0:1], weights[hit, 1:2]
    mix = (1 - w1 - w2, w1, w2)
    base = _base_colours(shown, corners, mix)
    out[hit, :3] = _lit(base[:, :3], _normals(mesh, corners, mix))
    out[hit, 3] = base[:, 3]
    near[hit] = _mixed(screen[:, 2:], corners, mix)[:, 0]
    return out, near


def _base_colours(shown: Solid, corners: np.ndarray, mix: tuple[Float32, ...]) -> Float32:
    """(P, 4) sRGB and opacity of the surface before light, from the material of the piece that each pixel shows."""
    out, start = np.ones((len(corners), 4), np.float32), 0
    for piece in shown.surfaces:
        end = start + len(piece.vertices)
        mine = (corners[:, 0] >= start) & (corners[:, 0] < end)
        if mine.any():
            base = _base_colour(piece, corners[mine] - start, tuple(weights[mine] for weights in mix))
            out[mine, :3] = base[:, :3]
            out[mine, 3] = _opacity(base[:, 3], piece.material)
        start = end
    return out


def _normals(mesh: Mesh, corners: np.ndarray, mix: tuple[Float32, ...]) -> Float32:
    """(P, 3). Without normals of its own a fine mesh is shaded flat: its faces are smaller than a pixel."""
    from viewer._kernels import vertex_normals

    if mesh.normals is not None:
        return _mixed(mesh.normals, corners, mix)
    if len(mesh.faces) <= SMOOTH_FACES:
        return _mixed(vertex_normals(mesh.vertices, mesh.faces), corners, mix)
    a, b, c = (mesh.vertices[corners[:, k]] for k in range(3))
    flat: Float32 = np.cross(b - a, c - a)
    return flat


def _mixed(values: Float32, corners: np.ndarray, mix: tuple[Float32, ...]) -> Float32:
    first, second, third = (values[corners[:, k]] * mix[k] for k in range(3))
    total: Float32 = first + second + third
    return total


def _opacity(alpha: Float32, material: Material | None) -> Float32:
    if material is None:
        return np.ones_like(alpha)
    through = np.float32(opacity_of(material))
    if material.alpha_mode == "opaque":
        return np.full_like(alpha, through)
    return through * ((alpha >= material.alpha_cutoff).astype(np.float32) if material.alpha_mode == "mask" else alpha)


def opacity_of(material: Material) -> float:
    """1 for what no light goes through; glass is drawn mostly clear, so that some of it stays to be seen."""
    clear = dict(material.layers).get("transmission.transmissionFactor", 0.0)
    return 1 - CLEAREST * min(1.0, clear) if isinstance(clear, float) else 1.0


def _base_colour(mesh: Mesh, corners: np.ndarray, mix: tuple[Float32, ...]) -> Float32:
    """(P, 4) sRGB of the surface before light."""
    material = mesh.material
    if material is not None and material.base_colour is not None and mesh.uv is not None:
        return _texels(material.base_colour, _mixed(mesh.uv, corners, mix))
    if mesh.colours is not None:
        return _mixed(mesh.colours, corners, mix)
    base = GREY if material is None else encoded(material.base_factor)
    return np.broadcast_to(base, (len(corners), 4))


def encoded(factor: tuple[float, float, float, float]) -> Float32:
    """A linear RGBA factor as sRGB (IEC 61966-2-1)."""
    c = np.clip(np.array(factor, np.float32), 0, 1)
    shown = np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)
    shown[3] = c[3]
    return shown.astype(np.float32)


def _texels(image: Image, uv: Float32) -> Float32:
    height, width = image.pixels.shape[:2]
    uv = np.nan_to_num(uv)
    column = (np.floor(uv[:, 0] * width).astype(np.int64)) % width
    row = (np.floor((1 - uv[:, 1]) * height).astype(np.int64)) % height
    found: Float32 = image.pixels[row, column]
    return found


def _lit(base: Float32, normals: Float32) -> Float32:
    """Key, fill and rim light fixed to the viewer over a soft sky; back faces are lit like front faces."""
    n = normals @ _view().T
    n /= np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9)
    n *= np.where(n[:, 2:] < 0, -1, 1).astype(np.float32)
    sky = 0.38 + 0.12 * n[:, 1]
    light = sky + 0.58 * np.maximum(n @ KEY, 0) + 0.18 * np.maximum(n @ FILL, 0)
    rim = 0.20 * np.maximum(1 - n[:, 2], 0) ** 3
    lit: Float32 = base * light[:, None] + rim[:, None]
    return lit


def _points(shown: Dots | Gaussians, width: int, height: int) -> Float32:
    from viewer._kernels import fill_dots

    points, colours = _dots(shown)
    out = np.zeros((height, width, 4), np.float32)
    if not len(points):
        return out
    screen = _project(points, shown.bounds, width, height)
    radius = float(np.clip(COVER / 2 * spacing(screen), 0.5, width / 40))
    point_at = fill_dots(screen, width, height, radius)
    hit = point_at >= 0
    out[hit] = colours[point_at[hit]]
    out[hit, 3] = 1
    if isinstance(shown, Dots) and shown.cloud.normals is None:
        depth = np.where(hit, screen[point_at, 2], -np.inf)
        out[hit, :3] *= _open_sky(depth, max(1, round(radius)))[hit, None]
    return out


def spacing(points: Float32) -> float:
    """Metres from one point on a surface to the next, by the median distance to the fourth, which is about as long
    whether they lie at random or in rows; found for a part, and brought to the density of all."""
    from scipy.spatial import cKDTree

    some = points[:: -(-len(points) // SAMPLE)] if len(points) else points
    some = some[np.isfinite(some).all(axis=1)]
    if len(some) < 5:
        return 0.0
    near = np.asarray(cKDTree(some, balanced_tree=False).query(some, k=[5])[0])
    return float(np.median(near)) * float(np.sqrt(len(some) / len(points)))


def _open_sky(depth: Float32, step: int) -> Float32:
    """(H, W) 0..1: darker the more the eight pixels ``step`` away lie before one (eye-dome lighting, Boucheny 2009).

    ``depth``: in pixels, larger is nearer; -inf where nothing is.
    """
    before = np.zeros(depth.shape, np.float32)
    padded = np.pad(depth, step, constant_values=-np.inf)
    height, width = depth.shape
    near = np.where(np.isfinite(depth), depth, 0)
    for row, column in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2)):
        other = padded[row * step : row * step + height, column * step : column * step + width]
        before += np.maximum(other - near, 0) / 8
    shade: Float32 = np.exp(-before * np.float32(0.35 / step))
    return shade


def _dots(shown: Dots | Gaussians) -> tuple[Float32, Float32]:
    if isinstance(shown, Gaussians):
        solid = shown.splats.opacities > 0.1
        return shown.splats.means[solid], splat_colours(shown)[solid]
    cloud = shown.cloud
    colours = np.broadcast_to(GREY, (len(cloud.points), 4)) if cloud.colours is None else cloud.colours
    if cloud.normals is not None:
        colours = np.concatenate([_lit(colours[:, :3], cloud.normals), colours[:, 3:]], axis=1)
    return cloud.points, colours


def splat_colours(shown: Gaussians) -> Float32:
    """(N, 4): the direction-free colour of each Gaussian (first harmonic, Kerbl et al. 2023) and its opacity."""
    splats = shown.splats
    rgb = np.clip(0.5 + 0.28209479 * splats.harmonics[:, 0], 0, 1)
    colours: Float32 = np.concatenate([rgb, splats.opacities[:, None]], axis=1, dtype=np.float32)
    return colours
