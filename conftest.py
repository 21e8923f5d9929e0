"""For every test, the notebooks' (nbval) among them: whoever runs them has made no progress, and makes none."""

import os

os.environ["MIDFLIGHT_PROGRESS"] = "off"
