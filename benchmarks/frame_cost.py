"""One redraw of two lanes of 200 marks: the player in a browser against matplotlib. `python benchmarks/frame_cost.py`.

The player moves to another moment: its scene is drawn once, a move changes what is veiled, lit and tabled. Matplotlib
draws the same marks anew, as a slider's callback would: a `barh` each, and all of a colour by one `broken_barh`.
Interleaved in one run; what is printed is ratios. Needs the test extra and a Chromium.
"""

import shutil
import statistics
import sys
import time
from itertools import groupby
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from playwright.sync_api import sync_playwright

from simlib import Database, Scenario
from simlib.views import player
from simlib.views.layout import scene
from simlib.views.style import colour

STEPS, ROUNDS, FRAMES = 200, 15, 20
MOVE = """frames => {
    const scrubber = document.querySelector('.mfp-range'), last = +scrubber.max, took = [];
    for (let frame = 0; frame < frames; frame++) {
        const begun = performance.now();
        scrubber.value = (frame * 37) % last;
        scrubber.dispatchEvent(new Event('input'));
        document.body.getBoundingClientRect();  // lay it out now, and not after the measurement
        took.push(performance.now() - begun);
    }
    return took.reduce((a, b) => a + b) / frames;
}"""


def count(db):
    for number in range(STEPS):
        yield db.write("n", number)


def count_on(db):
    for number in range(STEPS):
        yield db.write("n", number)


def marks():
    scenario = Scenario(db=Database())
    whole = scene([scenario.run(count), scenario.run(count_on)])
    return whole, [(place, mark) for place, panel in enumerate(whole.panels) for mark in panel.marks]


def drawn(draw) -> float:
    """Milliseconds that one redraw takes."""
    begun = time.perf_counter()
    figure = Figure(figsize=(12, 3))
    canvas, axes = FigureCanvasAgg(figure), figure.add_axes((0, 0, 1, 1))
    draw(axes)
    canvas.draw()
    return (time.perf_counter() - begun) * 1_000


def one_barh_each(axes, whole, all_marks):
    for place, mark in all_marks:
        axes.barh(place * 3 + mark.lane, mark.width, left=mark.x, color=colour(mark.resource, whole.colours))


def one_broken_barh_a_lane(axes, whole, all_marks):
    for (place, lane, resource), group in groupby(all_marks, key=lambda one: (one[0], one[1].lane, one[1].resource)):
        spans = [(mark.x, mark.width) for _, mark in group]
        axes.broken_barh(spans, (place * 3 + lane, 0.8), color=colour(resource, whole.colours))


def main() -> int:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("needs a Chromium on the PATH")
        return 1
    page_file = Path(sys.argv[1] if len(sys.argv) > 1 else "build/frame_cost.html").absolute()
    page_file.parent.mkdir(exist_ok=True)
    page_file.write_text(player(Scenario(db=Database()), count, count_on).html(standalone=True), encoding="utf-8")
    whole, all_marks = marks()
    ratios = {"barh, one each": [], "broken_barh, one a lane": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(page_file.as_uri())
        page.evaluate(MOVE, FRAMES)  # the first moves are compiled
        for _ in range(ROUNDS):
            ours = page.evaluate(MOVE, FRAMES)
            ratios["barh, one each"].append(drawn(lambda axes: one_barh_each(axes, whole, all_marks)) / ours)
            ratios["broken_barh, one a lane"].append(
                drawn(lambda axes: one_broken_barh_a_lane(axes, whole, all_marks)) / ours
            )
        browser.close()
    print(f"One redraw of {len(all_marks)} marks ({STEPS} steps of two runs, {ROUNDS} rounds). The player's is 1.")
    for name, found in ratios.items():
        print(f"  matplotlib, {name:<24} {statistics.median(found):6.0f}  [{min(found):.0f}, {max(found):.0f}]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
