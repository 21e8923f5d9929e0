"""Draws a canvas as a PNG file with Pillow, which comes with matplotlib, and with matplotlib's fonts.

It takes a fraction of the time that matplotlib takes, most of which is its import.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

from simlib.errors import Mistake
from simlib.text import printable
from simlib.views.canvas import PIXELS, Box, Canvas, Line, Text, hatches, lines_of

DOTS_PER_INCH = 160
DENSITY = DOTS_PER_INCH / PIXELS  # image pixels per displayed pixel, for sharp screens
DOTS_PER_POINT = DOTS_PER_INCH / 72
FONTS = {False: "DejaVuSans", True: "DejaVuSansMono"}  # by whether it is monospaced
ANCHORS = {"left": "ls", "center": "ms", "right": "rs"}  # at the baseline
FINE = 4  # a shape with an edge that is neither level nor upright is drawn this many times as large, and reduced


def png_of(canvas: Canvas) -> bytes:
    """The canvas as a PNG file, byte for byte the same with one version of Pillow. Raises Mistake without Pillow."""
    try:
        from PIL import Image, ImageDraw, ImageFont  # noqa: F401
    except ImportError:
        raise _missing() from None
    drawing = _Drawing(canvas, _fonts())
    draw: dict[type, Callable[..., None]] = {Text: drawing.text, Box: drawing.box, Line: drawing.line}
    for mark in canvas.marks:
        draw[type(mark)](mark)
    buffer = io.BytesIO()
    drawing.image.save(buffer, format="png")
    return buffer.getvalue()


def _fonts() -> Path:
    """The folder of matplotlib's fonts, mostly found without its import. Raises Mistake without matplotlib."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise _missing()
    folder = Path(spec.origin).parent / "mpl-data/fonts/ttf"
    if not folder.is_dir():  # some distributions keep its data elsewhere
        import matplotlib

        folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
    return folder


def _missing() -> Mistake:
    return Mistake("pictures need matplotlib: pip install 'midflight[notebooks]'. The text form needs nothing.")


class _Drawing:
    """An image, and the fonts and shapes that were made for it. Places are in dots."""

    def __init__(self, canvas: Canvas, fonts: Path) -> None:
        from PIL import Image, ImageDraw

        size = (int(canvas.width * DOTS_PER_INCH), int(canvas.height * DOTS_PER_INCH))
        self.image = Image.new("RGB", size, canvas.theme.paper)
        self._draw = ImageDraw.Draw(self.image)
        self._folder = fonts
        self._fonts: dict[tuple[str, float], Any] = {}
        self._shapes: dict[tuple[Any, ...], Any] = {}

    def line(self, mark: Line) -> None:
        x, end, y = (DOTS_PER_INCH * one for one in (mark.x, mark.end, mark.y))
        thick = max(1, round(DOTS_PER_POINT * mark.linewidth))
        top = round(y - thick / 2)
        self._draw.rectangle((round(x), top, round(end) - 1, top + thick - 1), fill=mark.color)

    def text(self, mark: Text) -> None:
        font = self._font(FONTS[mark.mono] + ("-Bold" if mark.bold else ""), DOTS_PER_POINT * mark.size)
        for line, below in lines_of(mark):
            if mark.rotation:
                self._turned(mark, printable(line), font, DENSITY * below)
            else:
                place = (DOTS_PER_INCH * mark.x, round(DOTS_PER_INCH * mark.y + DENSITY * below))
                self._draw.text(place, printable(line), fill=mark.color, font=font, anchor=ANCHORS[mark.ha])

    def _turned(self, mark: Text, words: str, font: Any, below: float) -> None:
        """Write a line and turn it around the mark's place, which is in the middle of a sheet of its own."""
        from PIL import Image, ImageDraw

        half = math.ceil(font.getlength(words) + 2 * font.size)
        sheet = Image.new("L", (2 * half, 2 * half))
        ImageDraw.Draw(sheet).text((half, half + below), words, fill=255, font=font, anchor=ANCHORS[mark.ha])
        turned = sheet.rotate(mark.rotation, Image.Resampling.BICUBIC)
        corner = (round(DOTS_PER_INCH * mark.x) - half, round(DOTS_PER_INCH * mark.y) - half)
        self.image.paste(mark.color, corner, turned)

    def _font(self, name: str, size: float) -> Any:
        from PIL import ImageFont

        if (name, size) not in self._fonts:
            file = str(self._folder / f"{name}.ttf")
            self._fonts[name, size] = ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.BASIC)
        return self._fonts[name, size]

    def box(self, mark: Box) -> None:
        left, top = (round(DOTS_PER_INCH * one) for one in (mark.x, mark.y))
        size = (
            round(DOTS_PER_INCH * (mark.x + mark.width)) - left,
            round(DOTS_PER_INCH * (mark.y + mark.height)) - top,
        )
        if min(size) < 1:
            return
        if mark.fill != "none":
            self._paste(mark.fill, (left, top), ("fill", size, mark.radius, mark.opacity), _filled)
        if mark.stroke:
            thick = DOTS_PER_POINT * mark.linewidth
            edge = math.ceil(thick / 2)
            key = ("edge", size, mark.radius, thick, mark.dashes, mark.hatched)
            self._paste(mark.stroke, (left - edge, top - edge), key, _outlined)

    def _paste(self, colour: str, corner: tuple[int, int], key: tuple[Any, ...], make: Callable[..., Any]) -> None:
        """Colour a shape, which is made only once for each size."""
        if key not in self._shapes:
            self._shapes[key] = make(*key[1:])
        self.image.paste(colour, corner, self._shapes[key])


