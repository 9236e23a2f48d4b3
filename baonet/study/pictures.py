"""Pictures of results, drawn by matplotlib.

One drawing serves everywhere. In the report it takes its colours from the page, light or dark: the drawing uses marker
colours that nothing else has, and they are replaced by names that the page's style sheet defines. As a file it has a
white ground. Text stays text, and the same results give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, final

from baonet.machine.dataclass import dataclass

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#0a0b0c"
SERIES = ("#2166ac", "#d6604d", "#1b7837", "#b8860b", "#762a83", "#01858a", "#c51b7d", "#6b6b6b")
"""Colours on white. A page that is dark has lighter ones of its own for them."""
WIDTH, HEIGHT = 7.2, 3.8
"""Inches, of 72 points."""
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "baonet",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


MISSING = "pictures need matplotlib: pip install 'baonet[study]'"


def available() -> bool:
    """Whether the extra 'study' is installed."""
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415 - it takes a second
    except ImportError:
        return False
    return True


@final
@dataclass(frozen=True, slots=True)
class Picture:
    """``name`` is fit for a file's name, ``text`` says in words what is seen."""

    name: str
    text: str
    figure: Figure


@contextmanager
def style() -> Iterator[None]:
    """Drawing and saving happen in here. Only where ``available``."""
    import matplotlib as mpl  # noqa: PLC0415 - as above

    with mpl.rc_context(_STYLE):
        yield


def figure(width: float = WIDTH, height: float = HEIGHT) -> Figure:
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    return Figure(figsize=(width, height), layout="constrained")


def color(number: int) -> str:
    return SERIES[number % len(SERIES)]


def svg(picture: Picture) -> str:
    """The picture as a file, on white."""
    return _svg(picture, "white")


def png(picture: Picture) -> bytes:
    """The same, of 144 dots per inch."""
    data = io.BytesIO()
    picture.figure.savefig(data, format="png", dpi=144, facecolor="white", metadata={"Software": None})
    return data.getvalue()


def inline(picture: Picture, prefix: str) -> str:
    """The picture as part of a page: its colours are the page's, and its ids begin with ``prefix``."""
    text = _svg(picture, "none")
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box is not None
    text = text[text.index("</style>") + len("</style>") :]  # which would be for the whole page
    text = re.sub(r'\bid="', f'id="{prefix}', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{prefix}", text)
    text = text.replace(INK, "currentColor")
    for number, each in enumerate(SERIES):
        text = text.replace(each, f"var(--series-{number})")
    label = escape(picture.text, quote=True)
    return f'<svg viewBox="{box[1]}" role="img" aria-label="{label}"><defs>{text}'


def _svg(picture: Picture, ground: str) -> str:
    text = io.StringIO()
    picture.figure.savefig(
        text, format="svg", facecolor=ground, metadata={"Date": None, "Creator": None, "Title": picture.text}
    )
    return text.getvalue()
