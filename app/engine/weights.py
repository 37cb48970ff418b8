"""Weight cards: what a node needs in published model files, and under which licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightFile:
    """One file of a repository. ``size``: bytes. ``sha256``: hex digest of its content, or empty where the publisher
    states none; then only the size is checked.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class WeightCard:
    """A pinned set of model files.

    ``repository``: hub id, or the project whose release it is. ``revision``: full commit, or the release's tag.
    ``code_licence``, ``weights_licence``: SPDX id or the licence's own name. ``non_commercial``: the weights may not
    be used commercially. ``memory_gb``: needed on the device in half precision. ``name``: what a person types to get
    it; without one, the repository. ``title``: what a person reads. ``url``: the folder of a plain release download;
    without one, the files come from the hub. ``role``: the parameter value that calls for this card; without one, the
    node always needs it.
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
    role: str = ""

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
