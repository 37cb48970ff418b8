from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", ["viewer.panel", "viewer.thumbnails", "viewer.snapshot"])
def test_vtk_is_not_loaded_before_something_3d_is_shown(module):
    heavy = ("pyvista", "vtkmodules", "numba", "cv2", "PIL")
    script = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_thumbnails_and_snapshots_need_no_qt():
    script = "import sys, viewer.thumbnails, viewer.snapshot; print('PySide6' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
