"""Segment Anything behind one face: the project's own files, MobileSAM, and folders of SAM and SAM 2."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.engine import BadFile, BadInput, fill, read_tensors, table
from nodes.image._pixels import Float32
from nodes.segment._models import sam_keys
from nodes.segment._models.folders import open_model, unfit

Float64 = NDArray[np.float64]
SAM_MEAN, SAM_SPREAD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
SAM2_MEAN, SAM2_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Frame:
    """Where a picture lies in the network's square. ``size``: the picture, ``inner``: inside, (width, height) pixels.

    SAM keeps the shape, in the top left corner; SAM 2 stretches the picture over the whole square.
    """

    size: tuple[int, int]
    inner: tuple[int, int]
    side: int

    def points(self, places: Float64) -> Float64:
        """(..., 2) in 0..1 of the picture to pixel numbers in the square, where the first pixel's centre is 0."""
        return np.asarray(places, np.float64) * self.inner - 0.5

    def picture(self, logits: Any, size: tuple[int, int]) -> Any:
        """(P, C, h, w) over the square to (P, C, H, W) over the picture, at ``size`` (width, height)."""
        import torch.nn.functional as F

        if self.inner != (self.side, self.side):
            logits = F.interpolate(logits, (self.side, self.side), mode="bilinear", align_corners=False)
            logits = logits[..., : self.inner[1], : self.inner[0]]
        return F.interpolate(logits, size[::-1], mode="bilinear", align_corners=False)

    def square(self, values: Float32, side: int, outside: float) -> Float32:
        """(H, W) over the picture to (side, side) over the square; ``outside`` where there is no picture."""
        import cv2

        inner = tuple(max(1, round(n * side / self.side)) for n in self.inner)
        canvas = np.full((side, side), outside, np.float32)
        canvas[: inner[1], : inner[0]] = cv2.resize(values, inner, interpolation=cv2.INTER_AREA)
        return canvas


@dataclass(frozen=True)
class Segmenter:
    """``network``: transformers' SamModel or Sam2Model. ``half``: the encoder computes in 16 bits."""

    network: Any
    second: bool
    half: bool = False

    @property
    def side(self) -> int:
        return int(self.network.config.prompt_encoder_config.image_size)

    def frame(self, size: tuple[int, int]) -> Frame:
        if self.second:
            return Frame(size, (self.side, self.side), self.side)
        scale = self.side / max(size)
        return Frame(size, (max(1, int(size[0] * scale + 0.5)), max(1, int(size[1] * scale + 0.5))), self.side)

    def embed(self, rgb: Float32) -> Any:
        """The embedding of (H, W, 3) sRGB 0..1: what all prompts on one picture share."""
        import torch
        import torch.nn.functional as F

        device = self.network.device
        inner = self.frame((rgb.shape[1], rgb.shape[0])).inner
        pixels = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))[None]).to(device)
        if inner != (rgb.shape[1], rgb.shape[0]):
            pixels = F.interpolate(pixels, inner[::-1], mode="bilinear", align_corners=False, antialias=True)
        mean, spread = (SAM2_MEAN, SAM2_SPREAD) if self.second else (SAM_MEAN, SAM_SPREAD)
        pixels = pixels if self.second else torch.round(pixels * 255)
        shift, scale = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (mean, spread))
        pixels = F.pad((pixels - shift) / scale, (0, self.side - inner[0], 0, self.side - inner[1]))
        narrow = torch.autocast("cuda", torch.float16) if self.half and device.type == "cuda" else nullcontext()
        with torch.inference_mode(), narrow:
            found = self.network.get_image_embeddings(pixels)
        layers = [layer.float() for layer in (found if isinstance(found, list | tuple) else [found])]
        if not all(bool(torch.isfinite(layer).all()) for layer in layers):
            raise BadInput("The network gave values that are not numbers.", "Use another model.")
        return layers

    def decode(
        self, embedding: Any, points: Float64 | None = None, labels: Any = None, boxes: Float64 | None = None,
        hint: Float32 | None = None, several: bool = True,
    ) -> tuple[Any, Float32]:  # fmt: skip
        """(logits (P, C, h, w) as a tensor, predicted IoU (P, C)) of P prompts; C is 3, or 1 without ``several``.

        ``points``: (P, K, 2) pixels of the square, ``labels``: (P, K) 1 inside, 0 outside. ``boxes``: (P, 4) pixels.
        ``hint``: (h, w) logits over the square, for one prompt.
        """
        import torch

        def tensor(values: Any, kind: Any = torch.float32) -> Any:
            if values is None:
                return None
            return torch.as_tensor(np.asarray(values), dtype=kind, device=self.network.device)[None]

        with torch.inference_mode():
            out = self.network(
                image_embeddings=list(embedding) if self.second else embedding[0],
                input_points=tensor(points), input_labels=tensor(labels, torch.int64), input_boxes=tensor(boxes),
                input_masks=None if hint is None else tensor(hint[None]), multimask_output=several,
            )  # fmt: skip
        return out.pred_masks[0].float(), out.iou_scores[0].float().cpu().numpy()

    @property
    def hint_side(self) -> int:
        """Pixels on a side of the logits that it gives, and takes as a hint."""
        prompts = self.network.config.prompt_encoder_config
        return 4 * int(prompts.image_size) // int(prompts.patch_size)


def load_file(path: Path, device: str, half: bool) -> Segmenter:
    """From a file of the Segment Anything project (any of its ViT sizes) or of MobileSAM. Raises :class:`BadFile`."""
    from transformers import SamConfig

    tensors = table(read_tensors(path), label=path.name)
    try:
        settings = sam_keys.sizes(tensors)
        network = build(SamConfig(**settings), sam_keys.is_mobile(tensors))
    except (KeyError, IndexError, ValueError, TypeError, ZeroDivisionError, ArithmeticError) as error:
        raise BadFile(
            f"{path.name} is not a file of Segment Anything or MobileSAM.",
            "Choose sam_vit_b, sam_vit_l, sam_vit_h, mobile_sam, or one trained like them.",
        ) from error
    spare = sam_keys.UNUSED if sam_keys.is_mobile(tensors) else ()
    fill(network, sam_keys.translated(tensors), path.name, optional=spare)
    return Segmenter(network.eval().to(device), False, half)


def build(config: Any, mobile: bool) -> Any:
    """An empty SamModel on the meta device, with MobileSAM's encoder if wished."""
    import torch
    from transformers import SamModel

    with torch.device("meta"):
        network = SamModel(config)
        if mobile:
            from nodes.segment._models.tiny_vit import TinyViT

            network.vision_encoder = TinyViT()
    return network


def load_folder(folder: Path, device: str, half: bool) -> Segmenter:
    """From a folder of SAM, SAM 2 or SAM 2 video in the layout of transformers. Raises :class:`BadFile`."""
    from transformers import Sam2Model, SamModel

    kinds = {"sam": SamModel, "sam2": Sam2Model, "sam2_video": Sam2Model}
    try:
        kind = json.loads((folder / "config.json").read_text("utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        raise unfit(folder, "no readable config.json") from None
    if kind not in kinds:
        raise unfit(folder, f"its kind is {kind!r}, not SAM or SAM 2")
    return Segmenter(open_model(kinds[kind], folder).to(device), kind != "sam", half)
