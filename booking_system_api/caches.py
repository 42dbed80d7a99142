"""The Redis cache for the counters of the rate limits."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 10


class ForgivingRedisCache(RedisCache):
    """A Redis cache that acts empty while the server is unavailable: reads return the default, writes do nothing.

    After a failure the process does not contact the server for `PAUSE_SECONDS`; otherwise every request would wait for
    a timeout.
    """

    _servers: list[str]

    # The end of each server's pause, on the monotonic clock; shared by all threads, which have separate caches.
    pauses: ClassVar[dict[str, float]] = {}
    lock: ClassVar[threading.Lock] = threading.Lock()

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:  # noqa: ANN401 - any cached value
        return self.attempt(partial(super().get, key, default, version), otherwise=default)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:  # noqa: ANN401
        self.attempt(partial(super().set, key, value, timeout, version), otherwise=None)

    def attempt(self, action: Callable[[], Any], *, otherwise: Any) -> Any:  # noqa: ANN401 - the value of any action
        """The result of the action, or `otherwise` while the server is unavailable."""
        if time.monotonic() < self.pauses.get(self._servers[0], 0):
            return otherwise
        try:
            return action()
        except RedisError as error:
            self.pause(error)
            return otherwise

    def pause(self, error: RedisError) -> None:
        """Starts a pause; of several threads that fail together, only one logs the warning."""
        now = time.monotonic()
        with self.lock:
            if now < self.pauses.get(self._servers[0], 0):
                return
            self.pauses[self._servers[0]] = now + PAUSE_SECONDS
        logger.warning("Redis is away; limits do not count for %s seconds: %s", PAUSE_SECONDS, error)
