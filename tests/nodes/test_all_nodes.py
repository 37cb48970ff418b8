"""Checks that run over every node type: documented, usable as it is, pure, honest about failures, quick to stop."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.codec import digest, encode
from app.engine.errors import Cancelled, EngineError, MissingKey, MissingWeights
from app.engine.executor import call_here, name_outputs
from app.engine.graph import Graph, Node
from app.engine.migrations import default_params
from app.engine.params import Choice, Folder, OpenFile, Rectangle, SaveFile, Seed, Slider, Strokes, Toggle
from app.engine.payloads import (
    Controls,
    Depth,
    Detections,
    Field,
    Files,
    Image,
    Mask,
    Material,
    Mesh,
    Number,
    Payload,
    Pictures,
    PointCloud,
    Report,
    Scene,
    Text,
    Views,
)
from app.engine.plan import Step, step_key
from app.engine.registry import discover
from app.engine.run import Run
from app.engine.spec import NodeSpec, Param
from app.engine.store import Store
from app.engine.validate import validate
from app.engine.weight_files import needed
from nodes.mesh._font import bundled

REGISTRY = discover(("nodes",))
SPECS = list(REGISTRY.values())
every_node = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
SMALL = {"size", "resolution", "texture_size", "texture"}


def picture() -> Image:
    """A shaded red ball on transparent ground, 72 x 64."""
    y, x = np.mgrid[0:64, 0:72].astype(np.float32)
    radius = np.hypot(x - 36, y - 32)
    alpha = np.clip(25 - radius, 0, 1)
    shade = 1 - radius / 40
    return Image(np.stack([shade, shade * 0.4, x / 90, alpha], axis=-1).clip(0, 1).astype(np.float32))


def ball() -> Mesh:
    """A textured sphere of a few hundred triangles."""
    mesh: Mesh = REGISTRY["mesh.sphere"].call()
    return replace(mesh, material=Material("m", base_colour=Image.of(np.random.default_rng(1).random((16, 16, 3)))))


def views() -> Views:
    """The ball from the front."""
    turn = np.eye(4, dtype=np.float32)
    turn[2, 3] = 3
    lens = np.asarray([[80, 0, 36], [0, 80, 32], [0, 0, 1]], np.float32)
    return Views((picture(),), lens[None], turn[None])


def distance() -> Field:
    """The distance to a ball, 12 samples a side."""
    line = np.linspace(-1, 1, 12, dtype=np.float32)
    away = np.sqrt(sum(axis**2 for axis in np.meshgrid(line, line, line))) - 0.5
    return Field(away[..., None].astype(np.float32), np.full(3, -1, np.float32), np.full(3, 1, np.float32))


def points() -> PointCloud:
    """The corners of the ball, coloured, with their normals."""
    mesh = ball()
    colours = np.random.default_rng(2).random((len(mesh.vertices), 4)).astype(np.float32)
    return PointCloud(mesh.vertices, colours, mesh.normals)


@cache
def sample(kind: type[Payload]) -> Payload:
    makers: dict[type[Payload], Callable[[], Payload]] = {
        Image: picture,
        Mask: lambda: Mask(np.ascontiguousarray(picture().alpha)),
        Mesh: ball,
        Scene: lambda: Scene.of(ball(), ball()),
        Depth: lambda: Depth(2 - picture().rgb[..., 0], np.diag([80, 80, 1]).astype(np.float32)),
        Controls: lambda: Controls(
            (picture(),), ("SD 1.5 canny",), ("",), ("",), np.ones(1, np.float32), np.asarray([[0, 1]], np.float32)
        ),
        Pictures: lambda: Pictures((picture(), Image(picture().pixels[:, ::-1]))),
        Detections: lambda: Detections(
            np.array([[0.1, 0.1, 0.9, 0.9]], np.float32), np.ones(1, np.float32), ("ball",), size=(72, 64)
        ),
        Views: views,
        Field: distance,
        PointCloud: points,
        Number: lambda: Number(2.0),
        Text: lambda: Text("word"),
        Material: Material,
        Report: lambda: Report("r", (("a", 1),)),
        Files: lambda: Files.of({"a.txt": b"x"}),
    }
    return makers[kind]()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return input_files(tmp_path_factory.mktemp("inputs"))


def input_files(folder: Path) -> dict[str, Path]:
    """One real file for each suffix that some node reads."""
    from PIL import Image as Pictures

    Pictures.fromarray((picture().pixels * 255).astype(np.uint8)).save(folder / "a.png")
    (folder / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 2 3 4\nf 3 1 4\n")
    (folder / "a.xyz").write_text("".join(f"{x} {y} {x * y}\n" for x in range(8) for y in range(8)))
    (folder / "a.txt").write_text("x")
    (folder / "a.json").write_text("{}")
    (folder / "a.ttf").write_bytes(bundled("mono").read_bytes())
    return {path.suffix: path for path in folder.iterdir()}


def arguments_for(spec: NodeSpec, files: dict[str, Path]) -> dict[str, Any]:
    """Defaults, made small where size costs time, with sample payloads on every required input."""
    given: dict[str, Any] = {s.name: None if s.optional else sample(s.type) for s in spec.inputs}
    for param in spec.params:
        value = param.default
        if isinstance(param.setting, OpenFile):
            value = str(next(files[s] for s in (*param.setting.suffixes, ".txt") if s in files))
        elif isinstance(param.setting, Slider) and param.name in SMALL:
            value = max(param.setting.min, 64)
        given[param.name] = param.setting.check(value)
    return given


def call(spec: NodeSpec, given: dict[str, Any], run: Run | None = None) -> dict[str, Payload]:
    """A node whose model files are not here says so, with the command that gets them; its own tests bring them."""
    try:
        return name_outputs(spec, call_here(spec, given, run or Run(wanted_device="cpu")))
    except MissingWeights as lacking:
        cards = needed(spec.models, given)
        assert any(f"main.py weights fetch {card.handle}" in lacking.advice for card in cards), lacking
        pytest.skip(lacking.message)
    except MissingKey as lacking:
        assert lacking.message and lacking.advice
        pytest.skip(lacking.message)


@every_node
def test_it_is_documented_and_named(spec: NodeSpec) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", spec.id)
    assert spec.title and spec.title[0].isupper() and len(spec.title) <= 24
    first = spec.doc.split("\n")[0]
    assert len(first) >= 6 and first.endswith((".", ":")) and spec.licence
    for param in spec.params:
        assert param.label and len(param.label) <= 32
        if isinstance(param.setting, Slider):
            assert param.setting.min < param.setting.max and (not param.setting.log or param.setting.min > 0)


@every_node
def test_a_fresh_one_has_no_problem_but_empty_inputs_and_files(spec: NodeSpec, tmp_path: Path) -> None:
    graph = Graph({"n": Node("n", spec.id, default_params(spec), version=spec.version)})
    assert {p.kind for p in validate(graph, REGISTRY, tmp_path)} <= {"missing-input", "missing-file"}


@every_node
def test_it_works_as_it_is_and_is_pure(spec: NodeSpec, files: dict[str, Path]) -> None:
    given = arguments_for(spec, files)
    before = {n: digest(encode(v)) for n, v in given.items() if isinstance(v, Payload)}
    first = call(spec, given)
    assert {n: digest(encode(v)) for n, v in given.items() if isinstance(v, Payload)} == before, "it changed an input"
    for payload in first.values():
        assert_well_formed(payload)
    if spec.deterministic and not spec.volatile:
        again = call(spec, given)
        assert {n: digest(encode(v)) for n, v in first.items()} == {n: digest(encode(v)) for n, v in again.items()}


def assert_well_formed(payload: Payload) -> None:
    """Arrays are read-only and finite; colours, masks and UVs keep their ranges."""
    for field in fields(payload):  # type: ignore[arg-type]
        value = getattr(payload, field.name)
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable
            assert value.dtype.kind != "f" or isinstance(payload, Depth) or np.isfinite(value).all(), field.name
        elif isinstance(value, Payload):
            assert_well_formed(value)
    if isinstance(payload, Image):
        assert payload.pixels.min() >= 0 and payload.pixels.max() <= 1
    if isinstance(payload, Mask):
        assert payload.values.min() >= 0 and payload.values.max() <= 1
    if isinstance(payload, Mesh) and payload.normals is not None:
        lengths = np.linalg.norm(payload.normals, axis=1)
        assert np.allclose(lengths, 1, atol=1e-3), "normals are unit vectors"


def other_value(param: Param) -> Any:
    """A valid value that is not the default, or the default itself where there is no other."""
    setting, value = param.setting, param.default
    if isinstance(setting, Toggle):
        return not value
    if isinstance(setting, Choice):
        return next((o for o in setting.options if o != value), value)
    if isinstance(setting, Slider):
        return setting.min if value != setting.min else setting.max
    if isinstance(setting, Rectangle):
        return [0.1, 0.1, 0.9, 0.9]
    if isinstance(setting, Strokes):
        return [{"keep": True, "radius": 0.1, "points": [[0.5, 0.5]]}]
    if isinstance(setting, SaveFile):
        return f"other{Path(value).suffix}"
    if isinstance(setting, Seed):
        return value + 1
    if isinstance(setting, OpenFile | Folder):
        return value
    return value + 1 if isinstance(value, int | float) else ("#123456" if str(value).startswith("#") else f"{value}x")


@every_node
def test_every_parameter_input_and_version_is_part_of_its_key(spec: NodeSpec, tmp_path: Path) -> None:
    store = Store(tmp_path)
    if spec.volatile:
        pytest.skip("never reused")
    settings = default_params(spec)
    inputs = {socket.name: "0" * 32 for socket in spec.inputs}
    feeds = {name: ("x", "out") for name in inputs}

    def key(spec: NodeSpec, settings: dict[str, Any], inputs: dict[str, str]) -> str:
        return step_key(Step("n", spec, settings, feeds), inputs, tmp_path, store)

    base = key(spec, settings, inputs)
    assert key(spec, dict(reversed(settings.items())), inputs) == base
    variants = {key(replace(spec, version=spec.version + 1), settings, inputs)}
    for param in spec.params:
        value = other_value(param)
        param.setting.check(value)
        if value != param.default:
            variants.add(key(spec, {**settings, param.name: value}, inputs))
    for name in inputs:
        variants.add(key(spec, settings, {**inputs, name: "1" * 32}))
        variants.add(key(spec, settings, {n: d for n, d in inputs.items() if n != name}))
    assert base not in variants
    store.close()


def broken_samples(kind: type[Payload]) -> list[Payload]:
    if kind is Mesh:
        vertices, faces = ball().vertices.copy(), ball().faces
        vertices[3] = np.nan
        flat = np.zeros((3, 3), np.float32)
        return [
            Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))),
            Mesh.of(vertices, faces),
            Mesh.of(flat, [[0, 1, 2]]),
            Mesh.of(np.eye(3) * 1e30, [[0, 1, 2]]),
            Mesh.of(np.eye(3), [[0, 0, 1], [0, 1, 2]]),
        ]
    if kind is PointCloud:
        cloud = points()
        nan = cloud.points.copy()
        nan[3] = np.nan
        line = np.zeros((40, 3), np.float32)
        line[:, 1] = np.arange(40)
        return [
            PointCloud(np.zeros((0, 3), np.float32)),
            PointCloud(np.ones((1, 3), np.float32)),
            PointCloud(np.full((5, 3), np.nan, np.float32)),
            PointCloud(np.ones((30, 3), np.float32)),
            PointCloud(np.eye(3, dtype=np.float32) * np.float32(1e30)),
            PointCloud(line, None, np.zeros((40, 3), np.float32)),
            PointCloud(nan, cloud.colours, cloud.normals),
        ]
    if kind is Image:
        noise = np.random.default_rng(0).random((3, 2, 4)).astype(np.float32)
        nan = picture().pixels.copy()
        nan[5, 5] = np.nan
        return [
            Image(np.zeros((1, 1, 4), np.float32)),
            Image(np.ones((1, 300, 4), np.float32)),
            Image(noise),
            Image(nan),
        ]
    if kind is Mask:
        return [Mask(np.zeros((1, 1), np.float32)), Mask(np.full((4, 4), np.nan, np.float32))]
    return []


@every_node
def test_hopeless_input_gives_a_result_or_a_named_error_with_advice(spec: NodeSpec, files: dict[str, Path]) -> None:
    for socket in spec.inputs:
        for broken in broken_samples(socket.type):
            given = {**arguments_for(spec, files), socket.name: broken}
            try:
                with np.errstate(all="ignore"):
                    call(spec, given)
            except EngineError as error:
                assert error.message and error.advice, f"{error!r} gives no advice"


@every_node
def test_it_stops_when_it_is_told_to(spec: NodeSpec, files: dict[str, Path]) -> None:
    if not spec.wants_run:
        pytest.skip("it has no stop point: it must be quick")
    run = Run(wanted_device="cpu")
    run.stop.set()
    with pytest.raises(Cancelled):
        call(spec, arguments_for(spec, files), run)


@every_node
def test_progress_rises_and_stays_in_range(spec: NodeSpec, files: dict[str, Path]) -> None:
    if not spec.wants_run:
        pytest.skip("it reports nothing")
    told: list[float] = []
    call(spec, arguments_for(spec, files), Run(lambda f, _: told.append(f), wanted_device="cpu"))
    assert told == sorted(told) and all(0 <= f <= 1 for f in told)


def test_every_node_file_loads() -> None:
    assert REGISTRY.broken == () and len(SPECS) >= 30
    logging.getLogger("polyloom").debug("%d node types", len(SPECS))


@every_node
def test_its_file_is_where_a_newcomer_would_look(spec: NodeSpec) -> None:
    """``mesh.decimate`` stands in the folder ``nodes/mesh``."""
    path = Path(inspect.getfile(spec.call))
    assert path.parent.name == spec.family, f"{spec.id} stands in {path.parent.name}/{path.name}"


def test_large_families_have_headings() -> None:
    """A list of more than 20 names is searched, not read."""
    families: dict[str, list[NodeSpec]] = {}
    for spec in SPECS:
        families.setdefault(spec.family, []).append(spec)
    for family, specs in families.items():
        bare = [spec.id for spec in specs if not spec.group]
        assert len(specs) <= 20 or not bare, (family, bare)
        for group in {spec.group for spec in specs} - {""}:
            assert sum(spec.group == group for spec in specs) <= 24, (family, group)
