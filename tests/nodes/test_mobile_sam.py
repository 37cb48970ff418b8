"""MobileSAM against numbers that the project's own code gave for weights drawn by a fixed recipe."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.engine import BadFile
from app.engine.checkpoints import fill
from nodes.segment._models import sam_keys, segmenter
from nodes.segment._models.tiny_vit import Attention, Block


def layout(shared: Path) -> dict[str, tuple[list[int], str]]:
    found: dict[str, tuple[list[int], str]] = json.loads(
        (shared.parent / "keylayouts" / "mobile_sam_vit_t.json").read_text()
    )
    return found


def by_recipe(listed: dict[str, tuple[list[int], str]], seed: int = 61) -> dict[str, Any]:
    """Every floating-point tensor in the order of its name, from one generator; see the README beside the numbers."""
    chance = torch.Generator().manual_seed(seed)
    tensors = {key: torch.zeros(shape, dtype=getattr(torch, kind)) for key, (shape, kind) in listed.items()}
    for key in sorted(listed):
        if tensors[key].is_floating_point():
            tensors[key] = _drawn(key, torch.randn(tensors[key].shape, generator=chance))
    return tensors


NORMS = (
    "neck.1.weight", "neck.3.weight", "output_upscaling.1.weight", "mask_downscaling.1.weight",
    "mask_downscaling.4.weight",
)  # fmt: skip


def _drawn(key: str, r: torch.Tensor) -> torch.Tensor:
    flat, weight = r.ndim < 2, key.endswith("weight")
    rules = (
        (key.endswith(".bn.weight") or ("norm" in key and weight and r.ndim == 1) or key.endswith(NORMS), 1 + 0.1 * r),
        ("gaussian_matrix" in key, r),
        ("attention_biases" in key, 0.2 * r),
        (r.ndim == 2 and ("token" in key or "embed" in key), 0.5 * r),
        ("running_var" in key, 1 + 0.3 * r.abs()),
        ("running_mean" in key, 0.2 * r),
        (flat, 0.1 * r),
    )
    return next((value for holds, value in rules if holds), r / math.sqrt(math.prod(r.shape[1:])))


@pytest.fixture(scope="module")
def golden(shared: Path) -> Any:
    return np.load(shared.parent / "golden" / "mobile_sam_vit_t.npz")


@pytest.fixture(scope="module")
def loaded(shared: Path, golden: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[segmenter.Segmenter, Any]:
    """The network from a file, through the node's own loading, and its embedding of the golden picture.

    The reference network was switched to evaluation before its weights were loaded, and it computes its table of
    distance biases at that switch: the numbers were made with biases of zero, whatever the weights say.
    """
    tensors = by_recipe(layout(shared))
    total = sum(float(v.abs().double().sum()) for v in tensors.values() if v.is_floating_point())
    assert total == pytest.approx(json.loads(str(golden["meta_json"]))["sum_abs"], rel=1e-9)
    for key in tensors:
        if "attention_biases" in key:
            tensors[key] = torch.zeros_like(tensors[key])
    path = tmp_path_factory.mktemp("weights") / "mobile_sam.pt"
    torch.save(tensors, path)
    network = segmenter.load_file(path, "cpu", False)
    return network, network.embed(golden["inp/img"].transpose(1, 2, 0).astype(np.float32) / 255)


def off(found: Any, wanted: Any) -> float:
    """Relative error over all values together."""
    return float(np.linalg.norm(np.asarray(found) - wanted) / np.linalg.norm(wanted))


def test_the_published_layout_fits_exactly(shared: Path) -> None:
    from transformers import SamConfig

    listed = layout(shared)
    tensors = {
        key: torch.empty(shape, dtype=getattr(torch, kind), device="meta") for key, (shape, kind) in listed.items()
    }
    settings = SamConfig(**sam_keys.sizes(tensors))
    fill(segmenter.build(settings, True), sam_keys.translated(tensors), "vit_t", optional=sam_keys.UNUSED)
    spare = [key for key in sam_keys.translated(tensors) if "head." in key and "vision" in key]
    assert sorted(key.rpartition("vision_encoder.")[2] for key in spare) == [
        "head.bias", "head.weight", "norm_head.bias", "norm_head.weight",
    ]  # fmt: skip
    del tensors["image_encoder.layers.2.blocks.3.attn.attention_biases"]
    with pytest.raises(BadFile, match="attention_biases"):
        fill(segmenter.build(settings, True), sam_keys.translated(tensors), "vit_t", optional=sam_keys.UNUSED)


def test_the_embedding(golden: Any, loaded: tuple[segmenter.Segmenter, Any]) -> None:
    found = loaded[1][0].numpy()
    assert found.shape == (1, 256, 64, 64)
    assert np.abs(found[:, ::8, ::4, ::4] - golden["out/emb_sub"]).max() < 3e-5
    assert off(found[:, ::8, ::4, ::4], golden["out/emb_sub"]) < 3e-6
    assert np.allclose([found.mean(), found.std(), np.abs(found).max()], golden["out/emb_stats"], atol=2e-5)


@pytest.mark.parametrize(("kind", "masks", "scores"), [("points", 2e-4, 2e-4), ("box", 2e-3, 5e-4)])
def test_masks_and_scores(
    golden: Any, loaded: tuple[segmenter.Segmenter, Any], kind: str, masks: float, scores: float
) -> None:
    """The drawn decoder is touchy: a change of one millionth in the embedding moves its masks by up to 2e-4, and its
    float32 result lies 1e-4 from its float64 one; so the bars are above 1e-4, where the embedding's are far below."""
    network, embedding = loaded
    prompt = {"boxes": golden["inp/box"]}
    if kind == "points":
        prompt = {"points": golden["inp/pts"], "labels": golden["inp/labels"]}
    logits, sure = network.decode(embedding, **prompt)
    assert logits.shape == (1, 3, 256, 256)
    assert off(logits[:, :, ::4, ::4], golden[f"out/lowres_{kind}"]) < masks
    assert off(sure, golden[f"out/iou_{kind}"]) < scores


