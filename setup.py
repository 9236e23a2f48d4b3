"""Builds the native parts; everything else is in pyproject.toml."""

import importlib.util
import os
import shutil
import tomllib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

unicorn = importlib.util.find_spec("unicorn")
assert unicorn is not None
assert unicorn.origin is not None
native = Path("baonet/core/native")
flags = ["-std=gnu11", "-O3", "-flto=auto", "-fvisibility=hidden", "-fno-strict-aliasing", "-Wall", "-Wextra"]


def extension(name: str, *directories: Path) -> Extension:
    """Of all files of these directories, in which headers are looked for."""
    files = [str(file) for directory in directories for file in sorted(directory.iterdir())]
    return Extension(
        f"baonet.core.{name}",
        sources=[file for file in files if file.endswith(".c")],
        depends=[str(header) for header in sorted(native.rglob("*.h"))],
        include_dirs=[str(native), *map(str, directories), str(Path(unicorn.origin).parent / "include")],
        extra_compile_args=flags,
        extra_link_args=["-O3", "-flto=auto"],
    )


def compiled() -> list[Extension]:
    """The files of ``tool.baonet.compiled``, by mypyc, which comes with mypy."""
    from mypyc.build import mypycify  # noqa: PLC0415 - who builds without isolation may not have it

    patterns = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["baonet"]["compiled"]
    options = ["--config-file=", "--no-incremental", "--ignore-missing-imports"]
    extensions = mypycify(
        [*options, *(str(file) for pattern in patterns for file in sorted(Path().glob(pattern)))],
        debug_level="0",
        target_dir="build/compiled",
        group_name="baonet.compiled",
    )
    for each in extensions:  # who installs it may have a compiler that warns of more
        each.extra_compile_args = [flag for flag in each.extra_compile_args if flag != "-Werror"]
    return extensions


class BuildApart(build_ext):
    """The shared files are compiled once for each architecture, so each has a place of its own for its objects."""

    def build_extension(self, ext: Extension) -> None:
        place = self.build_temp
        self.build_temp = str(Path(place, ext.name))
        super().build_extension(ext)
        self.build_temp = place


class BuildWheel(bdist_wheel):
    """Only what a wheel installs is compiled: there nobody edits the source that lies beside.

    In a checkout (an editable install, ``build_ext --inplace``) the source is what runs, as a module that was compiled
    before an edit would hide it. BAONET_PURE in the environment, or no mypy where it is built, leave a wheel pure too.
    """

    def run(self) -> None:
        shutil.rmtree(self.get_finalized_command("build").build_lib, ignore_errors=True)  # what another wheel had
        if not os.environ.get("BAONET_PURE") and importlib.util.find_spec("mypyc"):
            self.distribution.ext_modules += compiled()
        super().run()


setup(
    cmdclass={"build_ext": BuildApart, "bdist_wheel": BuildWheel},
    ext_modules=[
        extension("_node", native / "node", native / "memsys"),
        extension("_memsys", native / "memsys" / "binding", native / "memsys"),
        *(
            extension(f"{each.parent.name}._engine", native, native / "memsys", each.parent)
            for each in sorted(native.glob("*/arch.h"))
        ),
    ],
)
