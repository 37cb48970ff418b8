"""Every rule finds exactly its own breach, names the node that caused it, and fails a run on the command line."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mesh_shapes import grid, moved, sphere, together
from test_check_printable import blade

from app.engine import BadFile, BadInput, BadParam, Credit, Files, Image, Material, Mesh, Report, Run
from app.engine.graph import Graph, Link, Node
from app.engine.graph_file import dumps
from app.engine.plan import make_steps, step_key
from app.engine.registry import discover
from app.engine.store import Store
from nodes.check._contract import RULES, TARGETS
from nodes.check._measured import MEASURES
from nodes.check.contract import contract
from nodes.mesh.primitives import box

ROOT = Path(__file__).resolve().parents[2]


def asset() -> Mesh:
    """A box of 1 m on the floor with a square texture: keeps to every rule below."""
    picture = Image.of(np.full((64, 64, 3), 0.5))
    mesh = box(pieces=2)
    return replace(mesh, vertices=mesh.vertices + np.float32([0, 0.5, 0]), material=Material("m", base_colour=picture))


def checked(mesh: Mesh, rules: dict[str, object], **more: object) -> Report:
    return contract(Run(), mesh, target="own", rules=json.dumps(rules), **more).report


GOOD: dict[str, object] = {
    "max_triangles": 48, "max_vertices": 54, "max_parts": 1, "max_materials": 1, "max_textures": 1,
    "max_texture_px": 64, "max_texture_mb": 0.006, "power_of_two": True, "min_texels_per_m": 10,
    "max_texels_per_m": 100, "uvs": True, "uvs_in_square": True, "max_uv_overlap": 0.0, "normals": True,
    "watertight": True, "manifold": True, "max_degenerate": 0, "max_intersections": 0, "min_wall_mm": 999,
    "min_size_m": 1, "max_size_m": 1, "on_floor": True, "max_file_mb": 1e-6, "min_lods": 2, "max_last_lod_triangles": 8,
    "licences_stated": True, "commercial_use": True,
}  # fmt: skip
FILES = Files.of({"a.glb": b"x"})
LODS = Report("l", (("LOD0 triangles", 48), ("LOD1 triangles", 8)))


def without(mesh: Mesh, **none: object) -> Mesh:
    return replace(mesh, **none)


def repainted(mesh: Mesh, width: int, height: int) -> Mesh:
    return replace(mesh, material=Material("m", base_colour=Image.of(np.zeros((height, width, 3)))))


def scaled(mesh: Mesh, by: float) -> Mesh:
    return replace(mesh, vertices=mesh.vertices * np.float32(by))


def fewer(mesh: Mesh) -> Mesh:
    return replace(mesh, faces=mesh.faces[1:])


def more(mesh: Mesh, count: int = 1) -> Mesh:
    return replace(mesh, faces=np.concatenate([mesh.faces, mesh.faces[:count]]))


BREACHES = {
    "max_triangles": lambda m: more(m),
    "max_vertices": lambda m: box(pieces=3),
    "max_parts": lambda m: together(m, moved(m, 5, 0, 0)),
    "max_textures": lambda m: replace(m, material=replace(m.material, normal=m.material.base_colour)),
    "max_texture_px": lambda m: repainted(m, 128, 64),
    "max_texture_mb": lambda m: repainted(m, 128, 128),
    "power_of_two": lambda m: repainted(m, 60, 64),
    "min_texels_per_m": lambda m: scaled(m, 3),
    "max_texels_per_m": lambda m: scaled(m, 0.1),
    "uvs": lambda m: without(m, uv=None),
    "uvs_in_square": lambda m: replace(m, uv=m.uv + np.float32(0.5)),
    "max_uv_overlap": lambda m: replace(m, uv=(m.uv % np.float32(0.333)) * 3),
    "normals": lambda m: without(m, normals=None),
    "watertight": fewer,
    "manifold": lambda m: together(m, Mesh.of(m.vertices, m.faces[:1])),
    "max_degenerate": lambda m: more(m),
    "max_intersections": lambda m: together(m, moved(m, 0.3, 0.2, 0.1)),
    "min_wall_mm": lambda m: scaled(m, 0.5),
    "min_size_m": lambda m: scaled(m, 0.5),
    "max_size_m": lambda m: scaled(m, 2),
    "on_floor": lambda m: moved(m, 0, 0.1, 0),
}


def test_a_good_asset_keeps_every_rule_and_every_rule_is_measured() -> None:
    assert set(GOOD) == set(RULES) == set(MEASURES)
    report = checked(asset(), GOOD, files=FILES, lods=LODS)
    assert report.value("passed") is True and report.value("rules") == len(RULES)
    assert {report.value(key) for key in RULES} == {"kept"}


@pytest.mark.parametrize(("angle", "kept"), [(60, True), (20, False)])
def test_a_sharp_edge_is_no_thin_wall_and_a_knife_is(angle: float, kept: bool) -> None:
    assert checked(blade(angle), {"min_wall_mm": 2.0}).value("passed") is kept


@pytest.mark.parametrize("key", BREACHES)
def test_each_breach_is_found(key: str) -> None:
    mesh = BREACHES[key](asset())
    report = checked(mesh, {key: GOOD[key]})
    assert report.value("passed") is False and report.value("breaches") == 1 and report.value(key) == "BROKEN"
    assert key in report.verdict and report.value(f"{key}: breach")


def test_the_rules_about_licences_name_the_inputs_that_break_them() -> None:
    works = (
        Credit("wood.jpg", licence="CC0"),
        Credit("chair.obj"),
        Credit("Net", licence="own terms, NOT FOR COMMERCIAL USE", kind="model"),
        Credit("painter", kind="service"),
    )
    rules = json.dumps({"licences_stated": True, "commercial_use": True})
    run = Run(credits=works)
    report = contract(run, asset(), target="own", rules=rules).report
    assert report.value("licences_stated: breach") == "it is not true that every input states its licence: chair.obj"
    assert "Net (own terms" in str(report.value("commercial_use: breach")) and len(run.notes) == 2
    kept = contract(Run(credits=(works[0], works[3])), asset(), target="own", rules=rules).report
    assert kept.value("passed") is True


def test_measures_that_only_rounding_puts_over_a_limit_are_kept_and_counts_are_exact() -> None:
    third = replace(asset(), vertices=asset().vertices * np.float32(0.3))
    assert float(np.ptp(third.vertices, axis=0).max()) > 0.3
    assert checked(third, {"max_size_m": 0.3, "min_size_m": 0.3}).value("passed") is True
    assert checked(asset(), {"max_triangles": 47.9999}).value("passed") is False


def test_files_and_levels_are_checked_where_they_are_connected() -> None:
    rules = {"max_file_mb": 0.5e-6, "min_lods": 3, "max_last_lod_triangles": 7}
    assert checked(asset(), rules, files=FILES, lods=LODS).value("breaches") == 3
    apart = checked(asset(), rules)
    assert apart.value("passed") is True and {apart.value(key) for key in rules} == {"not checked"}


def test_the_report_of_a_real_lod_chain_is_understood() -> None:
    from nodes.mesh.lod_chain import lod_chain

    chain = lod_chain(Run(), sphere(3), levels=3)
    report = checked(asset(), {"min_lods": 3, "max_last_lod_triangles": 320}, lods=chain.report)
    assert report.value("min_lods: measured") == 3 and report.value("max_last_lod_triangles: measured") == 320


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"max_triangels": 5}', "does not exist"),
        ('{"max_triangles": true}', "max_triangles is True"),
        ('{"max_triangles": -1}', "-1"),
        ('{"max_triangles": NaN}', "nan"),
        ('{"watertight": 1}', "watertight is 1"),
        ("", "no rule"),
    ],
)
def test_rules_that_mean_nothing_are_refused(rules: str, said: str) -> None:
    with pytest.raises(BadParam, match=said) as refused:
        contract(Run(), asset(), target="own", rules=rules)
    assert refused.value.advice
    if "triangels" in rules:
        assert "max_triangles" in refused.value.advice


def test_file_and_text_change_the_target_and_come_out_as_text(tmp_path: Path) -> None:
    file = tmp_path / "client.json"
    file.write_text('{"name": "Client", "max_triangles": 50, "power_of_two": null}')
    found = contract(Run(), asset(), target="mobile", rules='{"max_triangles": 20}', file=file)
    kept = json.loads(found.contract.value)
    assert kept.pop("name") == "Client" and "power_of_two" not in kept and kept["max_triangles"] == 20
    assert kept == {**{k: v for k, v in TARGETS["mobile"].items() if k != "power_of_two"}, "max_triangles": 20}
    again = contract(Run(), asset(), target="own", rules=found.contract.value)
    assert again.report.rows == found.report.rows and again.contract.value == found.contract.value
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadFile, match="text"):
        contract(Run(), asset(), file=file)


@pytest.mark.parametrize("target", [t for t in TARGETS if t != "own"])
def test_targets_take_a_sensible_asset(target: str) -> None:
    mesh = asset() if target != "print" else replace(asset(), vertices=asset().vertices / 10)
    assert contract(Run(), mesh, target=target).report.value("passed") is True
    assert contract(Run(), grid(10 if target == "print" else 230), target=target).report.value("passed") is False


def test_a_hopeless_mesh_is_refused() -> None:
    with pytest.raises(BadInput, match="no faces"):
        contract(Run(), Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))))


NODES = {
    "s": Node("s", "mesh.sphere", {"segments": 48}, title="Ball"),
    "t": Node("t", "mesh.transform", {"scale": 3.0}),
    "d": Node("d", "mesh.decimate", {"target_faces": 500}),
    "b": Node("b", "mesh.smooth", {}),
    "c": Node("c", "check.contract", {"target": "own"}),
    "e": Node("e", "io.export_glb", {"path": "ball.glb"}),
}
CHAIN = (("s", "t"), ("t", "d"), ("d", "b"), ("b", "c"))
LINKS = tuple(Link(a, "out", b, "mesh") for a, b in CHAIN)


@pytest.mark.parametrize(
    ("key", "limit", "cause"),
    [
        ("max_triangles", 10, '"Decimate" (d; target_faces = 500)'),
        ("max_size_m", 0.1, '"Transform" (t; scale = 3.0)'),
        ("watertight", False, '"Ball" (s)'),
        ("max_vertices", 10, '"Decimate" (d; target_faces = 500)'),
    ],
)
def test_a_breach_names_the_nearest_node_that_decides_it(key: str, limit: object, cause: str) -> None:
    run = Run(graph_text=dumps(Graph(NODES, LINKS)), log=logging.getLogger("polyloom.node.c"))
    report = contract(run, asset(), target="own", rules=json.dumps({key: limit})).report
    assert report.value(f"{key}: most likely decided by") == cause
    assert any(cause in note for note in run.notes)


def test_a_bypassed_node_is_not_to_blame_and_a_driven_setting_is_traced() -> None:
    nodes = {**NODES, "d": replace(NODES["d"], bypass=True), "v": Node("v", "value.number", {})}
    links = (*LINKS, Link("v", "out", "s", "segments"))
    run = Run(graph_text=dumps(Graph(nodes, links)))
    report = contract(run, asset(), target="own", rules='{"max_triangles": 1}').report
    assert report.value("max_triangles: most likely decided by") == '"Ball" (s; segments from v)'


@pytest.mark.parametrize(("stop", "most", "status"), [(True, 100, 1), (False, 100, 0), (True, 500, 0)])
def test_on_the_command_line_a_breach_is_exit_status_1(tmp_path: Path, stop: bool, most: int, status: int) -> None:
    """The real command line, as in a pipeline: the export behind a broken contract writes nothing."""
    rules = json.dumps({"max_triangles": most, "watertight": True, "max_size_m": 0.5 if most == 100 else 50})
    checking = Node("c", "check.contract", {"target": "own", "rules": rules, "stop": stop})
    nodes = {**NODES, "c": checking}
    del nodes["b"]
    links = (*LINKS[:2], Link("d", "out", "c", "mesh"), Link("c", "mesh", "e", "mesh"))
    file, report = tmp_path / "a.graph", tmp_path / "report.json"
    file.write_text(dumps(Graph(nodes, links)))
    command = [sys.executable, ROOT / "main.py", "run", file, "--in-process", "--store", tmp_path / "store", "--out",
               tmp_path / "out", "--report", report]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == status, done.stderr
    told = json.loads(report.read_text())
    assert (tmp_path / "out" / "ball.glb").exists() == (status == 0)
    if status:
        error = told["nodes"]["c"]["error"]
        assert told["nodes"]["c"]["state"] == "failed" and told["nodes"]["e"]["state"] == "blocked"
        assert "breaks 2 rules" in error["message"] and "500 triangles, at most 100" in error["message"]
        assert '"Decimate" (d; target_faces = 500' in error["message"] and '"Transform" (t' in error["message"]
        assert "max_triangles" in done.stderr


def test_its_result_counts_until_what_it_may_blame_changes(tmp_path: Path) -> None:
    """It names nodes by title and settings: those are part of its key; where nodes lie on the canvas is not."""
    graph = Graph(
        {"a": Node("a", "mesh.box"), "b": Node("b", "mesh.smooth"), "c": Node("c", "check.contract"),
         "d": Node("d", "mesh.box")},
        (Link("a", "out", "b", "mesh"), Link("b", "out", "c", "mesh")),
    )  # fmt: skip
    store, registry = Store(tmp_path), discover(("nodes",))

    def key(graph: Graph) -> str:
        step = next(step for step in make_steps(graph, registry, ["c"]) if step.node_id == "c")
        return step_key(step, {"mesh": "0" * 32}, tmp_path, store)

    def changed(id: str, **values: object) -> Graph:
        return graph.with_nodes([replace(graph.nodes[id], **values)])

    assert key(graph) == key(changed("a", at=(300.0, 7.0))) == key(changed("d", title="Elsewhere"))
    others = [changed("a", title="Crate"), changed("b", params={"steps": 3}), changed("b", bypass=True)]
    assert len({key(graph), *map(key, others)}) == 4
