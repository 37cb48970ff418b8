"""What decides a result is part of its key, also where a node depends on more than its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.engine.plan import Step, step_key
from app.engine.registry import discover
from app.engine.store import Store


def test_what_a_node_names_besides_is_part_of_its_key(tmp_path: Path) -> None:
    spec = discover(("nodes",))["mesh.sphere"]
    store, settings = Store(tmp_path / "store"), {p.name: p.default for p in spec.params}

    def key(found: str = "", driven: tuple[str, ...] = ()) -> str:
        def besides(given: Mapping[str, Any]) -> list[str]:
            assert set(given) == set(settings) - set(driven)
            return [found]

        changed = replace(spec, besides=besides if found else None)
        return step_key(Step("n", changed, settings, {}), dict.fromkeys(driven, "0"), tmp_path, store)

    assert len({key(), key("one"), key("two")}) == 3 and key("one") == key("one")
    assert key("one", ("radius",)) != key("two", ("radius",))
    store.close()