def _filled(size: tuple[int, int], radius: float, opacity: float) -> Any:
    """A filled box as a mask."""
    from PIL import Image, ImageDraw

    full = round(255 * opacity)
    if not radius:
        return Image.new("L", size, full)
    fine = Image.new("L", (FINE * size[0], FINE * size[1]))
    around = (0, 0, fine.width - 1, fine.height - 1)
    ImageDraw.Draw(fine).rounded_rectangle(around, FINE * DOTS_PER_INCH * radius, fill=full)
    return fine.reduce(FINE)


def _outlined(
    size: tuple[int, int], radius: float, thick: float, dashes: tuple[float, float] | None, hatched: bool
) -> Any:
    """A box's outline, and the lines that hatch it, as a mask with room for the outline's outer half."""
    from PIL import Image, ImageDraw

    edge = FINE * math.ceil(thick / 2)
    width, height = FINE * size[0], FINE * size[1]
    fine = Image.new("L", (width + 2 * edge, height + 2 * edge))
    draw = ImageDraw.Draw(fine)
    half, corner = FINE * thick / 2, FINE * DOTS_PER_INCH * radius
    if dashes:
        on, off = (FINE * DENSITY * one for one in dashes)
        for points in _dashes(width, height, corner, on, off):
            draw.line([(edge + x, edge + y) for x, y in points], fill=255, width=round(2 * half), joint="curve")
    else:
        around = (edge - half, edge - half, edge + width + half - 1, edge + height + half - 1)
        draw.rounded_rectangle(around, corner + half, outline=255, width=round(2 * half))
    if hatched:
        scale = FINE * DENSITY
        for start in hatches(width / scale, height / scale):
            x = edge + scale * start
            draw.line((x, edge + height, x + height, edge), fill=255, width=round(0.8 * scale))
    return fine.reduce(FINE)


def _dashes(width: float, height: float, radius: float, on: float, off: float) -> Iterator[list[tuple[float, float]]]:
    """The dashes around a box with rounded corners, clockwise, each as the dots that it touches."""
    numbered = enumerate(_around(width, height, radius))
    for (_, is_dash), dots in groupby(numbered, lambda one: (one[0] // (on + off), one[0] % (on + off) < on)):
        if is_dash:
            yield [dot for _, dot in dots]


def _around(width: float, height: float, radius: float) -> Iterator[tuple[float, float]]:
    """The dots of a box's edge, from its upper left corner, each about one from the next."""
    left, top, right, bottom = radius, radius, width - radius, height - radius
    for quarter, (x, y) in enumerate([(right, top), (right, bottom), (left, bottom), (left, top)]):
        along, out = math.pi / 2 * quarter, math.pi / 2 * (quarter - 1)
        straight = (width, height)[quarter % 2] - 2 * radius
        for left_over in range(int(straight), 0, -1):
            yield (
                x + radius * math.cos(out) - left_over * math.cos(along),
                y + radius * math.sin(out) - left_over * math.sin(along),
            )
        turns = int(radius * math.pi / 2)
        for turn in range(turns):
            angle = out + math.pi / 2 * turn / turns
            yield x + radius * math.cos(angle), y + radius * math.sin(angle)
