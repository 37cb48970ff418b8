"""The published ControlNets: the models of version 1.1 for SD 1.5, and of several makers for SDXL.

The union network reads every kind of map and is told which by a number (``MODES``).
"""

from __future__ import annotations

from typing import Literal, get_args

from app.engine import WeightCard, WeightFile
from nodes.generate._diffusion import cards

Net = Literal[
    "SD 1.5 canny", "SD 1.5 depth", "SD 1.5 normal", "SD 1.5 pose", "SD 1.5 scribble", "SD 1.5 soft edge",
    "SD 1.5 line art", "SD 1.5 tile", "SD 1.5 segmentation", "SDXL canny", "SDXL depth", "SDXL pose", "SDXL scribble",
    "SDXL tile", "SDXL union canny", "SDXL union depth", "SDXL union normal", "SDXL union pose", "SDXL union scribble",
    "SDXL union soft edge", "SDXL union line art", "SDXL union tile", "SDXL union segmentation", "own folder",
    "own file",
]  # fmt: skip
UNION = "SDXL union"
MODES = {
    "pose": 0, "depth": 1, "soft edge": 2, "scribble": 2, "canny": 3, "line art": 3, "normal": 4, "segmentation": 5,
    "tile": 6,
}  # fmt: skip
UNION_CONFIG, UNION_WEIGHTS = "config_promax.json", "diffusion_pytorch_model_promax.safetensors"
OWN_FOLDER, OWN_FILE = get_args(Net)[-2:]
ONE_FILE = "https://huggingface.co/comfyanonymous/ControlNet-v1-1_fp16_safetensors/resolve/main"


def _one(role: str, name: str, size: int, sha256: str = "") -> WeightCard:
    """Of SD 1.5, in one file in 16 bits, as the original code names its tensors."""
    return WeightCard(
        "comfyanonymous/ControlNet-v1-1_fp16_safetensors", "main", (WeightFile(name, size, sha256),), "Apache-2.0",
        cards.OPENRAIL, 0.8, name=f"controlnet-sd15-{role.replace(' ', '-')}",
        title=f"ControlNet {role} for SD 1.5", url=ONE_FILE, role=f"SD 1.5 {role}",
    )  # fmt: skip


def _hub(role: str, repository: str, revision: str, file: WeightFile, licence: str) -> WeightCard:
    short = role.lower().replace("sd 1.5", "sd15").replace(" ", "-")
    family = "SDXL" if role.startswith("SDXL") else "SD 1.5"
    return WeightCard(
        repository, revision, (WeightFile("config.json", 1300, exact=False), file), "Apache-2.0", licence,
        2.6 if family == "SDXL" else 0.8, name=f"controlnet-{short}",
        title=f"ControlNet {role.removeprefix(family).strip()} for {family}", role=role,
    )  # fmt: skip


_PLAIN = "diffusion_pytorch_model.safetensors"
_XL = 2_502_139_104
CARDS = (
    _one("canny", "control_v11p_sd15_canny_fp16.safetensors", 722_601_100,
         "8932b66e15aae835b3490dbf989f56c253104cee08a88bf21283762f557c9f10"),
    _one("depth", "control_v11f1p_sd15_depth_fp16.safetensors", 722_601_100,
         "1c4a79aa52fb63f607cb9ff479ea5aa1923b6ceb21267bd14b69bd05d7b617be"),
    _one("pose", "control_v11p_sd15_openpose_fp16.safetensors", 722_601_100,
         "4003c1da17b0e4ba444e02140e1c0d83bb24b79e4dcfd613c3a554d38f0f89c7"),
    _one("soft edge", "control_v11p_sd15_softedge_fp16.safetensors", 722_601_100,
         "e78fea5b4599fec2ecd7e3f14b171feb290b88200c95d569ec0ff59a19bc3478"),
    _one("tile", "control_v11f1e_sd15_tile_fp16.safetensors", 722_601_104,
         "2f31868eedb243a77932e3c63907a6ba0a2058b6d65b5c27b89ee1b7f618ea33"),
    _one("scribble", "control_v11p_sd15_scribble_fp16.safetensors", 722_601_100),
    _one("segmentation", "control_v11p_sd15_seg_fp16.safetensors", 722_601_100),
    _hub("SD 1.5 normal", "lllyasviel/control_v11p_sd15_normalbae", "cb7296e6587a219068e9d65864e38729cd862aa8",
         WeightFile(cards.WEIGHTS, 722_598_642, exact=False), cards.OPENRAIL),
    _hub("SD 1.5 line art", "lllyasviel/control_v11p_sd15_lineart", "8a158f547e031c5b8fbca19ead09a74767ff4db0",
         WeightFile(cards.WEIGHTS, 722_598_642, exact=False), cards.OPENRAIL),
    _hub("SDXL canny", "diffusers/controlnet-canny-sdxl-1.0", "eb115a19a10d14909256db740ed109532ab1483c",
         WeightFile(cards.WEIGHTS, 2_502_139_136, "b2e7d3921058a442cc80430d1ec8847f42599c705e2451c95e77cf4dcf8d6c25"),
         cards.OPENRAIL_PP),
    _hub("SDXL depth", "diffusers/controlnet-depth-sdxl-1.0", "17bb97973f29801224cd66f192c5ffacf82648b4",
         WeightFile(cards.WEIGHTS, 2_502_139_134, "66a6813e6bd7270ecfe68206a59ddd605a011ae85321188376605c66e0a4f303"),
         cards.OPENRAIL_PP),
    _hub("SDXL pose", "xinsir/controlnet-openpose-sdxl-1.0", "23f966cd5cfdd3f7729c903e243d87152162d2b7",
         WeightFile(_PLAIN, _XL, "b8524e557a7df60d081f5d4a0eb109967d107df217943bf88c2d99b9ebcc06c5"), "Apache-2.0"),
    _hub("SDXL scribble", "xinsir/controlnet-scribble-sdxl-1.0", "af8f42dfa5429c2c7a97d5f52a172d637e918969",
         WeightFile(_PLAIN, _XL, exact=False), "Apache-2.0"),
    _hub("SDXL tile", "xinsir/controlnet-tile-sdxl-1.0", "1ae8d9529efe58f7362a987363ff86a7904dc84f",
         WeightFile(_PLAIN, _XL, exact=False), "Apache-2.0"),
    WeightCard(
        "xinsir/controlnet-union-sdxl-1.0", "801a4a3fa3d4c936f4feea95b98607bc6726f80c",
        (WeightFile(UNION_CONFIG, 1260, "6653ad6a0ed181f0d4a7225f1b1c037405d98573fbf0862b1ca3ab6c99b52c21"),
         WeightFile(UNION_WEIGHTS, 2_513_342_408, "9fae2e50cb431bfcbe05822b59ec2228df545ef27f711dea8949e9f4ed9f7cdc")),
        "Apache-2.0", "Apache-2.0", 2.6, name="controlnet-sdxl-union", title="ControlNet union for SDXL",
        role=tuple(f"{UNION} {kind}" for kind in MODES),
    ),
)  # fmt: skip
