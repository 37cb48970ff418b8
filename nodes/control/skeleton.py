"""A skeleton drawn from numbers: a pose found in a picture and changed by hand, or one made up."""

from __future__ import annotations

from typing import Annotated

from app.engine import Image, Multiline, Run, Slider, Text, node
from nodes.control._skeleton import drawn, from_text

STANDING = """{"canvas_width": 512, "canvas_height": 512, "people": [{"pose_keypoints_2d": [
256,80,1, 256,140,1, 210,142,1, 190,205,1, 180,265,1, 302,142,1, 322,205,1, 332,265,1,
228,270,1, 224,365,1, 220,455,1, 284,270,1, 288,365,1, 292,455,1,
246,68,1, 266,68,1, 230,76,1, 282,76,1]}]}"""


@node("control.skeleton", title="Skeleton")
def skeleton(
    run: Run,
    keypoints: Text | None = None,
    text: Annotated[
        str, Multiline(help="Used where nothing is linked: OpenPose's JSON, 18 joints as x, y, sure in pixels.")
    ] = STANDING,
    threshold: Annotated[float, Slider(0, 1, step=0.05, help="Joints that are less sure are left out.")] = 0.05,
    thickness: Annotated[float, Slider(0.25, 8, log=True, help="Times the pen ControlNet was trained with.")] = 1.0,
) -> Image:
    """Draw people as OpenPose does, on black, from their joints, for the pose models of ControlNet.

    The order of the joints: nose, neck, right shoulder, elbow, wrist, left shoulder, elbow, wrist, right hip, knee,
    ankle, left hip, knee, ankle, right eye, left eye, right ear, left ear. A joint with 0 as its third number is not
    drawn.
    """
    run.progress(0, "drawing")
    people, size = from_text(keypoints.value if keypoints is not None else text)
    return Image.of(drawn(people, size, threshold, thickness))
