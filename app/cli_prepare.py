"""``main.py prepare``: everything that is made once for a computer, made now. For installers and images."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from app.engine.preparing import prepare

OK, FAILED, CANCELLED = 0, 1, 130
WAIT_S = 1.0
WIDTH = 24
WORDS = {
    "ready": "Everything is prepared for this computer.",
    "failed": "Some of it could not be prepared: the messages above say what. Nodes still work, after a wait.",
    "nowhere": "Nothing was prepared: neither the folder of the program nor that of kept results can be written.",
}


def add_prepare(commands: Any) -> None:
    parser = commands.add_parser("prepare", help="compile what nodes need on this computer, ahead of need")
    parser.set_defaults(command=prepare_command)


def prepare_command(options: argparse.Namespace) -> int:
    said = ""

    def tell(done: int, all: int, name: str) -> None:
        nonlocal said
        text = f"{done / max(all, 1):4.0%}"
        if sys.stderr.isatty():
            filled = round(done / max(all, 1) * WIDTH)
            bar = f"[{'#' * filled}{'.' * (WIDTH - filled)}] {text} {name}" if name else ""
            print(f"\r\x1b[K{bar[:100]}", end="", file=sys.stderr, flush=True)
        elif text != said:
            said = text
            print(text.strip(), file=sys.stderr, flush=True)

    try:
        while (outcome := prepare(options.packages, tell)) == "busy":
            if not said:
                said = "Another process is preparing: waiting for it …"
                print(said, file=sys.stderr, flush=True)
            time.sleep(WAIT_S)
    except KeyboardInterrupt:
        print("\nStopped. What is prepared stays; start it again to go on.", file=sys.stderr)
        return CANCELLED
    print(WORDS[outcome], file=sys.stdout if outcome == "ready" else sys.stderr)
    return OK if outcome == "ready" else FAILED
