"""The checker finds what is planted in a history, and nothing in one that is right."""

from __future__ import annotations

from typing import Any

import pytest
from tests.distributed.checker import Checker, Rules, disagreements, violations
from tests.distributed.history import NEVER, Change, History, Load, Read, Value

BOUND = 1.0
RULES = Rules(BOUND, takeovers=0)


class Story:
    """A history, told in order: each thing takes a tenth of a second unless it is said otherwise."""

    def __init__(self) -> None:
        self.history = History()
        self._version = 0

    def change(self, node: str, kind: str, at: float, *, key: str = "k", **times: float) -> Value:
        self._version += 1
        end = times.get("end", at + 0.1)
        change = Change(node, kind, (key,), self._version, at, end, times.get("told", end), self._version)
        self.history.changes.append(change)
        return Value(key, self._version, kind, node, self._version)

    def load(self, node: str, at: float, key: str = "k") -> Value:
        serial = 1000 + len(self.history.loads)
        self.history.loads.append(Load(node, key, self._version, at, at, serial))
        return Value(key, self._version, "load", node, serial)

    def read(self, node: str, at: float, seen: Value | None, key: str = "k") -> None:
        self.history.reads.append(Read(node, key, at, at + 0.1, seen))

    def wrong(self, **rules: Any) -> str:
        """Return the first word of each violation."""
        return " ".join(text.partition(":")[0] for text in violations(self.history, RULES._replace(**rules)))


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.mark.parametrize("kind", ["set", "delete", "tags", "clear"])
@pytest.mark.parametrize(("node", "since"), [("here", 0.0), ("elsewhere", BOUND)])
def test_a_value_is_stale_after_its_bound(story: Story, kind: str, node: str, since: float) -> None:
    value = story.change(node, "set", 0)
    story.change("here", kind, 10)
    story.read(node, 10.1 + since, value)
    assert story.wrong() == ""
    story.read(node, 10.2 + since, value)
    assert story.wrong() == "stale"


def test_a_load_that_began_before_an_invalidation_is_not_served_after_it(story: Story) -> None:
    value = story.load("elsewhere", 0)
    story.change("here", "delete", 1)
    story.read("here", 1.2, value)
    assert story.wrong() == "stale"


def test_a_load_that_began_within_an_invalidation_may_be_served(story: Story) -> None:
    story.change("here", "delete", 1, end=3)
    value = story.load("elsewhere", 2)
    story.read("here", 9, value)
    assert story.wrong() == ""


def test_of_two_writes_at_once_either_may_stand(story: Story) -> None:
    value = story.change("here", "set", 1, end=3)
    story.change("elsewhere", "set", 2)
    story.read("here", 9, value)
    assert story.wrong() == ""


def test_a_value_that_comes_again_is_stale_though_another_was_read_between(story: Story) -> None:
    before = story.load("here", 0)
    story.change("here", "delete", 1)
    after = story.load("here", 2)
    story.read("here", 3, after)
    story.read("here", 4, before)
    assert story.wrong() == "stale"


def test_what_raised_may_or_may_not_have_happened(story: Story) -> None:
    value = story.load("here", 0)
    written = story.change("here", "set", 1, end=NEVER)
    story.read("here", 2, value)
    story.read("here", 3, written)
    story.read("here", 4, value)
    assert story.wrong() == ""


def test_what_was_taken_in_memory_holds_on_its_node_at_once_and_elsewhere_when_it_was_told(story: Story) -> None:
    value = story.load("here", 0)
    story.change("here", "delete", 1, told=10)
    story.read("elsewhere", 11, value)
    assert story.wrong() == ""
    story.read("elsewhere", 11.2, value)
    story.read("here", 1.2, value)
    assert story.wrong() == "stale stale"


def test_a_write_that_was_told_late_may_win_over_what_others_did_meanwhile(story: Story) -> None:
    written = story.change("here", "set", 1, told=10)
    story.change("elsewhere", "delete", 5)
    story.read("elsewhere", 20, written)
    assert story.wrong() == ""
    story.change("here", "delete", 21)
    story.read("here", 22, written)
    assert story.wrong() == "stale"


def test_a_server_that_dies_may_have_lost_what_it_had_just_acknowledged(story: Story) -> None:
    value = story.load("here", 0)
    story.change("here", "delete", 1)
    story.read("here", 9, value)
    assert story.wrong(losses=((1.0, 2.0),)) == ""
    assert story.wrong(losses=((2.0, 3.0),)) == "stale"


def test_a_value_of_another_key(story: Story) -> None:
    value = story.load("here", 0, key="other")
    story.read("here", 1, value)
    assert story.wrong() == "cross-talk"


def test_a_value_that_nobody_made(story: Story) -> None:
    story.read("here", 1, Value("k", 1, "load", "here", 5))
    assert story.wrong() == "out of nowhere"


def test_two_loads_between_changes(story: Story) -> None:
    story.load("here", 0)
    story.load("elsewhere", 1)
    assert story.wrong() == "double load"
    assert story.wrong(takeovers=1) == ""
    assert story.wrong(takeovers=None) == ""


@pytest.mark.parametrize("times", [(0.5, 0.6), (-1.0, 0.1), (0.9, 3.0)])
def test_a_change_between_loads_or_at_the_time_of_one_allows_the_other(
    story: Story, times: tuple[float, float]
) -> None:
    start, end = times
    story.change("here", "delete", start, end=end)
    story.load("here", 0)
    story.load("elsewhere", 1)
    assert story.wrong() == ""


def test_nodes_that_read_differently_in_the_end() -> None:
    value = Value("k", 1, "set", "here", 1)
    assert disagreements({"here": {"k": value}, "elsewhere": {"k": value}}) == []
    assert len(disagreements({"here": {"k": value}, "elsewhere": {"k": None}})) == 1


def test_staleness_is_how_long_ago_another_node_overtook_what_was_read(story: Story) -> None:
    value = story.load("here", 0)
    story.change("elsewhere", "delete", 1, end=2)
    for at in (1.0, 2.25, 2.5):
        story.read("here", at, value)
    found = Checker(story.history, RULES).staleness()
    assert (found.number, found.longest) == (2, 0.5)
