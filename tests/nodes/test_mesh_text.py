"""Text is a closed solid with the holes of its letters; its area is what another library measures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import oracle

from app.engine import BadFile, BadInput, Mesh, Run, Text
from nodes.mesh._bidi import stretches
from nodes.mesh._extrude import narrowed
from nodes.mesh._font import FONTS, Font, bundled
from nodes.mesh._lettering import Setting, set_text
from nodes.mesh.text import text

FINE = 0.0002


def area_by_matplotlib(words: str, file: str, kerning: bool = True) -> float:
    """m² at a height of capitals of 1 m: signed areas, so that holes count against letters."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    total = 0.0
    for ring in TextPath((0, 0), words, 2048, prop=FontProperties(fname=bundled(file))).to_polygons(closed_only=True):
        x, y = ring.T
        total += float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2
    return abs(total) / (2048 * Font(bundled(file)).capital) ** 2


@pytest.mark.parametrize("font", FONTS)
def test_polyloom_has_eight_letters_with_four_holes_and_the_right_volume(font: str) -> None:
    mesh = text(Run(), text="Polyloom", font=font, depth=0.25, curve_error=FINE)
    solid = oracle(mesh)
    assert solid.is_watertight and solid.is_winding_consistent
    assert solid.body_count == 8 and solid.euler_number == 2 * 8 - 2 * 4
    assert solid.volume == pytest.approx(area_by_matplotlib("Polyloom", font) * 0.25, rel=1e-3)
    assert np.array_equal(np.unique(mesh.face_groups), np.arange(8))
    assert mesh.bounds[1][2] == -mesh.bounds[0][2] == pytest.approx(0.125)


def test_a_capital_is_as_high_as_asked_and_faces_the_viewer() -> None:
    mesh = text(Run(), text="H", size=0.3, depth=0.1, place="baseline")
    assert mesh.bounds[0][1] == pytest.approx(0, abs=1e-6) and mesh.bounds[1][1] == pytest.approx(0.3, abs=1e-6)
    assert oracle(mesh).volume == pytest.approx(area_by_matplotlib("H", "sans bold") * 0.09 * 0.1, rel=1e-3)
    right = text(Run(), text="L", place="baseline")
    stem = right.vertices[right.vertices[:, 1] > 0.5]
    assert stem[:, 0].max() < right.bounds[1][0] - 0.2, "the foot of an L points to the right"


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("back", [True, False])
def test_a_bevel_keeps_the_solid_closed_and_takes_away_what_it_should(steps: int, back: bool) -> None:
    width, depth = 0.04, 0.3
    mesh = text(Run(), text="R&g8", depth=depth, bevel=width, bevel_steps=steps, bevel_back=back)
    solid = oracle(mesh)
    assert solid.is_watertight and solid.is_winding_consistent and solid.area_faces.min() > 0
    assert solid.euler_number == 2 * 4 - 2 * (1 + 1 + 1 + 2)
    font = Font(bundled("sans bold"))
    em = 1 / font.capital
    shapes = set_text(Run(), font, "R&g8", Setting("centre", True, 0, 1, 0.002 / em))
    angle = np.linspace(0, np.pi / 2, steps + 1)
    inset, rise = width * (1 - np.cos(angle)), width * np.sin(angle)
    whole, taken = (sum(s.section.area() for s in shapes) * em**2 for _ in range(2))
    taken = 0.0
    for k in range(steps):
        inside = np.linspace(inset[k], inset[k + 1], 9)
        areas = [sum(narrowed(s.section, by / em).area() for s in shapes) * em**2 for by in inside]
        taken += whole * (rise[k + 1] - rise[k]) - np.trapezoid(areas, np.linspace(rise[k], rise[k + 1], 9))
    assert solid.volume == pytest.approx(whole * depth - taken * (2 if back else 1), rel=1e-3)
    plain = text(Run(), text="R&g8", depth=depth)
    assert np.allclose(mesh.bounds, plain.bounds, atol=1e-5), "the letters keep their size"


