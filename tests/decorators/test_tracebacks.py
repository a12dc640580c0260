"""What a user sees of a failure: the own frame last, and hardly any of the package's."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cachery
from cachery import CacheTimeoutError, InMemoryCache, aio

HOME = str(Path(cachery.__file__).parent)


def fail() -> Any:
    raise ValueError("down")


async def fail_in_loop() -> Any:
    await asyncio.sleep(0)
    raise ValueError("down")


class Source:
    """Something whose methods fail."""

    def __cache_key__(self) -> int:
        return 1


def frames_of(error: BaseException) -> tuple[str, int]:
    """Return the name of the last frame, and how many frames there are of the package."""
    frames = traceback.extract_tb(error.__traceback__)
    homes = {HOME, *(str(path.resolve()) for path in Path(HOME).iterdir() if path.is_dir())}
    return frames[-1].name, sum(any(frame.filename.startswith(home) for home in homes) for frame in frames)


def use(name: str, **options: Any) -> Callable[[InMemoryCache], object]:
    verbs: dict[str, Callable[[InMemoryCache], object]] = {
        "get_or_set": lambda cache: cache.get_or_set("a", fail, **options),
        "get_many_or_set": lambda cache: cache.get_many_or_set(["a"], lambda _: fail(), **options),
        "cached": lambda cache: cache.cached(**options)(fail)(),
        "refresh": lambda cache: cache.cached(**options)(fail).refresh(),
    }
    return verbs[name]


@pytest.mark.parametrize(
    "options", [{}, {"hard_timeout": 30}, {"ttl": 10, "stale_ttl": 10}, {"cache_exceptions": OSError}]
)
@pytest.mark.parametrize("name", ["get_or_set", "get_many_or_set", "cached", "refresh"])
def test_blocking_code_shows_three_frames_at_most(name: str, options: Any) -> None:
    cache = InMemoryCache()
    for _ in range(3):
        with pytest.raises(ValueError, match="down") as caught:
            use(name, **options)(cache)
        last, own = frames_of(caught.value)
        assert last == "fail"
        assert 1 <= own <= 3
        assert caught.value.__context__ is caught.value.__cause__ is None


@pytest.mark.parametrize("options", [{}, {"hard_timeout": 30}])
def test_event_loops_show_three_frames_at_most(options: Any) -> None:
    cache = aio.InMemoryCache()
    decorated: Any = cache.cached(**options)(fail_in_loop)
    verbs: list[Callable[[], Any]] = [
        lambda: cache.get_or_set("a", fail_in_loop, **options),
        lambda: cache.get_many_or_set(["a"], lambda _: fail_in_loop(), **options),
        decorated,
        decorated.refresh,
    ]

    async def main() -> None:
        for verb in verbs:
            with pytest.raises(ValueError, match="down") as caught:
                await verb()
            last, own = frames_of(caught.value)
            assert last == "fail_in_loop"
            assert 1 <= own <= 3
            assert caught.value.__context__ is caught.value.__cause__ is None

    asyncio.run(main())


def test_a_method_shows_one_frame_more() -> None:
    cache = InMemoryCache()

    class Remote(Source):
        @cache.cached(key_self=Source.__cache_key__)
        def load(self) -> int:
            raise ValueError("down")

    with pytest.raises(ValueError, match="down") as caught:
        Remote().load()
    last, own = frames_of(caught.value)
    assert (last, own <= 4) == ("load", True)


def test_a_generator_shows_its_own_frame_last() -> None:
    cache = InMemoryCache()

    @cache.cached
    def numbers() -> Any:
        yield 1
        raise ValueError("down")

    with pytest.raises(ValueError, match="down") as caught:
        list(numbers())
    assert frames_of(caught.value)[0] == "numbers"


def test_kept_exceptions_do_not_grow() -> None:
    cache = InMemoryCache()
    lengths = set()
    for _ in range(5):
        with pytest.raises(ValueError, match="down") as caught:
            cache.get_or_set("a", fail, cache_exceptions=(ValueError,))
        lengths.add(len(traceback.extract_tb(caught.value.__traceback__)))
    assert len(lengths) <= 2
    assert max(lengths) <= 5


def test_an_exception_raised_while_another_is_handled_keeps_its_context() -> None:
    cache = InMemoryCache()

    def load() -> None:
        try:
            fail()
        except ValueError as error:
            raise LookupError("nobody") from error

    with pytest.raises(LookupError) as caught:
        cache.get_or_set("a", load)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_timeout_is_raised_where_it_was_waited_for() -> None:
    async def main() -> None:
        cache = aio.InMemoryCache()
        with pytest.raises(CacheTimeoutError, match="'a'") as caught:
            await cache.get_or_set("a", asyncio.Event().wait, hard_timeout=0.01)
        assert frames_of(caught.value)[1] <= 3

    asyncio.run(main())
