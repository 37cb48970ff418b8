"""The one table from a payload's class to the form in which it is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from app.engine.payloads import (
    Controls,
    Depth,
    Detections,
    Field,
    Files,
    Image,
    Mask,
    Material,
    Mesh,
    Number,
    Payload,
    Pictures,
    PointCloud,
    Report,
    Scene,
    Splats,
    Text,
    Views,
)
from viewer.assembled import assembled
from viewer.contact_sheet import contact_sheet
from viewer.found import found_picture
from viewer.level_set import level_set
from viewer.preview_ball import preview_ball
from viewer.shown import Dots, Gaussians, Page, Picture, Shown, Solid

LONGEST_CELL = 300


def _image(payload: Image) -> Shown:
    return Picture(payload.pixels, "colour", "colour" if payload.space == "srgb" else "data, linear")


def _depth(payload: Depth) -> Shown:
    focal = f"focal length {payload.intrinsics[0, 0]:.0f} px"
    return Picture(payload.metres, "depth", focal)


def _views(payload: Views) -> Shown:
    if not payload.images:
        return Page(title="Views", text="There are no pictures in this set.")
    return _sheet(payload.images, f"{len(payload.images)} posed pictures")


def _pictures(payload: Pictures) -> Shown:
    images = payload.images
    if len(images) == 1:
        return _image(images[0])
    return _sheet(images, f"{len(images)} pictures")


def _sheet(images: tuple[Image, ...], note: str) -> Shown:
    return Picture(contact_sheet(images), "colour", note, tuple(image.pixels for image in images))


def _detections(payload: Detections) -> Shown:
    if not payload.labels:
        return Page(title="Detections", text="Nothing was found.")
    return Picture(found_picture(payload), "colour", f"{len(payload.labels)} found")


def _controls(payload: Controls) -> Shown:
    names = ", ".join(f"{net} {share:g}" for net, share in zip(payload.nets, payload.strengths, strict=True))
    return Picture(contact_sheet(payload.maps), "colour", names)


def _report(payload: Report) -> Shown:
    return Page(payload.title, payload.verdict, tuple((name, readable(value)) for name, value in payload.rows))


def _files(payload: Files) -> Shown:
    if payload.shows is not None:
        return adapt(payload.shows)
    rows = tuple((name, byte_size(len(c))) for name, c in zip(payload.names, payload.contents, strict=True))
    return Page(title="Files", rows=rows)


ADAPTERS: dict[type[Payload], Callable[[Any], Shown]] = {
    Mesh: Solid,
    Scene: assembled,
    Material: lambda m: Solid(preview_ball(m), facts=f"{m.name} on a ball of 1 m", modes=("textured", "base")),
    Field: level_set,
    PointCloud: Dots,
    Splats: Gaussians,
    Views: _views,
    Image: _image,
    Pictures: _pictures,
    Controls: _controls,
    Mask: lambda m: Picture(m.values, "grey", "mask"),
    Depth: _depth,
    Detections: _detections,
    Text: lambda t: Page(text=t.value),
    Number: lambda n: Page(text=readable(n.value)),
    Report: _report,
    Files: _files,
}


def adapt(payload: Payload) -> Shown:
    """How ``payload`` is seen. A class without an entry is shown as its base class is, or else as a list of fields."""
    for base in type(payload).__mro__:
        if base in ADAPTERS:
            return ADAPTERS[base](payload)
    names = [f.name for f in fields(payload)]  # type: ignore[arg-type]
    return Page(title=payload.label, rows=tuple((name, _summary(getattr(payload, name))) for name in names))


def _summary(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{' × '.join(str(n) for n in value.shape)} {value.dtype}"
    if isinstance(value, Payload):
        return value.label
    if isinstance(value, tuple | list | dict) and len(str(value)) > LONGEST_CELL:
        kinds = {item.label if isinstance(item, Payload) else type(item).__name__ for item in value}
        return f"{len(value)} × {', '.join(sorted(kinds))}"
    text = readable(value)
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]} …"


def readable(value: object) -> str:
    """A cell of a table: yes and no for truth values, grouped thousands, six figures for fractions."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:,.0f}" if number.is_integer() and abs(number) < 1e15 else f"{number:,.6g}"
    return str(value)


def byte_size(count: int) -> str:
    """``1536`` -> ``1.5 kB``, in steps of 1,000."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
