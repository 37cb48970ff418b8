"""The page on trust: every promise names tests, and every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "trust.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)


def test_every_promise_names_tests() -> None:
    parts = re.split(r"^## ", PAGE, flags=re.M)[1:]
    assert [part.split(".")[0] for part in parts] == [str(number) for number in range(1, 18)]
    assert all("`tests/" in part for part in parts)
    assert PAGE.count("`tests/") == len(NAMED)


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{file}::{name}"
        for file, name in NAMED
        if not (ROOT / file).is_file()
        or not re.search(rf"^(?:async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.M)
    ]
    assert missing == []
