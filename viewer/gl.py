"""Which OpenGL there is, found out without risk: VTK ends the process when it finds none."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from functools import cache

_PROBE = """
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
import vtkmodules.vtkRenderingOpenGL2
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.AddRenderer(vtkRenderer())
window.Render()
for line in window.ReportCapabilities().splitlines():
    if line.lower().startswith("opengl renderer"):
        print("RENDERER", line.split(":", 1)[1].strip())
"""


@dataclass(frozen=True)
class OpenGL:
    """``renderer``: the driver's name for itself; empty when there is no OpenGL."""

    renderer: str = ""

    @property
    def works(self) -> bool:
        return bool(self.renderer)

    @property
    def software(self) -> bool:
        """Whether the processor draws, so that each triangle counts."""
        name = self.renderer.lower()
        return any(
            word in name for word in ("llvmpipe", "softpipe", "swrast", "software", "swiftshader", "basic render")
        )


@cache
def off_screen(seconds: float = 60) -> OpenGL:
    """What VTK can open without a window, tried in a process of its own that may crash."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return OpenGL()
    names = [line.removeprefix("RENDERER ") for line in done.stdout.splitlines() if line.startswith("RENDERER ")]
    return OpenGL(names[0] if names and done.returncode == 0 else "")


@cache
def on_screen() -> OpenGL:
    """What a window of this Qt application can open; needs a QGuiApplication."""
    from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext, QSurfaceFormat

    if QGuiApplication.platformName() in ("offscreen", "minimal", "vnc", "linuxfb", "wayland"):
        return OpenGL()
    wanted = QSurfaceFormat()
    wanted.setVersion(3, 2)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    context, surface = QOpenGLContext(), QOffscreenSurface()
    context.setFormat(wanted)
    if not context.create():
        return OpenGL()
    surface.setFormat(context.format())
    surface.create()
    if not context.makeCurrent(surface):
        return OpenGL()
    renderer = context.functions().glGetString(0x1F01)
    context.doneCurrent()
    return OpenGL(str(renderer or "unknown"))
