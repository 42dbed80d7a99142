"""The counters of the rate limits: moving windows, in a Redis that all processes share or in the memory of a process.

A counter holds the moments of the requests that its limit allowed; refused requests do not count.
"""

import logging
import threading
import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from typing import NamedTuple, Protocol

from django.conf import settings

logger = logging.getLogger(__name__)

# The number of counters in memory; an evicted counter resets its limit, so the number allows for many addresses. A
# counter takes 0.4 KB, and 10 bytes for each request in its window: 60 MB in each process when so many addresses use up
# THROTTLE_SIGN_IN, 640 MB when they use up THROTTLE_ANONYMOUS.
CEILING = 100_000
PAUSE_SECONDS = 10


class Count(NamedTuple):
    """The state of a counter after a request.

    Attributes:
        allowed: Whether the limit allowed the request; if so, the request is counted.
        used: The number of requests in the window.
        reset: Seconds until the first of these requests leaves the window.
    """

    allowed: bool
    used: int
    reset: float


class Store(Protocol):
    """Where counters live."""

    def count(self, key: str, quota: int, window: int) -> Count:
        """Counts a request if fewer than `quota` requests were counted in the last `window` seconds."""


class Counter:
    """The moments of the counted requests, oldest first, and of the last use, all on the monotonic clock."""

    __slots__ = ("moments", "used_at")

    def __init__(self) -> None:
        self.moments = array("d")
        self.used_at = 0.0


class MemoryStore:
    """Counters in the memory of this process.

    A counter expires when nobody uses it for the length of its window. The counters of each length are in the order of
    their last use, so the first of them expires first. A new counter looks only at the first of each length, however
    many counters there are. It evicts those that have expired; if none has and the store is full, it evicts the least
    recently used counter.
    """

    def __init__(self, ceiling: int = CEILING) -> None:
        self.ceiling = ceiling
        self.counters: dict[int, OrderedDict[str, Counter]] = {}
        self.lock = threading.Lock()

    def count(self, key: str, quota: int, window: int) -> Count:
        with self.lock:
            now = time.monotonic()
            counter = self.use(key, window, now)
            moments = counter.moments
            gone = bisect_right(moments, now - window)
            if gone * 8 > len(moments):  # a deletion moves the rest, so not at each request
                del moments[:gone]
                gone = 0
            allowed = len(moments) - gone < quota
            if allowed:
                moments.append(now)
            return Count(allowed, len(moments) - gone, moments[gone] + window - now)

    def use(self, key: str, window: int, now: float) -> Counter:
        """The counter of a key, as the last one used; a new counter when the key has none."""
        counters = self.counters.setdefault(window, OrderedDict())
        if key in counters:
            counters.move_to_end(key)
        else:
            self.make_room(now)
            counters[key] = Counter()
        counters[key].used_at = now
        return counters[key]

    def make_room(self, now: float) -> None:
        """Evicts at most one counter of each window length."""
        oldest = [(next(iter(held.values())).used_at, window) for window, held in self.counters.items() if held]
        expired = [window for used_at, window in oldest if used_at <= now - window]
        if not expired and sum(map(len, self.counters.values())) >= self.ceiling:
            expired = [min(oldest)[1]]
        for window in expired:
            self.counters[window].popitem(last=False)


class RedisStore:
    """Counters in Redis, which all processes share; without them while the server is away: it then allows all requests.

    After a failure the process does not contact the server for `PAUSE_SECONDS`; otherwise every request would wait for
    a timeout.
    """

    def __init__(self, url: str) -> None:
        # Here, because the library imports `redis`: 70 ms and 10 MB, which a server without Redis saves.
        from limits.storage import RedisStorage

        # Timeouts in seconds.
        self.redis = RedisStorage(url, key_prefix="limits", socket_connect_timeout=1, socket_timeout=1)
        self.pause_ends = 0.0  # on the monotonic clock
        self.lock = threading.Lock()

    def count(self, key: str, quota: int, window: int) -> Count:
        if time.monotonic() >= self.pause_ends:
            try:
                return self.count_or_mend(key, quota, window)
            except self.redis.base_exceptions as error:
                self.pause(error)
        return Count(allowed=True, used=1, reset=window)

    def count_or_mend(self, key: str, quota: int, window: int) -> Count:
        """Counts a request; a value that is no counter counts as nothing."""
        try:
            return self.ask(key, quota, window)
        except self.redis.dependency.ResponseError:  # `dependency` is the module `redis`
            self.redis.clear(key)
            return self.ask(key, quota, window)

    def ask(self, key: str, quota: int, window: int) -> Count:
        """Counts a request in one round trip: the two scripts of the library in one transaction."""
        now = time.time()
        name = self.redis.prefixed_key(key)
        with self.redis.storage.pipeline() as trip:
            trip.eval(self.redis.SCRIPT_ACQUIRE_MOVING_WINDOW, 1, name, now, quota, window, 1)
            trip.eval(self.redis.SCRIPT_MOVING_WINDOW, 1, name, now - window, quota)
            allowed, state = trip.execute()
        oldest, used = state or (now, 0)
        return Count(bool(allowed), used, min(window, float(oldest) + window - now))

    def pause(self, error: Exception) -> None:
        """Starts a pause; of several threads that fail together, only one logs the warning."""
        now = time.monotonic()
        with self.lock:
            if now < self.pause_ends:
                return
            self.pause_ends = now + PAUSE_SECONDS
        logger.warning("Redis is away; limits do not count for %s seconds: %s", PAUSE_SECONDS, error)


store: Store = RedisStore(settings.REDIS_URL) if settings.REDIS_URL else MemoryStore()
