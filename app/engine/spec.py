"""Turn a plain function into a node type: read its signature once, keep the function as it is."""

from __future__ import annotations

import builtins
import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from app.engine.errors import BadNode, BadParam
from app.engine.params import AnyNumber, Choice, Line, Setting, Slider, Toggle
from app.engine.payloads import Number, Payload, Text
from app.engine.run import Run
from app.engine.weights import WeightCard

SPEC = "__polyloom_node__"
F = TypeVar("F", bound=Callable[..., Any])
TIERS = ((2.0, "CPU"), (4.0, "2-4 GB"), (8.0, "4-8 GB"), (16.0, "8-16 GB"))


@dataclass(frozen=True)
class Socket:
    """An input or output. ``type``: the payload class; a link fits when its source is that class or a subclass."""

    name: str
    type: builtins.type[Payload]
    optional: bool = False

    def takes(self, source: builtins.type[Payload]) -> bool:
        return issubclass(source, self.type)


@dataclass(frozen=True)
class Param:
    """``default`` is the JSON value; ``setting`` checks and draws it; ``type`` is the annotated Python type."""

    name: str
    type: Any
    default: Any
    setting: Setting

    @property
    def label(self) -> str:
        return self.setting.label or self.name.replace("_", " ").capitalize()

    def takes(self, source: builtins.type[Payload]) -> bool:
        """Whether a link may drive this parameter: Number for numbers, Text for text and choices."""
        if isinstance(self.setting, Line | Choice):
            return issubclass(source, Text)
        return self.type in (int, float) and issubclass(source, Number)


@dataclass(frozen=True)
class Isolated:
    """Native code that may hang or crash: the node runs in a killable helper process.

    ``limit_s``: seconds without a sign of progress. ``fallback``: a plain function with the same signature, run
    instead when the helper crashed or passed the limit; the node says that it was used.
    """

    limit_s: float = 120.0
    fallback: Callable[..., Any] | None = None


@dataclass(frozen=True)
class NodeSpec:
    """A node type, as read from its function."""

    id: str
    title: str
    version: int
    doc: str
    inputs: tuple[Socket, ...]
    params: tuple[Param, ...]
    outputs: tuple[Socket, ...]
    wants_run: bool
    call: Callable[..., Any]
    licence: str = "MIT"
    models: tuple[WeightCard, ...] = ()
    devices: tuple[str, ...] = ("cpu",)
    vram_gb: float = 0.0
    formerly: tuple[str, ...] = ()
    volatile: bool = False
    isolated: Isolated | None = None
    deterministic: bool = True
    cheaper: Mapping[str, Any] = field(default_factory=dict)
    besides: Callable[[Mapping[str, Any]], Any] | None = None
    group: str = ""
    credits: bool = False
    graph: bool = False
    source_digest: str = ""

    @property
    def family(self) -> str:
        return self.id.rpartition(".")[0]

    @property
    def tier(self) -> str:
        """GPU memory class shown on every node type."""
        return next((name for limit, name in TIERS if self.vram_gb < limit), "16+ GB")

    def input(self, name: str) -> Socket | None:
        return next((s for s in self.inputs if s.name == name), None)

    def output(self, name: str) -> Socket | None:
        return next((s for s in self.outputs if s.name == name), None)

    def param(self, name: str) -> Param | None:
        """By name, or by an earlier name."""
        return next((p for p in self.params if p.name == name or name in p.setting.was), None)


def node(
    id: str,
    *,
    title: str,
    version: int = 1,
    licence: str = "MIT",
    models: tuple[WeightCard, ...] = (),
    devices: tuple[str, ...] = ("cpu",),
    vram_gb: float = 0.0,
    formerly: tuple[str, ...] = (),
    volatile: bool = False,
    isolated: bool | Isolated = False,
    deterministic: bool = True,
    cheaper: Mapping[str, Any] | None = None,
    besides: Callable[[Mapping[str, Any]], Any] | None = None,
    group: str = "",
    credits: bool = False,
    graph: bool = False,
) -> Callable[[F], F]:
    """Declare a plain function as a node type; the function itself is handed back unchanged.

    ``id``: ``family.word``, chosen by a person and kept for ever. ``version``: raise it when equal inputs give a new
    result. ``models``: weight cards. ``devices``: where it can run. ``vram_gb``: GPU memory it needs (0: none).
    ``formerly``: old ids. ``volatile``: never reuse a result. ``isolated``: native code that may hang or crash.
    ``deterministic``: equal inputs give equal bytes. ``cheaper``: parameter values to fall back on when memory runs
    out, such as ``{"tile": 256}``; the node says when they were used. ``besides``: called with the settings (JSON
    values; those that a link drives are absent), names in JSON what else decides the result, such as what is installed.
    ``group``: the heading within a large family under which the library shows it.
    ``credits``: the node reads ``run.credits``; they are part of its key. ``graph``: it reads what lies before it in
    ``run.graph_text``; names, types, settings and links of those nodes are part of its key.

    Raises :class:`BadNode` when the signature cannot be read.
    """
    wrapped = Isolated() if isolated is True else (isolated or None)

    def declare(function: F) -> F:
        inputs, params, outputs, wants_run = _read_signature(id, function)
        if credits and not wants_run:
            raise BadNode(f"{id}: it wants credits and has no run to read them from.", "Take run: Run first.")
        spec = NodeSpec(
            id=id, title=title, version=version, doc=inspect.getdoc(function) or "", inputs=inputs, params=params,
            outputs=outputs, wants_run=wants_run, call=function, licence=licence, models=models, devices=devices,
            vram_gb=vram_gb, formerly=formerly, volatile=volatile, isolated=wrapped, deterministic=deterministic,
            cheaper=_cheaper(id, params, cheaper or {}), besides=besides, group=group, credits=credits,
            graph=graph,
        )  # fmt: skip
        function.__dict__[SPEC] = spec
        return function

    if "." not in id:
        raise BadNode(f"{id!r} is not a node id.", "Use family.word, such as mesh.decimate.")
    return declare


