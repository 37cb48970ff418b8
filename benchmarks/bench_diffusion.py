"""Stable Diffusion: a model from the pool against a cold load, and what previews cost, with small untrained networks.

pytest benchmarks/bench_diffusion.py -p no:cacheprovider --benchmark-group-by=group --benchmark-columns=median,min

Small networks take steps of milliseconds where real ones take seconds on a CPU, so a preview weighs more here than it
ever does; what bounds it in both cases is that previews get no more than four hundredths of the time.
``gpu_diffusion.py`` measures the real sizes.
"""

from __future__ import annotations

from functools import partial

import pytest
import torch
from gpu_diffusion import tiny_decoder, write_model

from app.engine import Run
from nodes.generate._diffusion import preview
from nodes.generate.text_to_picture import text_to_picture

STEPS = 40


@pytest.fixture(scope="module", params=["SD 1.5", "SDXL"])
def how(request, tmp_path_factory):
    folder = write_model(tmp_path_factory.mktemp("model") / "m", request.param, True, "cpu")
    return {"model": "own folder", "folder": folder, "width": 64, "height": 64, "preview": "off", "prompt": "a chair"}


@pytest.mark.parametrize("pool", ["cold load", "pool hit"])
def test_one_step(benchmark, how, pool):
    """A cold load reads, checks and fills every network; a hit takes them as they are."""
    benchmark.group = f"one step, {how['folder'].parent.name}"
    run = Run(wanted_device="cpu")
    text_to_picture(run, steps=1, **how)

    def call() -> None:
        if pool == "cold load":
            run.models.release()
        text_to_picture(run, steps=1, **how)

    benchmark.pedantic(call, rounds=5, iterations=1)


@pytest.mark.parametrize("kind", ["off", "rough", "TAESD"])
def test_previews(benchmark, how, kind, monkeypatch, tmp_path):
    """Forty steps. TAESD has its real size here, and is used on the CPU for once."""
    benchmark.group = f"{STEPS} steps with previews"
    decoder = tiny_decoder(tmp_path)
    monkeypatch.setattr(preview, "path_of", lambda *_: decoder)
    monkeypatch.setattr(preview, "ON_GPU", ("cpu",) if kind == "TAESD" else ())
    run = Run(wanted_device="cpu")
    call = partial(text_to_picture, run, steps=STEPS, **{**how, "preview": "auto" if kind == "TAESD" else kind})
    call()
    benchmark.pedantic(call, rounds=5, iterations=1)


@pytest.mark.parametrize("kind", ["rough", "TAESD"])
def test_one_preview(benchmark, kind, monkeypatch, tmp_path):
    """Of a picture of 512 x 512, alone: to be set against a step of the real network on the same machine."""
    benchmark.group = "one preview, 512 x 512"
    monkeypatch.setattr(preview, "path_of", lambda *_: tiny_decoder(tmp_path))
    monkeypatch.setattr(preview, "ON_GPU", ("cpu",) if kind == "TAESD" else ())
    latents = torch.randn(1, 4, 64, 64)
    with preview.preview_of(Run(), "auto", "SD 1.5", "cpu", torch.float32) as shown:
        benchmark.pedantic(shown._fine if kind == "TAESD" else preview.rough, rounds=5, iterations=1,
                           args=(latents,) if kind == "TAESD" else (latents, "SD 1.5"))  # fmt: skip
