"""Every example opens, is complete and in order, runs, and does what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import main
from app.engine import Mesh, Run, Scene
from app.engine.embedded import read_graph_text
from app.engine.graph import Graph
from app.engine.graph_file import dumps, loads, read
from app.engine.graph_thread import Setup
from app.engine.plan import make_plan
from app.engine.registry import Registry, discover
from app.engine.report import RunReport
from app.engine.script import run_and_wait
from app.engine.store import Store
from app.engine.validate import validate
from app.engine.weight_needs import cards_of, lacking
from nodes.check.printable import printable
from nodes.io.load_image import load_image
from nodes.io.load_mesh import load_mesh
from nodes.io.load_points import load_points
from nodes.io.load_scene import load_scene
from nodes.mesh._measure import measure
from nodes.mesh._within import Gauge
from nodes.mesh.analyse import analyse
from nodes.preparation import read as read_loops
from resources.update_kernels import Asked
from resources.warm_up import alone, small

REGISTRY = discover(("nodes",))
EXAMPLES = sorted((Path(__file__).parents[1] / "resources" / "examples").glob("*.graph"))
STARTER = next(path for path in EXAMPLES if path.stem == "starter")
NODE_SIZE, ROW = (200, 147), 21  # with the picture of its result, without sockets

QUICK: dict[str, dict[str, dict[str, Any]]] = {
    "compare_methods": {
        "photo": {"longest_side": 256},
        "compare": {"methods": "inflate faces=4000 resolution=96 texture_size=256", "size": 96},
    },
    "drawing_to_toy": {
        "drawing": {"longest_side": 256},
        "inflate": {"faces": 4000, "resolution": 96, "texture_size": 256},
    },
    "mesh_cleanup": {},
    "mesh_to_game_asset": {"decimate": {"target_faces": 1500}, "bake": {"size": 256, "rays": 4, "antialias": "off"}},
    "picture_studio": {
        "photo": {"longest_side": 256},
        "drawing": {"longest_side": 300},
        "small": {"longest_side": 200},
    },
    "points_to_mesh": {"decimate": {"target_faces": 2000}},
    "print_preparation": {"hollow": {"detail": 64}},
    "scene_of_objects": {"owl_file": {"merge": False}, "lighter": {"target_faces": 2000}},
    "retopology": {
        "remesh": {"target_faces": 2500},
        "apart": {"samples": 20_000},
        "bake": {"size": 256, "rays": 4, "antialias": "off"},
    },
    "scan_to_game_asset": {
        "decimate": {"target_faces": 2000},
        "bake": {"size": 256, "rays": 4, "antialias": "off"},
        "hulls": {"max_hulls": 3},
    },
    "starter": {
        "photo": {"longest_side": 320},
        "inflate": {"faces": 12_000, "resolution": 128, "texture_size": 512},
        "decimate": {"target_faces": 2000},
        "bake": {"size": 256, "rays": 8, "antialias": "off"},
    },
    "stone_from_noise": {
        "form": {"detail": 12},
        "rough": {"most_faces": 60_000, "octaves": 4},
        "low": {"target_faces": 800},
        "noise": {"width": 128, "height": 128},
        "bake": {"size": 128, "rays": 4, "antialias": "off"},
        "dress": {"size": 128},
    },
    "tiling_material": {"photo": {"longest_side": 320}, "size": {"longest_side": 256}, "dress": {"size": 256}},
}


def name_of(path: Path) -> str:
    return path.stem


def with_models(path: Path) -> set[str]:
    """The nodes of an example that call for published model files as they are set."""
    graph = read(path)
    return {id for id, node in graph.nodes.items() if cards_of(node, REGISTRY[node.type], graph)}


COMPLETE = [path for path in EXAMPLES if not with_models(path)]
ASKING = [path for path in EXAMPLES if with_models(path)]


def quick(path: Path) -> Graph:
    """The example with smaller sizes: the same steps in less time."""
    graph = read(path)
    for id, values in QUICK[path.stem].items():
        assert set(values) <= set(graph.nodes[id].params)
        graph = graph.with_params(id, **values)
    return graph


class Desk:
    """Runs graphs with one store; ``out`` holds the files."""

    def __init__(self, folder: Path) -> None:
        self.setup, self.out = Setup(folder / "store"), folder / "out"

    def run(self, graph: Graph) -> RunReport:
        report = RunReport(graph)
        run_and_wait(self.setup, graph, STARTER.parent, self.out, None, report, strict=True)
        assert report.status == "ok", report.to_json()
        return report

    def states(self, graph: Graph) -> dict[str, str]:
        return {id: node.state for id, node in self.run(graph).nodes.items()}


@pytest.fixture(scope="module", autouse=True)
def asked() -> Iterator[Asked]:
    """The compiled loops that the examples call."""
    with Asked() as asked:
        yield asked


@pytest.fixture(scope="module")
def registry() -> Registry:
    return REGISTRY


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("examples"))


@pytest.fixture(scope="module")
def asset(desk: Desk) -> Path:
    """What the starter writes."""
    assert desk.run(quick(STARTER)).outputs == ["asset.glb"]
    return desk.out / "asset.glb"


def test_there_are_five_and_each_has_quick_settings() -> None:
    assert len(COMPLETE) >= 5
    assert {path.stem for path in COMPLETE} == set(QUICK)


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_it_is_canonical(path: Path) -> None:
    text = path.read_text("utf-8")
    assert dumps(loads(text)) == text


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_it_is_valid_plans_and_is_written_by_today_s_nodes(path: Path, registry: Registry, tmp_path: Path) -> None:
    graph = read(path)
    assert validate(graph, registry, path.parent) == []
    store = Store(tmp_path / "store")
    plan = make_plan(graph, registry, store, path.parent)
    store.close()
    assert set(plan.states.values()) == {"run"}
    assert set(plan.states) == set(graph.nodes)
    for node in graph.nodes.values():
        spec = registry[node.type]
        assert node.version == spec.version, "run resources/update_examples.py"
        assert set(node.params) == {param.name for param in spec.params}


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_it_reads_from_left_to_right_and_nothing_overlaps(path: Path, registry: Registry) -> None:
    """Also when each node shows the picture of its result."""
    graph = read(path)
    assert all(graph.nodes[link.source].at[0] < graph.nodes[link.target].at[0] for link in graph.links)
    for one, other in combinations(graph.nodes.values(), 2):
        apart = [abs(a - b) for a, b in zip(one.at, other.at, strict=True)]
        upper = registry[min(one, other, key=lambda node: node.at[1]).type]
        height = NODE_SIZE[1] + ROW * max(len(upper.inputs), len(upper.outputs))
        assert apart[0] >= NODE_SIZE[0] or apart[1] >= height, (one.id, other.id)


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_it_says_what_it_does_in_one_sentence(path: Path) -> None:
    view = read(path).view
    assert view["title"]
    assert view["description"].endswith(".") and view["description"].count(". ") == 0


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_it_uses_files_of_the_samples_by_relative_path(path: Path, registry: Registry) -> None:
    for node in read(path).nodes.values():
        if node.type in ("io.load_image", "io.load_mesh"):
            assert str(node.params["path"]).startswith("../samples/")


@pytest.mark.parametrize("path", [path for path in COMPLETE if path != STARTER], ids=name_of)
def test_it_runs_and_then_runs_nothing(path: Path, desk: Desk) -> None:
    graph = quick(path)
    report = desk.run(graph)
    assert {node.state for node in report.nodes.values()} <= {"ran", "reused"}  # examples share their first steps
    assert all(report.nodes[id].state == "ran" for id in graph.ends())
    assert report.outputs
    assert all((desk.out / name).stat().st_size > 80 for name in report.outputs)
    assert set(desk.states(graph).values()) == {"reused"}


@pytest.mark.parametrize("path", ASKING, ids=name_of)
def test_without_its_models_it_says_which_and_the_rest_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("POLYLOOM_WEIGHTS", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    graph, asking = read(path), with_models(path)
    report = RunReport(graph)
    run_and_wait(Setup(tmp_path / "store"), graph, path.parent, tmp_path / "out", None, report, strict=False)
    told = {id: node.state for id, node in report.nodes.items()}
    after = graph.downstream(asking)
    first = {id for id in asking if not graph.upstream([id]) & asking - {id}}
    assert first and all(told[id] == "failed" for id in first)
    assert all(told[id] in ("blocked", "failed") for id in after)
    assert all(told[id] == "ran" for id in set(graph.nodes) - after - asking)
    for id in first:
        error = report.nodes[id].error
        assert error is not None and error.kind == "missing-weights" and "main.py weights fetch" in error.advice
    assert {lack.node for lack in lacking(graph, REGISTRY)} == asking


def test_the_clean_up_turns_a_torn_scan_into_a_closed_mesh(desk: Desk) -> None:
    path = next(path for path in EXAMPLES if path.stem == "mesh_cleanup")
    graph = read(path)
    desk.run(graph)
    torn = analyse(Run(), load_mesh(Run(), path.parent / graph.nodes["scan"].params["path"])).report
    clean = analyse(Run(), load_mesh(Run(), desk.out / "duck.ply"))
    assert (torn.value("closed"), clean.report.value("closed")) == (False, True)
    assert clean.report.value("watertight") is True
    assert (torn.value("parts"), clean.report.value("parts")) != (1, 2)
    assert len(clean.mesh.faces) <= graph.nodes["decimate"].params["target_faces"]
    assert clean.mesh.colours is not None


def test_the_points_of_a_scan_become_one_closed_coloured_mesh(desk: Desk) -> None:
    path = next(path for path in EXAMPLES if path.stem == "points_to_mesh")
    graph = read(path)
    desk.run(graph)
    made = load_mesh(Run(), desk.out / "duck_from_points.glb")
    report = analyse(Run(), made).report
    assert report.value("watertight") is True and report.value("parts") == 1
    assert 1000 < len(made.faces) <= graph.nodes["decimate"].params["target_faces"]
    assert made.colours is not None and made.colours[:, 0].mean() > 0.7 > 0.3 > made.colours[:, 2].mean()
    points = load_points(Run(), desk.out / "duck_points.ply")
    assert points.colours is not None and points.normals is not None


def test_the_material_repeats_without_a_border(desk: Desk) -> None:
    """Every map steps across its border as between columns and rows within; the ball wears what the files hold."""
    path = next(path for path in EXAMPLES if path.stem == "tiling_material")
    desk.run(quick(path))
    worn = load_mesh(Run(), desk.out / "stone_ball.glb").material
    assert worn is not None and worn.base_colour is not None
    for name in ("stone_colour", "stone_normal", "stone_orm"):
        picture = load_image(Run(), desk.out / f"{name}.ktx2", content="data")
        assert picture.size == (256, 256)
        for axis in (0, 1):
            inside = np.abs(np.diff(picture.rgb, axis=axis)).mean(axis=(1 - axis, 2))
            across = np.abs(picture.rgb.take(0, axis=axis) - picture.rgb.take(-1, axis=axis)).mean()
            assert across <= np.quantile(inside, 0.99), name
    for image in (worn.base_colour, worn.normal, worn.roughness, worn.occlusion):
        assert image is not None and image.size == (256, 256)
    colour = load_image(Run(), desk.out / "stone_colour.ktx2")
    assert np.abs(colour.rgb.mean(axis=(0, 1)) - worn.base_colour.rgb.mean(axis=(0, 1))).max() < 0.05


def test_the_print_is_one_hollow_body_with_holes_and_a_closed_half(desk: Desk) -> None:
    path = next(path for path in EXAMPLES if path.stem == "print_preparation")
    graph = quick(path)
    desk.run(graph)
    owl = load_mesh(Run(), desk.out / "owl_print.stl", units="millimetres", up="+Z")
    assert printable(Run(), owl).report.verdict.startswith("Ready")
    print_ = analyse(Run(), owl).report
    assert print_.value("watertight") is True and print_.value("parts") == 1
    assert print_.value("self-intersections (pairs of faces)") == 0
    half = load_mesh(Run(), desk.out / "owl_half.glb")
    assert analyse(Run(), half).report.value("watertight") is True
    assert float(np.ptp(half.bounds, axis=0)[1]) == pytest.approx(0.096, abs=0.002)


def test_the_scene_has_its_objects_and_a_lighter_owl(desk: Desk) -> None:
    path = next(path for path in EXAMPLES if path.stem == "scene_of_objects")
    graph = quick(path)
    desk.run(graph)
    scene = load_scene(Run(), desk.out / "owl_under_glass.glb")
    assert scene.names == ("barrel", "owl", "sphere") and scene.parts == ((0,), (1,), (2,))
    before = {name: load_mesh(Run(), STARTER.parent / graph.nodes[f"{name}_file"].params["path"], merge=False)
              for name in ("barrel", "owl")}  # fmt: skip
    barrel, owl, dome = scene.meshes
    assert barrel.vertices[barrel.faces].tobytes() == before["barrel"].vertices[before["barrel"].faces].tobytes()
    assert len(owl.faces) <= graph.nodes["lighter"].params["target_faces"] < len(before["owl"].faces)
    assert abs(float(owl.bounds[0][1]) - 0.9) < 0.01 and dome.material is not None
    assert dict(dome.material.layers)["transmission.transmissionFactor"] == 1.0


def test_the_stone_is_closed_light_of_its_size_and_lies_on_the_floor(desk: Desk) -> None:
    path = next(path for path in EXAMPLES if path.stem == "stone_from_noise")
    graph = quick(path)
    desk.run(graph)
    stone = load_mesh(Run(), desk.out / "stone.glb")
    report = analyse(Run(), stone).report
    assert report.value("watertight") is True and report.value("parts") == 1
    assert len(stone.faces) <= graph.nodes["low"].params["target_faces"]
    low, high = stone.bounds
    assert float((high - low).max()) == pytest.approx(graph.nodes["size"].params["size"] / 100, rel=0.02)
    assert abs(float(low[1])) < 0.01
    assert stone.material is not None and stone.material.normal is not None and stone.material.base_colour is not None


def test_the_scan_becomes_a_folder_for_a_game_engine(desk: Desk) -> None:
    """Levels from fine to coarse, all closed and textured, and hulls around the first, as the contract asks."""
    path = next(path for path in EXAMPLES if path.stem == "scan_to_game_asset")
    graph = quick(path)
    desk.run(graph)
    model = load_scene(Run(), desk.out / "Duck/Meshes/SM_Duck.glb")
    body, hulls = ([mesh for name, mesh in named(model) if name.startswith("UCX_") is hull] for hull in (False, True))
    levels = [*body, *(load_mesh(Run(), desk.out / f"Duck/Meshes/SM_Duck_LOD{k}.glb") for k in (1, 2, 3))]
    counts = [len(level.faces) for level in levels]
    assert len(body) == 1 and 1 <= len(hulls) <= 3
    assert counts[0] <= 2000 and counts == sorted(counts, reverse=True) and len(set(counts)) == 4
    assert all(measure(level).watertight and level.uv is not None for level in levels)
    high, low = (np.max([h.bounds[1] for h in hulls], axis=0), np.min([h.bounds[0] for h in hulls], axis=0))
    size = float((levels[0].bounds[1] - levels[0].bounds[0]).max())
    assert (high >= levels[0].bounds[1] - 0.01 * size).all() and (low <= levels[0].bounds[0] + 0.01 * size).all()
    textures = {file.name for file in (desk.out / "Duck/Textures").iterdir()}
    assert textures == {"T_Duck_BC.png", "T_Duck_N.png", "T_Duck_ORM.png"}
    assert "duck_scan.ply" in (desk.out / "Duck/Duck.credits.txt").read_text("utf-8")


def named(scene: Scene) -> list[tuple[str, Mesh]]:
    return [(name, scene.meshes[k]) for name, parts in zip(scene.names, scene.parts, strict=True) for k in parts]


def test_the_retopology_is_quads_near_the_sculpt_with_its_textures(desk: Desk) -> None:
    path = next(path for path in EXAMPLES if path.stem == "retopology")
    graph = quick(path)
    desk.run(graph)
    sculpt = load_mesh(Run(), path.parent / graph.nodes["sculpt"].params["path"])
    laid = load_mesh(Run(), desk.out / "owl_retopology.glb")
    assert measure(laid).watertight and abs(len(laid.faces) - 2500) < 500
    assert Gauge(sculpt)(laid).mean < 0.005
    rows = [line.split() for line in (desk.out / "owl_quads.obj").read_text("utf-8").splitlines()]
    corners = [len(row) - 1 for row in rows if row and row[0] == "f"]
    assert np.mean(np.array(corners) == 4) > 0.93 and set(corners) <= {3, 4}
    assert sum(n - 2 for n in corners) == len(laid.faces)
    material = laid.material
    assert material is not None and material.normal is not None and material.occlusion is not None
    assert material.base_colour is not None and np.ptp(material.base_colour.rgb.reshape(-1, 3), axis=0).min() > 0.3


@pytest.mark.parametrize("path", COMPLETE, ids=name_of)
def test_what_set_up_compiles_with_is_valid_and_no_larger(path: Path) -> None:
    graph = read(path)
    less = small(graph)
    assert validate(less, REGISTRY, path.parent) == []
    for id, node in less.nodes.items():
        was = graph.nodes[id].params
        assert all(value == was[name] or 1 < value < was[name] for name, value in node.params.items())
    assert alone(graph, REGISTRY)


def test_the_starter_has_the_names_that_the_command_line_uses() -> None:
    graph = read(STARTER)
    photo, export = graph.find("Photo"), graph.find("Export")
    assert [graph.nodes[id].type for id in (*photo, *export)] == ["io.load_image", "io.export_glb"]


def test_the_starter_writes_a_closed_light_textured_asset(asset: Path) -> None:
    mesh = load_mesh(Run(), asset)
    report = analyse(Run(), mesh).report
    assert report.value("watertight") is True
    assert report.value("parts") == 1
    assert float(report.value("UV overlap")) < 0.01
    assert len(mesh.faces) <= quick(STARTER).nodes["decimate"].params["target_faces"]
    height = mesh.bounds[1][1] - mesh.bounds[0][1]
    assert abs(height - quick(STARTER).nodes["inflate"].params["height_m"]) < 0.01
    check_material(mesh)


def check_material(mesh: Mesh) -> None:
    assert mesh.uv is not None and mesh.material is not None
    colour, normal = mesh.material.base_colour, mesh.material.normal
    assert colour is not None and normal is not None and mesh.material.roughness is not None
    assert colour.size == normal.size == (256, 256)
    assert np.ptp(colour.rgb.reshape(-1, 3), axis=0).min() > 0.3
    assert float(mesh.material.metallic_factor) == 0 or mesh.material.metallic is not None


def test_the_asset_carries_the_graph_that_made_it(asset: Path) -> None:
    text = read_graph_text(asset)
    assert text == dumps(quick(STARTER))
    assert text is not None and loads(text) == quick(STARTER)


def test_a_second_run_executes_nothing(desk: Desk, asset: Path) -> None:
    written = asset.read_bytes()
    assert set(desk.states(quick(STARTER)).values()) == {"reused"}
    asset.unlink()
    assert set(desk.states(quick(STARTER)).values()) == {"reused"}
    assert asset.read_bytes() == written


def test_the_command_line_reuses_what_was_run_before(desk: Desk, asset: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    settings = [
        f"--set={id}.{name}={json.dumps(value) if not isinstance(value, str) else value}"
        for id, values in QUICK["starter"].items()
        for name, value in values.items()
    ]
    words = ["run", str(STARTER), "--out", str(desk.out), "--store", str(desk.setup.store), "--report", str(report)]
    assert main.main([*words, "--in-process", *settings]) == 0
    told = json.loads(report.read_text("utf-8"))
    assert told["status"] == "ok"
    assert {node["state"] for node in told["nodes"].values()} == {"reused"}
    assert told["outputs"] == ["asset.glb"]


def test_a_change_runs_its_node_and_what_follows_and_changing_back_runs_nothing(desk: Desk, asset: Path) -> None:
    graph = quick(STARTER)
    for id, change in (("pbr", {"roughness": 0.3}), ("decimate", {"target_faces": 1500})):
        states = desk.states(graph.with_params(id, **change))
        after = graph.downstream([id])
        assert {id for id, state in states.items() if state == "ran"} == after
        assert {id for id, state in states.items() if state == "reused"} == set(graph.nodes) - after
    assert set(desk.states(graph).values()) == {"reused"}


def test_moving_and_renaming_runs_nothing(desk: Desk, asset: Path) -> None:
    graph = quick(STARTER)
    moved = graph.with_nodes(replace(node, at=(node.at[0] + 50, 7.0), title="") for node in graph.nodes.values())
    assert set(desk.states(moved).values()) == {"reused"}


def test_the_loops_that_they_call_are_compiled_ahead_of_need(asked: Asked) -> None:
    """Those of the tests above, but for a tenth: the first run of an example on a new computer must hardly wait for a
    compiler, and whoever changes a loop need not stop to bring the table up to date."""
    lacking = sorted({f"{loop.module}.{loop.name}" for loop in asked.loops.keys() - set(read_loops())})
    assert len(lacking) <= len(asked.loops) // 10, f"run .venv/bin/python resources/update_kernels.py: {lacking}"
