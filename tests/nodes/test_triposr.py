"""The TripoSR nodes on a small untrained checkpoint of the published layout, through their own loading."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch
from mesh_shapes import oracle
from safetensors.torch import load_file, save_file
from scipy.spatial import cKDTree
from triposr_samples import TINY, cut_out, settings, tiny_folder, tiny_network

from app.engine import BadFile, BadInput, Cancelled, Image, Mask, Mesh, MissingWeights, Run
from app.engine.codec import digest, encode
from app.engine.devices import choose_device
from app.engine.placement import Placement
from app.engine.weight_files import needed, place_of
from nodes.image_to_3d._triposr import load, render, shape
from nodes.image_to_3d._triposr.network import TripoSR
from nodes.image_to_3d._triposr.paint import textured
from nodes.image_to_3d._triposr.scene import Scene, bytes_per_point, scene_of
from nodes.image_to_3d.triposr import triposr, triposr_light, triposr_textured
from nodes.mesh.primitives import sphere
from nodes.mesh.unwrap import unwrap
from nodes.texture.bake import bake

SMALL: dict[Callable[..., Any], dict[str, Any]] = {
    triposr: {"grid": 40},
    triposr_light: {"grid": 40},
    triposr_textured: {"grid": 40, "faces": 2500, "texture_size": 256},
}
OWN_STAGES = {"loading the network", "looking at the picture", "finding the surface", "colours", "painting", "views"}
every_node = pytest.mark.parametrize("node", SMALL, ids=lambda node: node.__name__)


@pytest.fixture
def cpu() -> Run:
    return Run(wanted_device="cpu")


@pytest.fixture(autouse=True)
def _own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("triposr"))


def call(node: Callable[..., Any], run: Run, folder: Path, **more: Any) -> Any:
    return node(run, cut_out(), None, "own folder", folder, **{**SMALL[node], **more})


@every_node
def test_a_checkpoint_folder_gives_a_closed_mesh_on_the_floor(node: Any, tiny: Path, cpu: Run) -> None:
    mesh = call(node, cpu, tiny, height_m=2.0).mesh
    low, high = mesh.bounds
    assert oracle(mesh).is_watertight and oracle(mesh).volume > 0
    assert low[1] == pytest.approx(0, abs=1e-5) and high[1] == pytest.approx(2, abs=1e-5)
    assert np.abs(low + high)[[0, 2]].max() < 1e-4, "in the middle"
    assert (mesh.colours is None) == (node is triposr_textured)
    assert cpu.notes == [] or node is triposr_textured


@every_node
def test_equal_calls_give_equal_bytes_and_one_loaded_network(node: Any, tiny: Path, cpu: Run, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(tiny, moved)
    one, two = call(node, cpu, tiny, views=1, view_size=32), call(node, cpu, moved, views=1, view_size=32)
    for a, b in zip(one, two, strict=True):
        assert digest(encode(a)) == digest(encode(b))
    assert len(cpu.models.names()) == 1


def test_the_mesh_is_what_the_network_says_when_called_directly(tiny: Path, cpu: Run) -> None:
    found = triposr(cpu, cut_out(), None, "own folder", tiny, grid=40)
    network = tiny_network()
    from nodes.image_to_3d._triposr.picture import ready

    scene = scene_of(network, ready(cpu, cut_out(), None, 0.85, 64), 50_000_000, lambda _: None)
    direct = shape.shape_of(scene, 40, 25.0, "everywhere", lambda _: None)
    assert np.array_equal(found.mesh.vertices, shape.Frame.of(direct.points, 1.0).world(direct.points))
    assert np.array_equal(found.mesh.faces, direct.faces)
    expected = torch.sigmoid(network.raw(scene.planes, torch.from_numpy(direct.points))[:, 1:4])
    assert np.abs(found.mesh.colours[:, :3] - expected.numpy()).max() < 1e-5
    light = triposr_light(cpu, cut_out(), None, "own folder", tiny, grid=40)
    assert np.array_equal(light.mesh.vertices, found.mesh.vertices)


@pytest.mark.parametrize("name", ["model.safetensors", "model.ckpt"])
def test_an_own_file_counts_with_the_configuration_beside_it(tmp_path: Path, cpu: Run, tiny: Path, name: str) -> None:
    folder = tiny_folder(tmp_path / "own", name)
    found = triposr_light(cpu, cut_out(), None, "own file", Path(), folder / name, grid=40)
    assert np.array_equal(found.mesh.vertices, call(triposr_light, cpu, tiny).mesh.vertices)
    assert list(load.configs_beside(folder / name)) == [folder / "config.yaml"]
    (folder / "config.yaml").unlink()
    with pytest.raises(BadFile, match="of another shape"):
        triposr_light(cpu, cut_out(), None, "own file", Path(), folder / name, grid=40)


def test_a_checkpoint_in_sixteen_bits_and_wrapped_by_a_trainer_loads(tmp_path: Path, cpu: Run) -> None:
    folder = tiny_folder(tmp_path / "half")
    state = torch.load(folder / "model.ckpt", weights_only=True)
    torch.save({"state_dict": {f"module.{k}": v.half() for k, v in state.items()}}, folder / "model.ckpt")
    assert len(call(triposr_light, cpu, folder).mesh.faces) > 100


def test_a_real_photograph_goes_through(shared: Path, tiny: Path, cpu: Run) -> None:
    from PIL import Image as Pictures

    chair = Image.of(np.asarray(Pictures.open(shared / "photos" / "chair.png").convert("RGBA")))
    found = triposr_light(cpu, chair, None, "own folder", tiny, grid=40, views=1, view_size=32)
    assert oracle(found.mesh).is_watertight and len(found.views.images) == 1


class Ball(TripoSR):  # type: ignore[misc]
    """A TripoSR whose field is known: a ball before the middle, to the right and above, redder upwards."""

    AT, SIZE = torch.tensor([0.2, 0.15, 0.1]), 0.25

    def raw(self, planes: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        level = 400 * (self.SIZE - (points - self.AT).norm(dim=1)) + 1 + float(np.log(25))
        red = 4 * points[:, 2]
        return torch.stack([level, red, points[:, 1], torch.zeros_like(red)], dim=1)


def ball_scene(budget: int = 20_000_000) -> Scene:
    return Scene(Ball(TINY).eval(), torch.zeros(3, 8, 16, 16), budget)


def test_right_stays_right_and_front_faces_plus_z() -> None:
    """Field axes are those of the cameras: x to the first one, y to its right, z up."""
    scene = ball_scene()
    found = shape.shape_of(scene, 64, 25.0, "near", lambda _: None)
    frame = shape.Frame(1.0, np.zeros(3))
    mesh = shape.mesh_of(scene, found, frame, lambda _: None)
    assert np.abs(mesh.vertices.mean(axis=0) - (0.15, 0.1, 0.2)).max() < 0.01, "right is +X, up +Y, towards +Z"
    assert np.abs(frame.field(mesh.vertices) - found.points).max() < 1e-6
    assert (np.einsum("ij,ij->i", mesh.normals, mesh.vertices - np.float32([0.15, 0.1, 0.2])) > 0.2).all()
    assert np.corrcoef(mesh.colours[:, 0], mesh.vertices[:, 1])[0, 1] > 0.99


def test_views_show_the_mesh_from_where_their_cameras_stand() -> None:
    scene = ball_scene()
    found = shape.shape_of(scene, 96, 25.0, "near", lambda _: None)
    frame = shape.Frame.of(found.points, 1.7)
    mesh, views = (
        shape.mesh_of(scene, found, frame, lambda _: None),
        shape.views_of(scene, frame, 3, 64, lambda _: None),
    )
    assert views.poses[0, 2, 3] > 1 and abs(views.poses[0, 0, 3] - frame.world(np.zeros((1, 3)))[0, 0]) < 1e-4
    for image, lens, pose in zip(views.images, views.intrinsics, views.poses, strict=True):
        local = (mesh.vertices - pose[:3, 3]) @ pose[:3, :3]
        assert (local[:, 2] < 0).all(), "before the camera"
        pixel = np.stack([lens[0, 2] - local[:, 0] / local[:, 2] * lens[0, 0],
                          lens[1, 2] + local[:, 1] / local[:, 2] * lens[1, 1]], axis=1)  # fmt: skip
        seen = np.argwhere(image.alpha > 0.5)[:, ::-1] + 0.5
        assert np.abs(pixel.min(axis=0) - seen.min(axis=0)).max() < 2
        assert np.abs(pixel.max(axis=0) - seen.max(axis=0)).max() < 2
        assert image.alpha[0, 0] < 0.01, "transparent beside the object"


def test_a_texture_holds_the_field_of_colour() -> None:
    """A colour that is known everywhere, painted, and read back at points of the surface."""
    from nodes.mesh._blend import blend
    from nodes.texture._loops import look_up

    mesh = unwrap(Run(), sphere(radius=0.5), 512, 2, "fast")

    def colours(points: np.ndarray, told: Any) -> np.ndarray:
        told(0.0)
        return np.asarray(0.5 + 0.4 * np.sin(points * 6), np.float32)

    told: list[float] = []
    painted = textured(mesh, colours, 512, 2, told.append)
    assert painted.material is not None and painted.material.base_colour is not None
    dice = np.random.default_rng(0)
    face = dice.integers(0, len(mesh.faces), 4000)
    inside = dice.dirichlet((1, 1, 1), 4000)[:, :3]
    points = blend(mesh.vertices, mesh.faces, face, inside)
    uv = blend(painted.uv, painted.faces, face, inside)
    found = look_up(painted.material.base_colour.rgb.copy(), uv)
    wrong = np.abs(found - colours(points, lambda _: None)).max(axis=1)
    assert wrong.max() < 0.03 and np.median(wrong) < 0.005
    assert told == sorted(told) and (painted.material.base_colour.alpha == 1).all()


def test_painted_colours_of_a_scene_are_those_of_its_vertices(tiny: Path, cpu: Run) -> None:
    """At few triangles the texture still follows the field: it agrees with the network asked at the texels' places."""
    from nodes.texture._loops import look_up

    found = call(triposr_textured, cpu, tiny)
    assert found.mesh.uv.min() >= 0 and found.mesh.uv.max() <= 1 and len(found.mesh.faces) < 6000
    assert found.mesh.material.base_colour.size == (256, 256)
    assert np.ptp(look_up(found.mesh.material.base_colour.rgb.copy(), found.mesh.uv), axis=0).max() > 0.1


