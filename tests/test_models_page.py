"""The page on models says what the weight cards say."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from app.engine.registry import discover

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "resources"))
import model_tables  # noqa: E402

SPECS = [spec for spec in discover(("nodes",)).values() if spec.models]
CARDS = {card.handle: card for spec in SPECS for card in spec.models}


def test_the_tables_are_those_of_today() -> None:
    text = model_tables.PAGE.read_text("utf-8")
    assert model_tables.page(text) == text, "run resources/model_tables.py"


def test_every_card_says_what_a_person_must_know_before_a_download() -> None:
    for card in CARDS.values():
        assert card.code_licence and card.weights_licence and card.memory_gb > 0 and card.download_bytes > 0, (
            card.handle
        )
        assert re.fullmatch(r"[\w./-]+", card.handle) and len(card.label) <= 60, card.handle
        assert card.url or re.fullmatch(r"[0-9a-f]{40}", card.revision), f"{card.handle}: pin a full commit"
        assert all(not file.sha256 or re.fullmatch(r"[0-9a-f]{64}", file.sha256) for file in card.files), card.handle


def test_licences_that_forbid_commerce_are_marked_so() -> None:
    for card in CARDS.values():
        forbids = re.search(r"\bNC\b|non-?commercial", card.weights_licence, re.I) is not None
        assert not forbids or card.non_commercial, card.handle
        assert "AGPL" not in card.weights_licence + card.code_licence, card.handle


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_a_name_stands_for_one_set_of_weights(spec) -> None:
    """Two nodes may share a card; two cards never share the name that a person types."""
    for card in spec.models:
        assert CARDS[card.handle] == card or CARDS[card.handle].files == card.files, card.handle


def test_no_card_that_forbids_commerce_is_needed_by_default() -> None:
    for spec in SPECS:
        chosen = {param.default for param in spec.params if isinstance(param.default, str)}
        for card in spec.models:
            called = not card.optional and (not card.roles or chosen & set(card.roles))
            assert not (called and card.non_commercial), f"{spec.id} calls for {card.handle}"
