"""Text and numbers that drive other nodes' inputs and parameters."""

from __future__ import annotations

from typing import Annotated

from app.engine import Multiline, Number, Setting, Text, node


@node("value.text", title="Text")
def text(value: Annotated[str, Multiline(placeholder="Type here")] = "") -> Text:
    """Some text, for prompts, names and choices. Link it to any text parameter."""
    return Text(value)


@node("value.number", title="Number")
def number(value: Annotated[float, Setting(help="Any number.")] = 0.0) -> Number:
    """One number. Link it to any numeric parameter to drive several nodes together."""
    return Number(float(value))
