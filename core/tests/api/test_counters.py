"""The counters of the limits in the memory of a process."""

import sys
import time

import pytest

from core.api.counters import MemoryStore
from core.tests.support.parallel import in_parallel

MINUTE = 60
HOUR = 3600


def allowed(store, key, quota=1, window=HOUR):
    return store.count(key, quota, window).allowed


class TestCounting:
    def test_a_counter_counts_up_to_its_quota(self):
        store = MemoryStore()

        counts = [store.count("a", 2, MINUTE) for _ in range(3)]

        assert [(count.allowed, count.used) for count in counts] == [(True, 1), (True, 2), (False, 2)]
        assert all(MINUTE - 1 < count.reset <= MINUTE for count in counts)

    def test_the_window_moves_and_refused_requests_do_not_count(self):
        store = MemoryStore()
        store.count("a", 2, 1)
        time.sleep(0.6)
        store.count("a", 2, 1)
        refused = [store.count("a", 2, 1) for _ in range(5)]
        time.sleep(refused[0].reset + 0.01)

        assert not any(count.allowed for count in refused)
        assert 0 < refused[0].reset <= 0.4
        assert [store.count("a", 2, 1)[:2] for _ in range(2)] == [(True, 2), (False, 2)]

    def test_counters_are_kept_apart_by_key(self):
        store = MemoryStore()

        assert [allowed(store, key) for key in ("a", "b", "a")] == [True, True, False]

    def test_of_many_threads_at_once_no_more_than_the_quota_are_let_through(self):
        store = MemoryStore()
        pause = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            answers = in_parallel([lambda: [allowed(store, f"{call // 5}", quota=20) for call in range(10_000)]] * 8)
        finally:
            sys.setswitchinterval(pause)

        assert sum(map(sum, answers)) == 2000 * 20


class TestAFullStore:
    def test_it_holds_no_more_than_its_ceiling(self):
        store = MemoryStore(ceiling=3)
        for number in range(10):
            allowed(store, f"{number}", window=(MINUTE, HOUR)[number % 2])

        assert sum(len(counters) for counters in store.counters.values()) == 3

    def test_the_least_recently_used_counter_goes_first(self):
        store = MemoryStore(ceiling=3)
        for key in ("a", "b", "c"):
            allowed(store, key)
        allowed(store, "a")
        allowed(store, "d")

        assert [allowed(store, key) for key in ("a", "c", "d")] == [False] * 3
        assert allowed(store, "b")

    def test_the_least_recently_used_counter_of_all_windows_goes_first(self):
        store = MemoryStore(ceiling=2)
        allowed(store, "a", window=HOUR)
        allowed(store, "b", window=MINUTE)
        allowed(store, "a", window=HOUR)
        allowed(store, "c", window=HOUR)

        assert not allowed(store, "a", window=HOUR)
        assert allowed(store, "b", window=MINUTE)

    def test_an_expired_counter_goes_before_all_others(self):
        store = MemoryStore(ceiling=3)
        for key in ("a", "b"):
            allowed(store, key, window=HOUR)
        allowed(store, "c", window=1)
        time.sleep(1.01)
        allowed(store, "d", window=HOUR)

        assert [allowed(store, key, window=HOUR) for key in ("a", "b", "d")] == [False] * 3

    def test_a_counter_that_is_still_tried_stays_however_many_names_are_made_up(self):
        store = MemoryStore(ceiling=10)
        allowed(store, "alice")
        for number in range(200):
            allowed(store, f"made-up{number}")
            assert not allowed(store, "alice")


@pytest.mark.parametrize("window", [1, HOUR])
def test_a_new_key_takes_as_long_with_many_counters_as_with_few(window):
    """A sweep of all 20,000 counters for each new key would take a thousand times as long."""

    def seconds(ceiling):
        store = MemoryStore(ceiling)
        for number in range(ceiling):
            allowed(store, f"old{number}", window=window)
        began = time.perf_counter()
        for number in range(2000):
            allowed(store, f"new{number}", window=window)
        return time.perf_counter() - began

    assert min(seconds(20_000) for _ in range(3)) < 20 * min(seconds(20) for _ in range(3))
