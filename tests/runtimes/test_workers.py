"""Threads for what goes on in the background."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from cachery.runtimes.workers import Workers

PATIENCE = 30.0


def threads_at_work() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "cachery-load"]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threads_at_work():
        thread.join(PATIENCE)
    assert threads_at_work() == []


def test_jobs_are_run_on_daemon_threads() -> None:
    workers = Workers(limit=2)
    ran_on: list[threading.Thread] = []
    workers.submit(lambda: ran_on.append(threading.current_thread()))
    assert workers.drain(PATIENCE)
    assert ran_on != [threading.current_thread()]
    assert [thread.daemon for thread in ran_on] == [True]


def test_no_more_threads_than_the_limit() -> None:
    workers = Workers(limit=3)
    guard = threading.Lock()
    all_busy, may_end = threading.Barrier(4), threading.Event()
    running, most = 0, 0
    done: list[int] = []

    def job(number: int) -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        if number < 3:
            all_busy.wait(PATIENCE)
        assert may_end.wait(PATIENCE)
        with guard:
            running -= 1
            done.append(number)

    for number in range(20):
        workers.submit(partial(job, number))
    all_busy.wait(PATIENCE)
    assert len(threads_at_work()) == 3
    may_end.set()
    assert workers.drain(PATIENCE)
    assert most == 3
    assert sorted(done) == list(range(20))


def test_first_come_first_served() -> None:
    workers = Workers(limit=1)
    may_end = threading.Event()
    order: list[int] = []
    workers.submit(lambda: may_end.wait(PATIENCE))
    for number in range(10):
        workers.submit(partial(order.append, number))
    assert order == []
    may_end.set()
    assert workers.drain(PATIENCE)
    assert order == list(range(10))


def test_an_idle_pool_keeps_no_thread_and_starts_again() -> None:
    workers = Workers(limit=4)
    for _ in range(3):
        done = threading.Event()
        workers.submit(done.set)
        assert workers.drain(PATIENCE)
        assert done.is_set()
        for thread in threads_at_work():
            thread.join(PATIENCE)
        assert threads_at_work() == []


def test_draining_waits_no_longer_than_it_is_told() -> None:
    workers = Workers(limit=1)
    may_end = threading.Event()
    assert workers.drain(0)
    workers.submit(lambda: may_end.wait(PATIENCE))
    assert not workers.drain(0)
    assert not workers.drain(0.01)
    may_end.set()
    assert workers.drain(PATIENCE)


def test_draining_waits_for_jobs_that_jobs_submit() -> None:
    workers = Workers(limit=1)
    done: list[int] = []

    def job(left: int) -> None:
        done.append(left)
        if left:
            workers.submit(lambda: job(left - 1))

    workers.submit(lambda: job(3))
    assert workers.drain(PATIENCE)
    assert done == [3, 2, 1, 0]


def test_a_job_that_drains_does_not_wait_for_itself() -> None:
    workers = Workers(limit=2)
    found: list[bool] = []
    workers.submit(lambda: found.append(workers.drain(PATIENCE)))
    assert workers.drain(PATIENCE)
    assert found == [True]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_a_job_raises_is_logged_and_the_others_run(
    caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    workers = Workers(limit=1)
    done: list[int] = []

    def fail() -> None:
        raise kind("in a job")

    with caplog.at_level(logging.ERROR, logger="cachery"):
        for number in range(3):
            workers.submit(fail)
            workers.submit(partial(done.append, number))
        assert workers.drain(PATIENCE)
    assert done == [0, 1, 2]
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
    assert "in a job" in caplog.text


def refuse(thread: threading.Thread) -> None:
    raise RuntimeError(f"can't start new thread {thread.name}")


def test_where_no_thread_can_be_started_the_job_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(limit=2)
    done: list[str] = []
    with monkeypatch.context() as poor:
        poor.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            workers.submit(lambda: done.append("refused"))
        assert workers.drain(0)
    workers.submit(lambda: done.append("later"))
    assert workers.drain(PATIENCE)
    assert done == ["later"]


def test_where_no_further_thread_can_be_started_the_job_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = Workers(limit=2)
    may_end = threading.Event()
    done: list[str] = []
    workers.submit(lambda: may_end.wait(PATIENCE))
    with monkeypatch.context() as poor:
        poor.setattr(threading.Thread, "start", refuse)
        workers.submit(lambda: done.append("in the end"))
    assert done == []
    may_end.set()
    assert workers.drain(PATIENCE)
    assert done == ["in the end"]


@pytest.mark.no_cover  # the tracer has locks of its own, which another thread may hold at the fork
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_leaves_the_jobs_of_its_parent_to_it() -> None:
    workers = Workers(limit=1)
    began, may_end = threading.Event(), threading.Event()
    done: list[str] = []

    def wait() -> None:
        began.set()
        assert may_end.wait(PATIENCE)

    jobs: list[Callable[[], object]] = [wait, lambda: done.append("queued")]
    for job in jobs:
        workers.submit(job)
    assert began.wait(PATIENCE)
    child = os.fork()
    if child == 0:
        was_idle = workers.drain(0)
        workers.submit(lambda: done.append("child"))
        os._exit(0 if was_idle and workers.drain(PATIENCE) and done == ["child"] else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    may_end.set()
    assert workers.drain(PATIENCE)
    assert done == ["queued"]
