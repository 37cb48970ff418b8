"""Names are cleaned where values are made, so that nobody who writes or shows them has to."""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import replace

import pytest

from app.engine import Material, Mesh, Scene
from app.engine.graph import Node
from app.engine.names import clean_name

DIRTY = "chair\x00\x1b[31m\r\n\u202eleg\ud800\u2028"
CLEAN = "chair [31m leg"


def test_every_character_is_kept_or_cannot_be_written_or_breaks_the_line() -> None:
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        cleaned = clean_name(f"a{letter}b")
        kind = unicodedata.category(letter)
        if cleaned != f"a{letter}b":
            assert cleaned in ("ab", "a b")
            assert kind in ("Cc", "Zl", "Zp", "Cs") or unicodedata.bidirectional(letter) in (
                "L", "R", "AL", "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI", "BN"
            ), hex(code)  # fmt: skip
        else:
            cleaned.encode()
            assert kind not in ("Cc", "Zl", "Zp", "Cs") and len(cleaned.splitlines()) == 1


@pytest.mark.parametrize("name", ["", " two  spaces ", "Stuhl größer", "椅子", "👩‍🚀 seat", "می‌خواهم", "no\u00a0break"])
def test_a_good_name_stays_as_it_is(name: str) -> None:
    assert clean_name(name) == name


def test_what_is_made_with_a_dirty_name_has_a_clean_one() -> None:
    assert clean_name(DIRTY) == CLEAN == clean_name(CLEAN)
    mesh = Mesh.of([[0, 0, 0]], [[0, 0, 0]], name=DIRTY, material=Material(DIRTY))
    scene = replace(Scene.of(mesh, name=DIRTY), names=(DIRTY,))
    assert {mesh.name, mesh.material.name, scene.name, *scene.names} == {CLEAN}
    assert Node("n1", "toy.add", title=DIRTY).title == CLEAN == replace(Node("n1", "toy.add"), title=DIRTY).title
