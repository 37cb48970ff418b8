"""What a run ran on: versions and the machine, for logs and problem reports. Imports none of what it asks about."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path

VERSION = "0.1.0"
PACKAGES = (
    "PySide6", "NodeGraphQt", "pyvista", "vtk", "numpy", "scipy", "pillow", "opencv-python-headless", "scikit-image",
    "tifffile", "OpenEXR", "assimp-py", "pynanoinstantmeshes",
    "trimesh", "xatlas", "embreex", "numba", "coacd", "mujoco", "torch", "torchvision", "diffusers", "transformers",
    "accelerate", "peft", "spandrel", "onnxruntime",
)  # fmt: skip


def environment() -> dict[str, str]:
    """Name -> version or size, in words. No user name, no machine name, no path."""
    found = {
        "Polyloom": VERSION,
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": str(os.cpu_count() or 0),
        "memory": _memory(),
        "NVIDIA driver": _driver(),
    }
    return found | {name: _version(name) for name in PACKAGES}


def differences(there: dict[str, str], here: dict[str, str]) -> list[str]:
    """``name: what it was there, what it is here``, for versions only: another machine is no other program."""
    names = ("Polyloom", "Python", *PACKAGES)
    return [
        f"{name}: {there.get(name, 'not known')} there, {here.get(name, 'not known')} here"
        for name in names
        if name in there and there[name] != here.get(name)
    ]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f} GB"
    except (AttributeError, OSError, ValueError):
        return "not known"


def _driver() -> str:
    try:
        text = Path("/proc/driver/nvidia/version").read_text("utf-8")
    except OSError:
        return "none seen"
    found = re.search(r"\b\d+\.\d+(?:\.\d+)?\b", text)
    return found.group() if found else "not known"
