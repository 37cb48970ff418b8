"""Write a picture as DDS, compressed the way graphics cards read it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from app.engine import Files, Image, Run, SaveFile, node
from nodes.io._block_file import ContentSetting, Format, Green, Mipmaps, encoded
from nodes.io._credits import CreditsFile, with_credits
from nodes.texture._blocks import dds, decoded


@node("io.export_dds", title="Export DDS", group="Export", version=2, credits=True)
def export_dds(
    run: Run,
    image: Image,
    path: Annotated[Path, SaveFile(suffixes=(".dds",), help="Name in the output folder.")] = Path("texture.dds"),
    content: ContentSetting = "colour",
    form: Format = "auto",
    mipmaps: Mipmaps = True,
    green: Green = "OpenGL",
    credits_file: CreditsFile = False,
) -> Files:
    """Save a texture as DDS with block compression, mipmaps and the right colour flag, ready for a game engine.

    BC1, BC3, BC4, BC5, BC6H and BC7 are made by encoders of Polyloom's own. What the viewer shows afterwards is the
    file as a graphics card would decode it. DDS has no place for credits: where there are any, they are written beside
    it as name.credits.txt.
    """
    blocks = encoded(run, image, content, form, mipmaps, green)
    files = Files.of({path.as_posix(): dds(blocks)}, shows=decoded(blocks, content))
    return with_credits(run, files, credits_file, always=True)
