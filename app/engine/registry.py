"""Find node types: in a package, and in people's own folders. A registry is a value; a test builds its own."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from app.engine.errors import BadNode, EngineError
from app.engine.spec import SPEC, NodeSpec


@dataclass(frozen=True)
class Broken:
    """A node file that could not be loaded. ``place``: module name or path."""

    place: str
    message: str


@dataclass(frozen=True)
class Registry(Mapping[str, NodeSpec]):
    """Node types by id. ``formerly``: old id -> current id. ``broken``: files that could not be loaded."""

    specs: Mapping[str, NodeSpec]
    broken: tuple[Broken, ...] = ()
    formerly: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, specs: Iterable[NodeSpec], broken: Iterable[Broken] = ()) -> Registry:
        """Raises :class:`BadNode` when two node types share an id."""
        table: dict[str, NodeSpec] = {}
        for spec in specs:
            if spec.id in table:
                raise BadNode(f"Two node types are called {spec.id!r}.", "Rename one of them.")
            table[spec.id] = spec
        old = {name: spec.id for spec in table.values() for name in spec.formerly}
        clash = sorted(set(old) & set(table))
        if clash:
            raise BadNode(f"{clash[0]!r} is the id of one node type and a former id of another.", "Rename one of them.")
        return cls(dict(sorted(table.items())), tuple(broken), old)

    def __getitem__(self, id: str) -> NodeSpec:
        return self.specs[self.formerly.get(id, id)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)

    def __contains__(self, id: object) -> bool:
        return id in self.specs or id in self.formerly

    def with_functions(self, *functions: object) -> Registry:
        """These node types besides: for a script or a notebook with a node function of its own."""
        extra = {spec.id: spec for spec in map(spec_of, functions)}
        kept = [spec for id, spec in self.specs.items() if id not in extra]
        return Registry.of([*kept, *extra.values()], self.broken)


def spec_of(function: object) -> NodeSpec:
    """The node type that ``@node`` read from a function; :class:`BadNode` for anything else."""
    spec = getattr(function, SPEC, None)
    if not isinstance(spec, NodeSpec):
        raise BadNode(f"{function!r} is not a node.", "Decorate it with @node.")
    return spec


def discover(packages: Iterable[str] = (), folders: Iterable[Path] = ()) -> Registry:
    """Every node type of the named packages and of ``*.py`` in the folders. A broken file stops nothing else."""
    found: list[NodeSpec] = []
    broken: list[Broken] = []
    for package in packages:
        for name in _module_names(importlib.import_module(package)):
            try:
                found += _specs_in(importlib.import_module(name))
            except Exception as error:
                broken.append(Broken(name, _why(error)))
    taken = {spec.id for spec in found}
    for folder in folders:
        for path in sorted(Path(folder).glob("*.py")):
            if path.name.startswith("_"):
                continue
            try:
                own = _specs_in_file(path)
                clash = next((spec.id for spec in own if spec.id in taken), None)
                if clash:
                    raise BadNode(f"Another node type is called {clash!r} already.", "Choose another id.")
            except Exception as error:
                broken.append(Broken(str(path), _why(error)))
                continue
            taken |= {spec.id for spec in own}
            found += own
    return Registry.of(found, broken)


def _module_names(package: ModuleType) -> Iterator[str]:
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if info.name.rpartition(".")[2].startswith("_"):
            continue
        if info.ispkg:
            yield from _module_names(importlib.import_module(info.name))
        else:
            yield info.name


def _specs_in(module: ModuleType) -> list[NodeSpec]:
    specs = [getattr(v, SPEC, None) for v in vars(module).values() if getattr(v, "__module__", "") == module.__name__]
    return [spec for spec in specs if isinstance(spec, NodeSpec)]


def _specs_in_file(path: Path) -> list[NodeSpec]:
    """A person's own file: its text is part of every key, so an edit re-runs its nodes."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
    name = f"polyloom_own_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    return [replace(spec, source_digest=digest) for spec in _specs_in(load_file(str(path), name))]


def load_file(path: str, name: str) -> ModuleType:
    """Run a Python file as the module ``name``; the same name in another process lets results be unpickled there."""
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    exec(compile(Path(path).read_bytes(), path, "exec"), module.__dict__)
    return module


def _why(error: Exception) -> str:
    return error.message if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
