"""What delivery needs of a channel, and the outcomes that a channel reports by an error."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from django.db.models import QuerySet

from core.outbox.models import OutboxRow

Row = TypeVar("Row", bound=OutboxRow)
Parcel = TypeVar("Parcel")


class NotNeeded(Exception):  # noqa: N818 - an outcome, not an error
    """The row is no longer needed.

    Attributes:
        columns: Further columns to write when the row is dropped.
    """

    def __init__(self, reason: str, **columns: object) -> None:
        super().__init__(reason)
        self.columns = columns


class NotSent(Exception):  # noqa: N818 - an outcome, not an error of this program
    """The channel could not send the row.

    Attributes:
        can_retry: True if a later try with the same row may succeed.
        may_have_arrived: True if the provider may have accepted the row and only its answer was lost.
    """

    def __init__(self, reason: str, *, can_retry: bool, may_have_arrived: bool = False) -> None:
        super().__init__(reason)
        self.can_retry = can_retry
        self.may_have_arrived = may_have_arrived


class Channel(Protocol[Row, Parcel]):
    """Sends the rows of one table by calls of a provider; a parcel holds whatever a call needs of a row."""

    @property
    def model(self) -> type[Row]: ...

    @property
    def seconds(self) -> float:
        """The deadline of a call, connecting included. Claims last longer; a stop waits for `STOP_SECONDS` at most."""

    @property
    def at_once(self) -> int:
        """The largest number of calls at the same time."""

    def ready(self, due: QuerySet[Row], on_their_way: Sequence[Parcel]) -> QuerySet[Row]:
        """Returns the due rows without the rows that wait for a call on its way; may join what `prepare` needs."""

    def together(self, rows: Sequence[Row]) -> list[Row]:
        """Returns the rows that may be claimed together, without those that must wait for the call of another one."""

    def prepare(self, row: Row, *, now: datetime) -> Parcel:
        """Prepares the call for a row.

        Raises:
            NotNeeded: The row is dropped.
            NotSent: The row is tried again later, or fails.
        """

    def send(self, parcel: Parcel) -> None:
        """Calls the provider, in a thread of its own and without the database.

        Raises:
            NotSent: The row is tried again later, or fails.
        """

    def sent(self, parcel: Parcel) -> Mapping[str, object]:
        """Returns columns to write when the row is marked as sent."""

    def give_up(self, row: Row, error: NotSent) -> None:
        """Handles a row that has just been marked as failed."""
