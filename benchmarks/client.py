"""A minimal HTTP client with prepared requests and kept connections, so that the client takes little CPU time."""

import json
import re
import socket
import time
from dataclasses import dataclass
from typing import Self

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """A response and the seconds from the request to its end."""

    status: int
    body: bytes
    seconds: float


def request(method: str, path: str, *, token: str = "", body: object = None) -> bytes:
    """The bytes of a request, as a proxy that terminates HTTPS forwards them."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*", "X-Forwarded-Proto: https"]
    if token:
        lines.append(f"Authorization: Token {token}")
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """One kept connection to a server on this machine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.socket.close()

    def ask(self, request: bytes) -> Answer:
        """Sends a request and reads the whole response.

        Raises:
            ConnectionError: When the server closes the connection early.
        """
        began = time.perf_counter()
        self.socket.sendall(request)
        head, body = self._receive(), b""
        while b"\r\n\r\n" not in head:
            head += self._receive()
        head, _, body = head.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if head[9:12] == b"204":
            return Answer(204, b"", time.perf_counter() - began)
        if length is None:  # chunked, with an empty last chunk; no caller needs the decoded body
            while not body.endswith(b"0\r\n\r\n"):
                body += self._receive()
            return Answer(int(head[9:12]), body, time.perf_counter() - began)
        parts, received = [body], len(body)
        while received < int(length[1]):
            parts.append(self._receive())
            received += len(parts[-1])
        return Answer(int(head[9:12]), b"".join(parts), time.perf_counter() - began)

    def _receive(self) -> bytes:
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("The server hung up.")
        return data
