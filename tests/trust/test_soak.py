"""A thousand random steps: edit, run, cancel, undo, save; ``soak.py`` takes as many as one likes."""

from __future__ import annotations

from soak import soak


def test_a_thousand_random_steps_come_to_what_plain_python_says() -> None:
    count = soak(1000, seed=1)
    assert count["values"] > 1000 and all(
        count[kind] for kind in ("edit", "undo", "run", "cancel", "crash", "stubborn")
    )
