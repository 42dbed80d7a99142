"""Serves `/metrics` of a process that answers no other request: the worker that sends messages."""

import logging
import threading
from collections.abc import Callable, Iterable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import connections

from booking_system_api.views import METRICS_PATH, metrics, nothing_here

logger = logging.getLogger(__name__)


class Server(ThreadingMixIn, WSGIServer):
    """A server whose threads end with the process."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Binds without the library's search for a name of this machine, which may take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class Handler(WSGIRequestHandler):
    """Has no lines in the log, and ten seconds for a request."""

    timeout = 10

    def log_message(self, *args: object) -> None:
        pass

    def address_string(self) -> str:
        return str(self.client_address[0])


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers `/metrics`; all else is a 404."""
    request = WSGIRequest(environ)
    try:
        response = metrics(request) if request.path_info == METRICS_PATH else nothing_here()
    finally:
        connections.close_all()
    body = b"" if request.method == "HEAD" else response.content
    response.headers["Content-Length"] = str(len(response.content))
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [body]


def start(**kwargs: object) -> None:
    """Serves in a thread at `WORKER_METRICS_BIND`, if that is set; receives `process_started`."""
    if settings.WORKER_METRICS_BIND is None:
        return
    host, port = settings.WORKER_METRICS_BIND
    try:
        server = make_server(host, port, application, server_class=Server, handler_class=Handler)
    except OSError as error:
        logger.error("There are no metrics of this worker: %s:%s cannot be used (%s).", host, port, error)
        return
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    logger.info("Metrics are at http://%s:%s%s", host, server.server_port, METRICS_PATH)
