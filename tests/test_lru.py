"""What the process keeps: within its bound, the least recently used dropped first, none forked."""

from __future__ import annotations

import os
import threading

import pytest

from forking import Stuck, StuckIds, in_child
from ratiopath.annotations.layer import cache as layers
from ratiopath.lru import ForkSafe, Lru
from ratiopath.readers.opening import _readers
from ratiopath.segments.cache import cache
from ratiopath.segments.ids import IdCounter
from ratiopath.storage.remote_file import fetched


def ten(*_):
    return 10


def test_a_full_cache_drops_what_was_used_least_recently():
    cache: Lru[str, str] = Lru(lambda key, _: 11 if key == "f" else 10)
    for key in "abcde":
        cache.setdefault(key, key, 40)
        cache.get("a")
    assert [cache.get(key) for key in "bcdea"] == [None, "c", "d", "e", "a"]
    assert cache.setdefault("f", "large", 40) == "large"
    assert cache.get("f") is None
    assert cache.setdefault("a", "other", 40) == "a"
    cache.shrink(10)
    assert [cache.get(key) for key in "cdea"] == [None, None, None, "a"]
    cache.clear()
    assert cache.get("a") is None


def test_what_is_put_again_takes_its_bytes_once():
    cache: Lru[str, str] = Lru(ten)
    for _ in range(100):
        assert cache.setdefault("a", "kept", 40) == "kept"
    for key in "bcd":
        cache.setdefault(key, key, 40)
    assert [cache.get(key) for key in "abcd"] == ["kept", "b", "c", "d"]


def test_a_value_put_in_the_place_of_another_counts_instead_of_it():
    cache: Lru[str, int] = Lru(lambda _, value: value)
    for cost in (1, 10):
        cache.put("a", cost, 40)
    for key in "bcd":
        cache.put(key, 10, 40)
    assert [cache.get(key) for key in "abcd"] == [10] * 4
    cache.put("e", 10, 40)
    assert "a" not in cache
    assert "e" in cache


def test_none_may_be_kept():
    cache = Lru(ten)
    cache.put("a", None, 40)
    assert cache.setdefault("a", 1, 40) is None
    assert cache.get("a", "absent") is None
    assert cache.get("b", "absent") == "absent"


def test_the_latest_stays_however_large_where_that_is_wanted():
    cache: Lru[str, str] = Lru(ten, keeps_latest=True)
    for key in "ab":
        cache.setdefault(key, key, 5)
    cache.shrink(0)
    assert [cache.get(key) for key in "ab"] == [None, "b"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
@pytest.mark.parametrize("kept", [cache._kept, cache._sources, _readers, fetched], ids=range(4))
def test_no_cache_is_stuck_in_a_child_forked_while_a_thread_is_in_it(kept):
    key = Stuck()
    thread = threading.Thread(target=kept.get, args=(key,))
    in_child(key, thread, lambda: kept.get("absent") is None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_no_ids_are_stuck_in_a_child_forked_while_a_thread_puts_some():
    ids = StuckIds()
    thread = threading.Thread(target=cache.content_ids.put, args=(ids, 10))
    in_child(ids.key, thread, lambda: cache.content_ids.put({1: 2}, 10) == [2])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
def test_a_child_begins_with_empty_caches_and_goes_on_counting():
    kept, counter = Lru(ten), IdCounter()
    kept.setdefault("a", 1, 100)
    first = next(counter)
    child = os.fork()
    if child == 0:
        os._exit(0 if kept.get("a") is None and next(counter) == first + 1 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert kept.get("a") == 1


def test_everything_that_has_a_lock_for_the_whole_process_is_renewed():
    assert all(isinstance(one, ForkSafe) for one in (cache, layers, _readers, fetched))
