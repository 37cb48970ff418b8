"""Write a picture as DDS, compressed the way graphics cards read it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from app.engine import Files, Image, Run, SaveFile, node
from nodes.io._block_file import ContentSetting, Format, Green, Mipmaps, encoded
from nodes.texture._blocks import dds, decoded


@node("io.export_dds", title="Export DDS")
def export_dds(
    run: Run,
    image: Image,
    path: Annotated[Path, SaveFile(suffixes=(".dds",), help="Name in the output folder.")] = Path("texture.dds"),
    content: ContentSetting = "colour",
    form: Format = "auto",
    mipmaps: Mipmaps = True,
    green: Green = "OpenGL",
) -> Files:
    """Save a texture as DDS with block compression, mipmaps and the right colour flag, ready for a game engine.

    BC1, BC3, BC4, BC5, BC6H and BC7 are made by encoders of Polyloom's own. What the viewer shows afterwards is the
    file as a graphics card would decode it.
    """
    blocks = encoded(run, image, content, form, mipmaps, green)
    return Files.of({path.as_posix(): dds(blocks)}, shows=decoded(blocks, content))
