"""When the log lost what a site had not read, the site notices, forgets what it held, and asks the others."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.replication.sites import FlakyLog, contents, made, send, settle

from cachery import DiskCache, FileBasedCache
from cachery.replication import ReplicatedCache

SECRET = "a secret of tests"


def test_what_was_trimmed_unread_is_noticed_and_made_good(
    log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache, caplog: pytest.LogCaptureFixture
) -> None:
    paris.set_many({"a": 1, "b": 2})
    settle(paris, tokyo)
    paris.delete("a")
    paris.set("c", 3, tags=["tag"])
    settle(paris)
    log.trim(1)
    with caplog.at_level(logging.WARNING, "cachery"):
        settle(paris, tokyo)
    assert contents(tokyo) == contents(paris) == {"b": 2, "c": 3}
    assert (tokyo.replica.gaps, paris.replica.gaps) == (1, 0)
    assert "lost records" in caplog.text
    paris.invalidate_tags("tag")
    settle(paris, tokyo)
    assert contents(tokyo) == {"b": 2}


def test_what_was_trimmed_when_read_is_no_loss(log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    paris.set_many({"a": 1, "b": 2})
    settle(paris, tokyo)
    log.trim(0)
    paris.set("c", 3)
    settle(paris, tokyo)
    assert contents(tokyo) == contents(paris) == {"a": 1, "b": 2, "c": 3}
    assert tokyo.replica.gaps == 0


def test_a_log_that_began_anew_is_noticed_by_all(log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    paris.set_many({"a": 1, "b": 2})
    settle(paris, tokyo)
    log.forget()
    settle(paris, tokyo)
    assert contents(tokyo) == contents(paris)
    assert (tokyo.replica.gaps, paris.replica.gaps) == (1, 1)


def test_a_longer_log_in_the_place_of_the_old_one_is_noticed(
    log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache
) -> None:
    paris.set("a", 1)
    settle(paris, tokyo)
    log.forget()
    osaka = made(log, site="osaka")
    osaka.set_many(dict.fromkeys("bcdef", 2))
    settle(osaka)
    tokyo.replica.follow()
    assert tokyo.replica.gaps == 1
    settle(osaka, tokyo, paris)
    assert contents(tokyo) == contents(osaka) == contents(paris)


def test_what_was_not_told_survives_a_gap(log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    paris.set("sent", 1)
    send(paris)
    paris.set("pending", 2)
    log.forget()
    settle(paris, tokyo)
    assert contents(tokyo) == contents(paris) == {"pending": 2, "sent": 1}


def test_a_fresh_site_asks_if_it_is_to(log: FlakyLog, paris: ReplicatedCache) -> None:
    paris.set_many({str(number): number for number in range(1200)})
    paris.set("tagged", 1, ttl=100, tags=["tag"])
    settle(paris)
    tokyo, osaka = made(log, site="tokyo", snapshot=True), made(log, site="osaka")
    settle(paris, tokyo, osaka)
    assert (len(tokyo), len(osaka)) == (1000, 0)
    assert tokyo.ttl("tagged") == pytest.approx(100, abs=30)
    assert tokyo.replica.gaps == 0


def test_one_answers_though_many_could(log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    paris.set("a", 1)
    settle(paris, tokyo)
    before = log.state().added
    osaka = made(log, site="osaka", snapshot=True)
    settle(paris, tokyo, osaka)
    assert contents(osaka) == {"a": 1}
    assert log.state().added - before == 1 + 2 + 2  # a question, two claims, an offer and the end of the page


def test_a_site_does_not_ask_itself(log: FlakyLog, paris: ReplicatedCache) -> None:
    paris.set("a", 1)
    settle(paris)
    neighbour = made(log, site="paris", snapshot=True)
    settle(paris, neighbour)
    assert contents(neighbour) == {}


def test_where_nobody_answers_one_begins_with_nothing(log: FlakyLog, caplog: pytest.LogCaptureFixture) -> None:
    made(log, site="paris").set("a", 1)
    log.append([{}])
    tokyo = made(log, site="tokyo", snapshot=True, snapshot_timeout=0)
    with caplog.at_level(logging.WARNING, "cachery"):
        tokyo.replica.follow()
    assert "nobody gave" in caplog.text
    assert tokyo.replica.wait_until_caught_up(0) is False
    settle(tokyo)
    assert tokyo.replica.wait_until_caught_up(0) is True


def asked(log: FlakyLog, paris: ReplicatedCache) -> ReplicatedCache:
    """Return a site for which an offer of ``a`` is in the log, made before whatever is appended now."""
    tokyo = made(log, site="tokyo", snapshot=True)
    send(tokyo)
    paris.replica.follow()
    send(paris)
    paris.replica.follow()
    return tokyo


@pytest.mark.parametrize("sweep", ["delete", "pattern", "tag", "clear"])
def test_an_offer_does_not_bring_back_what_was_removed_meanwhile(
    log: FlakyLog, paris: ReplicatedCache, sweep: str
) -> None:
    osaka = made(log, site="osaka")
    paris.set("a", 1, tags=["tag"])
    settle(paris, osaka)
    tokyo = asked(log, paris)
    verbs = {
        "delete": lambda: osaka.delete("a"),
        "pattern": lambda: osaka.delete_pattern("a*"),
        "tag": lambda: osaka.invalidate_tags("tag"),
        "clear": osaka.clear,
    }
    verbs[sweep]()
    send(osaka)
    send(paris)
    settle(tokyo, paris, osaka)
    assert contents(tokyo) == contents(paris) == {}


def test_an_offer_does_not_undo_what_was_set_meanwhile(log: FlakyLog, paris: ReplicatedCache) -> None:
    osaka = made(log, site="osaka")
    paris.set("a", "old")
    settle(paris, osaka)
    tokyo = asked(log, paris)
    osaka.set("a", "new")
    tokyo.set("b", "own")
    send(osaka)
    send(paris)
    settle(tokyo, paris, osaka)
    assert contents(tokyo) == contents(paris) == {"a": "new", "b": "own"}


def test_what_is_gone_when_it_is_offered_is_not_offered(log: FlakyLog, paris: ReplicatedCache) -> None:
    paris.set("a", "old")
    settle(paris)
    tokyo = asked(log, paris)
    paris.cache.delete("a")
    settle(tokyo, paris)
    assert contents(tokyo) == {}


def test_a_disk_cache_goes_on_where_it_was(log: FlakyLog, paris: ReplicatedCache, tmp_path: Path) -> None:
    tokyo = made(log, site="tokyo", cache=DiskCache(tmp_path, secret=SECRET))
    paris.set_many({"a": 1, "b": 2})
    settle(paris, tokyo)
    assert (list(tokyo.keys("[!ab]*")), len(tokyo), tokyo.delete_pattern("[!ab]*")) == ([], 2, 0)
    tokyo.close()
    paris.delete("a")
    paris.set("c", 3)
    settle(paris)
    again = made(log, site="tokyo", cache=DiskCache(tmp_path, secret=SECRET))
    again.replica.follow()
    assert contents(again) == {"b": 2, "c": 3}
    assert (again.replica.applied, again.replica.gaps) == (2, 0)
    again.close()


def test_a_disk_cache_that_was_away_too_long_begins_anew(log: FlakyLog, paris: ReplicatedCache, tmp_path: Path) -> None:
    tokyo = made(log, site="tokyo", cache=FileBasedCache(tmp_path, secret=SECRET))
    paris.set_many({"a": 1, "b": 2})
    settle(paris, tokyo)
    tokyo.close()
    paris.delete("a")
    paris.set("c", 3)
    settle(paris)
    log.trim(1)
    again = made(log, site="tokyo", cache=FileBasedCache(tmp_path, secret=SECRET))
    settle(again, paris)
    assert contents(again) == {"b": 2, "c": 3}
    assert again.replica.gaps == 1
    again.close()


def test_what_a_cache_holds_without_a_position_is_forgotten(log: FlakyLog, tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, secret=SECRET)
    disk.set("unknown", 1)
    tokyo = made(log, site="tokyo", cache=disk)
    assert contents(tokyo) == {}
    tokyo.close()


def test_a_position_may_be_given(log: FlakyLog, paris: ReplicatedCache, tokyo: ReplicatedCache) -> None:
    settle(paris, tokyo)
    position = tokyo.replica.position
    paris.set("a", 1)
    settle(paris)
    again = made(log, site="tokyo", position=position)
    settle(again)
    assert contents(again) == {"a": 1}
