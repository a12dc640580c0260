"""The package as a whole: what it shows, what it loads, and that every part has its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cachery

ROOT = Path(cachery.__file__).parent.parent


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a new interpreter loads to run ``statement``, those of a bare start left out."""
    loaded = "import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    report = f"import sys; before = set(sys.modules); {statement}; {loaded}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("COVERAGE_PROCESS_START", "COV_CORE_SOURCE"):
        environment.pop(name, None)
    printed = subprocess.run(
        [sys.executable, "-S", "-c", report], check=True, capture_output=True, text=True, env=environment
    ).stdout
    return set(json.loads(printed))


BEHIND_AN_EXTRA = {"DiskCache": "disk", "RedisBackend": "redis", "RedisCache": "redis"}
PLAIN_NAMES = f"import cachery; [getattr(cachery, name) for name in set(cachery.__all__) - {set(BEHIND_AN_EXTRA)}]"
FILES = "import tempfile; from cachery import FileBasedCache; FileBasedCache(tempfile.mkdtemp()).set('a', 1)"


@pytest.mark.parametrize(
    "statement", ["import cachery", "from cachery import get_cache; get_cache()", PLAIN_NAMES, FILES]
)
def test_the_package_needs_the_standard_library_only(statement: str) -> None:
    roots = {name.partition(".")[0] for name in loaded_by(statement)}
    # cython_runtime and the like are made by compiled modules themselves; _sysconfigdata is of the standard library
    known = ("_cython_", "cython_runtime", "_sysconfigdata")
    foreign = {name for name in roots - sys.stdlib_module_names if not name.startswith(known)}
    assert foreign == {"cachery"}


@pytest.mark.parametrize(("name", "extra"), sorted(BEHIND_AN_EXTRA.items()))
def test_a_name_behind_an_extra_says_which(name: str, extra: str) -> None:
    told = f"assert 'cachery[{extra}]' in str(error)"
    attempt = f"import cachery\ntry: cachery.{name}\nexcept ImportError as error: {told}"
    loaded_by(f"exec({attempt!r})")
    with pytest.raises(subprocess.CalledProcessError):
        loaded_by(f"import cachery; cachery.{name}")


@pytest.mark.parametrize("package", ["cachery", "cachery.aio"])
def test_all_that_can_be_had_is_imported_at_once(package: str) -> None:
    attempt = f"from {package} import *\nassert InMemoryCache and 'RedisCache' not in globals()"
    loaded_by(f"exec({attempt!r})")
    names: dict[str, object] = {}
    exec(f"from {package} import *", names)  # noqa: S102 - a name that is known
    assert {*BEHIND_AN_EXTRA, "InMemoryCache", "TieredCache", "get_cache"} <= names.keys()


def test_importing_loads_nothing_that_is_not_used() -> None:
    own = {name for name in loaded_by("import cachery") if name.startswith("cachery")}
    assert own == {"cachery", "cachery._lazy"}
    with_a_cache = loaded_by("from cachery import InMemoryCache; InMemoryCache()")
    assert not {"asyncio", "logging", "threading", "cachery.manager", "cachery.testing"} & with_a_cache


UNNEEDED = {"asyncio", "concurrent.futures", "contextvars", "logging", "socket", "threading"}
ENGINE = (
    "cachery.engine",
    "cachery.runtimes",
    "cachery.decorators",
    "cachery.loading",
    "cachery.aio",
    "cachery.testing",
)


def test_a_cache_loads_no_engine_before_something_is_loaded_through_it() -> None:
    uses = (
        "cache = cachery.InMemoryCache(default_ttl='5m'); cache.set('a', 1, tags=['b']); cache.get('a'); cache.stats()"
    )
    loaded = loaded_by(f"import cachery; {uses}; cache.close()")
    assert not {name for name in loaded if name.startswith(ENGINE)}
    assert not UNNEEDED & loaded


def test_importing_the_asynchronous_package_loads_nothing_that_is_not_used() -> None:
    for statement in ("import cachery.aio", "import cachery; cachery.aio", "from cachery import aio; dir(aio)"):
        own = {name for name in loaded_by(statement) if name.startswith("cachery")}
        assert own == {"cachery", "cachery._lazy", "cachery.aio"}
    with_a_cache = loaded_by("from cachery.aio import InMemoryCache; InMemoryCache()")
    assert not {name for name in with_a_cache if name.startswith(ENGINE) and not name.startswith("cachery.aio")}
    assert not {"cachery.aio.manager", "cachery.aio.ttl_manager", "cachery.aio.null", "cachery.testing"} & with_a_cache


def test_the_public_names_are_a_decision() -> None:
    in_order = sorted(cachery.__all__, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert in_order == cachery.__all__
    for name in cachery.__all__:
        assert getattr(cachery, name) is not None or name == "MISSING"
    assert set(cachery.__all__) <= set(dir(cachery))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        cachery.nonsense  # noqa: B018


def test_one_class_has_one_identity_wherever_it_is_imported_from() -> None:
    from cachery import InMemoryBackend, InMemoryCache  # noqa: PLC0415
    from cachery.backends import InMemoryCache as second  # noqa: N813, PLC0415
    from cachery.backends.in_memory import InMemoryBackend as third  # noqa: N813, PLC0415

    assert InMemoryCache is InMemoryBackend is second is third


def test_it_says_whether_it_runs_compiled() -> None:
    from cachery.backends.in_memory import store  # noqa: PLC0415

    assert cachery.compiled is not str(store.__file__).endswith(".py")


@pytest.mark.skipif("CACHERY_REQUIRE_COMPILED" not in os.environ, reason="nothing promises a compiled package here")
def test_where_compiled_is_promised_it_is() -> None:
    assert cachery.compiled or "interpreted" in str(ROOT)


def test_every_module_says_its_reason_and_keeps_to_its_size() -> None:
    for path in (ROOT / "cachery").rglob("*.py"):
        source = path.read_text()
        assert source.lstrip().startswith('"""'), f"{path} has no docstring"
        assert source.count("\n") <= 400, f"{path} is too long"


def test_types_are_shipped() -> None:
    assert (ROOT / "cachery" / "py.typed").exists()