def test_both_kinds_go_through_bake(tiny: Path, cpu: Run) -> None:
    """Vertex colours of the fine mesh, and its shape, onto the reduced one with UVs."""
    fine, reduced = call(triposr_light, cpu, tiny).mesh, call(triposr_textured, cpu, tiny).mesh
    baked = bake(cpu, fine, reduced, size=128, ambient_occlusion=True, rays=4, height=True).material
    assert baked.base_colour.size == baked.normal.size == baked.occlusion.size == baked.height.size == (128, 128)
    assert np.ptp(baked.base_colour.rgb) > 0.1 and baked.normal.rgb[..., 2].mean() > 0.7


def test_a_mask_takes_the_place_of_transparency(tiny: Path, cpu: Run) -> None:
    whole = cut_out()
    opaque = replace(whole, pixels=np.concatenate([whole.rgb, np.ones_like(whole.alpha)[..., None]], axis=-1))
    masked = triposr_light(cpu, opaque, Mask(whole.alpha.copy()), "own folder", tiny, grid=40)
    assert np.array_equal(masked.mesh.vertices, call(triposr_light, cpu, tiny).mesh.vertices) and cpu.notes == []
    triposr_light(cpu, opaque, None, "own folder", tiny, grid=40)
    assert any("no transparent background" in note for note in cpu.notes)
    with pytest.raises(BadInput, match="no object"):
        triposr_light(cpu, Image(np.zeros((50, 50, 4), np.float32)), None, "own folder", tiny)


