"""Make the picture of every example for the gallery: what goes in on the left, what comes out on the right.

An example that needs models has none: what it makes cannot be shown without them, and the gallery draws its graph.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

RESOURCES = Path(__file__).resolve().parent
sys.path.insert(0, str(RESOURCES.parent))
HALF = (276, 260)

SHOWN = {
    "compare_methods": ("compare",),
    "drawing_to_toy": ("drawing", "inflate"),
    "mesh_cleanup": ("scan", "decimate"),
    "mesh_to_game_asset": ("sculpt", "bake"),
    "picture_studio": ("photo", "lay"),
    "points_to_mesh": ("scan", "decimate"),
    "scene_of_objects": ("scene", "back"),
    "print_preparation": ("unite", "inside"),
    "retopology": ("sculpt", "bake"),
    "scan_to_game_asset": ("scan", "bake"),
    "starter": ("photo", "material"),
    "stone_from_noise": ("form", "dress"),
    "tiling_material": ("photo", "dress"),
}


def card(name: str, folder: Path) -> None:
    """Run the example and write ``NAME.png`` beside it."""
    from PIL import Image

    from app.engine.script import Output, Workspace
    from viewer.snapshot import snapshot

    work = Workspace(store=folder / "store", out=folder)
    work.load(RESOURCES / "examples" / f"{name}.graph")
    result = work.run()
    picture = Image.new("RGB", (2 * HALF[0], HALF[1]))
    part = 2 * HALF[0] // len(SHOWN[name]), HALF[1]
    for place, id in enumerate(SHOWN[name]):
        output = work.registry[work.graph.nodes[id].type].outputs[0].name
        snapshot(result[Output(id, output, (output,))], folder / "half.png", (2 * part[0], 2 * part[1]))
        with Image.open(folder / "half.png") as half:
            picture.paste(half.resize(part, Image.Resampling.LANCZOS), (place * part[0], 0))
    picture.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
        RESOURCES / "examples" / f"{name}.png", optimize=True
    )


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in names or SHOWN:
            card(name, Path(folder))
            print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
