"""Still pictures: how Jupyter shows them, how `print` shows them, and how they are saved."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlib.errors import Mistake
from simlib.text import printable
from simlib.views.canvas import Canvas
from simlib.views.figure import figure_of
from simlib.views.png import DENSITY, DOTS_PER_INCH, png_of
from simlib.views.svg import svg_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INSTALL = "There is a chart of this where matplotlib is: pip install 'midflight[notebooks]'."
NO_CHART = {
    "emscripten": "There is a chart of this where matplotlib is. Online, run `import matplotlib` in a cell of "
    "its own, then this one again."
}


@dataclass(frozen=True)
class Picture:
    """A still picture and its text. Jupyter shows the picture; `print`, `repr` and nbval see the text.

    `alt` is the alternative text, by default the text on one line. Without matplotlib a canvas is shown as SVG, and a
    chart as its text.
    """

    text: str
    draw: Callable[[], Canvas | Figure]
    alt: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", printable(self.text, keep="\n"))
        object.__setattr__(self, "alt", printable(self.alt, keep="\n") or self.text.replace("\n", ". "))

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            png = self.png()
        except Mistake:
            return self._without_matplotlib(), {}
        return {"text/plain": self.text, "image/png": png}, {"image/png": {"alt": self.alt, **size_of(png)}}

    def _without_matplotlib(self) -> dict[str, str]:
        try:
            drawn = self.draw()
        except Mistake:
            return {"text/plain": f"{self.text}\n\n{NO_CHART.get(sys.platform, INSTALL)}"}
        page = {"text/html": svg_of(drawn, self.alt)} if isinstance(drawn, Canvas) else {}
        return {"text/plain": self.text, **page}

    def png(self) -> bytes:
        """The picture as a PNG file, byte for byte the same with one version of Pillow and of matplotlib."""
        drawn = self.draw()
        if isinstance(drawn, Canvas):
            return png_of(drawn)
        buffer = io.BytesIO()
        drawn.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        return buffer.getvalue()

    def save(self, path: str) -> None:
        """Write the picture to a file; the extension sets the format (png, svg, pdf)."""
        if Path(path).suffix.lower() == ".png":
            Path(path).write_bytes(self.png())
            return
        drawn = self.draw()
        figure = figure_of(drawn) if isinstance(drawn, Canvas) else drawn
        figure.savefig(path, dpi=DOTS_PER_INCH)


class Drawn:
    """A result that has a picture: Jupyter shows it, `print` gives its text."""

    picture: Picture

    def __repr__(self) -> str:
        return self.picture.text

    def _repr_mimebundle_(self, **how: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.picture._repr_mimebundle_(**how)

    def save(self, path: str) -> None:
        """Write the picture to a file; the extension sets the format (png, svg, pdf)."""
        self.picture.save(path)


def size_of(png: bytes) -> dict[str, int]:
    """The size to show a picture at, so that its text is as large as the text around it."""
    return {name: round(int.from_bytes(png[at : at + 4]) / DENSITY) for name, at in (("width", 16), ("height", 20))}
