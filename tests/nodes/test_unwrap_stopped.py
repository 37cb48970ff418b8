"""A library that does not come to an end is stopped, and the mesh is unwrapped all the same."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Timer

import numpy as np
import pytest
from mesh_shapes import bumpy

from app.engine import Run
from app.engine.errors import Cancelled
from app.engine.isolated import Helper
from app.engine.registry import spec_of
from nodes.mesh._measure import measure_uv
from nodes.mesh.unwrap import unwrap_uv

LIMIT_S = 3.0
SLOW = {"mesh": bumpy(6), "method": "xatlas", "face_budget": 1_000_000}
"""81,920 triangles: a minute or more of xatlas without a sign of life, with a limit of a few seconds."""


@pytest.fixture
def asked() -> tuple[object, dict[str, object]]:
    spec = spec_of(unwrap_uv)
    assert spec.isolated is not None
    spec = replace(spec, isolated=replace(spec.isolated, limit_s=LIMIT_S))
    return spec, {param.name: param.default for param in spec.params} | SLOW


def test_xatlas_that_takes_too_long_is_stopped_and_the_fast_method_does_its_work(asked: tuple) -> None:
    helper, run = Helper(), Run()
    try:
        laid = helper(*asked, run)
        assert helper._child is None
    finally:
        helper.close()
    layout, mesh = measure_uv(laid.out, 1.0), SLOW["mesh"]
    assert layout.mirrored == 0 and layout.outside == 0 and layout.overlap < 0.001
    assert np.array_equal(laid.out.vertices[laid.out.faces], mesh.vertices[mesh.faces])
    assert any("made no progress" in note and "fallback" in note and "Fast charts" in note for note in run.notes)


def test_cancel_ends_xatlas_while_it_works(asked: tuple) -> None:
    stop = Event()
    helper, timer = Helper(), Timer(1.0, stop.set)
    timer.start()
    try:
        with pytest.raises(Cancelled):
            helper(*asked, Run(stop=stop))
        assert helper._child is None
    finally:
        timer.cancel()
        helper.close()
