"""Weight cards: what a node needs in published model files, and under which licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightFile:
    """One file of a repository. ``sha256``: hex digest of its content; ``size``: bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class WeightCard:
    """A pinned set of model files.

    ``repository``: hub id. ``revision``: full commit. ``code_licence``, ``weights_licence``: SPDX id or the licence's
    own name. ``non_commercial``: the weights may not be used commercially. ``memory_gb``: needed on the device in
    half precision.
    """

    repository: str
    revision: str
    files: tuple[WeightFile, ...]
    code_licence: str
    weights_licence: str
    memory_gb: float
    non_commercial: bool = False

    @property
    def download_bytes(self) -> int:
        return sum(file.size for file in self.files)
