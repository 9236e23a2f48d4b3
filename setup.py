"""Builds the native engine; everything else is in pyproject.toml."""

import importlib.util
from pathlib import Path

from setuptools import Extension, setup

unicorn = importlib.util.find_spec("unicorn")
assert unicorn is not None
assert unicorn.origin is not None
native = Path("baonet/core/native")

setup(
    ext_modules=[
        Extension(
            "baonet.core._engine",
            sources=sorted(str(path) for path in native.rglob("*.c")),
            depends=sorted(str(path) for path in native.rglob("*.h")),
            include_dirs=[str(native), str(native / "armv8"), str(Path(unicorn.origin).parent / "include")],
            extra_compile_args=["-std=gnu11", "-O2", "-fvisibility=hidden", "-fno-strict-aliasing", "-Wall", "-Wextra"],
        )
    ]
)
