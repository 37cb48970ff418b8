"""Published files of the depth and normal networks."""

from __future__ import annotations

from app.engine import WeightCard, WeightFile

APACHE = ("Apache-2.0", "Apache-2.0")

ANYTHING_SMALL = WeightCard(
    "depth-anything/Depth-Anything-V2-Small-hf",
    "5426e4f0f36572d16453bbda7a8389317b1bef99",
    (
        WeightFile("config.json", 950, "c56698d3643dde1f83ea2212759e6b31a22b8f827246a36dd007ee8a22b3ff75"),
        WeightFile("preprocessor_config.json", 775, "d41175c0d889477ca8fc67191e540faef14baf6275157b3fdecf78469e6bbf84"),
        WeightFile("model.safetensors", 99_173_660, "3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70"),
    ),
    *APACHE,
    0.6,
    title="Depth Anything V2, small",
    role="depth-anything-v2-small",
)
DPT_LARGE = WeightCard(
    "Intel/dpt-large",
    "bc15f29aa3a80d532f2ed650b5e16ac48d8958f9",
    (
        WeightFile("config.json", 942, exact=False),
        WeightFile("preprocessor_config.json", 382, exact=False),
        WeightFile("model.safetensors", 1_367_456_044, exact=False),
    ),
    *APACHE,
    1.6,
    title="DPT large (MiDaS 3)",
    role="dpt-large",
)
DPT_HYBRID = WeightCard(
    "Intel/dpt-hybrid-midas",
    "11eaf7a1cf4bd70740697dbc216f98980c0aeb03",
    (
        WeightFile("config.json", 9_880, exact=False),
        WeightFile("preprocessor_config.json", 382, exact=False),
        WeightFile(
            "pytorch_model.bin", 489_648_389, "b6c4d44f9d96ca3fa76dd3bbb153989a60b4ad5526559f3c598562a368d687ec"
        ),
    ),
    *APACHE,
    0.9,
    title="DPT hybrid (MiDaS 3)",
    role="dpt-hybrid",
)
DEPTH = (ANYTHING_SMALL, DPT_LARGE, DPT_HYBRID)

MARIGOLD = WeightCard(
    "prs-eth/marigold-normals-v1-1",
    "09cfdd258cb281fa006cf1afcd2284376d16687d",
    (
        WeightFile("model_index.json", 700, exact=False),
        WeightFile("scheduler/scheduler_config.json", 550, exact=False),
        WeightFile("text_encoder/config.json", 620, exact=False),
        WeightFile(
            "text_encoder/model.fp16.safetensors", 680_820_392,
            "bc1827c465450322616f06dea41596eac7d493f4e95904dcb51f0fc745c4e13f",
        ),
        WeightFile(
            "tokenizer/vocab.json", 1_059_962, "e089ad92ba36837a0d31433e555c8f45fe601ab5c221d4f607ded32d9f7a4349"
        ),
        WeightFile("tokenizer/merges.txt", 524_619, "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a"),
        WeightFile("tokenizer/tokenizer_config.json", 800, exact=False),
        WeightFile("tokenizer/special_tokens_map.json", 460, exact=False),
        WeightFile("unet/config.json", 1_900, exact=False),
        WeightFile(
            "unet/diffusion_pytorch_model.fp16.safetensors", 1_731_904_736,
            "e90ff52ea6b56275a633cab0138ef8448fb5cffc9c1f283fb13520233b46d947",
        ),
        WeightFile("vae/config.json", 700, exact=False),
        WeightFile(
            "vae/diffusion_pytorch_model.fp16.safetensors", 167_335_342,
            "3e4c08995484ee61270175e9e7a072b66a6e4eeb5f0c266667fe1f45b90daf9a",
        ),
    ),
    "Apache-2.0",
    "CreativeML OpenRAIL++-M",
    3.5,
    title="Marigold normals 1.1",
    role="marigold-normals-v1-1",
)  # fmt: skip
