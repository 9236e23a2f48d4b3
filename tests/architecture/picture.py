"""The picture of docs/architecture.md, made from the imports: ``python -m tests.architecture.picture``.

An arrow is an import. One that others make on a way through a third package is left out, or there would be fifty.
"""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
WING = "hyp/armv8"
_BLOCK = re.compile(r"(?<=^```mermaid\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def floors() -> list[list[str]]:
    """The packages of each floor, the highest first, as the contract has them."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:floors"]["layers"].split("\n")
    return [[name.strip().removeprefix("baonet.") for name in layer.split("|")] for layer in layers if layer]


def imports() -> set[tuple[str, str]]:
    """Who imports whom: packages, and the architecture's wing as one of its own."""
    import grimp  # noqa: PLC0415 - the other tests of the page do without

    graph = grimp.build_graph("baonet", cache_dir=None)
    packages = {name for floor in floors() for name in floor}

    def home(module: str) -> str:
        return WING if module.startswith("baonet.hyp.armv8") else module.split(".")[1] if "." in module else ""

    pairs = (
        (home(module), home(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    )
    return {(a, b) for a, b in pairs if a != b and {a, b} <= packages | {WING}}


def _reduced(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Without those that follow from others. They have no circle: an import never goes up."""
    below: dict[str, set[str]] = {}

    def reached(start: str) -> set[str]:
        if start not in below:
            direct = {b for a, b in edges if a == start}
            below[start] = direct.union(*map(reached, direct))
        return below[start]

    return {(a, b) for a, b in edges if not any(b in reached(c) for a_, c in edges if a_ == a and c != b)}


def picture() -> str:
    """A flow chart in Mermaid's language. The wing's imports are within its package; who reaches into it is dotted."""
    found = imports()
    whole = {(a, b) for a, b in found if WING not in (a, b)}
    lines = ["flowchart TD"]
    for floor in floors():
        lines += [f'    {name}["{name}"]' for name in floor]
    lines.append(f'    wing["{WING}"]')
    lines += [f"    {a} --> {b}" for a, b in sorted(_reduced(whole))]
    lines.append("    hyp --- wing")
    lines += [f"    {a} -.-> wing" for a, b in sorted(found) if b == WING and a != "hyp"]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page with the picture as it is now."""
    text, count = _BLOCK.subn(lambda _: picture(), PAGE.read_text(encoding="utf-8"))
    if count != 1:
        sys.exit(f"{PAGE} has {count} pictures, not one")
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
