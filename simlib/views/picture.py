"""Still pictures: how Jupyter shows them, how `print` shows them, and how they are saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlib.errors import Mistake
from simlib.text import printable
from simlib.views.canvas import Canvas
from simlib.views.figure import figure_of
from simlib.views.png import DENSITY, png_of
from simlib.views.svg import svg_of

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'  # of a file; an element of a page has it from there


@dataclass(frozen=True)
class Picture:
    """A still picture and its text. Jupyter shows the picture; `print`, `repr` and nbval see the text.

    `alt` is the alternative text, by default the text on one line. Without Pillow it is shown as SVG.
    """

    text: str
    draw: Callable[[], Canvas]
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
            return {"text/plain": self.text, "text/html": self.svg()}, {}
        return {"text/plain": self.text, "image/png": png}, {"image/png": {"alt": self.alt, **size_of(png)}}

    def svg(self) -> str:
        """The picture as an SVG element. It needs nothing, and is the same everywhere."""
        return svg_of(self.draw(), self.alt)

    def png(self) -> bytes:
        """The picture as a PNG file, byte for byte the same with one version of Pillow. Raises Mistake without it."""
        return png_of(self.draw())

    def save(self, path: str) -> None:
        """Write the picture to a file; the extension sets the format (png, svg, pdf).

        Raises Mistake for PNG without Pillow and matplotlib's fonts, and for PDF and the rest without matplotlib.
        """
        kind = Path(path).suffix.lower()
        if kind == ".png":
            Path(path).write_bytes(self.png())
        elif kind == ".svg":
            Path(path).write_text(self.svg().replace("<svg ", f"<svg {NAMESPACE} ", 1), encoding="utf-8")
        else:
            figure_of(self.draw()).savefig(path)


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
