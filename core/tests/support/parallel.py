"""Several calls at the same moment, each with a database connection of its own."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, connections
from django.db.models import Model


def in_parallel(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call answers, all started at the same moment, each with a database connection of its own.

    The test must be marked `django_db(transaction=True)`. An exception is an answer too.
    """
    barrier = threading.Barrier(len(calls))
    answers: list[Any] = [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=30)
            answers[index] = call()
        except Exception as error:  # noqa: BLE001 - it is the answer
            answers[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index, call)) for index, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


class Rival(threading.Thread):
    """A verb in another thread, with a connection of its own, and what became of it."""

    def __init__(self, verb: Callable[[], object]) -> None:
        super().__init__()
        self.verb = verb
        self.backend: int | None = None
        self.begun = threading.Event()
        self.answer: object = None
        self.refusal: Exception | None = None

    def run(self) -> None:
        try:
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    (self.backend,) = cursor.fetchone()
            self.begun.set()
            self.answer = self.verb()
        except Exception as refusal:  # noqa: BLE001 - it is the answer
            self.refusal = refusal
        finally:
            self.begun.set()
            connections.close_all()

    def waits(self) -> bool:
        """Whether PostgreSQL lets it wait for a lock; False when it came to an end instead."""
        assert self.begun.wait(30)
        while self.is_alive():
            with connection.cursor() as cursor:
                cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [self.backend])
                if cursor.fetchone()[0]:
                    return True
            time.sleep(0.01)
        return False


def hold(model: type[Model], pk: int) -> None:
    """Lock a row as whoever only changes it does, until the transaction ends."""
    model._default_manager.select_for_update(no_key=True).get(pk=pk)
