"""Make every file in ``resources/samples``: pictures and meshes of our own. ``make_samples.py [NAME...]``

The same machine gives the same bytes; another one may differ in the last bits of a picture.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

RESOURCES = Path(__file__).resolve().parent
SAMPLES = RESOURCES / "samples"
sys.path[:0] = [str(RESOURCES), str(RESOURCES.parent)]
SIDE, PATHS = 1024, 18


def photo(name: str, seed: int, exposure: float = 1.0, smooth: float = 4.0, **setting: object) -> Callable[[], bytes]:
    """A picture of one of ``studio.props`` on the table, as JPEG."""

    def make() -> bytes:
        from studio import photo, props

        take = photo.camera_for(getattr(props, f"{name}_distance"), getattr(props, f"{name}_surface"))
        light = take(photo.numbers(photo.Setting(**setting)), SIDE, PATHS, seed)
        return jpeg(photo.developed(light, seed, exposure, smooth))

    return make


def jpeg(pixels: np.ndarray, quality: int = 87) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


PICTURES: dict[str, Callable[[], bytes]] = {
    "mushroom_house.jpg": photo(
        "mushroom",
        1,
        1.05,
        9.0,
        wall=(0.10, 0.19, 0.21),
        table=(0.045, 0.028, 0.018),
        grain=(0.10, 0.06, 0.035),
        fill=0.95,
    ),
    "rubber_duck.jpg": photo(
        "duck",
        2,
        smooth=9.0,
        wall=(0.33, 0.45, 0.53),
        table=(0.10, 0.15, 0.18),
        grain=(0.16, 0.22, 0.26),
        fill=0.95,
        look=(0, 0.8, 0),
    ),
    "toy_rocket.jpg": photo("rocket", 3, wall=(0.20, 0.27, 0.20), table=(0.10, 0.055, 0.03), grain=(0.20, 0.115, 0.06)),
    "mug.jpg": photo(
        "mug",
        4,
        smooth=9.0,
        wall=(0.19, 0.16, 0.22),
        table=(0.17, 0.21, 0.25),
        grain=(0.26, 0.30, 0.34),
        fill=0.95,
        look=(0, 0.74, 0),
    ),
    "chair.jpg": photo("chair", 5, wall=(0.42, 0.44, 0.47), table=(0.13, 0.12, 0.12), grain=(0.22, 0.21, 0.20)),
}


def surface() -> bytes:
    """The stone wall, as JPEG."""
    from studio.wall import wall

    return jpeg(wall(SIDE))


def drawing() -> bytes:
    """The dinosaur, as PNG with 192 colours and transparency."""
    from PIL import Image
    from studio.drawing import dinosaur

    out = io.BytesIO()
    few = dinosaur(SIDE).quantize(192, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def sculpt() -> bytes:
    from studio.meshes import owl

    from nodes.io._glb import glb_bytes

    return glb_bytes(owl(), None, {}, {})


def scan() -> bytes:
    from studio import meshes

    from nodes.io.export_ply import ply_bytes

    return ply_bytes(meshes.scan()).tobytes()


def barrel() -> bytes:
    from studio import meshes

    from app.engine import Run
    from nodes.io.export_glb import export_glb

    return export_glb(Run(), meshes.barrel(), colour_format="JPEG").contents[0].tobytes()


def main(names: list[str]) -> None:
    everything = {
        **PICTURES,
        "stone_wall.jpg": surface,
        "dinosaur.png": drawing,
        "owl.glb": sculpt,
        "duck_scan.ply": scan,
        "barrel.glb": barrel,
    }
    for name in names or everything:
        data = everything[name]()
        (SAMPLES / name).write_bytes(data)
        print(f"{name}: {len(data) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
