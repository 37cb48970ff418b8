"""Model files: read without running anything, unwrapped, and filled in strictly or refused in words."""

from __future__ import annotations

import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from app.engine import BadFile, fill, read_tensors, table
from app.engine.checkpoints import difference


def net() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(OrderedDict(first=torch.nn.Linear(3, 4), norm=torch.nn.BatchNorm1d(4)))


class Bomb:
    """Unpickled by an ordinary reader, it would make a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> type:
    """A class of a training program, which is gone again when the file is read."""
    module = types.ModuleType("pytorch_lightning.callbacks")

    class ModelCheckpoint(dict):  # type: ignore[type-arg]
        pass

    ModelCheckpoint.__module__, ModelCheckpoint.__qualname__ = module.__name__, "ModelCheckpoint"
    module.ModelCheckpoint = ModelCheckpoint  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pytorch_lightning", types.ModuleType("pytorch_lightning"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return ModelCheckpoint


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_table_comes_back_bit_by_bit(tmp_path: Path, suffix: str) -> None:
    state, path = net().state_dict(), tmp_path / f"net{suffix}"
    if suffix == ".pth":
        torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in state.items()}}, path)
    else:
        save_file(dict(state), path)
    found = table(read_tensors(path))
    assert found.keys() == state.keys() and all(torch.equal(found[key], state[key]) for key in state)
    other = net()
    with torch.no_grad():
        other.get_parameter("first.weight").zero_()
    fill(other, found, path.name)
    assert all(torch.equal(value, state[key]) for key, value in other.state_dict().items())


@pytest.mark.parametrize("legacy", [False, True])
def test_code_in_a_file_is_never_run(tmp_path: Path, legacy: bool) -> None:
    path = tmp_path / "evil.ckpt"
    torch.save(
        {"state_dict": net().state_dict(), "x": Bomb(tmp_path / "made")},
        path, _use_new_zipfile_serialization=not legacy,
    )  # fmt: skip
    with pytest.raises(BadFile):
        read_tensors(path)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["builtins.eval", "builtins.getattr", "os.system", "torch.hub.load", "posix.system"])
def test_names_outside_the_lists_are_refused(tmp_path: Path, name: str) -> None:
    module, _, function = name.rpartition(".")
    path = tmp_path / "evil.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("evil/data.pkl", b"c" + f"{module}\n{function}\n".encode() + b"(S'1'\ntR.")
        file.writestr("evil/version", "3")
        file.writestr("evil/byteorder", "little")
    with pytest.raises(BadFile, match="was not run"):
        read_tensors(path)


def test_what_a_training_program_left_in_a_file_becomes_nothing(tmp_path: Path, trainer: type) -> None:
    state, path = net().state_dict(), tmp_path / "old.ckpt"
    left = trainer(best=1.0)
    left.path = "x"
    torch.save({"state_dict": state, "callbacks": {trainer: left}, "list": [left]}, path)
    del sys.modules[trainer.__module__]
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    found = table(read_tensors(path))
    assert found.keys() == state.keys() and all(torch.equal(found[key], state[key]) for key in state)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("content", [b"", b"not a model", "cut"])
def test_damaged_and_absent_files_are_refused_in_words(tmp_path: Path, suffix: str, content: bytes | str) -> None:
    path = tmp_path / f"net{suffix}"
    with pytest.raises(BadFile, match="There is no file"):
        read_tensors(path)
    if content == "cut":
        save_file(dict(net().state_dict()), path) if suffix == ".safetensors" else torch.save(net().state_dict(), path)
        path.write_bytes(path.read_bytes()[:-200])
    else:
        path.write_bytes(content)  # type: ignore[arg-type]
    with pytest.raises(BadFile) as told:
        read_tensors(path)
    assert told.value.advice


def test_a_file_without_tensors_is_no_table(tmp_path: Path) -> None:
    for state in (torch.zeros(3), {"a": 1}, {}, []):
        with pytest.raises(BadFile, match="no table"):
            table(state)


def test_another_layout_is_told_key_by_key() -> None:
    state = dict(net().state_dict())
    state["first.weight"] = torch.zeros(4, 5)
    state["extra"] = state.pop("first.bias")
    before = net().state_dict()
    target = net()
    with pytest.raises(BadFile) as told:
        fill(target, state, "This file")
    said = told.value.message
    assert "This file does not fit: 1 of 7 tensors missing (first.bias)" in said and "unknown (extra)" in said
    assert "first.weight: 4×5 instead of 4×3" in said
    assert all(torch.equal(value, before[key]) for key, value in target.state_dict().items()), "nothing was filled in"


def test_optional_names_may_be_absent_or_extra_and_meta_modules_take_the_tensors() -> None:
    state = dict(net().state_dict())
    del state["norm.num_batches_tracked"]
    state["old.position_ids"] = torch.arange(3)
    with torch.device("meta"):
        target = net()
    fill(target, state, "This file", optional=("*.position_ids", "*.num_batches_tracked"))
    assert target.get_parameter("first.weight") is not None
    assert torch.equal(target.get_parameter("first.weight"), state["first.weight"])


def test_a_long_difference_stays_short() -> None:
    said = difference({f"a{i}": (1,) for i in range(500)}, {})
    assert said == "500 of 500 tensors missing (a0, a1, a2, a3, …)" and not difference({"a": (1,)}, {"a": (1,)})
