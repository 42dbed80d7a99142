"""A line to the database that can fall silent: nothing is refused, and nothing comes through."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import quote


class Line:
    """A port of the loopback that passes all bytes on to PostgreSQL and back.

    Attributes:
        is_silent: While it is set, nothing is passed on; what was sent meanwhile comes later.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.server = (str(settings["HOST"]), int(settings["PORT"] or 5432))
        self.is_silent = threading.Event()
        self.ends: list[socket.socket] = []
        self.port = socket.create_server(("127.0.0.1", 0))
        account = f"{quote(settings['USER'], safe='')}:{quote(settings['PASSWORD'], safe='')}"
        self.url = f"postgresql://{account}@127.0.0.1:{self.port.getsockname()[1]}/{settings['NAME']}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        for end in (self.port, *self.ends):
            end.close()

    @contextlib.contextmanager
    def silence(self) -> Iterator[None]:
        self.is_silent.set()
        try:
            yield
        finally:
            self.is_silent.clear()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.port.accept()
            except OSError:
                return  # the end of the block
            server = socket.create_connection(self.server)
            self.ends += [client, server]
            for here, there in ((client, server), (server, client)):
                threading.Thread(target=self.pass_on, args=(here, there), daemon=True).start()

    def pass_on(self, here: socket.socket, there: socket.socket) -> None:
        pause = threading.Event()
        try:
            while data := here.recv(65536):
                while self.is_silent.is_set():
                    pause.wait(0.05)
                there.sendall(data)
            there.shutdown(socket.SHUT_WR)
        except OSError:
            return  # one of them hung up
