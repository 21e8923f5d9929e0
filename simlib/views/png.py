"""Draws a canvas as a PNG file, with Pillow and matplotlib's fonts. Matplotlib itself would have to be imported first,
which takes longer than many pictures.
"""

from __future__ import annotations

import io
import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from simlib.errors import Mistake
from simlib.text import printable
from simlib.views.canvas import PIXELS, Box, Canvas, Line, Path, Text, hatches, lines_of

DOTS_PER_INCH = 160
DENSITY = DOTS_PER_INCH / PIXELS  # image pixels per displayed pixel, for sharp screens
DOTS_PER_POINT = DOTS_PER_INCH / 72
FONTS = {False: "DejaVuSans", True: "DejaVuSansMono"}  # by whether it is monospaced
ANCHORS = {"left": "ls", "center": "ms", "right": "rs"}  # at the baseline
FINE = 4  # what has a slanted edge is drawn this many times as large, and reduced

Point = tuple[float, float]


def png_of(canvas: Canvas) -> bytes:
    """The canvas as a PNG file, byte for byte the same with one version of Pillow. Raises Mistake without Pillow."""
    try:
        from PIL import Image, ImageDraw, ImageFont  # noqa: F401
    except ImportError:
        raise _missing() from None
    drawing = _Drawing(canvas, _fonts())
    draw: dict[type, Callable[..., None]] = {
        Text: drawing.text, Box: drawing.box, Line: drawing.line, Path: drawing.path,
    }  # fmt: skip
    for mark in canvas.marks:
        draw[type(mark)](mark)
    buffer = io.BytesIO()
    drawing.image.save(buffer, format="png")
    return buffer.getvalue()