def _cheaper(id: str, params: tuple[Param, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    known = {param.name: param.setting for param in params}
    if not values.keys() <= known.keys():
        raise BadNode(f"{id}: 'cheaper' names a parameter that is not there.", "Use names of its parameters.")
    return {name: known[name].check(value) for name, value in values.items()}


def _read_signature(
    id: str, function: Callable[..., Any]
) -> tuple[tuple[Socket, ...], tuple[Param, ...], tuple[Socket, ...], bool]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:
        raise BadNode(f"{id}: the annotations cannot be read: {error}.", "Import every name they use.") from error
    returns = hints.pop("return", NoneType)
    inputs: list[Socket] = []
    params: list[Param] = []
    wants_run = False
    for position, (name, argument) in enumerate(inspect.signature(function).parameters.items()):
        if name not in hints:
            raise BadNode(f"{id}: argument {name!r} has no type.", "Annotate it.")
        bare, setting = _split(hints[name])
        payload, optional = _payload(bare)
        if bare is Run:
            if position:
                raise BadNode(f"{id}: Run comes first.", "Make it the first argument.")
            wants_run = True
        elif payload:
            inputs.append(Socket(name, payload, optional))
        else:
            params.append(_param(id, name, bare, setting, argument.default))
    return tuple(inputs), tuple(params), _outputs(id, returns), wants_run


def _split(hint: Any) -> tuple[Any, Setting | None]:
    if get_origin(hint) is Annotated:
        bare, *extras = get_args(hint)
        return bare, next((e for e in extras if isinstance(e, Setting)), None)
    return hint, None


def _payload(hint: Any) -> tuple[type[Payload] | None, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        rest = [t for t in get_args(hint) if t is not NoneType]
        optional = len(rest) < len(get_args(hint))
        hint = rest[0] if len(rest) == 1 else None
    else:
        optional = False
    return (hint, optional) if isinstance(hint, type) and issubclass(hint, Payload) else (None, False)


def _param(id: str, name: str, bare: Any, setting: Setting | None, default: Any) -> Param:
    if default is inspect.Parameter.empty:
        raise BadNode(f"{id}: parameter {name!r} has no default.", "Give it one.")
    setting = _setting(id, name, bare, setting)
    encoded = setting.encode(default)
    try:
        setting.check(encoded)
    except BadParam as error:
        raise BadNode(f"{id}: the default of {name!r} is not allowed: {error.message}", error.advice) from error
    return Param(name, bare, encoded, setting)


def _setting(id: str, name: str, bare: Any, given: Setting | None) -> Setting:
    if isinstance(given, AnyNumber | Slider):
        return replace(given, whole=bare is int)
    if given is not None and type(given) is not Setting:
        return given
    shared = {k: getattr(given, k) for k in ("help", "label", "was", "advanced")} if given else {}
    if get_origin(bare) is Literal:
        return Choice(options=get_args(bare), **shared)
    makers: dict[Any, Callable[..., Setting]] = {bool: Toggle, int: AnyNumber, float: AnyNumber, str: Line}
    if bare not in makers:
        raise BadNode(f"{id}: no setting fits {name!r} of type {bare!r}.", "Use Annotated[type, Slider(...)].")
    extra = {"whole": True} if bare is int else {}
    return makers[bare](**extra, **shared)


def _outputs(id: str, returns: Any) -> tuple[Socket, ...]:
    if returns is NoneType:
        return ()
    if isinstance(returns, type) and issubclass(returns, tuple) and hasattr(returns, "_fields"):
        hints = get_type_hints(returns)
        sockets = [Socket(name, *_payload(hint)) for name, hint in hints.items()]  # type: ignore[arg-type]
    else:
        payload, optional = _payload(returns)
        sockets = [Socket("out", payload, optional)] if payload else []
    if not sockets or any(s.type is None for s in sockets):
        raise BadNode(f"{id}: it returns {returns!r}.", "Return a payload, or a NamedTuple of payloads.")
    return tuple(sockets)
