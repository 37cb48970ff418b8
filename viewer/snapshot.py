"""A picture of a result, made without a window."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np

from app.engine.errors import CannotWrite
from app.engine.payloads import Payload, UInt8
from viewer import gl
from viewer.adapters import adapt
from viewer.shown import Page, Picture, Scenery
from viewer.style import SKY_BOTTOM, SKY_TOP
from viewer.thumbnails import drawn

Drawn = Literal["opengl", "software"]


def snapshot(payload: Payload, path: Path, size: tuple[int, int] = (1024, 768)) -> Drawn:
    """Writes a PNG of ``payload``, ``size`` = (width, height) pixels, and says what drew it.

    3D results go through OpenGL where this machine has it without a display, else through the software rasteriser.
    Raises :class:`CannotWrite` when the file cannot be written.
    """
    from PIL import Image

    shown = adapt(payload)
    flat = isinstance(shown, Picture | Page)
    by: Drawn = "opengl" if not flat and gl.off_screen().works else "software"
    pixels = (
        _opengl(shown, size) if by == "opengl" and not isinstance(shown, Picture | Page) else _software(shown, size)
    )
    try:
        Image.fromarray(pixels).save(path, "PNG")
    except OSError as error:
        raise CannotWrite(f"The picture {path.name} cannot be written: {error}.", "Choose another folder.") from error
    return by


def _software(shown: Scenery | Picture | Page, size: tuple[int, int]) -> UInt8:
    """(H, W, 3): the drawing over the view's graded background."""
    width, height = size
    ink = drawn(shown, width, height).astype(np.float32)
    top, bottom = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)], np.float32) for c in (SKY_TOP, SKY_BOTTOM))
    fall = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    alpha = ink[..., 3:] / 255
    mixed: UInt8 = ((top * (1 - fall) + bottom * fall) * (1 - alpha) + ink[..., :3] * alpha + 0.5).astype(np.uint8)
    return mixed


def _opengl(shown: Scenery, size: tuple[int, int]) -> UInt8:
    import pyvista as pv
    from vtkmodules.vtkCommonCore import vtkObject

    from viewer.scene import Scene

    quiet = vtkObject.GetGlobalWarningDisplay()
    if not os.environ.get("DISPLAY"):
        vtkObject.GlobalWarningDisplayOff()
    plotter = pv.Plotter(off_screen=True, window_size=list(size))
    try:
        plotter.render_window.SetMultiSamples(4)
        scene = Scene(plotter)
        scene.show(shown)
        scene.look_from("three-quarter")
        plotter.render_window.Render()
        pixels = np.asarray(plotter.screenshot(return_img=True), np.uint8)
        scene.clear()
        return pixels
    finally:
        plotter.close()
        vtkObject.SetGlobalWarningDisplay(quiet)
