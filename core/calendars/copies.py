"""Copies of rendered calendars in the memory of a process: a calendar that has not changed is not rendered again."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple


class Copy(NamedTuple):
    """The content of a calendar in one version."""

    version: str
    content: bytes


class Copies:
    """The newest copy of each of the most recently read calendars.

    Attributes:
        most_bytes: The most bytes that the copies have together; a calendar with more bytes is not kept.
        copies: By calendar, the most recently read one last.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.copies: OrderedDict[int, Copy] = OrderedDict()
        self.bytes = 0
        self.lock = threading.Lock()
        self.rendering = threading.Lock()

    def get(self, calendar: int, version: str, write: Callable[[], Copy]) -> Copy:
        """Returns the copy of a calendar in a version, or what `write` returns; keeps that if it has the version.

        One calendar is written at a time. So calls that come together for one calendar write it once, and those for
        different calendars do not fill the memory together.
        """
        kept = self.find(calendar, version)
        if kept is not None:
            return kept
        with self.rendering:
            kept = self.find(calendar, version)
            if kept is not None:
                return kept
            written = write()
            if written.version == version:
                self.keep(calendar, written)
        return written

    def find(self, calendar: int, version: str) -> Copy | None:
        """Returns the copy of a calendar if it has the version."""
        with self.lock:
            kept = self.copies.get(calendar)
            if kept is None or kept.version != version:
                return None
            self.copies.move_to_end(calendar)
            return kept

    def keep(self, calendar: int, copy: Copy) -> None:
        """Keeps a copy in place of the older one of that calendar, and drops those that were read longest ago."""
        with self.lock:
            replaced = self.copies.pop(calendar, None)
            self.bytes -= len(replaced.content) if replaced else 0
            if len(copy.content) > self.most_bytes:
                return
            self.copies[calendar] = copy
            self.bytes += len(copy.content)
            while self.bytes > self.most_bytes:
                _, dropped = self.copies.popitem(last=False)
                self.bytes -= len(dropped.content)
