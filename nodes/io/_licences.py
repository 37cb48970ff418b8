"""What the words of a licence allow. A reading of words for a remark on a node, not legal advice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.engine import Credit

OFFERS = (
    "own work",
    "CC0 1.0",
    "CC BY 4.0",
    "CC BY-SA 4.0",
    "CC BY-NC 4.0",
    "public domain",
    "bought, royalty-free",
    "with permission",
)
_NO_TRADE = re.compile(
    r"\bnc\b|non[\s-]*commercial|not for commercial|no commercial|personal use|editorial use|research(?: use)? only"
    r"|research[\s-]only|for research|research purposes|academic use|educational use only",
    re.IGNORECASE,
)
_NO_CHANGE = re.compile(r"\bnd\b|no[\s-]*deriv", re.IGNORECASE)
_ALIKE = re.compile(r"\bcc[\s-]*by[\w\s-]*\bsa\b|share[\s-]*alike", re.IGNORECASE)
_LICENCE = re.compile(
    r"\bcc0\b|\bcc[\s-]*by|creative\s*commons|public\s*domain|licen[cs]e|rights reserved|royalty|\b(mit|apache|bsd)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"copyright|©|\(c\)|\b(19|20)\d\d\b(\s*[-–]\s*(19|20)\d\d)?", re.IGNORECASE)


@dataclass(frozen=True)
class Terms:
    """``stated``: a licence is named at all. The others: what its words rule out or ask for."""

    stated: bool
    non_commercial: bool
    no_derivatives: bool
    share_alike: bool


def terms(licence: str) -> Terms:
    """Of a licence in words, such as ``CC BY-NC 4.0``."""
    return Terms(
        bool(licence.strip()),
        bool(_NO_TRADE.search(licence)),
        bool(_NO_CHANGE.search(licence)),
        bool(_ALIKE.search(licence)),
    )


def rights(statement: str) -> tuple[str, str]:
    """(author, licence) in a copyright statement: one with words of a licence is kept whole as that licence."""
    if _LICENCE.search(statement):
        return "", statement
    return _MARKS.sub(" ", statement).strip(" ,.;:-–\t\r\n"), ""


def unstated(credits: Iterable[Credit]) -> list[Credit]:
    """Those without a licence. A service answers for its pictures by its own terms."""
    return [credit for credit in credits if not credit.licence and credit.kind != "service"]


def non_commercial(credits: Iterable[Credit]) -> list[Credit]:
    """Those whose licence rules out commercial use."""
    return [credit for credit in credits if terms(credit.licence).non_commercial]


def remarks(credits: Iterable[Credit]) -> list[str]:
    """Sentences for the node: which works forbid a use, and which state no licence."""
    works = list(credits)
    found = [
        ("Not for commercial use: {}.", non_commercial(works)),
        ("May not be changed: {}.", [credit for credit in works if terms(credit.licence).no_derivatives]),
        ("Licence not stated: {}. State it at the step that reads it, under More settings.", unstated(works)),
    ]
    return [sentence.format(named(those)) for sentence, those in found if those]


def named(credits: list[Credit], most: int = 4) -> str:
    """Such as ``chair.jpg (CC BY-NC 4.0), Net (its own terms)``."""
    words = [f"{credit.title} ({credit.licence})" if credit.licence else credit.title for credit in credits[:most]]
    return ", ".join(words) + (f" and {len(credits) - most} more" if len(credits) > most else "")
