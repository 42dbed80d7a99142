"""gunicorn's threaded worker, in which a slow client takes no thread.

gunicorn's own `gthread` gives each new connection to a thread, and the thread waits for the request as long as the
client likes: a few dozen slow clients take all threads. Here a connection waits in the event loop until its request has
arrived; a deadline ends the wait. Clients that are slow to hang up wait there, too.
"""

import ctypes
import errno
import json
import os
import selectors
import socket
import time
import uuid
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from booking_system_api.handover import Handover
from booking_system_api.web_connection import ClientSocket, Connection

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
READ_SIZE = 65_536
# Errors of one connection, after which others may wait.
NOT_THE_LAST = (errno.ECONNABORTED, errno.EINTR)
# The system's functions, called without a chance for another thread to run in between.
LIBC = ctypes.PyDLL(None, use_errno=True)

# The main process imports this module, and its workers share what is in it.
handover = Handover()


class WebWorker(ThreadWorker):
    """A worker whose threads get requests that have arrived.

    Attributes:
        head_seconds: The time for the request line and the headers.
        request_seconds: The time for the whole request.
        rest_seconds: The time that a thread may wait for the rest of a request that is too large.
        chunks_seconds: The same for a body in chunks, whose end is only guessed from its last bytes.
        linger_seconds: The time that a client has to hang up after the last response.
        most_held: The bytes of requests to keep in memory. Above it, threads read the requests themselves.
        handover_seconds: The time that the workers of a reload have to load the application before this one stops.
    """

    head_seconds = 10.0
    request_seconds = 60.0
    rest_seconds = 5.0
    chunks_seconds = 0.1
    linger_seconds = 2.0
    most_held = 64 * 1024 * 1024
    handover_seconds = 20.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(*args, **kwargs)
        handover.expect(self.age)
        self.stops_at: float | None = None
        self.waiting: set[Connection] = set()
        self.held = 0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:  # noqa: ANN401 - the library's own
        super().check_config(cfg, log)
        if cfg.is_ssl:
            raise RuntimeError("This worker speaks no TLS. Let a proxy do it, or use --worker-class=gthread.")

    # --- The begin and the end ----------------------------------------------------------------------------------------

    def run(self) -> None:
        handover.begin(self.age)
        super().run()

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ANN401 - the library's own
        """Stops, at a reload only when the new workers answer: until then nobody else would."""
        if not self.booted or not handover.is_expecting:
            super().handle_exit(sig, frame)
        elif self.stops_at is None:
            self.stops_at = time.monotonic() + self.handover_seconds

    # --- In the event loop --------------------------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> bool:
        """Takes the next connection of a listener; False if there is none."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return error.errno == errno.ECONNABORTED
        self.take(ClientSocket(fileno=accepted.detach()), address, listener.getsockname())
        return True

    def take(self, sock: ClientSocket, client: Any, server: Any) -> None:  # noqa: ANN401 - addresses of any family
        """Waits for the first request of a new connection."""
        self.nr_conns += 1
        self.enqueue_req(Connection(self, sock, client, server))

    def leave_listeners(self) -> None:
        """Takes the connections that are there already, and closes the listeners of this worker.

        Clients go on connecting to a listener that is open, and the close of the last one resets whatever nobody took.
        So the close follows the last look within a few microseconds. After a reload the new workers have the listeners
        open.
        """
        for listener in self.sockets:
            address = listener.getsockname()
            descriptor = listener.sock.detach()
            os.set_blocking(descriptor, False)
            while (taken := LIBC.accept(descriptor, None, None)) >= 0 or ctypes.get_errno() in NOT_THE_LAST:
                if taken >= 0:
                    os.set_inheritable(taken, False)
                    sock = ClientSocket(fileno=taken)
                    with suppress(OSError):  # the client is gone
                        self.take(sock, sock.getpeername(), address)
            LIBC.close(descriptor)

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
        if self.stops_at is not None and (now >= self.stops_at or not handover.is_expecting):
            self.alive = False
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
