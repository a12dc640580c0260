"""Compiles the hot part of the package from its own Python source.

A compiler that is missing or fails leaves the package as it is: the same files then run interpreted, ten times slower
and more. ``CACHERY_REQUIRE_COMPILED=1`` makes that an error, ``CACHERY_INTERPRETED=1`` asks for it.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILED = (
    "backends/byte_locks",
    "backends/disk/calls",
    "backends/disk/gate",
    "backends/in_memory/allowances",
    "backends/in_memory/cells",
    "backends/in_memory/extra",
    "backends/in_memory/fences",
    "backends/in_memory/insertions",
    "backends/in_memory/loads",
    "backends/in_memory/portable",
    "backends/in_memory/store",
    "backends/in_memory/writes",
    "backends/redis/names",
    "backends/redis/near/copies",
    "backends/redis/reading",
    "backends/redis/records",
    "backends/disk/index",
    "backends/disk/loads",
    "backends/disk/shelf",
    "backends/disk/state",
    "backends/disk/store",
    "backends/disk/writing",
    "engine/flights",
    "keys/memo",
    "policies/containers",
    "policies/expiry",
    "policies/fifo",
    "policies/lfu",
    "policies/lru",
    "policies/node",
    "policies/climber",
    "policies/ghosts",
    "policies/order",
    "policies/sketch",
    "policies/table",
    "policies/tinylfu",
    "policies/wheel",
    "statistics/counters",
    "serializers/envelope",
    "serializers/keyring",
    "serializers/pipeline",
    "statistics/hot_keys",
    "statistics/recorder",
    "statistics/uses",
    "reporting",
    "namespaced",
    "stored",
    "weighing",
)
UNTYPED = ("keys/canonical",)
"""Compiled too, but what its annotations name may be a subclass, which Cython would refuse."""

DIRECTIVES = {
    "language_level": 3,
    "auto_pickle": False,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "embedsignature": False,
}
FLAGS = [] if sys.platform == "win32" else ["-O3", "-fno-plt", "-fno-semantic-interposition"]
IS_REQUIRED = os.environ.get("CACHERY_REQUIRE_COMPILED", "") not in ("", "0")
IS_REFUSED = os.environ.get("CACHERY_INTERPRETED", "") not in ("", "0")


class OptionalBuild(build_ext):
    """A build whose failure is a warning, unless it is required."""

    has_failed = False

    def run(self) -> None:
        """Compile what can be compiled."""
        self._attempt(super().run)

    def build_extension(self, extension: Extension) -> None:
        """Compile one module."""
        self._attempt(lambda: super(OptionalBuild, self).build_extension(extension))

    @staticmethod
    def _attempt(build: Callable[[], None]) -> None:
        try:
            build()
        except Exception as error:
            if IS_REQUIRED:
                raise
            if not OptionalBuild.has_failed:
                sys.stderr.write(f"cachery: not compiled, will run interpreted (cachery.compiled tells): {error}\n")
            OptionalBuild.has_failed = True


def extensions() -> list[Extension]:
    """Return what is to be compiled; nothing where Cython is missing and nothing requires it."""
    if IS_REFUSED:
        return []
    try:
        from Cython.Build import cythonize  # noqa: PLC0415 - not there when nothing is to be compiled
    except ImportError:
        if IS_REQUIRED:
            raise
        return []
    ways = ((COMPILED, DIRECTIVES), (UNTYPED, {**DIRECTIVES, "annotation_typing": False}))
    return [
        module
        for places, directives in ways
        for module in cythonize(
            [extension(place) for place in places],
            build_dir="build/c",
            include_path=["src"],
            compiler_directives=directives,
        )
    ]


def extension(place: str) -> Extension:
    """Return the module at ``place``."""
    return Extension(f"cachery.{place.replace('/', '.')}", [f"src/cachery/{place}.py"], extra_compile_args=FLAGS)


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)
    setup(ext_modules=extensions(), cmdclass={"build_ext": OptionalBuild})
