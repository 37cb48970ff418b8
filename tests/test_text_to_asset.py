"""From words to a game asset with tiny untrained networks: examples as they are, code as it is, only the files small.

Every network is saved by its real class in the layout that is published, and goes through the same loading, checking
and running as a real one; the graph runs through the command line and its executor.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusion_models
import numpy as np
import pytest
import sam_files
import torch
import trimesh
import triposr_samples
from PIL import Image as Files

import main
from app.engine import Run
from app.engine.embedded import read_graph_text
from app.engine.graph_file import loads, read
from nodes.io.load_mesh import load_mesh
from nodes.mesh.analyse import analyse

EXAMPLES = Path(__file__).parents[1] / "resources" / "examples"
FACES = 600
TRIPOSR = ("triposr", "triposr_light", "triposr_textured")
Told = dict[str, Any]
Go = Callable[..., tuple[int, Told]]


@pytest.fixture(scope="module", autouse=True)
def _no_network_and_no_weights(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Nothing that was ever downloaded on this machine is at hand."""
    empty = tmp_path_factory.mktemp("nothing")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("POLYLOOM_WEIGHTS", "HF_HOME", "HF_HUB_CACHE"):
            patch.setenv(name, str(empty))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Stable Diffusion 1.5, a ControlNet, Segment Anything, TripoSR and Real-ESRGAN in small."""
    folder = tmp_path_factory.mktemp("models")
    words = diffusion_models.save_vocabulary(folder / "words" / "tokenizer", diffusion_models.small_merges())
    pipe = diffusion_models.pipeline("SD 1.5", words)
    pipe.save_pretrained(folder / "sd")
    diffusion_models.controlnet(pipe.unet, scale=0.1).save_pretrained(folder / "control")
    triposr_samples.tiny_folder(folder / "triposr")
    return {
        "picture": folder / "sd",
        "control": folder / "control",
        "sam": sam_files.published_file(folder / "sam.pth"),
        "triposr": folder / "triposr",
        "upscale": upscaler(folder / "upscale.pth"),
    }


def upscaler(path: Path) -> Path:
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    torch.manual_seed(1)
    net = SRVGGNetCompact(num_in_ch=3, num_out_ch=3, num_feat=8, num_conv=2, upscale=2, act_type="prelu")
    torch.save({"params_ema": net.state_dict()}, path)
    return path


def settings(models: dict[str, Path]) -> dict[str, dict[str, Any]]:
    """What a person sets who has other model files, and little time."""
    return {
        "Picture": {"model": "own folder", "folder": models["picture"], "width": 64, "height": 64, "steps": 2},
        "Depth": {"net": "own folder", "folder": models["control"]},
        "Photo": {"longest_side": 128},
        "Segment": {"model": "own file", "file": models["sam"], "edge": 0.0},
        "Camera": {"width": 64, "height": 64},
        "triposr": {"model": "own folder", "folder": models["triposr"], "grid": 32, "threshold": 2.0},
        "decimate": {"target_faces": FACES},
        "unwrap": {"texture_size": 256},
        "bake": {"size": 128, "rays": 4, "antialias": "off"},
        "project": {"size": 128},
        "upscale": {"model": "own file", "file": models["upscale"], "scale": 2.0},
    }


@pytest.fixture(scope="module")
def go(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Go:
    """Run an example on the command line; the store is shared."""
    folder = tmp_path_factory.mktemp("run")

    def run(example: str = "text_to_asset", **other: dict[str, Any]) -> tuple[int, Told]:
        wanted = settings(models)
        for id, values in other.items():
            wanted[id] = {**wanted.get(id, {}), **values}
        ids = {node.title or id for id, node in read(EXAMPLES / f"{example}.graph").nodes.items()}
        words = [
            f"--set={id}.{name}={value}" for id, values in wanted.items() if id in ids for name, value in values.items()
        ]
        report = folder / "report.json"
        places = ["--out", str(folder / "out"), "--store", str(folder / "store"), "--report", str(report)]
        status = main.main(
            ["run", str(EXAMPLES / f"{example}.graph"), "--in-process", "--device", "cpu", *places, *words]
        )
        return status, {**json.loads(report.read_text("utf-8")), "folder": folder / "out"}

    return run


@pytest.fixture(scope="module")
def done(go: Go) -> Told:
    status, told = go()
    assert status == 0, told
    return told


def states(told: Told) -> set[str]:
    return {node["state"] for node in told["nodes"].values()}


def test_every_step_runs_and_one_file_comes_out(done: Told) -> None:
    assert done["status"] == "ok" and states(done) == {"ran"} and done["outputs"] == ["asset.glb"]


def test_the_asset_is_light_closed_and_textured(done: Told) -> None:
    mesh = load_mesh(Run(), done["folder"] / "asset.glb")
    assert 100 < len(mesh.faces) <= FACES
    report = analyse(Run(), mesh).report
    assert report.value("closed") is True and float(report.value("UV overlap")) < 0.01
    assert mesh.bounds[1][1] - mesh.bounds[0][1] == pytest.approx(0.25, abs=0.01)
    assert mesh.material is not None and mesh.material.base_colour is not None and mesh.material.normal is not None
    assert mesh.material.base_colour.size == (256, 256), "twice the baked size: the upscaler was there"
    assert mesh.material.normal.size == (128, 128) and mesh.material.roughness is not None
    assert np.ptp(mesh.material.base_colour.rgb.reshape(-1, 3), axis=0).max() > 0.02


def test_another_program_reads_it(done: Told) -> None:
    scene = trimesh.load_scene(done["folder"] / "asset.glb")
    (shape,) = scene.geometry.values()
    assert len(shape.faces) <= FACES and shape.visual.uv.shape == (len(shape.vertices), 2)
    assert shape.visual.material.baseColorTexture.size == (256, 256)
    assert shape.visual.material.normalTexture.size == (128, 128)


def test_the_asset_carries_the_graph_and_the_prompt(done: Told) -> None:
    text = read_graph_text(done["folder"] / "asset.glb")
    assert text is not None
    graph = loads(text)
    (prompt,) = graph.find("Prompt")
    assert "toy rocket" in graph.nodes[prompt].params["value"]


def test_a_second_run_runs_nothing_and_another_prompt_runs_everything_but_itself(go: Go, done: Told) -> None:
    before = (done["folder"] / "asset.glb").read_bytes()
    assert states(go()[1]) == {"reused"}
    assert (done["folder"] / "asset.glb").read_bytes() == before
    told = go(Prompt={"value": "a chair"})[1]
    assert states(told) == {"ran"}, told
    assert states(go(Picture={"seed": 0})[1]) == {"reused"}


def test_equal_settings_give_equal_bytes_without_the_store(go: Go, done: Told, tmp_path: Path) -> None:
    """Seeds decide every random choice, also in the networks."""
    before = (done["folder"] / "asset.glb").read_bytes()
    (done["folder"].parent / "store").rename(tmp_path / "store")
    status, told = go()
    assert status == 0 and states(told) == {"ran"}
    assert (told["folder"] / "asset.glb").read_bytes() == before


def test_a_photograph_goes_the_same_way(go: Go) -> None:
    status, told = go("photo_to_asset")
    assert status == 0 and states(told) == {"ran"} and told["outputs"] == ["asset.glb"], told
    mesh = load_mesh(Run(), told["folder"] / "asset.glb")
    assert len(mesh.faces) <= FACES and mesh.bounds[1][1] - mesh.bounds[0][1] == pytest.approx(0.9, abs=0.03)
    assert mesh.material is not None and mesh.material.base_colour is not None
    assert mesh.material.base_colour.size == (256, 256)


def test_every_method_side_by_side(go: Go, models: dict[str, Path]) -> None:
    """Inflate and all of TripoSR on one picture; the mesh of the one that was named comes out."""
    own = f'model="own folder" folder="{models["triposr"]}" grid=32 threshold=2'
    lines = ["inflate faces=2000 resolution=96 texture_size=256", *(f"{word} {own}" for word in TRIPOSR)]
    status, told = go("compare_methods", compare={"methods": "\n".join(lines), "keep": "light", "views": 2, "size": 96})
    assert status == 0 and sorted(told["outputs"]) == ["best.glb", "comparison.png"], told
    assert not told["nodes"]["compare"]["error"]
    with Files.open(told["folder"] / "comparison.png") as sheet:
        assert sheet.size == (86 + 2 * 96 + 4 * 4, 5 * 96 + 6 * 4)
    assert load_mesh(Run(), told["folder"] / "best.glb").colours is not None


def test_a_mesh_gets_new_looks_where_the_camera_sees_it(go: Go) -> None:
    """ControlNet hears the depth of the mesh: without it the picture is another. Only what is seen is painted."""

    def texture(**other: dict[str, Any]) -> np.ndarray[Any, Any]:
        status, told = go("retexture_mesh", **other)
        assert status == 0 and told["outputs"] == ["owl.glb"], told
        mesh = load_mesh(Run(), told["folder"] / "owl.glb")
        assert len(mesh.faces) <= FACES and mesh.material is not None and mesh.material.base_colour is not None
        return mesh.material.base_colour.rgb

    one, deaf, turned = texture(), texture(Depth={"strength": 0.0}), texture(Camera={"azimuth": -160})
    assert one.shape == (128, 128, 3)
    heard, elsewhere = (np.abs(one - other).max(axis=-1) > 0.002 for other in (deaf, turned))
    assert 0.03 < heard.mean() < 0.6, "the painted side, and nothing else"
    assert elsewhere.mean() > heard.mean()
    assert np.array_equal(one, texture())
