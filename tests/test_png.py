"""Stills in pixels: each kind of mark is where the canvas says, and a saved file is what its name says."""

import io
import itertools
import sys
import xml.etree.ElementTree as ElementTree
from importlib.machinery import ModuleSpec

import pytest
from PIL import Image

from simlib.errors import Mistake
from simlib.views import png
from simlib.views.canvas import Canvas
from simlib.views.chart import Chart, Curve, ticks
from simlib.views.picture import Picture

INK, RED, PAPER = (0, 0, 0), (255, 0, 0), (255, 255, 255)


def drawn(canvas):
    return Image.open(io.BytesIO(png.png_of(canvas))).convert("RGB")


def at(image, x, y):
    """The colour at a place in inches."""
    return image.getpixel((round(png.DOTS_PER_INCH * x), round(png.DOTS_PER_INCH * y)))


def inked(image, left, top, right, bottom):
    """How much of a part of the image, its corners in inches, is not paper."""
    part = image.crop([round(png.DOTS_PER_INCH * one) for one in (left, top, right, bottom)])
    return sum(count for count, colour in part.getcolors(1 << 20) if colour != PAPER) / (part.width * part.height)


def runs(colours):
    """How many stretches of one colour there are."""
    return 1 + sum(one != two for one, two in itertools.pairwise(colours))


def test_a_box_is_filled_to_its_edges_and_its_corners_are_round():
    page = Canvas(2, 1)
    page.box(0.5, 0.25, 1, 0.5, fill="#FF0000", radius=0.1)
    image = drawn(page)
    assert image.size == (320, 160)
    assert [at(image, *place) for place in [(0.5, 0.5), (1, 0.25), (1.49, 0.5), (1, 0.74)]] == [RED] * 4
    assert [at(image, *place) for place in [(0.49, 0.5), (1, 0.24), (1.5, 0.5), (1, 0.75)]] == [PAPER] * 4
    assert [at(image, *place) for place in [(0.5, 0.25), (1.49, 0.25), (0.5, 0.74), (1.49, 0.74)]] == [PAPER] * 4
    assert image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) == image == image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def test_a_box_that_lets_through_what_is_below_mixes_both():
    page = Canvas(1, 1)
    page.box(0, 0, 1, 1, fill="#FF0000", radius=0)
    page.box(0, 0, 1, 1, fill="#FFFFFF", opacity=0.6, radius=0)
    assert at(drawn(page), 0.5, 0.5) == (255, 153, 153)


def test_an_outline_lies_half_inside_of_its_box_and_dashes_leave_gaps_in_it():
    def edge(**more):
        page = Canvas(2, 1)
        page.box(0.5, 0.25, 1, 0.5, stroke="#000000", linewidth=4.5, radius=0.05, **more)  # 10 dots
        return drawn(page)

    whole, dashed = edge(), edge(dashes=(10, 10))
    assert [whole.getpixel((160, y)) for y in (34, 35, 44, 45)] == [PAPER, INK, INK, PAPER]
    assert at(whole, 1, 0.5) == PAPER
    upper = [dashed.getpixel((x, 40)) for x in range(100, 220)]
    assert {INK, PAPER} <= {*upper} and 6 <= runs([sum(one) > 380 for one in upper]) <= 9  # 16 dots on, 16 off


def test_hatching_covers_a_box_to_its_corners_and_nothing_beyond():
    page = Canvas(2, 1)
    page.box(0.5, 0.25, 1, 0.5, stroke="#000000", hatched=True, radius=0)
    image = drawn(page)
    corners = [(0.52, 0.27), (1.38, 0.27), (0.52, 0.63), (1.38, 0.63)]
    assert all(0.05 < inked(image, x, y, x + 0.1, y + 0.1) < 0.9 for x, y in corners)
    assert inked(image, 0, 0, 0.49, 1) == inked(image, 1.51, 0, 2, 1) == inked(image, 0, 0, 2, 0.24) == 0


def test_a_line_is_level_and_a_path_goes_through_its_points_and_fills_what_they_enclose():
    page = Canvas(2, 1)
    page.line(0.2, 1.8, 0.1, color="#000000", linewidth=1)
    page.path([(0.5, 0.9), (1, 0.4), (1.5, 0.9)], stroke="#000000", linewidth=2, fill="#FF0000", opacity=0.2)
    page.path([(0, 0.95), (2, 0.95)], stroke="#000000", linewidth=2, dashes=(20, 5))
    image = drawn(page)
    assert [at(image, *place) for place in [(0.2, 0.1), (1.79, 0.1), (0.75, 0.65), (1.25, 0.65)]] == [INK] * 4
    assert (at(image, 1, 0.7), at(image, 0.7, 0.5)) == ((255, 204, 204), PAPER)
    dashes = [image.getpixel((x, 152)) for x in range(320)]
    assert runs([one == PAPER for one in dashes]) == 16  # 8 times 32 dots on and 8 off
    assert inked(image, 0, 0.94, 2, 0.96) > 0.6