def test_where_nothing_is_dense_enough_it_says_so(tmp_path: Path, cpu: Run) -> None:
    folder = tiny_folder(tmp_path / "empty", "model.safetensors")
    state = load_file(folder / "model.safetensors")
    state["decoder.layers.18.bias"][0] = -100
    save_file(state, folder / "model.safetensors")
    with pytest.raises(BadInput, match="denser") as told:
        call(triposr_light, cpu, folder)
    assert "threshold" in told.value.advice


@every_node
def test_it_stops_between_stages_and_portions(node: Any, tiny: Path) -> None:
    told: list[tuple[float, str]] = []
    shown: list[Any] = []
    run = Run(lambda done, note: told.append((done, note)), shown.append, wanted_device="cpu")
    call(node, run, tiny, grid=48, query_memory=16, views=1, view_size=32)
    steps = [done for done, _ in told]
    assert steps == sorted(steps) and steps[-1] <= 1 and len({note for _, note in told}) >= 4
    assert isinstance(shown[0], Mesh)
    for stage in OWN_STAGES & {note for _, note in told}:
        stop = Event()

        def tell(_: float, note: str, at: str = stage, flag: Event = stop) -> None:
            assert not flag.is_set(), "it went on"
            if note == at:
                flag.set()

        with pytest.raises(Cancelled):
            last = stage == told[-1][1] and len([n for _, n in told if n == stage]) == 1
            call(
                node,
                Run(tell, stop=stop, wanted_device="cpu"),
                tiny,
                grid=100,
                query_memory=16,
                views=1 + last,
                view_size=32,
            )


