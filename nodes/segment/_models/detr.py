"""Detectors of the DETR family (RT-DETR, YOLOS) from folders in the layout of the transformers library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.engine import BadInput
from nodes.image._pixels import Float32
from nodes.segment._models.folders import open_model, open_processor, unfit


@dataclass(frozen=True)
class Detector:
    """``model``: a transformers object detector. ``processor``: its pictures in, boxes out."""

    model: Any
    processor: Any


def load(folder: Path, device: str) -> Detector:
    """In 32 bits: these networks are small, and their boxes need the precision. Raises :class:`BadFile`."""
    from transformers import AutoModelForObjectDetection

    processor = open_processor(folder)
    if not hasattr(processor, "post_process_object_detection"):
        raise unfit(folder, "its preprocessor_config.json belongs to no detector")
    return Detector(open_model(AutoModelForObjectDetection, folder).to(device), processor)


def find(detector: Detector, rgb: Float32, threshold: float) -> tuple[Float32, Float32, tuple[str, ...]]:
    """(boxes (N, 4) in 0..1, scores (N,), labels), best first, of (H, W, 3) sRGB 0..1."""
    import torch

    picture = np.round(rgb * 255).astype(np.uint8)
    taken = detector.processor(images=picture, return_tensors="pt", input_data_format="channels_last")
    taken = {name: value.to(detector.model.device) for name, value in taken.items() if name.startswith("pixel_")}
    with torch.inference_mode():
        out = detector.model(**taken)
    found = detector.processor.post_process_object_detection(out, threshold=threshold)[0]
    scores, boxes = (found[name].float().cpu().numpy() for name in ("scores", "boxes"))
    if not np.isfinite(boxes).all():
        raise BadInput("The detector gave boxes that are not numbers.", "Use another model.")
    order = np.argsort(-scores, kind="stable")
    names = detector.model.config.id2label
    labels = [str(names.get(int(kind), f"kind {int(kind)}")) for kind in found["labels"]]
    return np.clip(boxes[order], 0, 1), scores[order], tuple(labels[i] for i in order)
