"""Delivery: claims each due row, gives the row to its channel once, and marks the outcome.

Any number of processes may deliver at once. In each process one thread claims, prepares and marks rows. Only the calls
of the provider run in threads of their own, several at once, so that a call that hangs delays no other row. No lock and
no transaction is held during a call.

After some failed calls in a row the provider counts as down. Then one call at a time probes the provider, and all other
rows wait without a try. The first answer ends that.

Only rows that a killed process had sent and not yet marked are sent twice.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Generic

from django.db import DatabaseError, InterfaceError
from django.dispatch import Signal

from core.outbox.calls import Call
from core.outbox.channels import Channel, NotNeeded, NotSent, Parcel, Row
from core.outbox.claims import LONGEST_DUE_FIRST, UNTRIED_AND_NEWEST_FIRST, claim, margin_seconds, mark, try_again
from core.outbox.models import OutboxRow, State
from core.outbox.quiet import Requests

logger = logging.getLogger(__name__)

FIRST_DELAY_MINUTES = 1
LONGEST_DELAY_MINUTES = 64
# After this many failed calls in a row the provider counts as down.
FAILURES_IN_A_ROW = 3
# While calls are on their way, the run looks this often for further due rows.
LOOK_SECONDS = 1
# Beside requests a message begins in a quiet moment, or after so many seconds without one.
PATIENCE_SECONDS = 2
# A message that is due for so long waits for no quiet moment: a process that is never quiet keeps up with its messages.
LATE_SECONDS = 30
# An abandoned call lives on until the provider ends the connection. While this many calls live, no other call begins.
LIVING_CALLS = 50

# Sent for each row with an outcome, with `outcome`: `sent`, `retried`, `failed` or `dropped`.
counted = Signal()

Tally = Counter[str]
Failures = Counter[type[OutboxRow]]
Begun = dict[object, float]


class Run:
    """One run of the worker: its clock and its end.

    The clock continues steadily even if the computer's clock is set back.

    Attributes:
        failures: The number of failed calls in a row, for each table; a worker passes them on to its next run.
        begun: When each job with a pause began last, in seconds of the steady clock; passed on likewise.
        requests: The requests beside which the run works; None in a process that answers none.
        due_since: Since when the oldest waiting row that the run knows of is due.
    """

    def __init__(
        self,
        now: datetime,
        *,
        stopping: threading.Event | None = None,
        failures: Failures | None = None,
        begun: Begun | None = None,
        feed: "Callable[[Run], object] | None" = None,
        requests: Requests | None = None,
    ) -> None:
        self._began, self._ticks = now, time.monotonic()
        self._stopping = stopping
        self._feed, self._fed = feed, self._ticks
        self.failures = Failures() if failures is None else failures
        self.begun: Begun = {} if begun is None else begun
        self.requests = requests
        self.due_since = now

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._ticks

    @property
    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.seconds)

    def feed(self) -> None:
        """Lets new rows be written, at most once in `LOOK_SECONDS`: those of a long run wait for no other run."""
        if self._feed is not None and time.monotonic() - self._fed >= LOOK_SECONDS:
            self._feed(self)
            self._fed = time.monotonic()

    def may_begin(self, job: object, *, every: float) -> bool:
        """True unless the job began less than `every` seconds ago, in this run or one before; remembers the moment."""
        ticks = time.monotonic()
        if job in self.begun and ticks - self.begun[job] < every:
            return False
        self.begun[job] = ticks
        return True

    @property
    def is_late(self) -> bool:
        """True if rows have been due for so long that they wait for no quiet moment."""
        return self.now - self.due_since >= timedelta(seconds=LATE_SECONDS)

    @property
    def may_work(self) -> bool:
        """True in a quiet moment, for a run that is late, and always in a process that answers no request."""
        return self.requests is None or self.is_late or not self.requests.seconds_to_quiet

    def wait_for_quiet(self) -> None:
        """Waits until the run may work, for `PATIENCE_SECONDS` at most."""
        if self.requests is not None and not self.is_late:
            self.requests.wait_for_quiet(PATIENCE_SECONDS)

    @property
    def is_over(self) -> bool:
        """True once no further call may begin."""
        return self._stopping is not None and self._stopping.is_set()


def deliver(channel: Channel[Row, Parcel], run: Run) -> Tally:
    """Delivers the due rows of a channel and counts them as `sent`, `retried`, `failed` or `dropped`.

    A probe that fails ends the delivery: the other jobs of the run have their turn, and the provider has a pause.
    """
    return Delivery(channel, run).finish()


def is_down(failures: int) -> bool:
    """True if a provider counts as down after so many failed calls in a row."""
    return failures >= FAILURES_IN_A_ROW


def delay_after(tries: int) -> timedelta:
    """Returns the delay before the next try: 1, 2, 4 … 64 minutes, then always 64."""
    return timedelta(minutes=min(FIRST_DELAY_MINUTES * 2 ** (min(tries, 20) - 1), LONGEST_DELAY_MINUTES))


class Delivery(Generic[Row, Parcel]):
    """The delivery of one channel's due rows in one run.

    Attributes:
        calls: The calls on their way.
        news: Set whenever a call has ended.
        claimed: The rows that are claimed, and whose calls have not begun.
        claimed_before: The number of rows that the last claim has got.
        may_begin: False once a probe has failed, or once no thread can start.
        order: Which due row is the next.
    """

    def __init__(self, channel: Channel[Row, Parcel], run: Run) -> None:
        self.channel, self.run = channel, run
        self.tally = Tally()
        self.calls: list[Call[Row, Parcel]] = []
        self.news = threading.Event()
        self.claimed: list[Row] = []
        self.claimed_before = 0
        self.may_begin = True
        self.order = LONGEST_DUE_FIRST

    def finish(self) -> Tally:
        """Delivers until no row is due and all calls have ended."""
        try:
            while (began := self.begin_call()) or self.calls:
                if not began:
                    self.wait()
                self.end_calls()
        finally:
            # After an error of the database, too: a sent row without its mark would be sent again.
            while self.calls:
                self.wait()
                self.end_calls()
        return self.tally

    @property
    def is_down(self) -> bool:
        return is_down(self.run.failures[self.channel.model])

    @property
    def room(self) -> int:
        """How many calls may begin; each failure in a row takes a place away, and an answer gives all back."""
        failures = self.run.failures[self.channel.model]
        at_once = 1 if self.is_down else max(1, self.channel.at_once - failures)
        living = sum(isinstance(thread, Call) for thread in threading.enumerate())
        if not self.may_begin or self.run.is_over:
            return 0
        return max(min(at_once - len(self.calls), LIVING_CALLS - living), 0)

    def begin_call(self) -> bool:
        """Claims a due row and begins its call; returns False if no row is due or no call may begin."""
        if self.calls and not self.run.may_work:
            return False  # the end of a call comes first
        self.run.wait_for_quiet()
        self.run.feed()
        row = self.next_row()
        if row is None:
            return False
        self.run.due_since = row.due_at
        try:
            parcel = self.channel.prepare(row, now=self.run.now)
        except Exception as error:  # noqa: BLE001 - an outcome of the row
            self.mark_unsent(row, error)
            return True
        if self.run.is_over or self.claim_ends_soon(row) or not self.start_call(row, parcel):
            mark(row)  # ends the claim and changes nothing else
        return True

    def next_row(self) -> Row | None:
        """Returns a claimed row whose call may begin; rows that would wait longer lose their claim."""
        room = self.room
        kept = 0 if self.is_down else room  # a probe goes to another row
        while len(self.claimed) > kept or (self.claimed and self.claim_ends_soon(self.claimed[-1])):
            mark(self.claimed.pop())
        if not room:
            return None
        return self.claimed.pop(0) if self.claimed else self.claim(room)

    def claim_ends_soon(self, row: Row) -> bool:
        margin = timedelta(seconds=margin_seconds(self.channel))
        return row.claimed_until is not None and row.claimed_until - self.run.now < margin

    def claim(self, most: int) -> Row | None:
        """Claims at most `most` rows, and at most twice as many as the last time: few wait for a slow provider."""
        if self.is_down:
            # Until the run ends: rows whose calls hang would otherwise keep coming before the rows behind them.
            self.order = UNTRIED_AND_NEWEST_FIRST
        row = claim(
            self.channel,
            now=self.run.now,
            on_their_way=[call.parcel for call in self.calls],
            order=self.order,
            spare=self.claimed,
            most=min(most, max(2 * self.claimed_before, 1)),
        )
        self.claimed_before = 0 if row is None else 1 + len(self.claimed)
        return row

    def start_call(self, row: Row, parcel: Parcel) -> bool:
        call = Call(self.channel, row, parcel, is_probe=self.is_down, news=self.news)
        try:
            call.start()
        except RuntimeError:
            # No thread can start: the system has too many of them, or Python is exiting.
            self.may_begin = False
        else:
            self.calls.append(call)
        return self.may_begin

    def wait(self) -> None:
        """Waits until a call ends or reaches its deadline, for `LOOK_SECONDS` at most."""
        deadline = min(call.deadline for call in self.calls)
        self.news.wait(min(max(deadline - time.monotonic(), 0), LOOK_SECONDS))
        self.news.clear()

    def end_calls(self) -> None:
        """Marks the rows of the calls that have ended or have reached their deadline."""
        for call in list(self.calls):
            # Ask for the answer first: while the database was away, the deadline may have passed after the answer.
            if call.has_ended:
                error = call.error
            elif time.monotonic() >= call.deadline:
                reason = f"no answer within {self.channel.seconds:g} seconds"
                error = NotSent(reason, can_retry=True, may_have_arrived=True)
            else:
                continue
            self.calls.remove(call)
            self.count_failure(call, error)
            if error is None:
                self.mark_sent(call)
            else:
                self.mark_unsent(call.row, error)

    def count_failure(self, call: Call[Row, Parcel], error: Exception | None) -> None:
        """Counts the failures in a row; a refusal for good is an answer, too, and ends the count."""
        failures, model = self.run.failures, self.channel.model
        if isinstance(error, NotSent) and error.can_retry:
            failures[model] += 1
            self.may_begin = self.may_begin and not call.is_probe
        else:
            failures[model] = 0

    def count(self, outcome: str) -> None:
        self.tally[outcome] += 1
        counted.send(self.channel.model, outcome=outcome)

    def mark_sent(self, call: Call[Row, Parcel]) -> None:
        row = call.row
        columns: Mapping[str, object] = {}
        try:
            columns = self.channel.sent(call.parcel)
        except Exception:
            # The row was sent, and must be marked in any case.
            logger.exception("%s was sent, but an error came after that.", row)
        mark(row, state=State.SENT, tries=row.tries + 1, last_error="", done_at=self.run.now, **columns)
        self.count("sent")

    def mark_unsent(self, row: Row, error: Exception) -> None:
        now, tries, last_error = self.run.now, row.tries + 1, str(error)[:300]
        match error:
            case DatabaseError() | InterfaceError():
                raise error
            case NotNeeded():
                mark(row, state=State.DROPPED, last_error=last_error, done_at=now, **error.columns)
                self.count("dropped")
            case NotSent(can_retry=True) if now + delay_after(tries) <= row.retry_until:
                logger.warning("%s was not sent (%s); it is tried again.", row, last_error)
                try_again(row, at=now + delay_after(tries), tries=tries, last_error=last_error)
                self.count("retried")
            case NotSent():
                # Mark the row first: if the process is killed in between, no process sends a row that was given up.
                if mark(row, state=State.FAILED, tries=tries, last_error=last_error, done_at=now):
                    self.channel.give_up(row, error)
                self.count("failed")
            case _:
                # The row fails at once: a row that stayed due would come first at every run.
                logger.error("%s cannot be sent.", row, exc_info=error)
                mark(row, state=State.FAILED, tries=tries, last_error=type(error).__name__, done_at=now)
                self.count("failed")
