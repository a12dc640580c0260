"""What settings say, what they may not say, and where a mistake is said to be."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cachery import DiskCache, FileBasedCache, InMemoryCache, RedisCache, TieredCache
from cachery.configuration.finding import find_settings
from cachery.configuration.kinds import SCHEMES, SHORTEST_SECRET
from cachery.configuration.options import BACKENDS, kinds_for
from cachery.configuration.plan import read_plan
from cachery.exceptions import CacheValueError
from cachery.manager import _BACKENDS
from cachery.policies.registry import POLICIES
from cachery.serializers.compression import METHODS
from cachery.serializers.encryption import Encryption
from cachery.serializers.keyring import Keyring
from cachery.serializers.registry import SERIALIZERS

Write = Callable[[str], Path]

IN_CODE_ONLY = {"weigher", "self", "name", "clock", "client", "breaker", "fallback", "tiers"}


def taken_by(kind: type[Any]) -> set[str]:
    return set(inspect.signature(kind.__init__).parameters) - IN_CODE_ONLY


def options_of(text: str, write: Write, name: str = "a") -> Any:
    return read_plan(write(text)).caches[name].checked_options()


def complaint(text: str, write: Write) -> CacheValueError:
    path = write(text)
    with pytest.raises(CacheValueError) as raised:
        read_plan(path)
    assert raised.value.context["file"] == str(path)
    return raised.value


def test_the_backends_are_those_of_the_manager() -> None:
    assert BACKENDS.keys() == _BACKENDS.keys()


@pytest.mark.parametrize(
    ("backend", "kind"),
    [("in_memory", InMemoryCache), ("disk", DiskCache), ("file_based", FileBasedCache), ("redis", RedisCache)],
)
def test_options_are_those_of_the_constructor(backend: str, kind: type[Any]) -> None:
    assert BACKENDS[backend].keys() == taken_by(kind)


@pytest.mark.parametrize(("over", "far"), [("disk", DiskCache), ("redis", RedisCache)])
def test_options_of_tiers_are_those_of_both(over: str, far: type[Any]) -> None:
    channel = taken_by(TieredCache) if over == "redis" else set()
    near = taken_by(InMemoryCache) - {"idle_ttl", "max_bytes"}  # those of the far one are meant
    expected = taken_by(far) | near | channel | {"over"}
    assert kinds_for("tiered", {"over": over}).keys() == expected


@pytest.mark.parametrize(
    ("option", "choices"), [("policy", POLICIES), ("serializer", SERIALIZERS), ("compression", METHODS)]
)
def test_choices_are_those_of_the_constructor(option: str, choices: tuple[str, ...]) -> None:
    check = kinds_for("tiered", {})[option].check
    assert [check(choice) for choice in choices] == list(choices)
    with pytest.raises(CacheValueError) as raised:
        check("moon")
    assert set(choices) <= set(str(raised.value).split("'"))


@pytest.mark.parametrize("make", [lambda secret: Keyring(secret, ""), Encryption])
def test_secrets_are_as_long_as_constructors_want_them(make: Callable[[str], Any]) -> None:
    assert make("x" * SHORTEST_SECRET)
    with pytest.raises(CacheValueError):
        make("x" * (SHORTEST_SECRET - 1))


def test_schemes_are_those_of_addresses() -> None:
    from cachery.backends.redis.driver.urls import _SCHEMES  # noqa: PLC0415 - needs an extra

    assert set(SCHEMES) == _SCHEMES.keys()


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_manual_lists_them(backend: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [option for option in BACKENDS[backend] if f"`{option}`" not in page] == []


def test_a_file_says_what_caches_are_made_with(write: Write) -> None:
    path = write("""
        default_backend = "file_based"
        default_ttl = "1h"
        [caches.a]
        [caches."b c"]
        backend = "in_memory"
        max_size = inf
        default_ttl = "forever"
    """)
    plan = read_plan(path)
    assert (plan.default_backend, plan.default_ttl, plan.place) == ("file_based", 3600.0, path)
    assert plan.caches["a"].backend == "file_based"
    assert plan.caches["b c"].options == {"max_size": None, "default_ttl": math.inf}


def test_a_table_of_pyproject_is_one_too(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "x"\n[tool.cachery.caches.a]\nmax_size = 7\n')
    assert read_plan(path).caches["a"].options == {"max_size": 7}
    path.write_text('[project]\nname = "x"\n[tool.cachery]\n[tool.cachery.caches.a]\nmax_sise = 7\n')
    with pytest.raises(CacheValueError, match=r"pyproject\.toml, line 5: caches\.a\.max_sise"):
        read_plan(path)
    path.write_text("[project]\n")
    assert read_plan(path).caches == {}


def test_relative_paths_are_relative_to_the_file(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    text = '[caches.a]\nbackend = "disk"\npath = "{}"'
    assert options_of(text.format("x/y"), write) == {"path": tmp_path / "x" / "y"}
    assert options_of(text.format("/x/y"), write) == {"path": Path("/x/y")}
    assert options_of(text.format("~/y"), write) == {"path": Path("/home/ada/y")}
    plan = read_plan({"caches": {"a": {"backend": "file_based", "cache_dir": Path("x")}}})
    assert plan.caches["a"].options == {"cache_dir": Path("x")}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[caches.a]\nmax_sise = 1", 2, "caches.a.max_sise: not known: did you mean max_size?"),
        ("default_tll = 1", 1, "default_tll: not known: did you mean default_ttl?"),
        ("\n\n[cache.a]", 3, "cache: not known: did you mean caches?"),
        (
            "[caches.a]\nmoon = 1",
            2,
            "not known; there are backend, copy, default_ttl, idle_ttl, max_bytes, max_size, policy",
        ),
        ('[caches.a]\nwrite_timeout = "1s"', 2, "not an option of backend 'in_memory', but of disk, file_based"),
        ('[caches.a]\nbackend = "disc"', 2, "backend 'disc' is not known; there are disk, file_based, in_memory"),
        ('default_backend = "disc"', 1, "'disc' is not known"),
        ("caches = 5", 1, "write a table for each cache"),
        ("[caches]\na = 5", 2, "caches.a: write a table"),
        ('[caches.a]\nmax_size = "many"', 2, "write a whole number, 1 or more, or inf, not 'many'"),
        ("[caches.a]\nmax_size = true", 2, "write a whole number"),
        ("[caches.a]\nmax_size = 0", 2, "write a whole number"),
        ("[caches.a]\ncopy = 'deeply'", 2, "write 'never' or 'deep', not 'deeply'"),
        ("[caches.a]\npolicy = 5", 2, "write 'fifo', 'lfu', 'lru', 'tinylfu' or 'ttl', not 5"),
        ("default_ttl = 0", 1, "above 0"),
        ("default_ttl = 'soon'", 1, "no time span"),
        ("[caches.a]\nbackend='disk'\npath = ''", 3, "write the path of a directory, not an empty one"),
        ("[caches.a]\nbackend='disk'\nmax_bytes = '5 moons'", 3, "number of bytes"),
        ("[caches.a]\nbackend='disk'\nwrite_timeout = [1]", 3, "list is no time span"),
        ("[caches.a]\nbackend='disk'\nsecret = []", 3, "a list of texts"),
        ("[caches.a]\nbackend='redis'\nport = -1", 3, "1 to 65535"),
        ("[caches.a]\nbackend='redis'\ncluster = 1", 3, "write true or false, not 1"),
        ("[caches.a]\nbackend='redis'\nsentinels = []", 3, "pairs of host and port"),
        ("[caches.a]\nbackend='redis'\nsentinels = [\n['a', 1],\n['b']]", 3, "pairs of host and port"),
        ("[caches.a]\nbackend='redis'\nconnection_options = 1", 3, "write a table"),
        ("[caches.a]\nbackend='tiered'\nover='sea'", 3, "write 'redis' or 'disk', not 'sea'"),
        ("[caches.a]\nx = [\n1,\n2]\nmax_sise = 1", 2, "caches.a.x"),
        ("caches.a = {max_size = 5,\n", None, "is no TOML"),
        (
            "[caches.a]\npolicy = 'lruu'",
            2,
            "caches.a.policy: write 'fifo', 'lfu', 'lru', 'tinylfu' or 'ttl', not 'lruu': did you mean lru?",
        ),
        ("[caches.a]\nbackend='disk'\nserializer = 'yaml'", 3, "caches.a.serializer: write 'json', 'msgpack'"),
        ("[caches.a]\nbackend='disk'\ncompression = 'zlip'", 3, "did you mean zlib?"),
        ("[caches.a]\nbackend='disk'\nsecret = 'short'", 3, "caches.a.secret: a secret is 16 bytes or more"),
        ("[caches.a]\nbackend='disk'\nencryption = ['long enough, this', 'short']", 3, "16 bytes or more"),
        ("[caches.a]\nbackend='disk'\npath = '~nosuch/d'", 3, "has no home here"),
        ("[caches.a]\nbackend='disk'\nlease_timeout = 0", 3, "write a time span above 0, not 0"),
        (
            "[caches.a]\nbackend='disk'\nlease_timeout = 'soon'",
            3,
            "lease_timeout: 'soon' is no time span: write '250ms'",
        ),
        ("[caches.a]\nbackend='disk'\nmax_bytes = -1", 3, "max_bytes: write a number of bytes above 0, or text"),
        ("[caches.a]\nbackend='redis'\nredis_url = 'http://x'", 3, "begins with redis://, rediss://"),
        ("[caches.a]\nbackend='redis'\nredis_url = 'redis://x:99999'", 3, "port is 1 to 65535"),
        ("[caches.a]\nbackend='redis'\nredis_url = 'redis://x/y'", 3, "number of a database"),
        ("[caches.a]\nbackend='redis'\nport = 99999", 3, "write a whole number, 1 to 65535, not 99999"),
        ("[caches.a]\nbackend='redis'\nmax_connections = 0", 3, "1 or more"),
        ("[caches.a]\nbackend='redis'\ntimeout = 'inf'", 3, "no time span"),
        ("[caches.a]\nbackend='redis'\ntimeout = inf", 3, "that has an end"),
        ("[caches.a]\nbackend='redis'\nsentinels = [['a', 99999]]", 3, "pairs of host and port"),
        ("[caches.a]\nbackend='tiered'\nmax_stale_when_blind = '2h'", 3, "from 0 to an hour"),
        (
            "[caches.a]\nbackend='file_based'\npath = 'x'",
            3,
            "option of backend 'file_based', where it is called cache_dir",
        ),
        ("[caches.a]\nbackend='disk'\ncache_dir = 'x'", 3, "where it is called path"),
        ("[caches.a]\nbackend='disk'\npath = '$HOME'", 3, "write ${HOME} for what a variable says, and $$"),
        ("[caches.a]\nbackend='disk'\nsecret = '$ecret and long enough'", 3, "write ${NAME} for what"),
        ("[tool.cachery.caches.a]\nmax_size = 1", 1, "stand at the top level of cachery.toml: [caches.NAME]"),
        ("default_ttl = -1", 1, "default_ttl: write a time span above 0, not -1"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, line: int | None, said: str, write: Write) -> None:
    error = complaint(text, write)
    assert error.context.get("line") == line
    assert said in str(error)
    if line is not None:
        assert f"cachery.toml, line {line}: " in str(error)


def test_good_values_of_every_kind(write: Write) -> None:
    text = """
        [caches.a]
        backend = "redis"
        host = "db"
        port = 6380
        ssl = true
        secret = ["the new one of two", "the old one of two"]
        sentinels = [["one", 26379], ["two", 26379]]
        connection_options = {socket_keepalive = true}
        timeout = "500ms"
        max_value_bytes = "1MiB"
    """
    assert options_of(text, write)["sentinels"] == [("one", 26379), ("two", 26379)]
    assert options_of(text, write)["secret"] == ["the new one of two", "the old one of two"]


def test_variables_stand_for_what_the_environment_says(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "a secret of the tests")
    monkeypatch.setenv("SIZE", "inf")
    text = """
        [caches.a]
        backend = "${BACKEND:redis}"
        redis_url = "redis://${HOST:-db}:${PORT:6380}"
        secret = ["${SECRET}", "$$an older secret"]
        cluster = "${CLUSTER:true}"
        db = "${DB:3}"
        [caches.b]
        max_size = "${SIZE}"
    """
    assert options_of(text, write) == {
        "redis_url": "redis://db:6380",
        "secret": ["a secret of the tests", "$an older secret"],
        "cluster": True,
        "db": 3,
    }
    assert options_of(text, write, "b") == {"max_size": None}


@pytest.mark.parametrize("setting", ['secret = "${NOT_SET}"', 'secret = ["a", "${NOT_SET}"]', 'backend = "${NOT_SET}"'])
def test_a_variable_that_is_not_set_is_the_concern_of_its_cache(setting: str, write: Write) -> None:
    plan = read_plan(write(f"default_backend = 'disk'\n[caches.a]\n{setting}\n[caches.b]\n"))
    assert plan.caches["b"].checked_options() == {}
    with pytest.raises(CacheValueError, match=r"line 3: caches\.a.*NOT_SET is not set") as raised:
        plan.caches["a"].checked_options()
    assert raised.value.context["line"] == 3


def test_a_default_that_names_a_variable_needs_it(write: Write) -> None:
    assert "NOT_SET is not set" in str(complaint('default_ttl = "${NOT_SET}"', write))


@pytest.mark.parametrize("text", ["${}", "${a b}", "${9}", "${NAME", "x ${:y}"])
def test_what_names_no_variable_is_refused(text: str, write: Write) -> None:
    assert "names no variable" in str(complaint(f'[caches.a]\npolicy = "{text}"', write))


def test_a_value_of_a_variable_is_checked_as_any_other(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "never tell anybody")
    for setting in ('max_size = "${SECRET}"', 'default_ttl = "${SECRET}"', 'backend = "redis"\nssl = "${SECRET}"'):
        error = complaint(f"[caches.a]\n{setting}", write)
        assert "what its variables say does not fit here" in str(error)
        assert error.__cause__ is None
        assert "never tell" not in str(error)


def test_a_secret_of_a_variable_that_is_too_short_is_said_to_be(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "tell nobody")
    error = complaint('[caches.a]\nbackend = "disk"\nsecret = "${SECRET}"', write)
    assert "line 3: caches.a.secret: a secret is 16 bytes or more" in str(error)
    assert "tell nobody" not in str(error)


@pytest.mark.parametrize("chosen", ["redis", "moon"])
def test_what_a_variable_has_chosen_is_wrong_for_one_cache(
    chosen: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_BACKEND", chosen)
    plan = read_plan(write("[caches.a]\nmax_size = 5\n[caches.b]\nbackend = 'in_memory'\nmax_size = 7\n"))
    assert plan.caches["b"].checked_options() == {"max_size": 7}
    with pytest.raises(CacheValueError, match=rf"names no backend, and CACHE_BACKEND='{chosen}'"):
        plan.caches["a"].checked_options()
    assert "line 2: caches.a.max_sise: not known: did you mean" in str(complaint("[caches.a]\nmax_sise = 5", write))


def test_a_mark_at_the_beginning_of_a_file_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "cachery.toml"
    path.write_text("\n[caches.a]\nmax_size = 5\n", encoding="utf-8-sig")
    assert read_plan(path).caches["a"].options == {"max_size": 5}
    path.write_text("\n[caches.a]\nmax_sise = 5\n", encoding="utf-8-sig")
    with pytest.raises(CacheValueError, match="line 3: "):
        read_plan(path)


def test_the_home_of_nobody_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CacheValueError, match="has no home here"):
        read_plan("~nosuch/cachery.toml")
    monkeypatch.setenv("CACHERY_CONFIG", "~nosuch/cachery.toml")
    with pytest.raises(CacheValueError, match=r"CACHERY_CONFIG='~nosuch/cachery\.toml'"):
        find_settings()


def test_what_is_raised_is_a_plain_error(write: Write) -> None:
    plan = read_plan(write('[caches.a]\npolicy = "${NOT_SET}"'))
    with pytest.raises(CacheValueError) as raised:
        plan.caches["a"].checked_options()
    assert type(raised.value) is CacheValueError
    assert type(complaint('default_ttl = "${NOT_SET}"', write)) is CacheValueError


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.toml", "cannot be read: No such file"), (tmp_path, "cannot be read")):
        with pytest.raises(CacheValueError, match=said):
            read_plan(path)
    (tmp_path / "odd.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CacheValueError, match="is no TOML"):
        read_plan(str(tmp_path / "odd.toml"))


@pytest.mark.parametrize("config", ["", 5, ["a"]])
def test_what_is_neither_a_path_nor_a_mapping_is_refused(config: Any) -> None:
    with pytest.raises(CacheValueError, match="config is the path"):
        read_plan(config)


def test_a_mapping_is_checked_alike() -> None:
    with pytest.raises(CacheValueError, match=r"^config: caches\.a\.max_sise: not known: did you mean max_size\?$"):
        read_plan({"caches": {"a": {"max_sise": 1}}})
    with pytest.raises(CacheValueError, match="write a table"):
        read_plan({"caches": {5: {}}})


def test_no_secret_is_shown(write: Write) -> None:
    plan = read_plan(write('[caches.a]\nbackend = "disk"\nsecret = "a secret of the tests"'))
    assert "of the tests" not in repr(plan)
