"""Write the tables of ``docs/models.md`` anew from the node types: run this after a node's weights changed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "models.md"


def tables() -> dict[str, str]:
    """Markdown by the name that stands in the page's marks."""
    from app.engine.registry import discover

    specs = [spec for spec in discover(("nodes",)).values() if spec.models]
    return {"nodes": _nodes(specs), "weights": _weights(specs)}


def _nodes(specs: list) -> str:
    lines = ["| node | id | GPU memory | computes on | licence of the code |", "|---|---|---|---|---|"]
    for spec in specs:
        devices = ", ".join({"cpu": "CPU", "cuda": "CUDA", "mps": "Apple GPU"}[device] for device in spec.devices)
        memory = "under 2 GB" if spec.tier == "CPU" else spec.tier
        lines.append(f"| {spec.title} | `{spec.id}` | {memory} | {devices} | {spec.licence} |")
    return "\n".join(lines)


def _weights(specs: list) -> str:
    users: dict[str, list[str]] = {}
    cards = {}
    for spec in specs:
        for card in spec.models:
            cards.setdefault(card.handle, card)
            titles = users.setdefault(card.handle, [])
            titles += [spec.title] if spec.title not in titles else []
    lines = ["| weights | name to get them by | used by | download | licence | memory |", "|---|---|---|---|---|---|"]
    for handle, card in sorted(cards.items(), key=lambda pair: (users[pair[0]], pair[0].lower())):
        terms = card.weights_licence + (", **not for commercial use**" if card.non_commercial else "")
        size = card.download_bytes
        download = f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
        kind = " (optional)" if card.optional else ""
        lines.append(
            f"| {card.label}{kind} | `{handle}` | {', '.join(users[handle])} | {download} | {terms} "
            f"| {card.memory_gb:g} GB |"
        )
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with today's tables between its marks."""
    for name, table in tables().items():
        start, end = f"<!-- {name}: written by resources/model_tables.py -->", f"<!-- end of {name} -->"
        text, count = re.subn(
            f"{re.escape(start)}.*?{re.escape(end)}", f"{start}\n\n{table}\n\n{end}", text, flags=re.S
        )
        assert count == 1, f"the page has {count} places for {name}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
