"""Names that people read: of nodes, meshes, materials and objects, typed by hand or read from files of strangers."""

from __future__ import annotations

import unicodedata

BREAKING = {"Cc", "Zl", "Zp"}
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def clean_name(name: str) -> str:
    """On one line, in letters that can be written as UTF-8.

    Control characters and line ends become a space; half surrogates, byte order marks and marks that only turn the
    direction of reading are left out. Joiners stay: emoji and several scripts are spelled with them. A name without any
    of these comes back as it is.
    """
    if name.isprintable():
        return name
    cleaned = "".join(" " if _breaks(letter) else letter for letter in name if not _is_left_out(letter))
    return cleaned if cleaned == name else " ".join(cleaned.split())


def _breaks(letter: str) -> bool:
    return unicodedata.category(letter) in BREAKING


def _is_left_out(letter: str) -> bool:
    return letter in TURNING or unicodedata.category(letter) == "Cs"
