"""gunicorn's threaded worker, in which a slow client takes no thread.

gunicorn's own `gthread` gives each new connection to a thread, and the thread waits for the request as long as the
client likes: a few dozen slow clients take all threads. Here a connection waits in the event loop until its request has
arrived; a deadline ends the wait. Clients that are slow to hang up wait there, too.
"""

import errno
import json
import re
import selectors
import socket
import sys
import time
import uuid
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_END = re.compile(rb"\r?\n\r?\n")
LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r?\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\ntransfer-encoding:[^\n]*chunked", re.IGNORECASE)
EXPECTATION = re.compile(rb"\r?\nexpect:[ \t]*100-continue[ \t]*(?=\r?\n)", re.IGNORECASE)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"

# Bytes. The request line and the headers: gunicorn refuses most longer ones.
MOST_OF_A_HEAD = 65_536
# A head and the largest body that the API reads.
MOST_OF_A_REQUEST = MOST_OF_A_HEAD + 1_048_576
READ_SIZE = 65_536
# For a worker that stops; Python itself has 0.005.
GIVE_WAY_SECONDS = 0.000_05


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


class WebWorker(ThreadWorker):
    """A worker whose threads get requests that have arrived.

    Attributes:
        head_seconds: The time for the request line and the headers.
        request_seconds: The time for the whole request.
        rest_seconds: The time that a thread may wait for the rest of a request that is too large.
        chunks_seconds: The same for a body in chunks, whose end is only guessed from its last bytes.
        linger_seconds: The time that a client has to hang up after the last response.
        most_held: The bytes of requests to keep in memory. Above it, threads read the requests themselves.
    """

    head_seconds = 10.0
    request_seconds = 60.0
    rest_seconds = 5.0
    chunks_seconds = 0.1
    linger_seconds = 2.0
    most_held = 64 * 1024 * 1024

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(*args, **kwargs)
        self.waiting: set[Connection] = set()
        self.held = 0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:  # noqa: ANN401 - the library's own
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise RuntimeError("This worker speaks no TLS. Let a proxy do it, or use --worker-class=gthread.")

    # --- In the event loop --------------------------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> bool:
        """Takes the next connection of a listener; False if there is none."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return error.errno == errno.ECONNABORTED
        self.nr_conns += 1
        self.enqueue_req(Connection(self, ClientSocket(fileno=accepted.detach()), address, listener.getsockname()))
        return True

    def leave_listeners(self) -> None:
        """Takes the connections that are there already, and closes the listeners of this worker.

        Clients go on connecting to a listener that is open, and the close of the last one resets whatever nobody took.
        After a reload the new workers have the listeners open.
        """
        # Threads that answer give way at once, so that next to no time is between the last look and the close.
        sys.setswitchinterval(GIVE_WAY_SECONDS)
        for listener in self.sockets:
            listener.setblocking(False)
            while self.nr_conns < self.worker_connections and self.accept(listener):
                pass
            listener.close()

    def enqueue_req(self, conn: Connection) -> None:
        """Waits for the next request of a connection."""
        if conn.parser is not None:
            conn.received += conn.parser.unreader.take_buffered()
        conn.since = conn.sock.since = time.monotonic()
        self.wait(conn, self.head_seconds)
        self.advance(conn)

    def wait(self, conn: Connection, seconds: float) -> None:
        """Waits until the client sends something, for so many seconds at most."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + seconds
        self.waiting.add(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_readable, conn))

    def stop_waiting(self, conn: Connection) -> None:
        self.waiting.discard(conn)
        self.poller.unregister(conn.sock)

    def on_readable(self, conn: Connection, sock: ClientSocket) -> None:
        """Reads what the client has sent."""
        try:
            data = sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.hang_up(conn)
        elif not conn.is_leaving:
            conn.received += data
            conn.held += len(data)
            self.held += len(data)
            self.advance(conn)

    def advance(self, conn: Connection) -> None:
        """Gives the connection to a thread when the request has arrived."""
        if conn.has_arrived() or self.held > self.most_held:
            self.stop_waiting(conn)
            super().enqueue_req(conn)
        elif conn.head:
            conn.timeout = conn.since + self.request_seconds
            if conn.take_expectation():
                with suppress(OSError):
                    conn.sock.send(CONTINUE)

    def hang_up(self, conn: Connection) -> None:
        self.stop_waiting(conn)
        self.forget(conn)
        self.nr_conns -= 1
        conn.close()

    def forget(self, conn: Connection) -> None:
        """Counts the bytes of a connection no longer."""
        self.held -= conn.held
        conn.held = 0

    def linger(self, conn: Connection) -> None:
        """Waits until the client has hung up, too.

        Bytes that arrive after the close would reset the connection, and the client could lose the end of the response
        (RFC 9112, section 9.6).
        """
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            conn.close()
            return
        conn.is_leaving = True
        self.nr_conns += 1
        self.wait(conn, self.linger_seconds)

    def murder_pending(self) -> None:
        """Ends the waits that are over; gunicorn calls this once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [conn for conn in self.waiting if conn.timeout <= now]:
            if conn.received and not conn.is_leaving:
                self.refuse(conn.sock, 408, conn.client, "TooSlow")
                self.stop_waiting(conn)
                self.forget(conn)
                self.nr_conns -= 1
                self.linger(conn)
            else:
                self.hang_up(conn)

    def finish_request(self, conn: Connection, fs: Future[Any]) -> None:
        self.forget(conn)
        super().finish_request(conn, fs)

    def _cap_keepalive(self, deadline: float) -> None:
        """Shortens the waits of a worker that stops: a request that has begun may arrive.

        gunicorn calls this once, when the worker accepts no more.
        """
        self.leave_listeners()
        super()._cap_keepalive(deadline)
        for conn in self.waiting:
            if not conn.received:
                conn.timeout = min(conn.timeout, deadline)

    # --- In a thread --------------------------------------------------------------------------------------------------

    def handle(self, conn: Connection) -> Any:  # noqa: ANN401 - the library's own
        """Answers a request."""
        conn.sock.deadline = time.monotonic() + (self.chunks_seconds if conn.in_chunks else self.rest_seconds)
        conn.init()
        conn.parser.unreader.unread(conn.take_received())
        return super().handle(conn)

    def handle_error(self, req: Any, client: ClientSocket, addr: Any, exc: BaseException) -> None:  # noqa: ANN401
        """Refuses a request that gunicorn cannot read, with an error of the API's form instead of a page."""
        page = Page()
        super().handle_error(req, page, addr, exc)
        self.refuse(client, page.status, addr, type(exc).__name__)

    def refuse(self, sock: ClientSocket, status: int, address: Any, reason: str) -> None:  # noqa: ANN401 - the library's
        """Sends an error of the API's form to a client whose request no view has read, and tells of the request."""
        # gunicorn's main process imports this module, and loads no Django.
        from booking_system_api.requests import tell_unread
        from core.api.exception_handler import error_for_status

        request_id = uuid.uuid4().hex
        error = error_for_status(status, request_id)[1]
        client = address[0] if address and isinstance(address, tuple) else ""
        tell_unread(request_id, status, str(error["code"]), time.monotonic() - sock.since, client, reason)
        body = json.dumps(error)
        lines = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            "Connection: close",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"X-Request-ID: {request_id}",
            "",
            body,
        )
        with suppress(OSError):
            sock.sendall("\r\n".join(lines).encode())


class Page:
    """Takes the page of an error from gunicorn, for the status in it."""

    status = 500

    def gettimeout(self) -> float:
        return 0.0

    def sendall(self, data: bytes) -> None:
        self.status = int(data.split(b" ", 2)[1])