@pytest.mark.parametrize("steps", [1, 5])
def test_normals_follow_the_bevel_are_flat_on_lids_and_hard_at_corners(steps: int) -> None:
    mesh = text(Run(), text="oE", bevel=0.03, bevel_steps=steps)
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    face = np.cross(b - a, c - a)
    face /= np.linalg.norm(face, axis=1, keepdims=True)
    agreement = np.einsum("mi,mki->mk", face, mesh.normals[mesh.faces])
    assert agreement.min() > 0.9
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    front = np.abs(mesh.vertices[:, 2] - 0.125) < 1e-6
    if steps > 1:
        assert np.allclose(mesh.normals[front], [0, 0, 1], atol=1e-6)
    else:
        assert set(np.round(mesh.normals[front][:, 2].astype(float), 4).tolist()) == {1.0, 0.7071}
    corner = (mesh.face_groups == 1).nonzero()[0]
    walls = mesh.normals[mesh.faces[corner]].reshape(-1, 3)
    walls = walls[np.abs(walls[:, 2]) < 1e-6]
    assert np.allclose(np.abs(walls).max(axis=1), 1, atol=1e-5), "an E has square corners"


def uv_turns(mesh: Mesh) -> np.ndarray:
    at = mesh.uv[mesh.faces].astype(np.float64)
    one, two = at[:, 1] - at[:, 0], at[:, 2] - at[:, 0]
    return (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]) / 2


@pytest.mark.parametrize("bevel", [0.0, 0.03])
def test_uvs_are_inside_to_one_scale_and_never_overlap(bevel: float) -> None:
    from test_primitives import covered_once

    mesh = text(Run(), text="Loom\nB4", bevel=bevel)
    assert mesh.uv.min() > 0 and mesh.uv.max() < 1 and uv_turns(mesh).min() > 0
    assert covered_once(mesh, 1001) == 1
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    level = np.abs(mesh.normals[mesh.faces].mean(axis=1)).max(axis=1) > 0
    if not bevel:
        big = area > 1e-5
        assert np.allclose((uv_turns(mesh) / area)[big & level], uv_turns(mesh).sum() / area.sum(), rtol=0.02)


def width(words: str, **how: object) -> float:
    low, high = text(Run(), text=words, **how).bounds
    return float(high[0] - low[0])


def test_kerning_spacing_lines_and_alignment() -> None:
    assert width("AVA") < width("AVA", kerning=False) - 0.05
    assert width("HHH", letter_spacing=0.5) == pytest.approx(width("HHH") + 1.0, abs=1e-4)
    fi = [oracle(text(Run(), text="ffi", font="sans", letter_spacing=s)).body_count for s in (0.0, 0.3)]
    assert fi[1] == 4, "three letters and a dot"
    for align, edge in (("left", 0), ("right", 1)):
        mesh = text(Run(), text="HHH\nH", align=align, place="baseline")
        rows = mesh.vertices[mesh.vertices[:, 1] > -0.1], mesh.vertices[mesh.vertices[:, 1] < -0.1]
        ends = [(row[:, 0].min(), row[:, 0].max())[edge] for row in rows]
        assert ends[0] == pytest.approx(ends[1], abs=1e-5)
    step = [-text(Run(), text="H\nH", place="baseline", line_spacing=s).bounds[0][1] for s in (1.0, 2.0)]
    assert step[1] == pytest.approx(2 * step[0], rel=1e-5) and 1.3 < step[0] < 2


