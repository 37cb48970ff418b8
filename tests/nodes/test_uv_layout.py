"""What Unwrap UV promises, proved exactly: no overlap, nothing mirrored, the gaps, lengths, densities, seams."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from mesh_shapes import box, bumpy, grid, moebius, moved, sphere, together, torus, uv_turns
from uv_proofs import least_gap, overlapping_pairs

from app.engine import BadInput, Cancelled, Mesh, Run
from nodes.mesh._measure import charts_of, measure_uv
from nodes.mesh._stretch import stretch
from nodes.mesh._topology import edges_of, weld_points
from nodes.mesh._uv_report import seam_length
from nodes.mesh.unwrap import simpler_unwrap, unwrap, unwrap_uv

METHODS = ["fast", "xatlas", "box"]


def sheet(points: np.ndarray) -> Mesh:
    """A (R, C, 3) grid of points as triangles."""
    rows, columns = points.shape[:2]
    i = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    one = np.stack([i, i + 1, i + columns + 1], axis=1)
    two = np.stack([i, i + columns + 1, i + columns], axis=1)
    return Mesh.of(points.reshape(-1, 3), np.concatenate([one, two]))


def rolled(turn: float, radius: tuple[float, float], heights: tuple[float, float], columns: int = 60) -> Mesh:
    """A tube or a cone without its ends, closed where it goes all the way round."""
    angle = -np.linspace(0, turn, columns)
    s = np.linspace(0, 1, 12)[:, None]
    r, y = radius[0] + s * (radius[1] - radius[0]), heights[0] + s * (heights[1] - heights[0])
    mesh = sheet(np.stack([r * np.cos(angle), y + 0 * angle, r * np.sin(angle)], axis=2))
    weld = weld_points(np.round(mesh.vertices, 5).astype(np.float32))
    return Mesh.of(mesh.vertices[weld.first], weld.ids[mesh.faces])


def pulls(mesh: Mesh) -> np.ndarray:
    """(M, 2) how far each face is pulled along its two main directions; 1 everywhere when lengths are kept."""
    assert mesh.uv is not None
    found = stretch(mesh.vertices, mesh.uv, mesh.faces)
    return np.stack([found.long, found.short], axis=1)


def assert_sound(mesh: Mesh) -> None:
    assert (uv_turns(mesh) > 0).all(), "a face is mirrored or has no area"
    assert overlapping_pairs(mesh) == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [box(), torus(), bumpy(4), grid(), moebius(), sphere(3)], ids=lambda m: len(m.faces))
def test_no_two_faces_overlap_and_none_is_mirrored(shape: Mesh, method: str) -> None:
    laid = unwrap(Run(), shape, method=method)
    assert np.array_equal(laid.vertices[laid.faces], shape.vertices[shape.faces])
    assert_sound(laid)
    assert laid.uv.min() >= 0 and laid.uv.max() <= 1


@pytest.mark.parametrize("method", ["fast", "box", "xatlas"])
@pytest.mark.parametrize(("size", "padding"), [(512, 2), (1024, 7), (4096, 10), (200, 5)])
def test_charts_keep_the_padding_exactly(method: str, size: int, padding: int) -> None:
    laid = unwrap(Run(), bumpy(3), texture_size=size, padding=padding, method=method)
    assert least_gap(laid, 2 * padding / size) >= padding / size * (1 - 1e-5)
    assert min(laid.uv.min(), 1 - laid.uv.max()) >= padding / size / 2 * (1 - 1e-5)


def test_a_cylinder_becomes_one_rectangle_with_all_lengths_kept() -> None:
    tube = rolled(2 * np.pi, (0.3, 0.3), (0.0, 1.0))
    laid, report = unwrap_uv(Run(), tube)
    assert np.abs(pulls(laid) - 1).max() < 1e-3
    assert report.value("charts") == 1 and report.value("seam length (m)") == pytest.approx(1.0, rel=1e-4)
    assert_sound(laid)


def test_a_cone_becomes_sectors_with_all_lengths_kept() -> None:
    cone = rolled(2 * np.pi, (0.5, 0.1), (0.0, 0.8))
    laid, report = unwrap_uv(Run(), cone)
    assert np.abs(pulls(laid) - 1).max() < 1e-3
    assert report.value("charts") <= 2
    assert report.value("seam length (m)") < 1.1 * report.value("charts") * np.hypot(0.4, 0.8)
    assert_sound(laid)


def test_a_developable_strip_keeps_its_lengths() -> None:
    """A wave, and a ribbon on a helix that turns one and a half times: both can be rolled out flat."""
    s = np.linspace(0, 3 * np.pi, 90)
    across = np.linspace(0, 0.4, 5)[:, None]
    wave = sheet(np.stack([np.sin(s) + 0 * across, across + 0 * s, s + 0 * across], axis=2))
    helix = sheet(np.stack([np.cos(s) + 0 * across, 0.3 * s - across, np.sin(s) + 0 * across], axis=2))
    for strip in (wave, helix):
        laid = unwrap(Run(), strip)
        assert np.abs(pulls(laid) - 1).max() < 1e-3
        assert_sound(laid)


def test_a_sphere_is_stretched_little() -> None:
    laid, report = unwrap_uv(Run(), sphere(4))
    assert report.value("stretch, mean (L2)") < 1.01 and pulls(laid).max() < 1.35
    assert report.value("charts") <= 20


def test_less_strain_gives_more_charts_and_less_stretch() -> None:
    loose, tight = (unwrap_uv(Run(), sphere(4), max_strain=strain)[1] for strain in (10.0, 1.5))
    assert tight.value("stretch, mean (L2)") < 1 + 0.015**2 * 3 < loose.value("stretch, mean (L2)")
    assert tight.value("charts") > loose.value("charts")


def test_joining_saves_seams_against_the_box() -> None:
    fast, box_ = (unwrap(Run(), bumpy(4), method=method) for method in ("fast", "box"))
    assert seam_length(fast) < 0.8 * seam_length(box_)


class TestDensity:
    def test_it_is_even_and_as_the_report_says(self) -> None:
        parts = together(box(), moved(sphere(3, 0.3), 3, 0, 0))
        laid, report = unwrap_uv(Run(), parts, texture_size=1024)
        _, chart = charts_of(laid)
        area = np.linalg.norm(
            np.cross(*(laid.vertices[laid.faces[:, k]] - laid.vertices[laid.faces[:, 0]] for k in (1, 2))), axis=1
        )
        each = 1024 * np.sqrt(np.bincount(chart, uv_turns(laid)) / np.bincount(chart, area))
        assert np.allclose(each, report.value("texels per metre"), rtol=1e-4)

    @pytest.mark.parametrize("wanted", [40.0, 150.0])
    def test_what_is_asked_for_is_given(self, wanted: float) -> None:
        laid, report = unwrap_uv(Run(), box(), texture_size=512, density=wanted)
        assert report.value("texels per metre") == pytest.approx(wanted, rel=1e-9)
        assert np.sqrt(uv_turns(laid).sum() / 12) * 512 == pytest.approx(wanted, rel=1e-4)

    def test_what_does_not_fit_is_said(self) -> None:
        run = Run()
        laid, report = unwrap_uv(run, box(), texture_size=512, density=400.0)
        assert report.value("texels per metre") < 400 and any("400 px/m does not fit" in note for note in run.notes)
        assert_sound(laid)

    def test_tiles_take_what_one_square_cannot(self) -> None:
        run = Run()
        laid, report = unwrap_uv(run, box(), texture_size=512, density=400.0, tiles=12)
        assert not run.notes and report.value("texels per metre") == pytest.approx(400)
        tile = np.floor(laid.uv[laid.faces]).astype(int)
        assert (tile == tile[:, :1]).all(), "a face lies in two tiles"
        used = np.unique(tile.reshape(-1, 2), axis=0)
        assert len(used) == report.value("tiles") > 1 and used[:, 0].max() < 10
        assert_sound(laid)
        assert least_gap(laid, 8 / 512) >= 4 / 512 * (1 - 1e-5)

    def test_several_tiles_hold_more_than_one(self) -> None:
        one, four = (unwrap_uv(Run(), bumpy(4), texture_size=512, tiles=n)[1] for n in (1, 4))
        assert four.value("texels per metre") > 1.6 * one.value("texels per metre")
        assert four.value("tiles") == 4


class TestSeams:
    def test_by_angle(self) -> None:
        report = unwrap_uv(Run(), box(), seam_angle=60)[1]
        assert report.value("charts") == 6 and report.value("seam length (m)") == pytest.approx(12, rel=1e-5)

    def test_by_part(self) -> None:
        mesh = sphere(3)
        parts = (mesh.vertices[mesh.faces].mean(axis=1)[:, 0] > 0).astype(np.int32)
        for method in ("fast", "box"):
            laid = unwrap(Run(), replace(mesh, face_groups=parts), method=method, part_seams=True)
            _, chart = charts_of(laid)
            assert all(len(np.unique(parts[chart == c])) == 1 for c in range(int(chart.max()) + 1))

    def test_those_that_are_there_stay(self) -> None:
        mesh = grid(8)
        halves = mesh.vertices[mesh.faces].mean(axis=1)[:, 0] > 0
        torn = Mesh.of(mesh.vertices[mesh.faces].reshape(-1, 3), np.arange(mesh.faces.size).reshape(-1, 3))
        uv = mesh.uv[mesh.faces] + np.where(halves, 2.0, 0.0)[:, None, None]
        torn = replace(torn, uv=uv.reshape(-1, 2).astype(np.float32))
        laid, report = unwrap_uv(Run(), torn, keep_seams=True)
        assert report.value("charts") == 2 and report.value("seam length (m)") == pytest.approx(1.0, rel=1e-5)
        assert np.abs(pulls(laid) - 1).max() < 1e-3
        assert unwrap_uv(Run(), torn)[1].value("charts") == 1

    def test_kept_seams_need_uvs(self) -> None:
        with pytest.raises(BadInput, match="no UVs"):
            unwrap(Run(), box(), keep_seams=True)


class TestKeep:
    def test_charts_keep_their_shape_and_get_a_place_of_their_own(self) -> None:
        """Two squares on top of each other, one mirrored, one half as large."""
        uv = grid(4).uv
        both = replace(
            together(grid(4), moved(grid(4), 2, 0, 0)), uv=np.concatenate([uv * (-0.5, 0.5), uv]).astype("f4")
        )
        laid, report = unwrap_uv(Run(), both, method="keep")
        assert_sound(laid)
        assert report.value("charts") == 2 and np.abs(pulls(laid) - 1).max() < 1e-4

    def test_sizes_stay_where_that_is_asked(self) -> None:
        uv = grid(4).uv
        both = replace(together(grid(4), moved(grid(4), 2, 0, 0)), uv=np.concatenate([uv * 0.5, uv]).astype(np.float32))
        laid = unwrap(Run(), both, method="keep", one_density=False)
        area = uv_turns(laid).reshape(2, -1).sum(axis=1)
        assert area[1] / area[0] == pytest.approx(4, rel=1e-4)

    def test_what_does_not_lie_flat_is_laid_out_anew(self) -> None:
        mesh = replace(sphere(3), uv=sphere(3).vertices[:, :2].copy())
        assert_sound(unwrap(Run(), mesh, method="keep"))
        assert_sound(unwrap(Run(), replace(mesh, uv=np.zeros_like(mesh.uv)), method="keep"))

    def test_a_layout_survives_being_kept(self) -> None:
        first = unwrap(Run(), bumpy(3))
        again = unwrap(Run(), first, method="keep")
        assert charts_of(first)[0] == charts_of(again)[0]
        assert np.allclose(pulls(first), pulls(again), rtol=2e-3)


class TestHopeless:
    @pytest.mark.parametrize("method", ["fast", "box"])
    def test_a_soup_of_loose_triangles(self, method: str) -> None:
        rng = np.random.default_rng(0)
        at = rng.normal(size=(4_000, 1, 3)) + rng.normal(size=(4_000, 3, 3)) * 0.05
        laid = unwrap(Run(), Mesh.of(at.reshape(-1, 3), np.arange(12_000).reshape(-1, 3)), method=method, padding=2)
        assert_sound(laid)
        assert least_gap(laid, 4 / 1024) >= 2 / 1024 * (1 - 1e-3)

    @pytest.mark.parametrize("method", ["fast", "box"])
    def test_pure_noise(self, method: str) -> None:
        mesh = sphere(3)
        wild = Mesh.of(np.random.default_rng(1).normal(size=mesh.vertices.shape), mesh.faces)
        assert_sound(unwrap(Run(), wild, method=method))

    def test_three_sheets_on_one_edge_and_crossed_winding(self) -> None:
        fan = Mesh.of(
            np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0.3], [0, 0, 1]]), [[0, 1, 2], [0, 1, 3], [0, 1, 4]]
        )
        laid = unwrap(Run(), fan)
        assert_sound(laid)

    def test_slivers_and_a_giant(self) -> None:
        thin = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1e-7, 0], [900, 0, 0], [900, 900, 0], [0, 900, 5]], float)
        laid = unwrap(Run(), Mesh.of(thin, [[0, 1, 2], [3, 4, 5]]))
        assert np.isfinite(laid.uv).all() and overlapping_pairs(laid) == 0

    def test_a_self_crossing_knot_of_a_chart_is_cut(self) -> None:
        """A flat spiral staircase of three turns: it looks up everywhere and lies over itself."""
        turn, out = np.linspace(0, 6 * np.pi, 150), np.linspace(0.5, 1.0, 4)[:, None]
        ramp = sheet(np.stack([out * np.cos(-turn), 0.02 * turn + 0 * out, out * np.sin(-turn)], axis=2))
        laid, report = unwrap_uv(Run(), ramp)
        assert_sound(laid)
        assert 3 <= report.value("charts") <= 10


class TestBudgets:
    def test_xatlas_has_a_budget_of_faces(self) -> None:
        run = Run()
        laid = unwrap(run, bumpy(4), method="xatlas", face_budget=1_000)
        assert any("budget of 1,000 for xatlas" in note for note in run.notes)
        assert np.array_equal(laid.uv, unwrap(Run(), bumpy(4), method="fast").uv)

    def test_a_stopped_method_is_followed_by_a_simpler_one(self) -> None:
        asked = {"texture_size": 256, "padding": 2, "face_budget": 20_000}
        after = {m: simpler_unwrap(Run(), bumpy(3), method=m, **asked).out.uv for m in ("xatlas", "fast", "auto")}
        plain = {m: unwrap(Run(), bumpy(3), 256, 2, m).uv for m in ("fast", "box")}
        assert np.array_equal(after["xatlas"], plain["fast"])
        assert np.array_equal(after["fast"], plain["box"]) and np.array_equal(after["auto"], plain["box"])

    def test_too_many_faces_go_to_the_box(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from nodes.mesh import unwrap as module

        monkeypatch.setattr(module, "FAST_FACES", 1_000)
        run = Run()
        laid = unwrap(run, bumpy(4), method="auto")
        assert any("box projection" in note for note in run.notes)
        assert np.array_equal(laid.uv, unwrap(Run(), bumpy(4), method="box").uv)

    @pytest.mark.parametrize("at", [0.05, 0.25, 0.55, 0.7])
    def test_it_stops_on_the_way(self, at: float) -> None:
        stop = threading.Event()
        told: list[float] = []

        def report(fraction: float, _: str) -> None:
            told.append(fraction)
            if fraction >= at:
                stop.set()

        with pytest.raises(Cancelled):
            unwrap(Run(report=report, stop=stop), bumpy(4))
        assert sum(f >= at for f in told) == 1, "it went on after it was stopped"


def test_threads_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    results = []
    for count in (1, 7):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        results.append(unwrap(Run(), bumpy(4)))
    assert np.array_equal(results[0].uv, results[1].uv) and np.array_equal(results[0].faces, results[1].faces)


def test_every_edge_inside_a_chart_is_whole() -> None:
    """Vertices are split along the seams and nowhere else."""
    mesh = bumpy(4)
    laid = unwrap(Run(), mesh)
    _, chart = charts_of(laid)
    edges = edges_of(weld_points(laid.vertices).ids[laid.faces])
    a, b = edges.pairs.T
    same = laid.uv[laid.faces].reshape(-1, 2)
    joined_ = (same[a] == same[b - b % 3 + (b + 1) % 3]).all(axis=1)
    assert (joined_ | (chart[a // 3] != chart[b // 3])).mean() > 0.99
    assert measure_uv(laid, 1.0).charts == int(chart.max()) + 1


def test_a_density_beyond_all_room_cuts_nothing_to_crumbs() -> None:
    """It becomes what fits: as many charts as without a wish, and no hour of cutting."""
    run = Run()
    laid, report = unwrap_uv(run, bumpy(4), texture_size=256, density=100_000.0)
    free = unwrap_uv(Run(), bumpy(4), texture_size=256).report
    assert any("100000 px/m does not fit" in note for note in run.notes)
    assert report.value("charts") <= 2 * free.value("charts")
    assert report.value("texels per metre") > 0.8 * free.value("texels per metre")
    assert len(laid.faces) == len(bumpy(4).faces)