def test_prompts_are_encoded_to_the_last_bit(golden: Any, loaded: tuple[segmenter.Segmenter, Any]) -> None:
    encoder = loaded[0].network.prompt_encoder
    points, labels, box = (torch.from_numpy(golden[f"inp/{name}"])[None] for name in ("pts", "labels", "box"))
    with torch.no_grad():
        clicked, _ = encoder(input_points=points, input_labels=labels, input_boxes=None, input_masks=None)
        boxed, _ = encoder(input_points=None, input_labels=None, input_boxes=box, input_masks=None)
    assert np.array_equal(clicked[0].numpy(), golden["out/sparse_points"])
    assert np.array_equal(boxed[0].numpy(), golden["out/sparse_box"])


def test_a_bias_belongs_to_a_distance_across_and_down() -> None:
    """Attention written out pair by pair, with biases that are not zero."""
    torch.manual_seed(1)
    part = Attention(8, 2, 3)
    torch.nn.init.normal_(part.attention_biases)
    x = torch.randn(1, 9, 8)
    with torch.no_grad():
        found = part(x)[0]
        values = part.qkv(part.norm(x))[0].view(9, 2, 3, 4)
        out = torch.zeros(9, 2, 4)
        for head in range(2):
            for i in range(9):
                terms = []
                for j in range(9):
                    down, across = abs(i // 3 - j // 3), abs(i % 3 - j % 3)
                    product = float(values[i, head, 0] @ values[j, head, 1]) / math.sqrt(4)
                    terms.append(product + float(part.attention_biases[head, 3 * down + across]))
                share = torch.softmax(torch.tensor(terms), 0)
                out[i, head] = share @ values[:, head, 2]
        wanted = part.proj(out.reshape(9, 8))
    assert (found - wanted).abs().max() < 1e-5


def test_windows_are_cut_row_by_row_and_padded_at_the_far_sides() -> None:
    """With attention that gives its input back, a block leaves every place where it was."""
    block = Block(8, 2, 3)
    block.attn = torch.nn.Identity()
    x = torch.randn(2, 7, 5, 8)
    assert torch.equal(block._attend(x), x)
