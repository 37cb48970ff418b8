"""What a signature says is what the node type says; a wrong declaration is refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import pytest

from app.engine import Image, Mask, Mesh, Number, OpenFile, Payload, Run, SaveFile, Seed, Setting, Slider, Text, node
from app.engine.errors import BadNode, BadParam
from app.engine.params import AnyNumber, Choice, Colour, Line, Rectangle, Strokes, Toggle
from app.engine.registry import Registry, discover, spec_of


class Two(NamedTuple):
    mesh: Mesh
    mask: Mask


@node("demo.all", title="All", version=3, vram_gb=5, formerly=("demo.old",))
def everything(
    run: Run,
    image: Image,
    hint: Mask | None,
    amount: Annotated[int, Slider(1, 9, unit="px", was=("size",))] = 3,
    ratio: float = 0.5,
    seed: Annotated[int, Seed()] = 0,
    mode: Literal["a", "b"] = "a",
    on: Annotated[bool, Setting(help="Switch.")] = True,
    name: str = "x",
    path: Annotated[Path, OpenFile(suffixes=(".png",))] = Path(),
) -> Two:
    """Help text."""
    raise AssertionError


def test_the_signature_is_read() -> None:
    spec = spec_of(everything)
    assert [(s.name, s.type, s.optional) for s in spec.inputs] == [("image", Image, False), ("hint", Mask, True)]
    assert [(s.name, s.type) for s in spec.outputs] == [("mesh", Mesh), ("mask", Mask)]
    kinds = {p.name: type(p.setting) for p in spec.params}
    assert kinds == {
        "amount": Slider, "ratio": AnyNumber, "seed": Seed, "mode": Choice, "on": Toggle, "name": Line,
        "path": OpenFile,
    }  # fmt: skip
    assert {p.name: p.default for p in spec.params}["path"] == ""
    assert spec.wants_run and spec.version == 3 and spec.doc == "Help text." and spec.tier == "4-8 GB"
    assert spec.param("size") is spec.param("amount")
    on = spec.param("on")
    assert on is not None and on.setting.help == "Switch."
    assert Registry.of([spec])["demo.old"] is spec


def test_the_function_is_handed_back() -> None:
    @node("demo.double", title="Double")
    def double(a: Number) -> Number:
        return Number(a.value * 2)

    assert double(Number(2.0)).value == 4.0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f(a): ...", "has no type"),
        ("def f(a: int) -> Number: ...", "has no default"),
        ("def f(a: int = 1): ...", ""),
        ("def f(a: list = 1) -> Number: ...", "no setting fits"),
        ("def f(a: Number) -> int: ...", "returns"),
        ("def f(a: Annotated[int, Slider(1, 2)] = 7) -> Number: ...", "default of 'a' is not allowed"),
        ("def f(a: Number, run: Run) -> Number: ...", "Run comes first"),
        ("def f(a: Unheard) -> Number: ...", "cannot be read"),
    ],
)
def test_a_wrong_declaration_is_refused(source: str, words: str) -> None:
    names: dict[str, Any] = {"Annotated": Annotated, "Slider": Slider, "Number": Number, "Run": Run}
    exec(source, names)
    if not words:
        node("demo.x", title="X")(names["f"])
        return
    with pytest.raises(BadNode, match=words):
        node("demo.x", title="X")(names["f"])


@pytest.mark.parametrize(
    ("setting", "good", "bad"),
    [
        (Slider(0, 1), [0, 1, 0.5], [-0.1, 2, "1", True, None, float("nan"), float("inf")]),
        (Slider(0, 9, whole=True), [0, 9, 3.0], [0.5]),
        (Seed(), [0, 2**32 - 1], [-1, 2**32, 0.5]),
        (Choice(options=("a", "b")), ["a"], ["c", 1, None]),
        (Toggle(), [True, False], [1, "true", None]),
        (Line(), ["", "x"], [1, None]),
        (Colour(), ["#ff0000", "#FF000080"], ["red", "#fff", 3]),
        (OpenFile(), ["", "a/b.png"], [3, "a\0b"]),
        (SaveFile(suffixes=(".glb",)), ["a.glb", "b/a.GLB"], ["", "..", "a.obj", 3]),
        (Rectangle(), [None, [0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]], [[0, 0, 0, 1], [0, 0, 2, 1], [1], "x"]),
        (Strokes(), [[], [{"keep": True, "radius": 0.1, "points": [[0, 0]]}]], [[1], [{}], "ab", 3]),
    ],
)
def test_every_setting_takes_good_values_and_refuses_bad_ones_in_words(setting: Setting, good: Any, bad: Any) -> None:
    for value in good:
        checked = setting.check(value)
        assert setting.check(setting.encode(checked)) == checked
    for value in bad:
        with pytest.raises(BadParam) as caught:
            setting.check(value)
        assert caught.value.message and caught.value.advice


def test_a_broken_file_is_named_and_stops_nothing_else(tmp_path: Path) -> None:
    good = (
        "from app.engine import node, Number\n@node('own.one', title='One')\ndef one() -> Number: return Number(1.0)\n"
    )
    (tmp_path / "good.py").write_text(good)
    (tmp_path / "syntax.py").write_text("def (")
    (tmp_path / "raises.py").write_text("1 / 0")
    (tmp_path / "clash.py").write_text(good)
    (tmp_path / "_private.py").write_text("1 / 0")
    registry = discover((), (tmp_path,))
    assert list(registry) == ["own.one"]
    told = {Path(b.place).name: b.message for b in registry.broken}
    assert set(told) == {"syntax.py", "raises.py", "good.py"} and "ZeroDivisionError" in told["raises.py"]


def test_two_types_with_one_id_are_refused() -> None:
    spec = spec_of(everything)
    with pytest.raises(BadNode, match="Two node types"):
        Registry.of([spec, spec])
    assert issubclass(Text, Payload)