def test_questions_stay_within_the_stated_memory() -> None:
    """Counted by torch itself: what one call holds at once, over what was there before."""
    from torch.profiler import ProfilerActivity, profile

    network = tiny_network()
    scene = Scene(network, network.planes(torch.rand(64, 64, 3)), 16_000_000)
    points = (torch.rand(scene.chunk, 3) * 2 - 1) * 0.87
    with torch.inference_mode(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        scene.raw(points)
    held = most = 0
    for event in sorted(
        (e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns()
    ):
        held += event.nbytes()
        most = max(most, held)
    assert 0.2 * scene.budget < most <= scene.budget
    assert scene.chunk == 16_000_000 // bytes_per_point(network.config)


def test_missing_weights_are_told_with_size_and_licence(cpu: Run) -> None:
    for node in SMALL:
        with pytest.raises(MissingWeights, match="licence MIT") as told:
            node(cpu, cut_out())
        assert "main.py weights fetch triposr" in told.value.advice
    assert needed((load.CARD,), {"model": "TripoSR"}) == (load.CARD,)
    assert needed((load.CARD,), {"model": "own folder"}) == ()


def test_published_files_that_are_not_as_published_are_refused(cpu: Run) -> None:
    for file in load.CARD.files:
        place = place_of(load.CARD, file.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as sparse:
            sparse.truncate(file.size if file.size < 10_000 else 1000)
    with pytest.raises(MissingWeights, match="damaged"):
        triposr(cpu, cut_out())
    state = {"config.yaml": "damaged", "model.ckpt": "damaged"}
    from app.engine.weight_files import file_state

    assert {file.name: file_state(load.CARD, file) for file in load.CARD.files} == state


class Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def hopeless(tiny: Path, folder: Path) -> dict[str, tuple[bytes | Any, str]]:
    """Names of checkpoints that cannot be, with their content and what is said about them."""
    whole = (tiny / "model.ckpt").read_bytes()
    state = torch.load(tiny / "model.ckpt", weights_only=True)
    nan = {**state, "decoder.layers.0.bias": state["decoder.layers.0.bias"] * float("nan")}
    return {
        "empty": (b"", "not a model file"),
        "letter": (b"dear reader", "not a model file"),
        "cut": (whole[: len(whole) // 2], "not a model file"),
        "list": ([1, 2], "no table"),
        "other": ({"w": torch.zeros(3)}, "missing"),
        "lacking": ({k: v for k, v in state.items() if k != "backbone.norm.bias"}, "1 of .* missing"),
        "extra": ({**state, "more.weight": torch.zeros(2)}, "unknown"),
        "shape": ({**state, "tokenizer.embeddings": torch.zeros(3, 64, 4, 4)}, "another shape"),
        "nan": (nan, "not numbers"),
        "whole numbers": ({k: v.int() for k, v in state.items()}, "not numbers"),
        "evil": ({**state, "more": Trap(folder / "it ran")}, "was not run"),
    }


def test_checkpoints_that_cannot_be_are_refused_in_words(tiny: Path, tmp_path: Path, cpu: Run) -> None:
    for name, (content, words) in hopeless(tiny, tmp_path).items():
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(tiny / "config.yaml", folder)
        if isinstance(content, bytes):
            (folder / "model.ckpt").write_bytes(content)
        else:
            torch.save(content, folder / "model.ckpt")
        with pytest.raises(BadFile, match=words) as told:
            call(triposr_light, cpu, folder)
        assert told.value.advice, name
    assert cpu.models.names() == () and not (tmp_path / "it ran").exists()


def test_folders_and_files_that_are_not_there_are_told(tiny: Path, tmp_path: Path, cpu: Run) -> None:
    with pytest.raises(BadInput, match="No model folder"):
        triposr(cpu, cut_out(), None, "own folder")
    with pytest.raises(BadInput, match="No model file"):
        triposr(cpu, cut_out(), None, "own file")
    with pytest.raises(BadFile, match=r"no file gone\.ckpt"):
        triposr(cpu, cut_out(), None, "own file", Path(), tmp_path / "gone.ckpt")
    with pytest.raises(BadFile, match="neither"):
        call(triposr, cpu, tmp_path)
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(tiny / "model.ckpt", bare)
    with pytest.raises(BadFile, match=r"no config\.yaml"):
        call(triposr, cpu, bare)


def test_a_network_that_waits_in_main_memory_gives_the_same(tiny: Path, cpu: Run) -> None:
    source = load.source_of("own folder", tiny, Path())
    plain, waiting = (load.load(source, Placement("cpu", offload=offload), cpu.check) for offload in (False, True))
    picture = torch.rand(64, 64, 3)
    assert torch.equal(plain.planes(picture), waiting.planes(picture))
    assert settings()["cond_image_size"] == plain.config.picture


def test_half_precision_on_a_gpu_is_close_to_full(tiny: Path) -> None:
    device = choose_device("auto")
    if device == "cpu":
        pytest.skip("this machine has no GPU")
    half, full = (call(triposr, Run(wanted_device=device), tiny, half=half, grid=64).mesh for half in (True, False))
    gap = cKDTree(full.vertices).query(half.vertices)[0]
    assert np.quantile(gap, 0.95) < 0.02


def test_the_cameras_of_a_turntable_stand_in_a_circle() -> None:
    around = render.cameras(4, 32)
    assert torch.allclose(around.poses[:, :3, 3].norm(dim=1), torch.tensor(1.9))
    for pose in around.poses[:, :3, :3]:
        assert torch.allclose(pose @ pose.T, torch.eye(3), atol=1e-6) and torch.linalg.det(pose) > 0
    assert render.cameras(0, 32).poses.shape == (0, 4, 4)
