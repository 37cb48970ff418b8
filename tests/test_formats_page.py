"""docs/formats.md names every ending that loaders read and exporters write, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from app.engine.params import SaveFile
from app.engine.registry import discover
from nodes.io._pictures import SUFFIXES
from nodes.io.export_image import DEPTHS
from nodes.io.load_mesh import READERS
from nodes.io.load_points import READERS as POINTS
from nodes.io.load_scene import SCENES

PAGE = (Path(__file__).parents[1] / "docs" / "formats.md").read_text("utf-8")
PICTURES, MESHES, CLOUDS = re.split(r"## (?:Meshes|Points)\n", PAGE)


def rows(text: str) -> dict[str, str]:
    """Lines of a table by each ending that they name."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return {ending: line for line in lines for ending in re.findall(r"`(\.\w+)`", line)}


def test_every_ending_that_is_read_is_on_the_page_and_no_other() -> None:
    assert set(rows(PICTURES)) == set(SUFFIXES) and set(rows(MESHES)) == set(READERS)
    assert set(SCENES) <= set(READERS) and set(rows(CLOUDS)) == set(POINTS)


def test_what_is_written_is_on_the_page() -> None:
    written = {ending for ending, line in rows(PICTURES).items() if "Export" not in line and "| no |" not in line}
    assert written == set(DEPTHS)
    registry = discover(("nodes",))
    titles = {spec.title: spec for spec in registry.values()}
    for line in {line for line in rows(PAGE).values() if "*Export" in line}:
        for title in re.findall(r"\*(Export [^*]+)\*", line):
            settings = [param.setting for param in titles[title].params if isinstance(param.setting, SaveFile)]
            endings = set(re.findall(r"`(\.\w+)`", line))
            assert endings & set(settings[0].suffixes), title