def _fonts() -> str:
    """The folder of matplotlib's fonts, mostly found without its import. Raises Mistake without matplotlib."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise _missing()
    folder = os.path.join(os.path.dirname(spec.origin), "mpl-data")
    if not os.path.isdir(folder):  # some distributions keep its data elsewhere
        import matplotlib

        folder = matplotlib.get_data_path()
    return os.path.join(folder, "fonts", "ttf")


def _missing() -> Mistake:
    return Mistake(
        "a picture in pixels needs Pillow, and the fonts of matplotlib: pip install 'midflight[notebooks]'. "
        "SVG needs nothing."
    )


class _Drawing:
    """An image, and the fonts and shapes that were made for it. Places are in dots."""

    def __init__(self, canvas: Canvas, fonts: str) -> None:
        from PIL import Image, ImageDraw

        # What is a sum of inches may miss a whole number of dots by a hair.
        width, height = (math.floor(DOTS_PER_INCH * side + 1e-6) for side in (canvas.width, canvas.height))
        self.image = Image.new("RGB", (width, height), canvas.theme.paper)
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
        """Write a line on a sheet of its own, and turn that around the mark's place."""
        from PIL import Image, ImageDraw

        width, height = math.ceil(font.getlength(words) + font.size), math.ceil(2 * font.size)
        sheet = Image.new("L", (width, height))
        x = {"left": font.size / 2, "center": width / 2, "right": width - font.size / 2}[mark.ha]
        ImageDraw.Draw(sheet).text((x, 1.4 * font.size), words, fill=255, font=font, anchor=ANCHORS[mark.ha])
        turned = sheet.rotate(mark.rotation, Image.Resampling.BICUBIC, expand=True)
        right, down = width / 2 - x, height / 2 - 1.4 * font.size + below  # from the mark's place to the sheet's middle
        sine, cosine = math.sin(math.radians(mark.rotation)), math.cos(math.radians(mark.rotation))
        middle = (
            DOTS_PER_INCH * mark.x + right * cosine + down * sine,
            DOTS_PER_INCH * mark.y - right * sine + down * cosine,
        )
        self.image.paste(
            mark.color, (round(middle[0] - turned.width / 2), round(middle[1] - turned.height / 2)), turned
        )

    def _font(self, name: str, size: float) -> Any:
        from PIL import ImageFont

        if (name, size) not in self._fonts:
            file = os.path.join(self._folder, f"{name}.ttf")
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

    def path(self, mark: Path) -> None:
        if mark.fill != "none":
            self._trace(mark, mark.fill, 0, lambda draw, points: draw.polygon(points, fill=round(255 * mark.opacity)))
        if mark.stroke:
            wide = DOTS_PER_POINT * mark.linewidth
            dashes = [FINE * DENSITY * one for one in mark.dashes or ()]
            self._trace(mark, mark.stroke, wide, lambda draw, points: _stroke(draw, points, FINE * wide, dashes))

    def _trace(self, mark: Path, colour: str, wide: float, draw: Callable[[Any, list[Point]], None]) -> None:
        """Colour what is drawn on a fine mask just large enough for the mark's points."""
        from PIL import Image, ImageDraw

        xs, ys = ([DOTS_PER_INCH * point[side] for point in mark.points] for side in (0, 1))
        left, top = (math.floor(min(ones) - wide) for ones in (xs, ys))
        size = (FINE * math.ceil(max(xs) + wide - left + 1), FINE * math.ceil(max(ys) + wide - top + 1))
        fine = Image.new("L", size)
        draw(ImageDraw.Draw(fine), [(FINE * (x - left), FINE * (y - top)) for x, y in zip(xs, ys)])
        self.image.paste(colour, (left, top), fine.reduce(FINE))

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

    edge, wide = FINE * math.ceil(thick / 2), FINE * thick
    width, height = FINE * size[0], FINE * size[1]
    fine = Image.new("L", (width + 2 * edge, height + 2 * edge))
    draw, corner = ImageDraw.Draw(fine), FINE * DOTS_PER_INCH * radius
    if dashes:
        points = [(edge + x, edge + y) for x, y in _around(width, height, corner)]
        _stroke(draw, points, wide, [FINE * DENSITY * one for one in dashes])
    else:
        around = (edge - wide / 2, edge - wide / 2, edge + width + wide / 2 - 1, edge + height + wide / 2 - 1)
        draw.rounded_rectangle(around, corner + wide / 2, outline=255, width=round(wide))
    if hatched:
        scale = FINE * DENSITY
        for right, up, far in hatches(width / scale, height / scale):
            x, y = edge + scale * right, edge + height - scale * up
            draw.line((x, y, x + scale * far, y - scale * far), fill=255, width=round(0.8 * scale))
    return fine.reduce(FINE)


def _around(width: float, height: float, radius: float) -> list[Point]:
    """The outline of a box with rounded corners, clockwise from its upper edge."""
    left, top, right, bottom = radius, radius, width - radius, height - radius
    corners = [(right, top), (right, bottom), (left, bottom), (left, top)]
    turns = [math.radians(90 * (quarter - 1) + 15 * turn) for quarter in range(4) for turn in range(7)]
    points = [
        (x + radius * math.cos(turn), y + radius * math.sin(turn))
        for (x, y), turn in zip((corner for corner in corners for _ in range(7)), turns)
    ]
    return [*points, points[0]]


def _stroke(draw: Any, points: Sequence[Point], wide: float, dashes: Sequence[float] = ()) -> None:
    """Draw a line through these points on a mask, in dashes if there are any."""
    for dash in _dashes(points, dashes) if dashes else [points]:
        draw.line(dash, fill=255, width=round(wide), joint="curve")


def _dashes(points: Sequence[Point], lengths: Sequence[float]) -> Iterator[list[Point]]:
    """A line cut into dashes: the parts of it that are `on`, where `lengths` are on and off in turns."""
    turns = itertools.cycle(zip(itertools.cycle((True, False)), lengths))
    (on, left), dash = next(turns), [points[0]]
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        length, gone = math.hypot(to_x - x, to_y - y), 0.0
        while length - gone > left:
            gone += left
            at = (x + (to_x - x) * gone / length, y + (to_y - y) * gone / length)
            if on:
                yield [*dash, at]
            (on, left), dash = next(turns), [at]
        left -= length - gone
        dash.append((to_x, to_y))
    if on:
        yield dash