def test_letters_that_overlap_become_one_solid() -> None:
    apart, close = (text(Run(), text="ooo", letter_spacing=s) for s in (0.0, -0.2))
    solid = oracle(close)
    assert oracle(apart).body_count == 3 and solid.body_count == 1
    assert solid.is_watertight and solid.volume < oracle(apart).volume and len(np.unique(close.face_groups)) == 1
    joined = text(Run(), text="سلام", font="sans")
    spelled = text(Run(), text="س ل ا م", font="sans")
    assert oracle(joined).is_watertight and width("سلام", font="sans") < 0.9 * width("س ل ا م", font="sans")
    assert len(np.unique(joined.face_groups)) < len(np.unique(spelled.face_groups))


def drawn(line: str) -> str:
    """What stretches say, letter by letter as it is seen; capitals in the tests stand for Hebrew letters."""
    hebrew = "".join(chr(0x5D0 + ord(c) - 65) if c.isupper() else c for c in line)
    pieces = stretches(hebrew)
    assert sorted(k for p in pieces for k in range(p.start, p.end)) == list(range(len(line)))
    mirrored = line.translate(str.maketrans("()", ")("))
    return "".join(mirrored[p.start : p.end][::-1] if p.level % 2 else line[p.start : p.end] for p in pieces)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("plain words", "plain words"),
        ("CAR", "RAC"),
        ("car means CAR.", "car means RAC."),
        ("car MEANS CAR.", "car RAC SNAEM."),
        ("CAR means car", "means car RAC"),
        ("CAR MEANS car.", ".car SNAEM RAC"),
        ("it is CAR 42 now", "it is 42 RAC now"),
        ("CAR 42 NOW", "WON 42 RAC"),
        ("room 42 CAR", "room 42 RAC"),
        ("", ""),
        ("car (CAR) 42 now", "car (RAC) 42 now"),
        ("NOW 42 (car)", "(car) 42 WON"),
        ("it (is NOW", "it (is WON"),
        ("CAR (now 42)", "(now 42) RAC"),
    ],
)
def test_mixed_directions_are_in_the_order_of_unicode(line: str, seen: str) -> None:
    assert drawn(line) == seen


def test_a_thin_bridge_between_letters_does_not_narrow_the_bevel() -> None:
    gap = oracle(text(Run(), text="oo")).split()
    apart = float(min(abs(g.bounds[0][0]) for g in gap))
    run = Run()
    mesh = text(run, text="oo", letter_spacing=-2 * apart - 0.004, bevel=0.05, bevel_steps=3)
    solid = oracle(mesh)
    assert solid.body_count == 1 and solid.is_watertight and solid.euler_number == -2 and not run.notes
    assert mesh.vertices[mesh.normals[:, 2] > 0.9999][:, 2].max() == pytest.approx(0.125)


def test_a_bevel_that_does_not_fit_becomes_narrower_and_says_so() -> None:
    run = Run()
    mesh = text(run, text="Serif", font="serif", bevel=0.5, depth=2.0)
    assert any("room for a bevel" in note for note in run.notes)
    assert oracle(mesh).is_watertight and oracle(mesh).body_count == 6


def test_text_from_the_input_is_taken_and_what_is_lacking_is_said() -> None:
    run = Run()
    mesh = text(run, Text("a你b"), text="never")
    assert oracle(mesh).body_count == 2 and any("你" in note for note in run.notes)


def test_what_cannot_be_set_is_said_in_words(tmp_path: Path) -> None:
    for empty in ("", " \n\t", "你"):
        with pytest.raises(BadInput, match="nothing to see"):
            text(Run(), text=empty)
    with pytest.raises(BadInput, match="characters"):
        text(Run(), text="x" * 5001)
    with pytest.raises(BadInput, match="font file"):
        text(Run(), font="own file")
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"not a font at all")
    with pytest.raises(BadFile, match=r"broken\.ttf"):
        text(Run(), font="own file", font_file=broken)
    run = Run()
    text(run, weight=700)
    assert any("one weight" in note for note in run.notes)
    own = text(Run(), text="x", font="own file", font_file=bundled("serif"))
    assert np.array_equal(own.vertices, text(Run(), text="x", font="serif").vertices)
