"""Clients that call a server without a pause, and how each call ended."""

import contextlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

TLS = {"X-Forwarded-Proto": "https"}
REFUSED = "refused"

Ask = Callable[[http.client.HTTPConnection, int], int]


class Client(threading.Thread):
    """Calls until it is stopped.

    Args:
        port: The server's, on the loopback.
        ask: Sends the call of a number over a connection and returns the status.
        keeps: Whether calls share a connection for as long as the server keeps it.
        pause: Seconds between two calls.

    Attributes:
        outcomes: How often each status came, `refused` for a connection that the server did not take, and the name of
            the error of each call that got no answer.
        longest: The seconds of the longest call.
    """

    def __init__(self, port: int, ask: Ask, *, keeps: bool, pause: float) -> None:
        super().__init__(daemon=True)
        self.port, self.ask, self.keeps, self.pause = port, ask, keeps, pause
        self.outcomes: Counter[int | str] = Counter()
        self.longest = 0.0
        self.stopping = threading.Event()

    def run(self) -> None:
        connection: http.client.HTTPConnection | None = None
        number = 0
        while not self.stopping.wait(self.pause):
            begun = time.monotonic()
            if connection is None or connection.sock is None or not self.keeps:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                try:
                    connection.connect()
                except OSError:
                    self.outcomes[REFUSED] += 1
                    continue
            try:
                self.outcomes[self.ask(connection, number)] += 1
            except (OSError, http.client.HTTPException) as error:
                self.outcomes[type(error).__name__] += 1
                connection.close()
            number += 1
            self.longest = max(self.longest, time.monotonic() - begun)
            if not self.keeps:
                connection.close()
        if connection is not None:
            connection.close()


@contextlib.contextmanager
def load(*clients: Client) -> Iterator[None]:
    """These clients call meanwhile."""
    for client in clients:
        client.start()
    try:
        yield
    finally:
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(40)


def outcomes(*clients: Client) -> Counter[int | str]:
    """Those of all clients together."""
    return sum((client.outcomes for client in clients), Counter())


def get(path: str) -> Ask:
    """Reads an address."""

    def ask(connection: http.client.HTTPConnection, number: int) -> int:
        connection.request("GET", path, headers=TLS)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return ask


def post(path: str, token: str, body: Callable[[int], dict[str, Any]]) -> Ask:
    """Posts the body of each number."""
    headers = {**TLS, "Authorization": f"Token {token}", "Content-Type": "application/json"}

    def ask(connection: http.client.HTTPConnection, number: int) -> int:
        connection.request("POST", path, json.dumps(body(number)), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return ask
