"""For every test, the notebooks' (nbval) among them: whoever runs them has made no progress, and makes none."""

import os

os.environ["MIDFLIGHT_PROGRESS"] = "off"

LONG = ("test_site.py", "test_lessons_in_browser.py")  # half of all the time


def pytest_collection_modifyitems(items):
    """The longest modules first: one that is begun last leaves a core with nothing to do."""
    items.sort(key=lambda item: item.path.name not in LONG)