@pytest.mark.parametrize("ha, left, right", [("left", 1.0, 1.6), ("center", 0.7, 1.3), ("right", 0.4, 1.0)])
def test_words_begin_at_their_point_or_end_there_or_lie_around_it(ha, left, right):
    page = Canvas(2, 1)
    page.text(1, 0.5, "words", ha=ha, size=12)
    image = drawn(page)
    assert inked(image, left, 0.35, right, 0.65) > 0.1
    assert inked(image, 0, 0, left, 1) == inked(image, right, 0, 2, 1) == 0


def test_words_that_are_turned_go_up_from_their_point():
    page = Canvas(2, 2)
    page.text(1, 1, "upwards", rotation=90, size=12, va="baseline")
    image = drawn(page)
    assert inked(image, 0.8, 0.2, 1, 1) > 0.1
    assert inked(image, 1.06, 0, 2, 2) == inked(image, 0, 1.02, 2, 2) == 0


def test_each_line_of_a_text_is_below_the_one_before_and_bold_is_wider():
    page, bold = Canvas(2, 1), Canvas(2, 1)
    page.text(1, 0.5, "one\n\nthree", ha="center")
    bold.text(1, 0.5, "one\n\nthree", ha="center", bold=True)
    rows = [inked(drawn(page), 0.5, y, 1.5, y + 0.1) > 0 for y in (0.2, 0.3, 0.45, 0.6, 0.7)]
    assert rows == [False, True, False, True, False]
    assert inked(drawn(bold), 0, 0, 2, 1) > inked(drawn(page), 0, 0, 2, 1)


def test_the_fonts_are_found_where_matplotlib_keeps_its_data_if_that_is_not_beside_it(monkeypatch, tmp_path):
    beside = png._fonts()
    monkeypatch.setattr(png, "find_spec", lambda name: ModuleSpec(name, None, origin=str(tmp_path / "__init__.py")))
    assert png._fonts() == beside


def test_a_picture_in_pixels_without_pillow_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(Mistake, match=r"pip install 'midflight\[notebooks\]'. SVG needs nothing."):
        Picture("", lambda: Canvas(1, 1)).png()


@pytest.mark.parametrize("kind, start", [("png", b"\x89PNG"), ("PNG", b"\x89PNG"), ("svg", b"<svg "), ("pdf", b"%PDF")])
def test_a_file_s_name_says_what_is_saved(tmp_path, kind, start):
    Picture("words", lambda: Canvas(1, 1)).save(str(tmp_path / f"picture.{kind}"))
    assert (tmp_path / f"picture.{kind}").read_bytes().startswith(start)


def test_a_saved_svg_file_is_one_on_its_own(tmp_path):
    Picture("words", lambda: Canvas(1, 1)).save(str(tmp_path / "picture.svg"))
    root = ElementTree.parse(tmp_path / "picture.svg").getroot()
    assert (root.tag, root.get("aria-label")) == ("{http://www.w3.org/2000/svg}svg", "words")


# Charts


@pytest.mark.parametrize(
    "end, most, numbers",
    [
        (8, 8, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (30, 8, [0, 5, 10, 15, 20, 25, 30]),
        (240, 8, [0, 50, 100, 150, 200]),
        (54.6, 6, [0, 10, 20, 30, 40, 50]),
        (2, 8, [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]),
        (86_400, 8, [0, 20_000, 40_000, 60_000, 80_000]),
        (1, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_ticks_are_round_numbers_and_few(end, most, numbers):
    assert ticks(end, most) == pytest.approx(numbers)


def chart(**more):
    curves = [Curve("calm", [0, 5, 10], [4, 4, 4]), Curve("rising", [0, 5, 10], [1, 2, 9], steps=True)]
    return Chart("A title", "small print", "seconds", "requests", curves, 10, **more)


def test_a_chart_is_a_canvas_with_its_axes_its_curves_and_their_names():
    svg = ElementTree.fromstring(chart().picture([]).svg())
    words = [text.text for text in svg.iter("text")]
    assert words[:2] == ["A title", "small print"]
    assert words[2:] == [*map(str, range(0, 11, 2)), *map(str, range(0, 9, 2)), "seconds", "requests", "calm", "rising"]
    calm, rising = [path for path in svg.iter("path") if path.get("stroke") in ("#0072B2", "#009E73")]
    assert calm.get("d").count("L") == 2 and rising.get("d").count("L") == 4  # steps have corners
    (heights,) = {tuple(point.split(" ")[1] for point in calm.get("d")[1:].split("L"))}
    assert len({*heights}) == 1
    names = {text.text: float(text.get("y")) for text in svg.iter("text")}
    assert names["rising"] < names["calm"]  # beside the ends of their curves


def test_a_chart_marks_when_there_was_trouble_and_no_longer_than_it_lasts():
    svg = ElementTree.fromstring(chart(trouble=("down", 5, 20)).picture([]).svg())
    (box,) = [one for one in svg.iter("rect") if one.get("stroke")]
    left, right = 0.075 * 800, 0.81 * 800
    assert float(box.get("x")) == pytest.approx((left + right) / 2)
    assert float(box.get("x")) + float(box.get("width")) == pytest.approx(right)
    assert "down" in [text.text for text in svg.iter("text")]


def test_a_chart_of_nothing_at_all_has_a_floor():
    flat = Chart("Nothing", "", "x", "y", [Curve("none", [0, 1], [0, 0])], 1)
    assert Picture("", flat._draw).png().startswith(b"\x89PNG")
