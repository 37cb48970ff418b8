from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from viewer_samples import one_of_each, quad, sphere

from app.engine.errors import CannotWrite
from viewer import gl
from viewer.snapshot import snapshot

ROOT = Path(__file__).parents[2]


def _colours(path: Path) -> int:
    with Pillow.open(path) as shot:
        return len(np.unique(np.asarray(shot.convert("RGB")).reshape(-1, 3), axis=0))


@pytest.mark.parametrize("payload", one_of_each().values(), ids=lambda p: type(p).__name__)
def test_software_draws_each_payload(payload, tmp_path, monkeypatch):
    monkeypatch.setattr(gl, "off_screen", gl.OpenGL)
    assert snapshot(payload, tmp_path / "shot.png", (320, 240)) == "software"
    with Pillow.open(tmp_path / "shot.png") as shot:
        assert shot.size == (320, 240)
    assert _colours(tmp_path / "shot.png") > 8


def test_without_a_display_a_picture_is_still_made(tmp_path):
    script = (
        "import sys; sys.path[:0] = ['tests/viewer']; from pathlib import Path\n"
        "from viewer_samples import quad; from viewer.snapshot import snapshot\n"
        f"print('DREW', snapshot(quad(), Path({str(tmp_path / 'shot.png')!r}), (320, 240)))"
    )
    bare = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] in (["DREW", "opengl"], ["DREW", "software"])
    with Pillow.open(tmp_path / "shot.png") as shot:
        assert shot.size == (320, 240)
    assert _colours(tmp_path / "shot.png") > 8


def test_opengl_and_software_agree_on_where_the_object_is(tmp_path, monkeypatch):
    if not gl.off_screen().works:
        pytest.skip("no OpenGL off screen")
    assert snapshot(sphere(), tmp_path / "gl.png", (200, 200)) == "opengl"
    monkeypatch.setattr(gl, "off_screen", gl.OpenGL)
    snapshot(sphere(), tmp_path / "soft.png", (200, 200))
    for name in ("gl.png", "soft.png"):
        with Pillow.open(tmp_path / name) as shot:
            pixels = np.asarray(shot.convert("L")).astype(int)
        assert pixels[100, 100] > pixels[5, 100] + 40


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CannotWrite, match=r"shot\.png"):
        snapshot(quad().material.base_colour, tmp_path / "nowhere" / "shot.png")


def test_software_drivers_are_known_by_name():
    assert gl.OpenGL("llvmpipe (LLVM 15.0.6, 256 bits)").software
    assert not gl.OpenGL("NVIDIA GeForce RTX 4070/PCIe/SSE2").software
    assert not gl.OpenGL().works
