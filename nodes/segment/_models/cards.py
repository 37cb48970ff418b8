"""Published files of the segmenters and detectors: where they are, what they weigh, under which licence."""

from __future__ import annotations

from app.engine import WeightCard, WeightFile

YOLOX = "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/"
SAM = "https://dl.fbaipublicfiles.com/segment_anything"
MOBILE_COMMIT = "f706ad9c4eb7f219c00d9050e46328518ffb65d2"
MOBILE = f"https://raw.githubusercontent.com/ChaoningZhang/MobileSAM/{MOBILE_COMMIT}/weights"
TORCHVISION = "https://download.pytorch.org/models"


def _release(
    role: str, title: str, place: tuple[str, str, str], file: WeightFile, terms: tuple[str, str], memory_gb: float
) -> WeightCard:
    repository, revision, url = place
    return WeightCard(repository, revision, (file,), *terms, memory_gb, name=role, title=title, url=url, role=role)


def _hub(role: str, title: str, place: tuple[str, str], files: tuple[WeightFile, ...], memory_gb: float) -> WeightCard:
    repository, revision = place
    return WeightCard(repository, revision, files, "Apache-2.0", "Apache-2.0", memory_gb, title=title, role=role)


APACHE = ("Apache-2.0", "Apache-2.0")
BSD = ("BSD-3-Clause", "BSD-3-Clause (trained on COCO)")

SEGMENTERS = (
    _release(
        "mobile-sam", "MobileSAM", ("ChaoningZhang/MobileSAM", MOBILE_COMMIT, MOBILE),
        WeightFile(
            "mobile_sam.pt", 40_728_226, "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f"
        ), APACHE, 0.5,
    ),
    _release(
        "sam-vit-b", "Segment Anything, ViT-B", ("facebookresearch/segment-anything", "v1", SAM),
        WeightFile(
            "sam_vit_b_01ec64.pth", 375_042_383, "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912"
        ), APACHE, 2.0,
    ),
    _hub(
        "sam2.1-tiny", "SAM 2.1 tiny", ("facebook/sam2.1-hiera-tiny", "de431c4043854a71d8101e17995dfe596bf101a5"),
        (
            WeightFile("config.json", 5_695, "860aff9751b139d83a4ad7df1e5535416fded533e0ead02625edbefcb9953cce"),
            WeightFile(
                "model.safetensors", 155_908_064, "48c14467e5cf9e51870511feb72c89688e82dd74523142c0538b663e193ac2a7"
            ),
        ), 1.0,
    ),
    _hub(
        "sam2.1-small", "SAM 2.1 small", ("facebook/sam2.1-hiera-small", "ee5bba1d82bb8749febdf90f45e84b687142ba03"),
        (
            WeightFile("config.json", 5_698, "97ff9f65b76d107acda4247885f0a5555d0048850ae3c5f97183df289aaecde9"),
            WeightFile(
                "model.safetensors", 184_305_280, "0a4067b11ce1e23d5229203f11c718a823060d15a4b23fa2372a7d4b77cbbc60"
            ),
        ), 1.2,
    ),
)  # fmt: skip


def _yolox(size: str, count: int, sha256: str) -> WeightCard:
    place = ("Megvii-BaseDetection/YOLOX", "0.1.1rc0", YOLOX + "0.1.1rc0")
    return _release(
        f"yolox-{size}", f"YOLOX {size}", place, WeightFile(f"yolox_{size}.onnx", count, sha256), APACHE, 0.3
    )


DETECTORS = (
    _yolox("nano", 3_659_407, "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d"),
    _yolox("tiny", 20_219_662, "427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7"),
    _yolox("s", 35_858_002, "c5c2d13e59ae883e6af3b45daea64af4833a4951c92d116ec270d9ddbe998063"),
    _hub(
        "rtdetr-r18", "RT-DETR, ResNet-18", ("PekingU/rtdetr_r18vd", "ac77a11ff0170a41b771c03264987f8ce2b0d753"),
        (
            WeightFile("config.json", 5_267, "8493be71f51a1c0a741f8f71ec151039227579379de7bcba047c0470d9320c3c"),
            WeightFile(
                "preprocessor_config.json", 841, "ffb4b9461a1dad746be8f0f9c8330ed7743a1ba5fba4f75c232cd281b3d4c64a"
            ),
            WeightFile(
                "model.safetensors", 80_904_152, "fe87a5a30f5daf298d10794c7682a63b6107986f97d6a770ba948d89e4340093"
            ),
        ), 0.6,
    ),
    _hub(
        "yolos-tiny", "YOLOS tiny", ("hustvl/yolos-tiny", "95a90f3c189fbfca3bcfc6d7315b9e84d95dc2de"),
        (
            WeightFile("config.json", 4_133, exact=False),
            WeightFile("preprocessor_config.json", 291, exact=False),
            WeightFile(
                "model.safetensors", 25_978_888, "5a6a017a20cb522dd347271fa5bd670467e456176aaccd940090e50985ac6e74"
            ),
        ), 0.5,
    ),
)  # fmt: skip

INSTANCES = (
    _release(
        "maskrcnn-r50", "Mask R-CNN, ResNet-50", ("pytorch/vision", "models", TORCHVISION),
        WeightFile(
            "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", 178_090_079,
            "bf2d0c1efbc936eeee2bc95a48e80ebc86b891f61b0106485937fc29f9315fc0",
        ), BSD, 1.5,
    ),
    _release(
        "maskrcnn-r50-v2", "Mask R-CNN v2, ResNet-50", ("pytorch/vision", "models", TORCHVISION),
        WeightFile(
            "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth", 185_828_065,
            "73cbd0190fcbe3ba339921fbce2c3a0b6bb9126c9a133c85e43a2a8e060a109e",
        ), BSD, 1.8,
    ),
)  # fmt: skip
