"""Builds `midflight_core`, one module for every CPython from 3.11 on (the limited API)."""

import sys

from setuptools import Extension, setup

FLAGS = ["/std:c++17", "/O2"] if sys.platform == "win32" else ["-std=c++17", "-O2", "-fvisibility=hidden", "-g0"]

setup(
    ext_modules=[
        Extension(
            "midflight_core",
            [f"src/{name}.cpp" for name in ("module", "successors", "searches", "graph")],
            depends=[f"src/{name}.hpp" for name in ("python", "arrays", "space")],
            extra_compile_args=FLAGS,
            language="c++",
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
