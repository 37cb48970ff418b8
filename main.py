"""Polyloom: the only file that knows every part. Starts the window or the command line.

main.py [FILE.graph]                    the window
main.py run|check|plan|nodes|prepare|capsule|replay ...   the command line
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app import cli
from app.engine.graph_thread import Setup
from app.engine.places import store_folder

PACKAGES = ("nodes",)
COMMANDS = {"run", "check", "plan", "nodes", "weights", "capsule", "replay", "prepare"}
STARTER = Path(__file__).resolve().parent / "resources" / "examples" / "starter.graph"


def main(arguments: Sequence[str]) -> int:
    """Exit status of the command, or of the window."""
    if arguments and arguments[0] in COMMANDS:
        return cli.main(arguments, PACKAGES)
    options = _parser().parse_args(arguments)
    if not _has_display():
        print("There is no display: the graph runs here instead of in the window.", file=sys.stderr)
        return run_without_display(options)
    from app.ui.start import open_window
    from viewer.panel import ViewerPanel
    from viewer.thumbnails import thumbnail

    setup = Setup(options.store or store_folder(), PACKAGES, tuple(options.nodes), options.device)
    return open_window(options.file, setup, ViewerPanel, thumbnail)


def run_without_display(options: argparse.Namespace) -> int:
    """Run the graph (the starter when none is named) into ``out/`` and write a picture of every mesh it exports."""
    from viewer.snapshot import snapshot

    out = Path("out").absolute()
    out.mkdir(exist_ok=True)
    report_path = out / "report.json"
    store = options.store or store_folder()
    file = str(options.file or STARTER)
    common = [f"--nodes={folder}" for folder in options.nodes] + [f"--store={store}", f"--device={options.device}"]
    status = cli.main(["run", file, "--out", str(out), "--report", str(report_path), *common], PACKAGES)
    report = json.loads(report_path.read_text("utf-8"))
    results = Setup(store).open_store()
    for id, node in report["nodes"].items():
        entry = results.lookup(node["key"]) if node["key"] else None
        if entry is None or not entry.files:
            continue
        picture = out / f"{id}-preview.png"
        for digest in entry.outputs.values():
            snapshot(results.load(digest), picture)
        print(picture)
    results.close()
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Polyloom: 3D assets with machine learning, as a graph of nodes.",
        epilog="Without the window: main.py run|check|plan|nodes --help",
    )
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE.graph", help="the graph to open")
    parser.add_argument(
        "--nodes", type=Path, action="append", default=[], metavar="DIR", help="folder of own node files"
    )
    parser.add_argument("--store", type=Path, metavar="DIR", help="folder for kept results")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"), help="where models compute")
    return parser


def _has_display() -> bool:
    if sys.platform != "linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
