"""Whatever is done where and in which order it arrives: when all is quiet, all sites hold the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.replication.sites import FlakyLog, contents, made, send, settle

from cachery.replication import ReplicatedCache

KEYS = ["a", "b", "ab", "c"]
TAGS = ["x", "y"]


def write(cache: ReplicatedCache, verb: str, argument: Any) -> None:
    match verb:
        case "set":
            key, value, tags = argument
            cache.set(key, value, tags=tags)
        case "incr":
            cache.delete(argument)
            cache.incr(argument)
        case "delete":
            cache.delete(argument)
        case "pattern":
            cache.delete_pattern(argument)
        case "tag":
            cache.invalidate_tags(argument)
        case "clear":
            cache.clear()
        case _:
            cache.get_or_set(argument, lambda: "loaded", tags=["x"])


def disturb(log: FlakyLog, verb: str, site: ReplicatedCache, argument: Any) -> None:
    if verb == "plan":
        log.plan.append(argument)
    elif verb == "send":
        send(site, argument)
    elif verb == "follow":
        site.replica.follow()
    elif verb == "lose":
        log.forget()
    elif verb == "trim":
        log.trim(argument)
    else:
        write(site, verb, argument)


WRITES = st.one_of(
    st.tuples(
        st.just("set"),
        st.tuples(st.sampled_from(KEYS), st.integers(0, 9), st.lists(st.sampled_from(TAGS), max_size=2, unique=True)),
    ),
    st.tuples(st.sampled_from(["delete", "incr", "load"]), st.sampled_from(KEYS)),
    st.tuples(st.just("pattern"), st.sampled_from(["a*", "*b", "c", "*"])),
    st.tuples(st.just("tag"), st.sampled_from(TAGS)),
    st.tuples(st.just("clear"), st.none()),
)
MOVES = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 3)),
    st.tuples(st.just("follow"), st.none()),
    st.tuples(st.just("plan"), st.sampled_from(["not sent", "not answered"])),
)
LOSSES = st.one_of(st.tuples(st.just("lose"), st.none()), st.tuples(st.just("trim"), st.integers(0, 3)))


def steps(*kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.tuples(st.integers(0, 2), st.one_of(*kinds)), max_size=60)


@given(steps(WRITES, MOVES), st.sampled_from([1000, 3]))
def test_all_sites_hold_the_same_when_all_is_quiet(plan: list[Any], outbox_size: int) -> None:
    log = FlakyLog()
    sites = [made(log, number, outbox_size=outbox_size) for number in range(3)]
    for number, (verb, argument) in plan:
        disturb(log, verb, sites[number], argument)
    log.plan.clear()
    settle(*sites)
    assert contents(sites[0]) == contents(sites[1]) == contents(sites[2])


@given(steps(WRITES, MOVES, MOVES, LOSSES), st.sampled_from([1000, 4]))
def test_no_site_holds_what_another_one_knows_better_after_losses(plan: list[Any], outbox_size: int) -> None:
    log = FlakyLog()
    sites = [made(log, number, snapshot_timeout=3600, outbox_size=outbox_size) for number in range(3)]
    for number, (verb, argument) in plan:
        disturb(log, verb, sites[number], argument)
    log.plan.clear()
    settle(*sites)
    union = {key: value for site in sites for key, value in contents(site).items()}
    for site in sites:
        assert contents(site).items() <= union.items()
    for site in sites:
        site.set("a", "the end", tags=["x"])
    settle(*sites)
    assert {site.get("a") for site in sites} == {"the end"}
    sites[1].invalidate_tags("x")
    settle(*sites)
    assert {site.get("a") for site in sites} == {None}
