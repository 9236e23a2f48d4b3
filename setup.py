"""Builds the native parts; everything else is in pyproject.toml."""

import importlib.util
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

unicorn = importlib.util.find_spec("unicorn")
assert unicorn is not None
assert unicorn.origin is not None
native = Path("baonet/core/native")
flags = ["-std=gnu11", "-O2", "-fvisibility=hidden", "-fno-strict-aliasing", "-Wall", "-Wextra"]


def extension(name: str, *directories: Path) -> Extension:
    """Of all files of these directories, in which headers are looked for."""
    files = [str(file) for directory in directories for file in sorted(directory.iterdir())]
    return Extension(
        f"baonet.core.{name}",
        sources=[file for file in files if file.endswith(".c")],
        depends=[str(header) for header in sorted(native.rglob("*.h"))],
        include_dirs=[str(native), *map(str, directories), str(Path(unicorn.origin).parent / "include")],
        extra_compile_args=flags,
    )


class BuildApart(build_ext):
    """The shared files are compiled once for each architecture, so each has a place of its own for its objects."""

    def build_extension(self, ext: Extension) -> None:
        place = self.build_temp
        self.build_temp = str(Path(place, ext.name))
        super().build_extension(ext)
        self.build_temp = place


setup(
    cmdclass={"build_ext": BuildApart},
    ext_modules=[
        extension("_node", native / "node"),
        *(extension(f"{each.parent.name}._engine", native, each.parent) for each in sorted(native.glob("*/arch.h"))),
    ],
)
