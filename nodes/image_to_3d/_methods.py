"""The node types that make a mesh from one picture: found by their signatures, chosen by words, run one by one."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.engine import BadInput, BadParam, Cancelled, Image, Mesh, MissingWeights, Run
from app.engine.credits import of_cards
from app.engine.executor import describe, name_outputs
from app.engine.isolated import Helper
from app.engine.memory import Gauge, is_out_of_memory, make_room
from app.engine.migrations import default_params
from app.engine.params import Folder, OpenFile
from app.engine.registry import discover
from app.engine.spec import NodeSpec
from app.engine.weight_files import needed, place_of

HERE = "image_to_3d"


@dataclass(frozen=True)
class Method:
    """A node type with its settings. ``settings``: JSON value of every parameter. ``told``: those a person gave."""

    spec: NodeSpec
    settings: Mapping[str, Any]
    told: str = ""

    @property
    def label(self) -> str:
        return f"{self.spec.title} ({self.told})" if self.told else self.spec.title


@dataclass(frozen=True)
class Outcome:
    """``mesh`` or, in words, why there is none. ``memory_gb``: most main memory above that before. ``gpu_gb``: or 0."""

    method: Method
    mesh: Mesh | None = None
    seconds: float = 0.0
    memory_gb: float = 0.0
    gpu_gb: float = 0.0
    trouble: str = ""
    advice: str = ""
    lacks_weights: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)


def installed() -> dict[str, NodeSpec]:
    """By the word after the dot: node types of this family that need one picture and nothing else for a mesh."""
    return {spec.id.partition(".")[2]: spec for spec in discover((f"nodes.{HERE}",)).values() if _fits(spec)}


def _fits(spec: NodeSpec) -> bool:
    wanted = [socket for socket in spec.inputs if not socket.optional]
    given = [socket for socket in spec.outputs if not socket.optional]
    return spec.family == HERE and [s.type for s in wanted] == [Image] and any(s.type is Mesh for s in given)


def chosen(text: str) -> list[Method]:
    """From lines such as ``triposr resolution=128``; no text means every installed one as it is.

    A comma ends a line, too; a value with spaces or commas stands in double quotes.
    """
    known = installed()
    lines = [line.strip() for line in re.findall(r'(?:"[^"]*"|[^\n,"])+', text)]
    methods = [_method(line, known) for line in lines if line]
    return methods or [Method(spec, default_params(spec)) for spec in known.values()]


def _method(line: str, known: Mapping[str, NodeSpec]) -> Method:
    word, *parts = re.findall(r'(?:"[^"]*"|\S)+', line)
    spec = known.get(word.removeprefix(f"{HERE}.").lower())
    if spec is None:
        raise BadParam(f"{word!r} is no method that is installed.", f"There are: {', '.join(known)}.")
    settings, told = default_params(spec), []
    for part in parts:
        name, equals, value = part.partition("=")
        param = spec.param(name)
        if not equals or param is None:
            names = ", ".join(param.name for param in spec.params)
            raise BadParam(f"{word}: {part!r} is no setting.", f"Write name=value, with a name of: {names}.")
        value = value.replace('"', "")
        settings[param.name] = _value(value, param.default)
        param.setting.check(settings[param.name])
        if isinstance(param.setting, OpenFile | Folder) and not Path(settings[param.name]).is_absolute():
            raise BadParam(f"{word}: {value!r} is not a whole path.", "Write it from the drive or the root on.")
        told.append(f"{name} {Path(value).name if isinstance(param.setting, OpenFile | Folder) else value}")
    return Method(spec, settings, ", ".join(told))


def _value(text: str, default: Any) -> Any:
    """JSON, except that a text parameter takes it as it stands."""
    if isinstance(default, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def decides(settings: Mapping[str, Any]) -> list[Any]:
    """What a comparison depends on besides its own settings: versions of the methods, own files, weights at hand."""
    try:
        methods = chosen(str(settings.get("methods", "")))
    except BadParam:
        return []
    return [[method.label, method.spec.id, method.spec.version, _files(method)] for method in methods]


def _files(method: Method) -> list[list[Any]]:
    spec = method.spec
    paths = [place_of(card, file.name) for card in needed(spec.models, method.settings) for file in card.files]
    for param in spec.params:
        value = method.settings[param.name]
        if value and isinstance(param.setting, OpenFile | Folder):
            paths += [Path(value), *sorted(Path(value).rglob("*"))]
    return [[str(path), *_mark(path)] for path in paths]


def _mark(path: Path) -> list[int]:
    try:
        stat = path.stat()
    except OSError:
        return []
    return [stat.st_size, stat.st_mtime_ns]


def attempt(run: Run, method: Method, image: Image, told: Callable[[float, str], None]) -> Outcome:
    """Run one method; only Cancel leaves it as an exception."""
    inner = Run(told, run.show, run.models, run.stop, run.log, run.wanted_device, run.graph_text)
    helper = Helper()
    begun = time.perf_counter()
    try:
        with Gauge() as gauge, _GpuGauge(run.device) as gpu:
            gauge.begin()
            mesh = _called(helper, method, image, inner)
            found = Outcome(method, mesh, time.perf_counter() - begun, gauge.peak() / 1e9, gpu.peak())
    except Cancelled:
        raise
    except Exception as error:
        words = describe(error)
        run.log.info("%s: %s", method.label, words.details)
        seconds, lacks = time.perf_counter() - begun, isinstance(error, MissingWeights)
        found = Outcome(method, None, seconds, trouble=words.message, advice=words.advice, lacks_weights=lacks)
    finally:
        helper.close()
        if "scratch" in inner.__dict__:
            shutil.rmtree(inner.scratch, ignore_errors=True)
    for note in inner.notes:
        run.warn(f"{method.label}: {note}")
    if found.mesh is not None:
        for credit in (*of_cards(needed(method.spec.models, method.settings)), *inner.said):
            run.credit(credit)
    return found


def _called(helper: Helper, method: Method, image: Image, run: Run) -> Mesh:
    """Its first mesh. When memory runs out, other models go, then its cheaper setting counts, as in any run."""
    spec = method.spec
    given: dict[str, Any] = {socket.name: None if socket.optional else image for socket in spec.inputs}
    given |= {param.name: param.setting.check(method.settings[param.name]) for param in spec.params}
    try:
        result = helper(spec, given, run)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        result = None
    if result is None:
        make_room(run.models)
        run.warn("Memory ran out; other models were dropped and a cheaper setting, where it has one, was used.")
        result = helper(spec, {**given, **spec.cheaper}, run)
    mesh = next(value for value in name_outputs(spec, result).values() if isinstance(value, Mesh))
    if not len(mesh.faces):
        raise BadInput("It gave a mesh without a surface.", "Try another picture.")
    return mesh


class _GpuGauge:
    """Most GPU memory that torch held while it was on; 0 without CUDA."""

    def __init__(self, device: str) -> None:
        self._on = device == "cuda"

    def __enter__(self) -> _GpuGauge:
        if self._on:
            import torch

            torch.cuda.reset_peak_memory_stats()
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def peak(self) -> float:
        """Gigabytes."""
        if not self._on:
            return 0.0
        import torch

        return float(torch.cuda.max_memory_allocated()) / 1e9
