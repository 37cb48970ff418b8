"""Weight cards: what a node needs in published model files, and under which licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightFile:
    """One file of a repository. ``size``: bytes. ``sha256``: hex digest of its content, or empty where the publisher
    states none; then only the size is checked.

    ``exact=False``: no digest is known here and ``size`` is only about right, as for a file of the hub that was pinned
    by its commit alone. What the hub states when it sends the file is checked then; an imported one is taken as it is.
    """

    name: str
    size: int
    sha256: str = ""
    exact: bool = True

    def may_be(self, size: int) -> bool:
        """Whether a file of this many bytes can be it."""
        return size == self.size if self.exact else abs(size - self.size) <= max(0.25 * self.size, 4096)


@dataclass(frozen=True)
class WeightCard:
    """A pinned set of model files.

    ``repository``: hub id, or the project whose release it is. ``revision``: full commit, or the release's tag.
    ``code_licence``, ``weights_licence``: SPDX id or the licence's own name. ``non_commercial``: the weights may not
    be used commercially. ``memory_gb``: needed on the device in half precision. ``name``: what a person types to get
    it; without one, the repository. ``title``: what a person reads. ``url``: the folder of a plain release download;
    without one, the files come from the hub. ``role``: the parameter value that calls for this card, or several;
    without one, the node always needs it. ``optional``: used where it is here, never
    asked for, and no part of a result.
    """

    repository: str
    revision: str
    files: tuple[WeightFile, ...]
    code_licence: str
    weights_licence: str
    memory_gb: float
    non_commercial: bool = False
    name: str = ""
    title: str = ""
    url: str = ""
    role: str | tuple[str, ...] = ""
    optional: bool = False

    @property
    def roles(self) -> tuple[str, ...]:
        """Parameter values that call for it; none where the node always needs it."""
        return (self.role,) if isinstance(self.role, str) and self.role else tuple(self.role)

    @property
    def download_bytes(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def handle(self) -> str:
        """What a person types to get it."""
        return self.name or self.repository

    @property
    def label(self) -> str:
        """What a person reads."""
        return self.title or self.repository

    @property
    def terms(self) -> str:
        """The licence of the weights in a few words."""
        return self.weights_licence + (", NOT FOR COMMERCIAL USE" if self.non_commercial else "")
