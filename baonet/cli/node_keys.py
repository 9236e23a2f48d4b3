"""``--keys`` and ``--insecure`` of the commands that call nodes."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_keys(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--keys",
        metavar="DIR",
        type=Path,
        help="with --on HOST:PORT,...: the keys of this host, which leads (default: $BAONET_KEYS, or those in "
        "~/.config/baonet/keys; without any, nodes are called in the clear)",
    )
    group.add_argument(
        "--insecure", action="store_true", help="call nodes in the clear, though this host has keys: they have none"
    )
