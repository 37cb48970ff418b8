"""How an exporter passes credits on: who made what went into a result, and under which licence.

An exporter is declared with ``@node(…, credits=True)``; then ``run.credits`` holds the credits of everything that came
in, and they are part of its key. It takes ``credits_file: CreditsFile = False`` as its last parameter, writes what its
format has a place for, and ends with :func:`with_credits`, which adds ``name.credits.txt`` and the remarks::

    document["asset"] |= gltf_asset(run)                    # glTF: asset.copyright, asset.extras
    head = comments(run, "# ")                              # OBJ, MTL, OFF …: lines of comments; PLY: "comment "
    said = properties(run)                                  # PNG, KTX2, 3MF, USD …: names and values
    line = copyright_of(run)                                # one line, for a single field
    return with_credits(run, Files.of({…}), credits_file)   # always=True where the format has no place at all

``nodes.io._stated`` reads all of these back.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import PurePosixPath
from typing import Annotated, Any

import numpy as np

from app.engine import Files, Run, Setting
from nodes.io._licences import remarks

EXTRAS = "polyloom_credits"
COMMENT = "Credit: "
KINDS = {"file": "Pictures, models and other works", "model": "Trained models", "service": "Services"}

CreditsFile = Annotated[
    bool, Setting(help="Also write name.credits.txt: all works that went in, ready for a credits page.", advanced=True)
]


def copyright_of(run: Run) -> str:
    """All credits in one line; empty when there are none."""
    return "; ".join(credit.line for credit in run.credits)


def comments(run: Run, start: str) -> str:
    """Whole lines, each with ``start`` before it: title | author | licence | source of each work."""
    rows = (" | ".join(_cell(getattr(credit, name)) for name in ("title", "author", "licence", "source", "kind"))
            for credit in run.credits)  # fmt: skip
    return "".join(f"{start}{COMMENT}{row}\n" for row in rows)


def properties(run: Run) -> dict[str, str]:
    """Texts for formats of names and values; ``Author`` and ``Copyright`` as the PNG specification has them."""
    if not run.credits:
        return {}
    authors = "; ".join(dict.fromkeys(credit.author for credit in run.credits if credit.author))
    found = {"Author": authors, "Copyright": copyright_of(run), EXTRAS: as_json(run)}
    return {name: value for name, value in found.items() if value}


def texts(run: Run) -> dict[str, str]:
    """The same with the graph, under ``polyloom``."""
    return {**({"polyloom": run.graph_text} if run.graph_text else {}), **properties(run)}


def as_json(run: Run) -> str:
    """The credits as JSON: a list of objects with the fields of :class:`Credit`."""
    return json.dumps([asdict(credit) for credit in run.credits], ensure_ascii=False, separators=(",", ":"))


def gltf_asset(run: Run) -> dict[str, Any]:
    """What goes into ``asset`` of a glTF file (glTF 2.0, section 3.5): the graph, the copyright and the credits."""
    extras: dict[str, Any] = {"polyloom": run.graph_text} if run.graph_text else {}
    if run.credits:
        extras[EXTRAS] = [asdict(credit) for credit in run.credits]
    found = {"copyright": copyright_of(run), "extras": extras}
    return {name: value for name, value in found.items() if value}


def credits_text(run: Run, name: str) -> str:
    """The content of ``name.credits.txt``: a heading for each kind, a line for each work."""
    blocks = [f"Credits of {name}"]
    for kind, heading in KINDS.items():
        lines = [credit.line for credit in run.credits if credit.kind == kind]
        blocks += ["\n".join([heading, *lines])] if lines else []
    if len(blocks) == 1:
        blocks.append("No other works went into it.")
    return "\n\n".join(blocks) + "\n"


def with_credits(run: Run, files: Files, wanted: bool, always: bool = False, place: str = "") -> Files:
    """The files, with ``name.credits.txt`` beside the first one where wanted, and the remarks on the node.

    ``always``: wanted whenever there are credits, since the format has no place for them. ``place``: another name.
    """
    for remark in remarks(run.credits):
        run.warn(remark)
    if not (wanted or (always and run.credits)):
        return files
    first = PurePosixPath(files.names[0])
    beside = place or str(first.with_name(f"{first.stem}.credits.txt"))
    name = PurePosixPath(place).name.removesuffix(".credits.txt") or first.name
    text = np.frombuffer(credits_text(run, name).encode(), np.uint8)
    return replace(files, names=(*files.names, beside), contents=(*files.contents, text))


def _cell(text: str) -> str:
    return text.replace("|", "/")
