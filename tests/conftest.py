"""Shared fixtures: toy node types, a workspace on disk, real inputs where they are at hand."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
TOYS = ROOT / "tests" / "toys"
sys.path.insert(0, str(ROOT))


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests never touch the person's own results and settings."""
    os.environ["POLYLOOM_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True, scope="session")
def _no_keys() -> None:
    """Tests never ask a service that costs money, whatever keys this machine holds."""
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name.startswith("POLYLOOM_SERVICE_")]:
        del os.environ[name]
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real inputs beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real inputs is not beside this checkout")
    return SHARED / "data"
