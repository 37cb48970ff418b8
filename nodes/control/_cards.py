"""Published files of the networks behind control maps."""

from __future__ import annotations

from app.engine import WeightCard, WeightFile

VITPOSE = WeightCard(
    "usyd-community/vitpose-base-simple",
    "a93ac0c67e0b7e2c55287d21d4c460c8f3c54d45",
    (
        WeightFile("config.json", 1_600, exact=False),
        WeightFile("preprocessor_config.json", 460, exact=False),
        WeightFile(
            "model.safetensors", 343_672_000,
            "85375373893ddd3641f3912821073e53f5435f9e966e1dca59d004454bfe4fdf", exact=False,
        ),
    ),
    "Apache-2.0",
    "Apache-2.0",
    0.6,
    title="ViTPose, base",
    role="vitpose-base",
)  # fmt: skip
UPERNET = WeightCard(
    "openmmlab/upernet-convnext-small",
    "550b68d291f9a7e4874065c6eec0676b2ba821e6",
    (
        WeightFile("config.json", 6_600, exact=False),
        WeightFile("preprocessor_config.json", 420, exact=False),
        WeightFile("pytorch_model.bin", 327_701_893, exact=False),
    ),
    "Apache-2.0",
    "MIT",
    1.0,
    title="UperNet with ConvNeXt, ADE20K",
    role="upernet-convnext-small",
)
