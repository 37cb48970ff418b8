"""``main.py weights``: what models need, what is here, and getting it. Imports no Qt."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.engine.errors import BadParam, CannotFetch
from app.engine.registry import Registry, discover
from app.engine.weight_fetch import fetch
from app.engine.weight_files import file_state, files_in, import_file, place_of, state
from app.engine.weights import WeightCard

OK, FAILED = 0, 1


def add_weights(commands: Any, add_nodes: Any) -> None:
    """The subcommand. ``add_nodes``: adds the option that all commands share."""
    parser: ArgumentParser = commands.add_parser("weights", help="list, fetch, import and check model files")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="every model file set, its licence, size and state")
    listed.add_argument("--json", action="store_true", help="as JSON")
    listed.set_defaults(command=list_weights)
    got = actions.add_parser("fetch", help="download a set after showing its licence")
    got.add_argument("name", metavar="NAME")
    got.add_argument("--yes", action="store_true", help="agree to the licence without being asked")
    got.add_argument("--mirror", default="", metavar="URL", help="another address for the same files")
    got.set_defaults(command=fetch_weights)
    own = actions.add_parser("import", help="copy your own files of a set to their place")
    own.add_argument("name", metavar="NAME")
    own.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="a file, or a folder that holds the files")
    own.set_defaults(command=import_weights)
    checked = actions.add_parser("verify", help="compare what is here with the published checksums")
    checked.add_argument("name", nargs="?", metavar="NAME")
    checked.set_defaults(command=verify_weights)
    for action in (listed, got, own, checked):
        add_nodes(action)


def list_weights(options: Namespace) -> int:
    cards = _cards(options)
    if options.json:
        print(json.dumps({"weights": [_card_json(card, users) for card, users in cards.items()]}, indent=1))
        return OK
    for card, users in cards.items():
        size = f"{card.download_bytes / 1e6:,.1f} MB"
        print(f"{card.handle:40} {state(card):9}{size:>12}  {card.terms}  ({', '.join(users)})")
    return OK


def fetch_weights(options: Namespace) -> int:
    card = _find(_cards(options), options.name)
    if state(card) == "ready":
        print(f"{card.handle} is here already.", file=sys.stderr)
    else:
        _show_terms(card, options.mirror)
        _need_consent(card, options.yes)
    bar = _Bar()
    for path in fetch(card, bar, options.mirror):
        print(path)
    return OK


def import_weights(options: Namespace) -> int:
    card = _find(_cards(options), options.name)
    for path in options.paths:
        for file in files_in(card, path):
            print(import_file(card, file))
    lacking = [file.name for file in card.files if file_state(card, file) != "ready"]
    if lacking:
        print(f"{card.handle} still lacks {', '.join(lacking)}.", file=sys.stderr)
    return FAILED if lacking else OK


def verify_weights(options: Namespace) -> int:
    cards = _cards(options)
    chosen = [_find(cards, options.name)] if options.name else list(cards)
    bad = 0
    for card in chosen:
        for file in card.files:
            now = file_state(card, file)
            bad += now != "ready" if options.name else now == "damaged"
            print(f"{now:9}{card.handle:40} {place_of(card, file.name)}")
    return FAILED if bad else OK


class _Bar:
    """One line on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, name: str, done: int, total: int) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and (now - self._last > 0.1 or done >= total):
            self._last = now
            end = "\n" if done >= total else ""
            print(f"\r{name}  {done / 1e6:,.1f} of {total / 1e6:,.1f} MB", end=end, file=sys.stderr, flush=True)


def _cards(options: Namespace) -> dict[WeightCard, list[str]]:
    """Every card with the node types that use it, by its handle."""
    registry: Registry = discover(options.packages, options.nodes)
    users: dict[WeightCard, list[str]] = {}
    for spec in registry.values():
        for card in spec.models:
            users.setdefault(card, []).append(spec.id)
    return dict(sorted(users.items(), key=lambda item: item[0].handle))


def _find(cards: Iterable[WeightCard], name: str) -> WeightCard:
    known = list(cards)
    found = [card for card in known if card.handle == name]
    if not found:
        raise BadParam(
            f"There are no weights named {name!r}.", f"Known: {', '.join(card.handle for card in known) or 'none'}."
        )
    return found[0]


def _show_terms(card: WeightCard, mirror: str) -> None:
    source = mirror or card.url or f"the hub, {card.repository} at {card.revision}"
    for line in (
        f"{card.label}: {card.download_bytes / 1e6:,.1f} MB from {source}",
        f"Licence of the weights: {card.terms}. Licence of the code: {card.code_licence}.",
    ):
        print(line, file=sys.stderr)


def _need_consent(card: WeightCard, yes: bool) -> None:
    if yes:
        return
    if sys.stdin is not None and sys.stdin.isatty():
        print("Download under this licence? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() in ("y", "yes"):
            return
    raise CannotFetch(
        f"{card.handle} was not fetched: its licence was not agreed to.", "Agree with --yes, or answer on a terminal."
    )


def _card_json(card: WeightCard, users: list[str]) -> dict[str, Any]:
    return {
        "name": card.handle,
        "title": card.label,
        "repository": card.repository,
        "revision": card.revision,
        "url": card.url,
        "code_licence": card.code_licence,
        "weights_licence": card.weights_licence,
        "non_commercial": card.non_commercial,
        "bytes": card.download_bytes,
        "memory_gb": card.memory_gb,
        "state": state(card),
        "nodes": users,
        "files": [
            {
                "name": file.name,
                "bytes": file.size,
                "sha256": file.sha256,
                "state": file_state(card, file),
                "path": str(place_of(card, file.name)),
            }
            for file in card.files
        ],
    }
