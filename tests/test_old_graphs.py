"""Graph files of earlier and later versions, never edited: they open, and saving loses nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.engine.graph_file import dumps, loads, read, save
from app.engine.migrations import adopt
from app.engine.registry import Registry, discover
from app.engine.stand_in import is_stand_in, spec_for

OLD = sorted((Path(__file__).parent / "graphs").glob("*.graph"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover(("nodes",))


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_open_and_save_keeps_every_byte(path: Path, tmp_path: Path) -> None:
    saved = tmp_path / path.name
    save(saved, read(path))
    assert saved.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_a_file_in_another_order_and_layout_means_the_same(path: Path) -> None:
    spread = json.dumps(json.loads(path.read_text("utf-8")), indent=4)
    assert dumps(loads(spread)) == path.read_text("utf-8")


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.stem)
def test_bringing_up_to_date_changes_nothing_that_is_not_known(path: Path, registry: Registry) -> None:
    before = read(path)
    after = adopt(before, registry)
    assert (after.frames, after.view, after.extra) == (before.frames, before.view, before.extra)
    assert after.links == before.links
    for id, node in before.nodes.items():
        newer = after.nodes[id]
        assert (newer.title, newer.at, newer.bypass, newer.extra) == (node.title, node.at, node.bypass, node.extra)
        assert {name: newer.params[name] for name in node.params} == dict(node.params)
        if is_stand_in(spec_for(node, before, registry)) or node.version > registry[node.type].version:
            assert newer == node


def test_parameters_added_since_get_their_defaults(registry: Registry) -> None:
    graph = adopt(read(next(path for path in OLD if path.stem == "v1_plain")), registry)
    for node in graph.nodes.values():
        assert set(node.params) == {param.name for param in registry[node.type].params}
    assert graph.nodes["n2"].params["target_faces"] == 500
