"""A connection of gunicorn's worker, which waits in the event loop until its request has arrived."""

import errno
import re
import socket
import time
from typing import TYPE_CHECKING, Any

from gunicorn.workers.gthread import TConn

if TYPE_CHECKING:
    from booking_system_api.web_worker import WebWorker

HEAD_END = re.compile(rb"\r?\n\r?\n")
LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r?\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\ntransfer-encoding:[^\n]*chunked", re.IGNORECASE)
EXPECTATION = re.compile(rb"\r?\nexpect:[ \t]*100-continue[ \t]*(?=\r?\n)", re.IGNORECASE)
LAST_CHUNK = b"0\r\n\r\n"

# Bytes. The request line and the headers: gunicorn refuses most longer ones.
MOST_OF_A_HEAD = 65_536
# A head and the largest body that the API reads.
MOST_OF_A_REQUEST = MOST_OF_A_HEAD + 1_048_576


class ClientSocket(socket.socket):
    """The socket of a client; a client that keeps a thread waiting counts as gone.

    Attributes:
        since: When the request began, in seconds of the monotonic clock.
        deadline: The moment at which a thread stops reading, in seconds of the monotonic clock.
        send_seconds: The longest wait for one write of a thread.
    """

    since = 0.0
    deadline = 0.0
    send_seconds = 30.0

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the library's own
        self.settimeout(self.send_seconds if flag else 0.0)

    def recv(self, *args: Any) -> bytes:  # noqa: ANN401 - the library's own
        usual = self.gettimeout()
        if not usual:
            return super().recv(*args)
        try:
            self.settimeout(max(0.001, min(usual, self.deadline - time.monotonic())))
            return super().recv(*args)
        except TimeoutError as error:
            raise too_slow() from error
        finally:
            self.settimeout(usual)

    def sendall(self, *args: Any) -> None:  # noqa: ANN401 - the library's own
        try:
            super().sendall(*args)
        except TimeoutError as error:
            raise too_slow() from error


def too_slow() -> OSError:
    """The error of a client that went away, which gunicorn logs at the level DEBUG only."""
    return ConnectionResetError(errno.ECONNRESET, "The client was too slow.")


class Connection(TConn):
    """A connection, and the part of its request that has arrived.

    Attributes:
        received: The bytes that no thread has read yet.
        head: The length of the request line and the headers; 0 until they have arrived.
        length: The length of the whole request; of a body in chunks it is the most that is read.
        held: How many bytes of memory the worker counts for this connection.
        since: When the request began, in seconds of the monotonic clock.
        is_leaving: Whether the last response has been sent.
    """

    def __init__(self, worker: "WebWorker", sock: ClientSocket, client: Any, server: Any) -> None:  # noqa: ANN401
        super().__init__(worker.cfg, sock, client, server)
        self.worker = worker
        self.received = bytearray()
        self.head = self.length = self.held = 0
        self.in_chunks = self.is_leaving = False
        self.since = 0.0

    def has_arrived(self) -> bool:
        """Whether the request is there, or so much of it that it will be refused."""
        if not self.head:
            self.read_head()
        if not self.head:
            return len(self.received) >= MOST_OF_A_HEAD
        if self.in_chunks and self.received.endswith(LAST_CHUNK, self.head):
            return True
        return len(self.received) >= self.length

    def read_head(self) -> None:
        """Finds the end of the head, and the length of the body."""
        end = HEAD_END.search(self.received)
        if end is None:
            return
        self.head = self.length = end.end()
        stated = LENGTH.search(self.received, 0, self.head)
        self.in_chunks = CHUNKED.search(self.received, 0, self.head) is not None
        # gunicorn refuses a length beside chunks, whatever the body is.
        if stated and not self.in_chunks:
            self.length = min(self.head + int(stated[1]), MOST_OF_A_REQUEST)
        elif self.in_chunks and not stated:
            self.length = MOST_OF_A_REQUEST

    def take_expectation(self) -> bool:
        """Whether the client waits for a 100 before it sends the body; the header is then removed."""
        found = EXPECTATION.search(self.received, 0, self.head)
        if found is None:
            return False
        del self.received[found.start() : found.end()]
        self.read_head()
        return True

    def take_received(self) -> bytes:
        """The bytes that have arrived, for a thread."""
        data = bytes(self.received)
        self.received.clear()
        self.head = 0
        return data

    def close(self, graceful: bool = False) -> None:  # noqa: FBT001, FBT002 - the library's own
        """Closes the connection; with `graceful`, once the client has hung up."""
        if graceful:
            self.worker.linger(self)
        else:
            super().close()
