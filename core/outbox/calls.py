"""A call of the provider, in a thread of its own."""

import threading
import time
from typing import Generic

from core.outbox.channels import Channel, Parcel, Row


class Call(threading.Thread, Generic[Row, Parcel]):
    """A call of the provider, which the delivering thread abandons at the deadline.

    A timeout of a socket limits each wait alone: an answer in many parts would exceed it. The thread is a daemon, since
    Python's exit waits for all other threads and for those of `concurrent.futures`.

    Attributes:
        error: The reason of the failure; None after success.
        has_ended: True once the provider has answered or the call has failed.
    """

    def __init__(
        self, channel: Channel[Row, Parcel], row: Row, parcel: Parcel, *, is_probe: bool, news: threading.Event
    ) -> None:
        super().__init__(name="outbox call", daemon=True)
        self.channel, self.row, self.parcel = channel, row, parcel
        self.is_probe, self.news = is_probe, news
        self.deadline = time.monotonic() + channel.seconds
        self.error: Exception | None = None
        self.has_ended = False

    def run(self) -> None:
        try:
            self.channel.send(self.parcel)
        except Exception as error:  # noqa: BLE001 - the delivering thread handles the error
            self.error = error
        self.has_ended = True
        self.news.set()
