"""Rough white strokes on black, from a picture or from a drawing of one's own."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np

from app.engine import Image, Run, Setting, Slider, node
from nodes.control._lines import Float32, darker, inked, on_white, ridges, soft_edges, thick, unit, without_dots

Source = Literal["picture: dark lines", "picture: outlines", "own drawing"]
FINE, WIDE = 0.5, 5.0
STEEP = 60.0


@node("control.scribble", title="Scribble")
def scribble(
    run: Run,
    image: Image,
    source: Annotated[
        Source, Setting(help="Dark lines: XDoG. Outlines: where colours meet. Own drawing: passes as it is.")
    ] = "picture: dark lines",
    threshold: Annotated[float, Slider(0.01, 0.5, log=True, help="Weaker lines are left out.")] = 0.05,
    pen: Annotated[
        float, Slider(1, 24, step=0.5, unit="px", help="Width of a stroke, where the shorter side has 512 pixels.")
    ] = 3.0,
    specks: Annotated[float, Slider(0, 1000, unit="px", help="Strokes that cover less are left out.")] = 40.0,
) -> Image:
    """White strokes on black, for the scribble models of ControlNet. Needs no weights.

    A drawing of your own may be dark on white or white on dark: it becomes white on black and is left alone otherwise.
    """
    run.progress(0.0, "strokes")
    rgb = on_white(image)
    if source == "own drawing":
        return Image.of(_on_black(rgb))
    scale = unit(rgb)
    if source == "picture: dark lines":
        lines = inked(darker(rgb, FINE, WIDE), threshold, STEEP)
    else:
        lines = (ridges(soft_edges(rgb, 1.0), 1.5 * scale) > threshold).astype(np.float32)
    run.progress(0.6, "pen")
    lines = without_dots(lines, specks * scale**2)
    return Image.of(thick((lines > 0.25).astype(np.float32), pen * scale))


def _on_black(rgb: Float32) -> Float32:
    """(H, W): a drawing in white on black; its ground is what most of its rim shows."""
    grey = rgb.mean(axis=2)
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return np.asarray(1 - grey if np.median(rim) > 0.5 else grey, np.float32)
