"""The Redis that the counters of the limits live in."""

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
    """Reads and writes do without the server while it is away: nothing is found then, and nothing is kept.

    After a failure the process leaves the server alone for a while, or every call would wait for it in vain.
    """

    # By server, until when it is left alone; of all threads together, each of which has a cache of its own.
    pauses: ClassVar[dict[str, float]] = {}
    lock: ClassVar[threading.Lock] = threading.Lock()

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:  # noqa: ANN401 - what was kept
        return self.attempt(partial(super().get, key, default, version), otherwise=default)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:  # noqa: ANN401
        self.attempt(partial(super().set, key, value, timeout, version), otherwise=None)

    def attempt(self, action: Callable[[], Any], *, otherwise: Any) -> Any:  # noqa: ANN401 - of any action
        """What comes of the action, or the other value where the server is away."""
        if time.monotonic() < self.pauses.get(self._servers[0], 0):
            return otherwise
        try:
            return action()
        except RedisError as error:
            self.pause(error)
            return otherwise

    def pause(self, error: RedisError) -> None:
        """Leave the server alone for a while; of several threads that failed at once, one says so."""
        now = time.monotonic()
        with self.lock:
            if now < self.pauses.get(self._servers[0], 0):
                return
            self.pauses[self._servers[0]] = now + PAUSE_SECONDS
        logger.warning("Redis is away; limits do not count for %s seconds: %s", PAUSE_SECONDS, error)
