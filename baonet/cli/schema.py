"""baonet schema"""

from __future__ import annotations

import argparse

from baonet.cli.common import Subparsers
from baonet.config.schema import json_schema


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "schema",
        help=brief,
        description="Print the JSON Schema of machine files. An editor with a YAML language server takes it from a "
        "first line '# yaml-language-server: $schema=machine.schema.json'.",
        epilog="example: baonet schema > machine.schema.json",
    )
    parser.set_defaults(command=schema)


def schema(options: argparse.Namespace) -> int:
    print(json_schema())
    return 0
