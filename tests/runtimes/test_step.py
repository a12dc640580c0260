"""Carrying a coroutine through that never suspends."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from cachery.step import step

USER: ContextVar[str] = ContextVar("user", default="nobody")


async def answer(value: object) -> object:
    return value


@pytest.mark.parametrize("value", [42, None, (), StopIteration(7)])
def test_the_result_is_that_of_the_coroutine(value: object) -> None:
    assert step(answer(value)) is value


def test_coroutines_may_await_what_never_suspends() -> None:
    async def total() -> int:
        return sum([int(str(await answer(number))) for number in range(5)])

    assert step(total()) == 10


def test_what_it_raises_is_raised() -> None:
    async def fail() -> None:
        raise LookupError("nobody")

    with pytest.raises(LookupError, match="nobody"):
        step(fail())


def test_it_runs_in_the_context_of_the_caller() -> None:
    async def rename() -> None:
        USER.set("ada")

    token = USER.set("bob")
    step(rename())
    assert USER.get() == "ada"
    USER.reset(token)


def test_suspension_is_refused_and_the_coroutine_is_closed() -> None:
    ends: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ends.append("closed")

    with pytest.raises(RuntimeError, match="awaited something that suspends"):
        step(wait())
    assert ends == ["closed"]
