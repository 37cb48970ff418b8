"""A depth map as the depth ControlNets expect it."""

from __future__ import annotations

from typing import Annotated

from app.engine import Depth, Image, Run, Setting, Slider, node
from nodes.depth._maps import near_white, smoothed


@node("control.depth", title="Depth map")
def depth_map(
    run: Run,
    depth: Depth,
    cut: Annotated[
        float, Slider(0, 20, step=0.5, unit="%", help="Nearest and farthest points left out of the range.")
    ] = 0.0,
    floor: Annotated[float, Slider(0, 0.9, help="Grey of the farthest point. Unknown depth stays black.")] = 0.0,
    smooth: Annotated[float, Slider(0, 20, step=0.5, unit="px", help="Softens the depth first.")] = 0.0,
    invert: Annotated[bool, Setting(help="Near is black: for networks that were trained that way.")] = False,
) -> Image:
    """Depth as a grey picture: white is near, black is far, even steps of 1 / metres as MiDaS shows it.

    For the depth models of ControlNet. Depth comes from a picture (Depth from picture), from a mesh (Control from
    mesh), or from stereo.
    """
    run.progress(0.0, "depth map")
    shown = near_white(smoothed(depth, smooth), floor, cut)
    return Image.of(1 - shown if invert else shown, "data")
