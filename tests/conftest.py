"""What several test modules ask for."""

import pytest


@pytest.fixture(scope="module")
def browser():
    """A Chromium, one for each module."""
    from tests.browser import chromium  # without Playwright it skips whoever imports it, and that is not all tests

    with chromium() as running:
        yield running
