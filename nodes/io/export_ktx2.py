"""Write a picture as KTX2, compressed the way graphics cards read it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from app.engine import Files, Image, Run, SaveFile, Setting, node
from nodes.io._block_file import ContentSetting, Format, Green, Mipmaps, encoded
from nodes.io._credits import CreditsFile, properties, with_credits
from nodes.texture._blocks import Blocks, decoded
from nodes.texture._ktx2 import ktx2
from nodes.texture._zstd import compressed


@node("io.export_ktx2", title="Export KTX2", group="Export", version=2, credits=True)
def export_ktx2(
    run: Run,
    image: Image,
    path: Annotated[Path, SaveFile(suffixes=(".ktx2",), help="Name in the output folder.")] = Path("texture.ktx2"),
    content: ContentSetting = "colour",
    form: Format = "auto",
    mipmaps: Mipmaps = True,
    green: Green = "OpenGL",
    packing: Annotated[
        Literal["Zstandard", "none"], Setting(help="Zstandard: a smaller file, unpacked as it is loaded.")
    ] = "Zstandard",
    credits_file: CreditsFile = False,
) -> Files:
    """Save a texture as KTX2 with block compression, mipmaps and the right colour flag, for Vulkan, WebGL and engines.

    The blocks are those of DDS (BC1 to BC7), which desktop graphics cards read as they are; phones want other blocks.
    The glTF extension KHR_texture_basisu asks for Basis Universal, which this file does not hold. Credits are kept as
    keys of the file.
    """
    blocks = encoded(run, image, content, form, mipmaps, green)
    run.progress(0.92, "packing")
    frames = _frames(run, blocks) if packing == "Zstandard" else None
    data = ktx2(blocks, frames, texts=properties(run))
    return with_credits(run, Files.of({path.as_posix(): data}, shows=decoded(blocks, content)), credits_file)


def _frames(run: Run, blocks: Blocks) -> list[bytes] | None:
    frames = [compressed(level) for level in blocks.levels]
    whole = [frame for frame in frames if frame is not None]
    if len(whole) < len(frames):
        run.warn("Zstandard is not there on this system: the levels are stored as they are.")
        return None
    return whole
