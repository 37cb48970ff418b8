"""Model files as tables of tensors: read without ever running what a file contains, and filled in strictly.

Safetensors files hold numbers only. Files saved by torch are pickles: they are read with torch's weights-only reader,
and where a published file also carries objects of a training program (old ``.ckpt`` files do), with a reader of our
own that puts an empty stand-in wherever such an object was. Anything else in a pickle is refused.
"""

from __future__ import annotations

import collections
import pickle
import zipfile
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.engine.errors import BadFile

Tensors = dict[str, Any]
WRAPPERS = ("state_dict", "params_ema", "params", "model")
SHOWN = 4
_BUILTINS = ("dict", "list", "tuple", "set", "int", "float", "str", "bool", "bytes", "complex")
_TRAINERS = (
    "pytorch_lightning",
    "lightning",
    "lightning_fabric",
    "omegaconf",
    "numpy",
    "argparse",
    "typing",
    "_codecs",
)
_REBUILDERS = ("_rebuild_tensor_v2", "_rebuild_tensor", "_rebuild_parameter")
_BROKEN = (RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError, IndexError, OSError)


def read_tensors(path: Path) -> Any:
    """What a model file holds, on the CPU: a table of tensors, or what torch saved around it.

    ``path``: ``.safetensors``, or any file saved by torch. Raises :class:`BadFile` when it is not there, damaged, or
    a pickle that holds more than tensors and plain data; nothing in a file is ever run.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise BadFile(f"There is no file {path.name}.", "Check the path.")
    if path.suffix.lower() != ".safetensors":
        return _read_torch(path)
    try:
        return load_file(path)
    except (SafetensorError, *_BROKEN):
        raise _damaged(path) from None


def table(
    state: Any, wrappers: Iterable[str] = WRAPPERS, prefixes: Iterable[str] = ("module.",), label: str = "The file"
) -> Tensors:
    """The tensors by name, from under the names that training programs put around them.

    ``wrappers``: keys under which a table may lie. ``prefixes``: taken off where every name begins with one. Raises
    :class:`BadFile` when there is no table of tensors.
    """
    import torch

    for name in wrappers:
        if isinstance(state, Mapping) and isinstance(state.get(name), Mapping):
            state = state[name]
    tensors = state.items() if isinstance(state, Mapping) else ()
    found = {str(key): value for key, value in tensors if isinstance(value, torch.Tensor)}
    if not found:
        raise BadFile(f"{label} holds no table of tensors.", "Choose a model file of this kind.")
    shared = next((p for p in prefixes if all(key.startswith(p) for key in found)), "")
    return {key[len(shared) :]: value for key, value in found.items()}


def fill(module: Any, tensors: Mapping[str, Any], label: str, optional: Iterable[str] = ()) -> None:
    """Put every tensor into its place in a torch module, and leave no place empty.

    ``optional``: patterns such as ``"*.position_ids"`` of names that may be absent or extra. A module on the meta
    device takes the tensors as they are. Raises :class:`BadFile` with the difference in words.
    """
    wanted = module.state_dict()
    spare = tuple(optional)
    unlike = difference(
        {key: tuple(value.shape) for key, value in wanted.items()},
        {key: tuple(value.shape) for key, value in tensors.items()},
        spare,
    )
    if unlike:
        raise BadFile(f"{label} does not fit: {unlike}.", "Choose the published file of this model, or one like it.")
    known = {key: value for key, value in tensors.items() if key in wanted}
    module.load_state_dict(known, strict=False, assign=any(value.is_meta for value in wanted.values()))


def difference(
    wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]], optional: Iterable[str] = ()
) -> str:
    """How two tables of shapes differ, in words; empty when they do not."""
    spare = tuple(optional)

    def counts(key: str) -> bool:
        return not any(fnmatchcase(key, pattern) for pattern in spare)

    missing = [key for key in wanted if key not in found and counts(key)]
    unknown = [key for key in found if key not in wanted and counts(key)]
    other = [
        f"{key}: {_shape(found[key])} instead of {_shape(wanted[key])}"
        for key in wanted
        if key in found and tuple(found[key]) != tuple(wanted[key])
    ]
    parts = [
        f"{len(names)} of {total} tensors {what} ({_some(names)})"
        for names, total, what in (
            (missing, len(wanted), "missing"),
            (unknown, len(found), "unknown"),
            (other, len(wanted), "of another shape"),
        )
        if names
    ]
    return "; ".join(parts)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")


def _read_torch(path: Path) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        return _read_around(path)
    except _BROKEN:
        raise _damaged(path) from None


def _read_around(path: Path) -> Any:
    """A zip file of torch whose pickle names objects of a training program; they become empty stand-ins."""
    import torch

    if not zipfile.is_zipfile(path):
        raise _more_than_numbers(path, "is not a model file, or ")
    reader = SimpleNamespace(Unpickler=_Reader, load=_refuse, __name__="app.engine.checkpoints")
    try:
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=reader)
    except pickle.UnpicklingError:
        raise _more_than_numbers(path) from None
    except (zipfile.BadZipFile, *_BROKEN):
        raise _damaged(path) from None


class _Nothing:
    """Stands where an object of a training program was: takes anything and keeps nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Nothing:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...

    def __setitem__(self, _: Any, __: Any) -> None: ...

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...

    def __hash__(self) -> int:
        return id(self)


class _Reader(pickle.Unpickler):
    """Looks names up in short lists; imports nothing that a file asks for."""

    def find_class(self, module: str, name: str) -> Any:
        import torch

        if module == "torch._utils" and name in _REBUILDERS:
            return getattr(torch._utils, name)
        if module == "torch" and (name == "Size" or isinstance(getattr(torch, name, None), torch.dtype)):
            return getattr(torch, name)
        if module == "collections" and name in ("OrderedDict", "defaultdict"):
            return getattr(collections, name)
        if module in ("builtins", "__builtin__") and name in _BUILTINS:
            return {kind.__name__: kind for kind in (dict, list, tuple, set, int, float, str, bool, bytes, complex)}[
                name
            ]
        if module.partition(".")[0] in _TRAINERS:
            return _Nothing
        raise pickle.UnpicklingError(f"{module}.{name} is not looked up")


def _refuse(*_: Any, **__: Any) -> Any:
    raise pickle.UnpicklingError("not a zip file of torch")


def _more_than_numbers(path: Path, doubt: str = "") -> BadFile:
    return BadFile(
        f"{path.name} {doubt}holds more than numbers, and what else it holds was not run.",
        "Use the published file, or one saved as .safetensors.",
    )


def _damaged(path: Path) -> BadFile:
    return BadFile(
        f"{path.name} is not a model file, or it is damaged.",
        "Choose another file, or fetch it again.",
    )
